"""A data set written anew without some of its rows, in the form of the coursework's file."""

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.chunks import chunks
from emotion_core.dataset import Dataset
from emotion_core.errors import BadInput
from emotion_core.kept_copies import keeping, name_of_copy

_CHUNK: Final = 512
"""Rows written between two reports."""

_LONGEST_STEM: Final = 30
"""Characters of the name of the data set that a copy keeps: with more, systems might refuse its name."""

_NUMBERS: Final = tuple(str(number) for number in range(256))


def cleaned_path(dataset: Dataset, rows: NDArray[np.int64], folder: Path) -> Path:
    """Return where a copy with some rows belongs: its name tells which faces, so that no other copy lies there.

    Args:
        dataset: What is copied.
        rows: int64 (k,), the rows that stay.
        folder: The folder of data sets.
    """
    digest = hashlib.sha256(dataset.fingerprint.encode() + rows.astype("<i8").tobytes()).hexdigest()
    stem = PurePath(dataset.name).name.partition(".")[0]
    return folder / name_of_copy(f"{stem[:_LONGEST_STEM]}-cleaned.csv", digest)


def save_cleaned(
    dataset: Dataset, rows: NDArray[np.int64], path: Path, progress: Callable[[float], None] | None = None
) -> None:
    """Write some rows of a data set as the coursework's CSV, `id,emotion,pixels`, in one step.

    The column emotion is left out of a data set without labels, and a column Usage is kept where there is one, lest
    test faces become training faces.

    Args:
        dataset: Where the faces are.
        rows: int64 (k,), at least one.
        path: The file to make or replace; its folder must be there.
        progress: Told the share that is written, 0 to 1: 28,709 faces take a few seconds.

    Raises:
        BadInput: Nothing to write, or the folder refuses the file.
    """
    if not len(rows):
        raise BadInput(f"Nothing of {dataset.name} is left to save; clean it less strictly.")
    try:
        with keeping(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_header(dataset))
            for part in chunks(len(rows), _CHUNK):
                writer.writerows(_csv_row(dataset, row) for row in rows[part].tolist())
                if progress is not None:
                    progress(part.stop / len(rows))
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from error


def _header(dataset: Dataset) -> list[str]:
    labelled, used = dataset.labels is not None, dataset.usage is not None
    return ["id", *["emotion"] * labelled, "pixels", *["Usage"] * used]


def _csv_row(dataset: Dataset, row: int) -> list[str]:
    label = [] if dataset.labels is None else [str(dataset.labels[row])]
    usage = [] if dataset.usage is None else [str(dataset.usage[row])]
    pixels = " ".join(map(_NUMBERS.__getitem__, dataset.images[row].tobytes()))
    return [str(dataset.ids[row]), *label, pixels, *usage]
