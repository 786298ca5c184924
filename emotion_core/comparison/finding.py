"""Which groups of runs are looked for, and in which order."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emotion_core.comparison.groups import RunGroup
from emotion_core.comparison.statistic import Figure
from emotion_core.presets import PRESETS
from emotion_core.runs import RunSummary


@dataclass(frozen=True)
class Filter:
    """Which runs are looked for: those that hold every word, and one of the values of each kind that is given."""

    text: str = ""
    families: frozenset[str] = frozenset()
    presets: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    def matches(self, line: RunSummary) -> bool:
        """Whether a run is one of those that are looked for."""
        chosen = (
            (self.families, line.family),
            (self.presets, line.preset),
            (self.states, line.state),
            (self.data, line.data),
        )
        return (
            all(not wanted or value in wanted for wanted, value in chosen)
            and (not self.tags or not self.tags.isdisjoint(line.tags))
            and all(word in _text_of(line) for word in self.text.casefold().split())
        )

    def of(self, groups: Iterable[RunGroup]) -> list[RunGroup]:
        """Return the groups with a run that matches, whole: a filter changes no mean."""
        return [group for group in groups if any(self.matches(line) for line in group.lines)]


def _text_of(line: RunSummary) -> str:
    title = PRESETS[line.preset].title if line.preset in PRESETS else ""
    return " ".join((line.name, line.id, line.preset, title, line.notes, *line.tags)).casefold()


class Order(StrEnum):
    """What rows are ordered by."""

    VALIDATION = "Validation accuracy"
    TEST = "Test accuracy"
    MACRO_F1 = "Macro-F1"
    PARAMETERS = "Fewest parameters"
    SECONDS = "Shortest time"
    NAME = "Name"
    NEWEST = "Newest"


_HIGHEST_FIRST: Final[dict[Order, Figure]] = {
    Order.VALIDATION: "val_accuracy",
    Order.TEST: "test_accuracy",
    Order.MACRO_F1: "macro_f1",
}
_LOWEST_FIRST: Final[dict[Order, Figure]] = {Order.PARAMETERS: "parameters", Order.SECONDS: "seconds"}


def in_order(groups: Iterable[RunGroup], order: Order) -> list[RunGroup]:
    """Sort groups, those without the figure last; groups that are level, and those for NEWEST, newest first."""
    newest_first = sorted(groups, key=lambda group: (group.newest.submitted, group.newest.sequence), reverse=True)
    if order is Order.NAME:
        return sorted(newest_first, key=lambda group: group.name.casefold())
    if order in _HIGHEST_FIRST:
        return sorted(newest_first, key=_rank(_HIGHEST_FIRST[order], -1))
    return sorted(newest_first, key=_rank(_LOWEST_FIRST[order], 1)) if order in _LOWEST_FIRST else newest_first


def _rank(figure: Figure, sign: int) -> Callable[[RunGroup], float]:
    def rank(group: RunGroup) -> float:
        mean = group.mean(figure)
        return math.inf if mean is None else sign * mean

    return rank


def best_of_each_family(groups: Iterable[RunGroup]) -> list[RunGroup]:
    """Return the group of highest validation accuracy of each family of models, the best first.

    Those that learnt from drawn faces are left out where there are others.
    """
    scored = [group for group in in_order(groups, Order.VALIDATION) if group.mean("val_accuracy") is not None]
    best: dict[str, RunGroup] = {}
    for group in [group for group in scored if not group.is_drawn] or scored:
        best.setdefault(group.newest.family, group)
    return list(best.values())
