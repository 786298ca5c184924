"""How healthy a data set is: blank faces, copies and near copies, contradictory and doubtful labels.

FER-2013 was gathered by a search engine, so the same photo came in again and again: at another size, with another
watermark, mirrored, and under another label. A copy that trains while its twin validates flatters every score.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.dataset import Dataset, Rows
from emotion_core.doubts import Doubts
from emotion_core.duplicates import Groups, Pair, Progress, blank_rows, exact_groups, linked, near_pairs
from emotion_core.emotions import EMOTIONS
from emotion_core.runs import Validation

if TYPE_CHECKING:
    import pandas as pd

BLANK: Final = "blank"
EXACT: Final = "exact duplicate"
NEAR: Final = "near duplicate"
CONTRADICTORY: Final = "contradictory labels"
DOUBTED: Final = "doubted label"

FINDINGS: Final = (BLANK, EXACT, NEAR, CONTRADICTORY, DOUBTED)
"""What can be found in a data set, as `Health.table` and `Health.counts` name it."""

_COLUMNS: Final = ("row", "id", "finding", "group", "crosses_split", "label", "emotion", "suggested", "self_confidence")

_NO_ROWS: Final = np.empty(0, np.int64)


@dataclass(frozen=True)
class Group:
    """Rows that show the same picture, ascending.

    Attributes:
        rows: At least two.
        labels: The labels that they have, ascending, each once; empty without labels.
        crosses_split: Whether some train and some validate.
    """

    rows: tuple[int, ...]
    labels: tuple[int, ...]
    crosses_split: bool

    @property
    def is_contradictory(self) -> bool:
        """Whether the same picture has more than one label."""
        return len(self.labels) > 1


@dataclass(frozen=True)
class Cleaning:
    """Which rows a clean copy goes without.

    Attributes:
        drop_blank: Blank pictures.
        merge_exact: All but the first of those with the same pixels and the same label.
        merge_near: The same of near duplicates.
        drop_contradictory: All of a picture that has two labels; of near duplicates only with `merge_near`.
        drop_doubted: Rows whose label confident learning counts as wrong.
    """

    drop_blank: bool = True
    merge_exact: bool = True
    merge_near: bool = False
    drop_contradictory: bool = True
    drop_doubted: bool = False


@dataclass(frozen=True, eq=False)
class Health:
    """What was found in a data set of n rows.

    Attributes:
        ids: Text (n,), as in the file.
        labels: uint8 (n,), 0-6, or None.
        blank: int64 (k,), rows of nearly one brightness; they stand in no group.
        exact: Rows with the same pixels.
        near: Rows with nearly the same picture, their exact duplicates among them.
        pairs: The near duplicates two by two, the least alike first.
        doubts: What a model thinks of the labels, where one was asked.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.uint8] | None
    blank: NDArray[np.int64]
    exact: tuple[Group, ...]
    near: tuple[Group, ...]
    pairs: tuple[Pair, ...]
    doubts: Doubts | None = None

    @property
    def repeated(self) -> tuple[Group, ...]:
        """Every picture that is there more than once; a near group stands for the exact ones within it."""
        covered = {row for group in self.near for row in group.rows}
        return self.near + tuple(group for group in self.exact if group.rows[0] not in covered)

    @property
    def contradictory(self) -> tuple[Group, ...]:
        """Pictures with more than one label."""
        return tuple(group for group in self.repeated if group.is_contradictory)

    @property
    def across(self) -> tuple[Group, ...]:
        """Pictures that train and validate."""
        return tuple(group for group in self.repeated if group.crosses_split)

    @property
    def suspects(self) -> NDArray[np.int64]:
        """Rows whose label confident learning counts as wrong, int64 (k,), the most improbable first."""
        return _NO_ROWS if self.doubts is None else self.doubts.rows[self.doubts.is_suspect]

    def with_doubts(self, doubts: Doubts) -> "Health":
        """Return the same findings with what a model thinks of the labels."""
        return replace(self, doubts=doubts)

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each finding."""
        rows = Counter(finding["finding"] for finding in self._findings())
        return {name: rows[name] for name in FINDINGS}

    def rows_to_keep(self, cleaning: Cleaning | None = None) -> NDArray[np.int64]:
        """Return the rows that are left after a cleaning, the usual one for None: int64 (k,), ascending."""
        cleaning = cleaning or Cleaning()
        merged = (self.exact if cleaning.merge_exact else ()) + (self.near if cleaning.merge_near else ())
        dropped = {row for group in merged for row in self._repeats(group)}
        if cleaning.drop_contradictory:
            judged = self.exact + (self.near if cleaning.merge_near else ())
            dropped.update(row for group in judged if group.is_contradictory for row in group.rows)
        if cleaning.drop_blank:
            dropped.update(self.blank.tolist())
        if cleaning.drop_doubted:
            dropped.update(self.suspects.tolist())
        return np.array([row for row in range(len(self.ids)) if row not in dropped], np.int64)

    def table(self) -> "pd.DataFrame":
        """Return a line for each row of each finding, with id, group, split, label and what the model would suggest.

        Groups are numbered from 1, exact before near; what does not apply to a finding is missing.
        """
        import pandas as pd  # slow to import

        table = pd.DataFrame([self._line(finding) for finding in self._findings()], columns=list(_COLUMNS))
        kinds = {"group": "Int64", "crosses_split": "boolean", "label": "Int64", "self_confidence": "float64"}
        return table.astype(kinds)

    def _findings(self) -> Iterator[dict[str, Any]]:
        numbers = {group: number for number, group in enumerate(self.exact + self.near, start=1)}
        yield from ({"row": int(row), "finding": BLANK} for row in self.blank)
        for finding, groups in ((EXACT, self.exact), (NEAR, self.near), (CONTRADICTORY, self.contradictory)):
            for group in groups:
                about = {"finding": finding, "group": numbers[group], "crosses_split": group.crosses_split}
                yield from ({"row": row} | about for row in group.rows)
        if self.doubts is not None:
            for place in np.flatnonzero(self.doubts.is_suspect):
                yield {
                    "row": int(self.doubts.rows[place]),
                    "finding": DOUBTED,
                    "suggested": EMOTIONS[self.doubts.suggested[place]],
                    "self_confidence": float(self.doubts.self_confidence[place]),
                }

    def _line(self, finding: dict[str, Any]) -> dict[str, Any]:
        row = finding["row"]
        label = None if self.labels is None else int(self.labels[row])
        emotion = None if label is None else EMOTIONS[label]
        return finding | {"id": str(self.ids[row]), "label": label, "emotion": emotion}

    def _repeats(self, group: Group) -> list[int]:
        """Return the rows of a group whose label an earlier one of it has too."""
        if self.labels is None:
            return list(group.rows[1:])
        firsts = {int(self.labels[row]): row for row in reversed(group.rows)}
        return [row for row in group.rows if firsts[int(self.labels[row])] != row]


@dataclass(frozen=True)
class Shared:
    """Pictures that two data sets share; `first` is a row of the one, `second` of the other.

    Attributes:
        exact: Each row of the other with the pixels of one of the first, beside the first such row.
        near: Nearly the same picture, the least alike first; of exact duplicates within a set only the first.
    """

    exact: tuple[Pair, ...]
    near: tuple[Pair, ...]


@dataclass(frozen=True)
class CopyScores:
    """A model's accuracy, 0-1, on validation faces of which a copy trained, on the others, and on all."""

    copied: float
    others: float
    all: float


