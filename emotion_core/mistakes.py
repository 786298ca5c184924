"""What a run takes for what: the validation faces behind a cell of its confusion matrix, and its surest mistakes.

Faces are told by their places in a `Validation`, whose `rows` then name them in the data set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_core.runs import Validation

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Confusion:
    """So many faces of one emotion are taken for another, both by label; `share` is of all faces of the true one."""

    true: int
    predicted: int
    faces: int
    share: float


def faces_in_cell(validation: Validation, true: int, predicted: int) -> Places:
    """Return the places of the faces of an emotion that are given a certain name, int64 (k,), the surest first."""
    return _surest_first(validation, (validation.labels == true) & (_predictions(validation) == predicted))


def mistakes(validation: Validation, true: int | None = None) -> Places:
    """Return the places of the faces that are given a wrong name, int64 (k,), the surest first.

    Args:
        validation: What a model answered to n faces.
        true: Only mistakes on faces of this emotion; on any for None.
    """
    chosen = _predictions(validation) != validation.labels
    return _surest_first(validation, chosen if true is None else chosen & (validation.labels == true))


def commonest_confusion(confusion: Sequence[Sequence[int]]) -> Confusion | None:
    """Return which emotion is taken for which other most often, by share of its faces; None without a mistake.

    Args:
        confusion: Faces by true, then predicted label, (7, 7).
    """
    counts = np.array(confusion, dtype=np.int64)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    np.fill_diagonal(shares, 0)
    true, predicted = divmod(int(shares.argmax()), len(shares))
    share = float(shares[true, predicted])
    return Confusion(true, predicted, int(counts[true, predicted]), share) if share else None


def _surest_first(validation: Validation, chosen: NDArray[np.bool_]) -> Places:
    """Return the places of the chosen faces by falling confidence; equals keep the order of the data set."""
    places = np.flatnonzero(chosen)
    return places[np.argsort(-validation.probabilities[places].max(axis=1), kind="stable")]


def _predictions(validation: Validation) -> NDArray[np.int64]:
    predictions: NDArray[np.int64] = validation.probabilities.argmax(axis=1)
    return predictions
