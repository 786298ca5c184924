"""A look over a data set: how many faces of each emotion train and validate, how uneven they are, and which to show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import FirstRows, RunConfig, UsageSplit, WeightPolicy
from emotion_core.dataset import Dataset, class_weights, labels_of_run, rows_of_run, split_rows
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS

WEIGHT_POLICIES: Final[tuple[WeightPolicy, ...]] = get_args(WeightPolicy)


@dataclass(frozen=True)
class Overview:
    """Faces of each emotion, in all and as a split divides them, and the class weights that follow.

    Attributes:
        counts: Name of each emotion and its number of faces.
        training: The same of the faces that train.
        validation: The same of the faces that only validate.
        weights: For each policy the weight of each emotion; emotions without training faces weigh 0.
    """

    counts: Mapping[str, int]
    training: Mapping[str, int]
    validation: Mapping[str, int]
    weights: Mapping[str, Mapping[str, float]]

    @property
    def held_back(self) -> dict[str, int]:
        """Faces that neither train nor validate, because the file's Usage column says so."""
        return {name: self.counts[name] - self.training[name] - self.validation[name] for name in EMOTIONS}

    @property
    def largest(self) -> str:
        """The emotion with the most faces, the first of several."""
        return max(EMOTIONS, key=lambda name: self.counts[name])

    @property
    def smallest(self) -> str:
        """The emotion with the fewest faces, the last of several, so that it is another one than the largest."""
        return min(reversed(EMOTIONS), key=lambda name: self.counts[name])

    @property
    def is_even(self) -> bool:
        """Whether all emotions have as many faces."""
        return len(set(self.counts.values())) == 1

    def share(self, name: str) -> float:
        """Share of an emotion among all faces."""
        return self.counts[name] / sum(self.counts.values())


def look_over(dataset: Dataset) -> Overview:
    """Count a labelled data set whose first rows validate; raises BadInput where it cannot be split so."""
    labels = _labels(dataset)
    rows = split_rows(dataset, FirstRows(), seed=0)
    return Overview(
        counts=_count(labels),
        training=_count(labels[rows.training]),
        validation=_count(labels[rows.validation]),
        weights={
            policy: dict(zip(EMOTIONS, class_weights(labels[rows.training], policy).tolist(), strict=True))
            for policy in WEIGHT_POLICIES
        },
    )


def emotions_not_validated(dataset: Dataset, config: RunConfig) -> list[str]:
    """Return the emotions that a run learns and never validates on; raises BadInput where the data cannot be split."""
    labels, rows = labels_of_run(dataset, config), rows_of_run(dataset, config)
    learnt, validated = _count(labels[rows.training]), _count(labels[rows.validation])
    return [name for name in EMOTIONS if learnt[name] and not validated[name]]


def say_gaps(dataset: Dataset, config: RunConfig, how_to_mix: str) -> str:
    """Say which emotions a run learns and never validates on; nothing where there are none.

    Args:
        dataset: What it learns from.
        config: Its settings.
        how_to_mix: How the random split is chosen, which may help where rows stand in order.

    Raises BadInput where the data cannot be split.
    """
    names = emotions_not_validated(dataset, config)
    if not names:
        return ""
    way_out = f": {how_to_mix}" if isinstance(config.data.split, FirstRows | UsageSplit) else ""
    return f"No validation face shows {', '.join(names)}, so nothing will tell how well that is learnt{way_out}."


def rows_of(dataset: Dataset, emotion: str | None, page: int, count: int) -> NDArray[np.int64]:
    """Return a page of up to `count` rows, int64 (k,), of an emotion, or of all faces for None, in a mixed order.

    The order is the same each time. Pages begin again after the last, so that any number is a page; there are none only
    where there are no faces.
    """
    mixed = np.random.default_rng(0).permutation(_rows(dataset, emotion))
    start = count * (page % max(1, count_pages(dataset, emotion, count)))
    return mixed[start : start + count]


def count_pages(dataset: Dataset, emotion: str | None, count: int) -> int:
    """Return how many pages of `count` rows an emotion fills, or all faces for None."""
    return -(-len(_rows(dataset, emotion)) // count)


def row_after(dataset: Dataset, row: int, emotion: str | None) -> int:
    """Return the next row of an emotion, or of all faces for None, beginning again after the last."""
    rows = _rows(dataset, emotion)
    return int(rows[np.searchsorted(rows, row, side="right") % len(rows)]) if len(rows) else row


def _rows(dataset: Dataset, emotion: str | None) -> NDArray[np.int64]:
    if emotion is None:
        return np.arange(len(dataset.images))
    return np.flatnonzero(_labels(dataset) == EMOTIONS.index(emotion))


def _count(labels: NDArray[np.integer[Any]]) -> dict[str, int]:
    return dict(zip(EMOTIONS, np.bincount(labels, minlength=NUM_EMOTIONS).tolist(), strict=True))


def _labels(dataset: Dataset) -> NDArray[np.uint8]:
    if dataset.labels is None:
        raise ValueError(f"{dataset.name} has no labels to count")
    return dataset.labels
