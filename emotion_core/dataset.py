"""Data sets of faces: read from whatever file holds them, split into rows that train and rows that validate."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import (
    SAMPLE,
    SAMPLE_NAME,
    FirstRows,
    MisalignedSplit,
    RandomSplit,
    RunConfig,
    Split,
    UsageSplit,
)
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.readers.blocks import Block, Problem
from emotion_core.readers.cache import CacheKey, forget, load_or_build
from emotion_core.readers.csv_lines import read_header
from emotion_core.readers.csv_parser import parse_csv
from emotion_core.readers.image_folder import (
    has_class_folders,
    is_zip_of_pictures,
    picture_states,
    read_folder,
    read_zip,
)
from emotion_core.readers.label_file import read_labels
from emotion_core.readers.sources import open_csv, resolve_source
from emotion_core.readers.usage import TRAINING, VALIDATION
from emotion_core.sample import SAMPLE_VERSION, draw_sample
from emotion_core.settings import cache_folder

__all__ = [
    "Dataset",
    "Problem",
    "Rows",
    "class_weights",
    "find_datasets",
    "forget_parsed",
    "labels_of_run",
    "load_dataset",
    "may_train",
    "read_labels",
    "rows_of_run",
    "split_rows",
]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Faces with what is known of each, in the order of their file.

    Attributes:
        name: What a person knows it by: the file's name.
        source: What `load_dataset` was given, as a full path, or 'sample'.
        images: uint8 (n, 48, 48), 0-255, mapped into memory and read-only.
        labels: uint8 (n,), 0-6, or None where the file has none.
        ids: Text (n,), as in the file.
        usage: Text (n,), 'Training', 'PublicTest' or 'PrivateTest', another word where the file has one that stands
            for none of them, or None where it has no such column.
        problems: Rows that were left out because they have no pixels.
        fingerprint: Digest of images, labels and usage: equal for equal content, wherever it lies.
    """

    name: str
    source: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    ids: NDArray[np.str_]
    usage: NDArray[np.str_] | None
    problems: tuple[Problem, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.images)

    @property
    def is_drawn(self) -> bool:
        """Whether the faces are the sample's, drawn by code."""
        return self.source == SAMPLE

    def counts(self) -> dict[str, int]:
        """Return the number of images of each emotion, all 0 without labels."""
        labels = np.empty(0, np.uint8) if self.labels is None else self.labels
        return dict(zip(EMOTIONS, np.bincount(labels, minlength=NUM_EMOTIONS).tolist(), strict=True))

    def imbalance_ratio(self) -> float | None:
        """Return how many images the commonest emotion has for each of the rarest; None where one has none."""
        counts = self.counts().values()
        return max(counts) / min(counts) if min(counts) else None

    def summary(self) -> dict[str, Any]:
        """Return what the command line tells of a data set, ready for JSON."""
        return {
            "name": self.name,
            "images": len(self),
            "labelled": self.labels is not None,
            "drawn": self.is_drawn,
            "counts": self.counts(),
            "imbalance_ratio": self.imbalance_ratio(),
            "usage": None if self.usage is None else dict(Counter(self.usage.tolist())),
            "problems": [asdict(problem) for problem in self.problems],
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True)
class Rows:
    """Row numbers of a data set, from 0, ascending: int64 arrays without a row in common."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]


def load_dataset(source: str | Path, *, drop_incomplete: bool = False) -> Dataset:
    """Read a data set; the second time its arrays are only mapped into memory.

    Args:
        source: 'sample' for drawn faces, or the path of a CSV (plain, .gz, or alone in a .zip) or of a folder or zip
            of pictures in a sub-folder per emotion. A zip that holds both is read for its pictures.
        drop_incomplete: Leave out rows whose pixels are missing instead of refusing the file.

    Raises:
        BadInput: Says file, line, what was found there and what was expected.
    """
    if str(source) == SAMPLE:
        name, path = SAMPLE_NAME, SAMPLE
        stored = load_or_build(cache_folder(), CacheKey(SAMPLE, SAMPLE, str(SAMPLE_VERSION)), _draw_faces)
    else:
        file = resolve_source(source)
        name, path = file.name, str(file)
        stored = load_or_build(cache_folder(), _key(file), lambda: _read(file))
    dataset = Dataset(
        name=name,
        source=path,
        images=stored.images,
        labels=stored.labels,
        ids=stored.ids,
        usage=stored.usage,
        problems=stored.problems,
        fingerprint=stored.fingerprint,
    )
    if dataset.problems and not drop_incomplete:
        raise BadInput(_describe_problems(dataset))
    return dataset


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
            f"{dataset.name} cannot be split: {len(training):,} rows for training and {len(validation):,} for "
            "validation; each needs at least one."
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
    if not isinstance(config.data.split, MisalignedSplit):
        return dataset.labels
    rows = _training_rows(dataset)
    labels = dataset.labels.copy()
    labels[rows] = dataset.labels[np.random.default_rng([config.training.seed, len(rows)]).permutation(rows)]
    return labels


def class_weights(labels: NDArray[np.uint8], policy: Literal["none", "balanced", "square_root"]) -> NDArray[np.float64]:
    """Return the weight of each class in the loss, float64 (7,).

    `balanced` is n / (7 * count), as scikit-learn has it where every class has images; `square_root` is its square
    root, and in both a class without images weighs 0; `none` is 1 for all.
    """
    counts = np.bincount(labels, minlength=NUM_EMOTIONS)
    if policy == "none":
        return np.ones(NUM_EMOTIONS)
    balanced = np.divide(len(labels), NUM_EMOTIONS * counts, out=np.zeros(NUM_EMOTIONS), where=counts > 0)
    return balanced if policy == "balanced" else np.sqrt(balanced)


def _refuse_without_training(dataset: Dataset) -> None:
    """Raise BadInput where a Usage column has no row that may train, and say what it has."""
    if dataset.usage is None or TRAINING in dataset.usage:
        return
    words = ", ".join(sorted({word or "nothing" for word in dataset.usage.tolist()})[:5])
    raise BadInput(f"{dataset.name}: no face is marked {TRAINING}, so there is none to learn from; found: {words}.")


def find_datasets(folder: Path) -> list[Path]:
    """Return what in a folder looks like a data set, by name; only the header of a CSV is read.

    A name that is no text, as archives from another system may leave it, cannot be shown: such a file is left out.
    """
    return sorted(path for path in folder.glob("*") if _is_presentable(path.name) and _may_hold_faces(path))


def forget_parsed(path: Path) -> None:
    """Remove the arrays that were kept of a data set so that it is read faster; its file may be gone already."""
    forget(cache_folder(), _named(path.resolve()))


def _is_presentable(name: str) -> bool:
    return not name.startswith(".") and not any("\udc80" <= letter <= "\udcff" for letter in name)


def _training_rows(dataset: Dataset) -> NDArray[np.int64]:
    if dataset.usage is None:
        return np.arange(len(dataset))
    return np.flatnonzero(dataset.usage == TRAINING)


def may_train(path: Path) -> bool:
    """Whether a data set that `find_datasets` found has labels, as far as can be told without unpacking it."""
    return not path.name.lower().endswith(".csv") or "emotion" in _columns(path)


def _may_hold_faces(path: Path) -> bool:
    name = path.name.lower()
    if path.is_dir():
        return has_class_folders(path)
    return "pixels" in _columns(path) if name.endswith(".csv") else name.endswith((".csv.gz", ".zip"))


def _columns(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            return tuple(read_header(file.readline(10_000), path.name))
    except (OSError, BadInput):
        return ()


def _read(path: Path) -> Iterator[Block]:
    if path.is_dir():
        return read_folder(path)
    return read_zip(path) if is_zip_of_pictures(path) else _read_csv(path)


def _draw_faces() -> Iterator[Block]:
    images, labels = draw_sample()
    yield Block(images, labels, [str(number) for number in range(len(images))], usage=None)


def _read_csv(path: Path) -> Iterator[Block]:
    with open_csv(path) as stream:
        yield from parse_csv(stream, path.name)


def _key(path: Path) -> CacheKey:
    """Say which state of a file or folder is read: its size and time, for a folder those of each picture."""
    return _named(path, json.dumps([_stamp(path)] if path.is_file() else picture_states(path)))


def _named(path: Path, state: str = "") -> CacheKey:
    return CacheKey(title=path.stem, source=str(path), state=state)


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        status = file.stat()
    except OSError as error:  # gone a moment ago
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error
    return str(file), status.st_size, status.st_mtime_ns


def _describe_problems(dataset: Dataset) -> str:
    first, count = dataset.problems[0], len(dataset.problems)
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return (
        f"{dataset.name}: line {first.row} {first.message}; {rows} of {len(dataset) + count:,} like it. Fix the file, "
        "or choose to leave such rows out (--drop-incomplete on the command line)."
    )
