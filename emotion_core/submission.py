"""Kaggle's files: predictions out, and their score where the answers are at hand."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.evaluation import Evaluation, Probabilities, evaluate
from emotion_core.files import write_text

Header = Literal["kaggle", "emotion"]

HEADERS: Final[dict[Header, tuple[str, str]]] = {"kaggle": ("id", "predicted class"), "emotion": ("id", "emotion")}
"""The first line of a file: the coursework's, or the one that files of labels have."""

LONGEST_TITLE: Final = 60
"""How many characters of a run's name stand in the name of its file."""

Ids = Sequence[str] | NDArray[np.str_]
Labels = Iterable[int] | NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Style:
    """How a file is written: under which header, and with the names of the emotions or their numbers."""

    header: Header = "kaggle"
    names: bool = False


COURSEWORK: Final = Style()


def say_left_out(count: int) -> str:
    """Say that a file lacks so many rows of the data set; nothing where it lacks none."""
    if not count:
        return ""
    rows = "1 row without pixels is" if count == 1 else f"{count:,} rows without pixels are"
    return f"{rows} left out. Kaggle expects an answer for every row."


def submission_csv(ids: Ids, labels: Labels, style: Style = COURSEWORK) -> str:
    """Return a CSV of predictions: a header, then a row per image; no index, Unix line ends.

    Args:
        ids: (n,), as the test file writes them.
        labels: int (n,), 0-6.
        style: The coursework's, where no other is given.

    Raises ValueError where the two differ in length or a label is none of the classes.
    """
    numbers = [int(label) for label in labels]
    if wrong := [number for number in numbers if not 0 <= number < NUM_EMOTIONS]:
        raise ValueError(f"Label {wrong[0]} is none of the classes 0 to {NUM_EMOTIONS - 1}.")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADERS[style.header])
    answers = [EMOTIONS[number] for number in numbers] if style.names else numbers
    writer.writerows(zip(map(str, ids), answers, strict=True))
    return text.getvalue()


def write_submission(path: Path, ids: Ids, labels: Labels, style: Style = COURSEWORK) -> None:
    """Write a CSV of predictions in one step; raises BadInput where the folder refuses it."""
    text = submission_csv(ids, labels, style)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from error


def submissions_zip(
    ids: Ids, predictions: Mapping[str, NDArray[np.integer[Any]]], day: date, style: Style = COURSEWORK
) -> bytes:
    """Return a zip of one CSV for each run, no two of the same name.

    Args:
        ids: (n,), as the test file writes them.
        predictions: Name of a run and its labels, int (n,), 0-6.
        day: When they were predicted.
        style: The coursework's, where no other is given.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for title, labels in zip(_told_apart(predictions), predictions.values(), strict=True):
            file.writestr(file_name(title, day), submission_csv(ids, labels, style))
    return content.getvalue()


def file_name(title: str, day: date, suffix: str = ".csv") -> str:
    """Return a name that every system takes and that says whose predictions they are and of which day.

    `predictions_dense-5-seed-42_2026-11-23.csv` for the run `dense-5 · seed 42`; letters of all scripts stay.
    """
    return f"predictions_{_as_file_name(title)}_{day.isoformat()}{suffix}"


def _told_apart(titles: Iterable[str]) -> list[str]:
    """Number the titles whose files would have the name of one before, also where systems pass over case."""
    taken: set[str] = set()
    apart = []
    for title in titles:
        base, number = _as_file_name(title), 1
        name = base
        while name.casefold() in taken:
            number += 1
            name = f"{base[: LONGEST_TITLE - 4]}-{number}"
        taken.add(name.casefold())
        apart.append(name)
    return apart


def _as_file_name(title: str) -> str:
    return re.sub(r"\W+", "-", title)[:LONGEST_TITLE].strip("-") or "run"


def score_predictions(
    ids: Ids,
    probabilities: Probabilities,
    true_ids: Ids,
    true_labels: NDArray[np.integer[Any]],
) -> Evaluation:
    """Score predictions against answers that may stand in another order.

    Args:
        ids: (n,) of the predicted images.
        probabilities: float (n, 7).
        true_ids: (m,) of the answers; those of other images are passed over.
        true_labels: int (m,), 0-6.

    Raises:
        BadInput: An answer is missing, or several images have the same id.
    """
    answers = dict(zip(map(str, true_ids), true_labels, strict=True))
    names = [str(name) for name in ids]
    commonest, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise BadInput(f"{times:,} predicted images have the id {commonest!r}; which of them is labelled is unknown.")
    missing = [name for name in names if name not in answers]
    if missing:
        raise BadInput(
            f"There are labels for {len(ids) - len(missing):,} of {len(ids):,} predicted images; the first without one "
            f"has id {missing[0]!r}."
        )
    return evaluate(np.array([answers[name] for name in names]), probabilities)
