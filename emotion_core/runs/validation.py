"""What a model answered to each validation face: the figures that all scores rest on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.errors import DamagedRun
from emotion_core.files import replacing


@dataclass(frozen=True)
class Validation:
    """What a model answered: rows int64 (n,) of the data set, labels uint8 (n,), 0-6, probabilities float32 (n, 7)."""

    rows: NDArray[np.int64]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; raises DamagedRun."""
        try:
            with np.load(path) as arrays:
                validation = cls(arrays["rows"].astype(np.int64), arrays["labels"], arrays["probabilities"])
            validation.check()
            return validation
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DamagedRun(f"{path} is missing or cannot be read.") from error
        except Exception as error:  # zipfile and zlib raise errors of their own on damaged bytes
            raise DamagedRun(f"{path} is damaged: {error}") from error

    def save(self, path: Path) -> None:
        """Write the arrays as one compressed file, in one step."""
        with replacing(path) as temporary:
            np.savez_compressed(
                temporary, rows=self.rows.astype(np.int32), labels=self.labels, probabilities=self.probabilities
            )

    def check(self) -> None:
        """Raise ValueError where the parts, read from a file, do not fit together."""
        if self.rows.ndim != 1 or not self.rows.size or self.labels.shape != self.rows.shape:
            raise ValueError("rows and labels are of different numbers of faces, or of none")
        if self.probabilities.shape != (len(self.rows), NUM_EMOTIONS):
            raise ValueError("the probabilities are not those of as many faces")
        if self.labels.dtype.kind not in "ui" or not 0 <= self.labels.min() <= self.labels.max() < NUM_EMOTIONS:
            raise ValueError("a label is not that of an emotion")
        if self.probabilities.dtype.kind != "f" or not (abs(self.probabilities - 0.5) <= 0.501).all():  # nor is NaN
            raise ValueError("a probability lies outside 0 to 1")
