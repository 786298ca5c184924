"""How each kind of model learns: a run's settings and its data in, a saved model and an outcome out.

A trainer reports through the recorder it is handed and writes nothing but the model's own file. `network` imports
Keras, `linear` does not; both are imported by the training process alone.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import NUM_EMOTIONS


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from and is measured on: faces uint8 (n, 48, 48), labels uint8 (n,), rows int64 (n,)."""

    faces: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    validation_faces: NDArray[np.uint8]
    validation_labels: NDArray[np.uint8]
    validation_rows: NDArray[np.int64]
    class_weights: NDArray[np.float64]  # (7,)


@dataclass(frozen=True)
class Outcome:
    """What training made of the kept epoch: probabilities float32 (n, 7) on the validation rows, and how it ended."""

    probabilities: NDArray[np.float32]
    training_accuracy: float
    kept_epoch: int
    stopped_by_person: bool = False
    note: str = ""

    @classmethod
    def nothing(cls) -> Self:
        """Return the outcome of a run before its first epoch is done."""
        return cls(np.empty((0, NUM_EMOTIONS), np.float32), 0.0, kept_epoch=0)
