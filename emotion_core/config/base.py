"""What all groups of settings have in common."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of every group of settings: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