def examine(dataset: Dataset, split: Rows | None = None, progress: Progress | None = None) -> Health:
    """Look for blank pictures, exact and near duplicates in a data set.

    Args:
        dataset: With labels or without.
        split: Which rows train and which validate; without it no group crosses the split.
        progress: Told the share that is done: 28,709 faces take a few seconds.
    """
    blank = blank_rows(dataset.images)
    faces = np.setdiff1d(np.arange(len(dataset)), blank)
    copies = exact_groups(dataset.images, faces)
    pairs = near_pairs(dataset.images, _without_repeats(faces, copies), progress)
    near_rows = {row for pair in pairs for row in (pair.first, pair.second)}
    links = [(group[0], row) for group in copies for row in group[1:]] + [(pair.first, pair.second) for pair in pairs]
    near = [group for group in linked(links) if near_rows.intersection(group)]
    return Health(
        ids=dataset.ids,
        labels=dataset.labels,
        blank=blank,
        exact=_describe(copies, dataset.labels, split),
        near=_describe(near, dataset.labels, split),
        pairs=tuple(pairs),
    )


def shared_faces(one: Dataset, other: Dataset) -> Shared:
    """Return the pictures of one data set that another has too, such as test faces among those that train."""
    images = np.concatenate([one.images, other.images])
    faces = np.setdiff1d(np.arange(len(images)), blank_rows(images))
    ours, theirs = faces[faces < len(one)], faces[faces >= len(one)]
    exact = [
        Pair(group[0], row - len(one), 1.0, mirrored=False)
        for group in exact_groups(images, faces)
        for row in group
        if group[0] < len(one) <= row
    ]
    known = {pair.second + len(one) for pair in exact}
    distinct = [_without_repeats(rows, exact_groups(images, rows)) for rows in (ours, theirs)]
    near = [
        replace(pair, second=pair.second - len(one))
        for pair in near_pairs(images, np.concatenate(distinct))
        if pair.first < len(one) <= pair.second and not _is_known(images, pair, known)
    ]
    return Shared(tuple(exact), tuple(near))


def copied_rows(groups: Iterable[Group], split: Rows) -> NDArray[np.int64]:
    """Return the validation rows of which a copy trains, int64 (k,), ascending."""
    rows = np.array([row for group in groups if group.crosses_split for row in group.rows], np.int64)
    return np.intersect1d(rows, split.validation)


def judge_copied(validation: Validation, copied: NDArray[np.int64]) -> CopyScores | None:
    """Return how often a model is right where copies trained and where none did; None where one of them is empty."""
    is_right = validation.probabilities.argmax(axis=1) == validation.labels
    is_copied = np.isin(validation.rows, copied)
    if is_copied.all() or not is_copied.any():
        return None
    return CopyScores(float(is_right[is_copied].mean()), float(is_right[~is_copied].mean()), float(is_right.mean()))


def _describe(groups: Groups, labels: NDArray[np.uint8] | None, split: Rows | None) -> tuple[Group, ...]:
    split = split or Rows(_NO_ROWS, _NO_ROWS)
    training, validation = set(split.training.tolist()), set(split.validation.tolist())
    return tuple(
        Group(
            rows=tuple(rows),
            labels=() if labels is None else tuple(np.unique(labels[rows]).tolist()),
            crosses_split=not training.isdisjoint(rows) and not validation.isdisjoint(rows),
        )
        for rows in groups
    )


def _without_repeats(rows: NDArray[np.int64], copies: Groups) -> NDArray[np.int64]:
    """Return the rows without all but the first of each group."""
    return np.setdiff1d(rows, [row for group in copies for row in group[1:]]).astype(np.int64)


def _is_known(images: NDArray[np.uint8], pair: Pair, known: set[int]) -> bool:
    return pair.second in known and np.array_equal(images[pair.first], images[pair.second])
