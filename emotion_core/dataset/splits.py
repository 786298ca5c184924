"""What a run learns from: the rows that train, those that validate, the label of each, the weight of each class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import FirstRows, MisalignedSplit, RandomSplit, RunConfig, Split, UsageSplit, WeightPolicy
from emotion_core.dataset.dataset import Dataset
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.readers.usage import TRAINING, VALIDATION


@dataclass(frozen=True)
class Rows:
    """Row numbers of a data set, from 0, ascending: int64 arrays without a row in common."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_rows(dataset: Dataset, split: Split, seed: int) -> Rows:
    """Choose the rows that train and those that validate.

    Where the file has a Usage column, the first two ways of splitting choose among its Training rows only.

    Raises:
        BadInput: Too few rows for both parts, or no Usage column where the split is by it.
    """
    match split:
        case FirstRows():
            rows = _training_rows(dataset)
            count = min(split.count, int(split.largest_share * len(rows)))
            validation, training = rows[:count], rows[count:]
        case RandomSplit() | MisalignedSplit():
            rows = np.random.default_rng(seed).permutation(_training_rows(dataset))
            count = round(split.share * len(rows))
            validation, training = np.sort(rows[:count]), np.sort(rows[count:])
        case UsageSplit():
            if dataset.usage is None:
                raise BadInput(f"{dataset.name} has no Usage column to split by; split by first rows or at random.")
            training, validation = _training_rows(dataset), np.flatnonzero(dataset.usage == VALIDATION)
    _refuse_without_training(dataset)
    if not len(training) or not len(validation):
        raise BadInput(
            f"{dataset.name} cannot be split: {len(training):,} of its faces would train and {len(validation):,} "
            "validate; each part needs at least one."
        )
    return Rows(training.astype(np.int64), validation.astype(np.int64))


def rows_of_run(dataset: Dataset, config: RunConfig) -> Rows:
    """Choose the rows that train and those that validate as a run's settings say; raises BadInput like `split_rows`."""
    return split_rows(dataset, config.data.split, config.training.seed)


def labels_of_run(dataset: Dataset, config: RunConfig) -> NDArray[np.uint8]:
    """Return the label with which a run learns and judges each row, uint8 (n,): its own, unless it misaligns them.

    The coursework's notebook split images and labels by two calls, each with a shuffle of its own. Raises BadInput
    where there are no labels.
    """
    if dataset.labels is None:
        raise BadInput(f"{dataset.name} has no emotion column, so there is nothing to learn from.")
    if not config.data.is_misaligned:
        return dataset.labels
    rows = _training_rows(dataset)
    labels = dataset.labels.copy()
    labels[rows] = dataset.labels[np.random.default_rng([config.training.seed, len(rows)]).permutation(rows)]
    return labels


def class_weights(labels: NDArray[np.uint8], policy: WeightPolicy) -> NDArray[np.float64]:
    """Return the weight of each class in the loss, float64 (7,).

    `balanced` is n / (7 * count), as scikit-learn has it where every class has images; `square_root` is its square
    root, and in both a class without images weighs 0; `none` is 1 for all.
    """
    counts = np.bincount(labels, minlength=NUM_EMOTIONS)
    if policy == "none":
        return np.ones(NUM_EMOTIONS)
    balanced = np.divide(len(labels), NUM_EMOTIONS * counts, out=np.zeros(NUM_EMOTIONS), where=counts > 0)
    return balanced if policy == "balanced" else np.sqrt(balanced)


def _training_rows(dataset: Dataset) -> NDArray[np.int64]:
    if dataset.usage is None:
        return np.arange(len(dataset))
    return np.flatnonzero(dataset.usage == TRAINING)


def _refuse_without_training(dataset: Dataset) -> None:
    """Raise BadInput where a Usage column has no row that may train, and say what it has."""
    if dataset.usage is None or TRAINING in dataset.usage:
        return
    words = ", ".join(sorted({word or "nothing" for word in dataset.usage.tolist()})[:5])
    raise BadInput(f"{dataset.name}: no face is marked {TRAINING}, so there is none to learn from; found: {words}.")
