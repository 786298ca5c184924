"""How each kind of model learns: a run's settings and its data in, a saved model and an outcome out.

A trainer reports through a recorder and writes nothing but the model's own file. Handed a checkpoint, it goes on from
there as if it had never been away. `linear` and `sgd` do without Keras, the others import it; all are imported by the
training process alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    """What training made of the kept epoch, and how it ended.

    Attributes:
        probabilities: float32 (n, 7) on the validation rows; None where no epoch was done.
        temperature: By which they were made as sure as they are right, 1 where they were left alone.
        failure: Why the numbers went wrong, where they did.
        note: What a person should know besides.
    """

    probabilities: NDArray[np.float32] | None
    temperature: float = 1.0
    stopped_by_person: bool = False
    failure: str = ""
    note: str = ""
