"""How two groups of runs differ, and whether chance could explain it."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emotion_core.comparison.groups import RunGroup
from emotion_core.comparison.statistic import TEST_FIGURES, Figure, Statistic


class Verdict(StrEnum):
    """How a difference to the baseline is to be read."""

    BASELINE = "baseline"
    CLEAR = "beyond the spread of seeds"
    WITHIN = "within the spread of seeds"
    ONE_SEED = "one seed: spread unknown"
    OTHER_FACES = "scored on other data"  # which is no comparison, so that no difference is given


@dataclass(frozen=True)
class Difference:
    """Accuracy less that of the baseline, from -1 to 1, and how it is to be read."""

    value: float | None
    verdict: Verdict


def difference(group: RunGroup, baseline: RunGroup, figure: Figure = "val_accuracy") -> Difference | None:
    """Return how a group's mean differs from the baseline's, None where one of them has none."""
    ours, theirs = group.statistic(figure), baseline.statistic(figure)
    if group.key == baseline.key or group.newest in baseline.lines:  # one of its runs, shown by itself
        return Difference(None, Verdict.BASELINE)
    if ours is None or theirs is None:
        return None
    if _are_of_other_faces(group, baseline, figure):
        return Difference(None, Verdict.OTHER_FACES)
    return Difference(ours.mean - theirs.mean, _verdict(ours, theirs))


def _are_of_other_faces(one: RunGroup, other: RunGroup, figure: Figure) -> bool:
    """Whether a figure of two groups is of faces from different data sets, as far as is known.

    Parts of one data set may be compared, whichever of its rows they are: they are samples of the same faces.
    """
    if figure in TEST_FIGURES:
        return one.test_data != other.test_data
    digests = one.newest.data_digest, other.newest.data_digest
    return one.is_drawn != other.is_drawn or (all(digests) and digests[0] != digests[1])


def standard_error(one: Statistic, other: Statistic) -> float | None:
    """Return the standard error of the difference of two means, sqrt(s1^2 / n1 + s2^2 / n2) (Welch 1947).

    None where one of them is a single run, whose spread nobody knows.
    """
    if one.deviation is None or other.deviation is None:
        return None
    return math.sqrt(one.deviation**2 / one.count + other.deviation**2 / other.count)


_ROUNDING: Final = 1e-9
"""Means of equal scores may differ by this, since two are averaged otherwise than three."""


def _verdict(one: Statistic, other: Statistic) -> Verdict:
    """Call a difference clear that is larger than twice its standard error, the usual rough interval of 95 %.

    NOTE: with two or three seeds a side the rule is lenient, because the deviations are themselves uncertain: of equal
    configurations about one pair in six looks different then.
    """
    error = standard_error(one, other)
    if error is None:
        return Verdict.ONE_SEED
    return Verdict.WITHIN if abs(one.mean - other.mean) <= 2 * error + _ROUNDING else Verdict.CLEAR
