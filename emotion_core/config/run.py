"""Everything that decides a run, and what of it a model has no use for."""

from typing import Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from emotion_core.config.augmentation import Augmentation
from emotion_core.config.base import Settings
from emotion_core.config.complaints import explain_errors
from emotion_core.config.data import Data
from emotion_core.config.device import Device
from emotion_core.config.models import Model
from emotion_core.config.prediction import Prediction
from emotion_core.config.training import Training
from emotion_core.errors import BadInput

LONGEST_NAME: Final = 200
"""How many characters a run's name may have."""


class RunConfig(Settings):
    """Everything that decides a run."""

    schema_version: Literal[1] = 1
    preset: str = Field("custom", max_length=80, description="Preset that the settings started from.")
    name: str = Field("", max_length=LONGEST_NAME, description="Display name.")
    data: Data = Data()
    augmentation: Augmentation = Augmentation()
    model: Model
    training: Training = Training()
    prediction: Prediction = Prediction()
    device: Device = Device()
    data_fingerprint: str = Field(
        "", max_length=64, description="Digest of the faces at submission; a run refuses to learn from others."
    )

    @field_validator("name")
    @classmethod
    def _in_one_line(cls, name: str) -> str:
        return " ".join(name.split())


_OF_NETWORKS: Final = tuple(
    f"{group}.{name}"
    for group, settings in (("augmentation", Augmentation), ("training", Training), ("prediction", Prediction))
    for name in settings.model_fields
    if name not in ("epochs", "seed", "class_weights", "early_stopping_patience", "keep")
)
_OF_RESIDUAL_NETWORKS: Final = ("training.first_side",)  # the others take 48x48 pixels only


def unused_by(family: str) -> tuple[str, ...]:
    """Return the paths of the settings that models of a family have no use for."""
    if family == "linear":
        return _OF_NETWORKS
    return () if family == "residual" else _OF_RESIDUAL_NETWORKS


def unused_settings(config: RunConfig) -> tuple[str, ...]:
    """Return the paths of the settings that a run has no use for: those of other models, and a share of no teachers."""
    return (*unused_by(config.model.family), *(() if config.training.teachers else ("training.teacher_share",)))


def refuse_unused(config: RunConfig) -> None:
    """Raise BadInput where settings were changed that the model has no use for: the run would not be what it says."""
    family = config.model.family
    plain, given = RunConfig(model=config.model).model_dump(), config.model_dump()
    changed = [path for path in unused_by(family) if _value_at(given, path) != _value_at(plain, path)]
    if changed:
        raise BadInput(
            f"Models of the family {family} have no use for {', '.join(changed)}; leave that at its default."
        )


def _value_at(document: dict[str, Any], path: str) -> Any:
    group, _, name = path.partition(".")
    return document[group][name]


def parse_config(document: Any) -> RunConfig:
    """Validate a document (nested dicts) as a configuration; raise BadInput with one sentence."""
    try:
        return RunConfig.model_validate(document)
    except ValidationError as error:
        raise BadInput(explain_errors(error)) from error
