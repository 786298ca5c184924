"""Which faces a run learns from, and which it is validated on."""

from pathlib import PureWindowsPath
from typing import Annotated, Final, Literal

from pydantic import Field

from emotion_core.config.base import Settings

SAMPLE: Final = "sample"
"""The data source that stands for the drawn sample instead of a path."""

SAMPLE_NAME: Final = "Sample (drawn faces)"


class FirstRows(Settings):
    """The first rows are for validation, the rest for training, as in the coursework; nothing is shuffled."""

    kind: Literal["first_rows"] = "first_rows"
    count: int = Field(2_900, ge=1, le=1_000_000, description="Rows at the top of the file, used for validation.")
    largest_share: float = Field(
        0.2, gt=0, lt=1, description="Upper limit for small data sets, as a share of their rows."
    )


class RandomSplit(Settings):
    """A random share is for validation; images and labels are split together."""

    kind: Literal["random"] = "random"
    share: float = Field(0.2, gt=0, lt=1, description="Share of the rows that validate.")


class UsageSplit(Settings):
    """The file's own Usage column decides: Training for training, PublicTest for validation."""

    kind: Literal["usage"] = "usage"


class MisalignedSplit(Settings):
    """A mistake to learn from: images and labels are shuffled separately, so a label is right only by chance."""

    kind: Literal["misaligned"] = "misaligned"
    share: float = Field(0.2, gt=0, lt=1, description="Share of the rows that validate.")


Split = Annotated[FirstRows | RandomSplit | UsageSplit | MisalignedSplit, Field(discriminator="kind")]


class Data(Settings):
    """Which faces are for training, and which for validation only."""

    source: str = Field(SAMPLE, description="Path of a CSV, a zip or a folder of images, or 'sample' for drawn faces.")
    drop_incomplete: bool = Field(False, description="Leave out rows with missing pixels instead of refusing the file.")
    split: Split = Field(FirstRows(), description="How validation rows are chosen.")

    @property
    def is_drawn(self) -> bool:
        """Whether the faces are the sample's, drawn by code."""
        return self.source == SAMPLE

    @property
    def is_misaligned(self) -> bool:
        """Whether the labels are shuffled apart from their faces."""
        return isinstance(self.split, MisalignedSplit)

    @property
    def name(self) -> str:
        """What the data is called: its file or folder, without those it lies in on whichever system that was."""
        return SAMPLE_NAME if self.is_drawn else PureWindowsPath(self.source).name
