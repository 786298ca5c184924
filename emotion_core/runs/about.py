"""What people write about a run: its name, notes and tags. It decides nothing and may change at any time."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Tag = Annotated[str, Field(min_length=1, max_length=40)]


class About(BaseModel):
    """What about.json holds; an empty name leaves the one that the run was submitted with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", max_length=200)
    notes: str = Field("", max_length=10_000)
    tags: tuple[Tag, ...] = Field((), max_length=20)
