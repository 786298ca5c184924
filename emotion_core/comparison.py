"""Runs side by side: groups over seeds, their means and spread, and how they differ from each other."""

import math
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, Self

from emotion_core.config import RunConfig
from emotion_core.coursework import REPORTED, Reported
from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import Evaluation
from emotion_core.presets import PRESETS
from emotion_core.runs import RunSummary, State

Figure = Literal[
    "val_accuracy",
    "val_loss",
    "training_accuracy",
    "macro_f1",
    "test_accuracy",
    "test_macro_f1",
    "best_epoch",
    "parameters",
    "seconds",
    "images_per_second",
]
"""The figures of a run's line that are averaged over seeds."""


@dataclass(frozen=True)
class Statistic:
    """One figure over several runs; `deviation` is the sample standard deviation, None for a single run."""

    count: int
    mean: float
    deviation: float | None = None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Self | None:
        """Return the statistic of the values that there are, None where there is none."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        return cls(len(known), statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None)


# --- groups --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunGroup:
    """Runs that repeat each other with other seeds, or one run by itself.

    Attributes:
        key: What tells groups apart, and stays the same when seeds are added.
        name: What the group is called.
        lines: All of its runs, newest first.
        counted: Those whose scores enter the means: one per seed.
    """

    key: str
    name: str
    lines: tuple[RunSummary, ...]
    counted: tuple[RunSummary, ...]

    @property
    def newest(self) -> RunSummary:
        """The run submitted last."""
        return self.lines[0]

    @property
    def best(self) -> RunSummary:
        """The run that stands for the group: the one of highest validation accuracy."""
        return max(self.counted or self.lines, key=lambda line: line.val_accuracy or 0.0)

    @property
    def is_drawn(self) -> bool:
        """Whether it learnt from faces drawn by code."""
        return self.newest.is_drawn

    @property
    def reported(self) -> Reported | None:
        """The coursework's figures, where the runs are its preset as it is, on other faces than drawn ones."""
        return None if self.is_drawn or not self.newest.as_preset else REPORTED.get(self.newest.preset)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs, in order."""
        return tuple(sorted({line.seed for line in self.lines if line.seed is not None}))

    @property
    def states(self) -> tuple[State, ...]:
        """The states of its runs, each once."""
        return tuple(dict.fromkeys(line.state for line in self.lines))

    @property
    def state(self) -> State:
        """How the group stands: as a run that is not over, else as those that are counted, else as the newest."""
        in_hand = [line for line in self.lines if not line.state.is_over]
        cut_short = [line for line in self.counted if line.state is State.STOPPED]
        return [*in_hand, *cut_short, *self.counted, *self.lines][0].state

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its runs, each once."""
        return tuple(dict.fromkeys(tag for line in self.lines for tag in line.tags))

    def statistic(self, figure: Figure) -> Statistic | None:
        """Return a figure over the runs that are counted and have it."""
        return Statistic.of(getattr(line, figure) for line in self.counted)

    def mean(self, figure: Figure) -> float | None:
        """Return the mean of a figure over the runs that are counted and have it."""
        known = self.statistic(figure)
        return None if known is None else known.mean

    @property
    def epochs(self) -> str:
        """How many epochs the runs had: `63`, `57-100`, and `7 of 200` where one did not run to its end."""
        begun = self.counted or tuple(line for line in self.lines if line.epoch)
        if not begun:
            return ""
        least, most = min(line.epoch for line in begun), max(line.epoch for line in begun)
        had = f"{least}" if least == most else f"{least}\u2013{most}"
        whole = all(line.state is State.FINISHED for line in begun)
        return had if whole else f"{had} of {max(line.epochs for line in begun)}"


def group_runs(lines: Iterable[RunSummary]) -> list[RunGroup]:
    """Group runs over seeds, in the order of each group's first run; lines come newest first.

    Into the means enter runs that finished or were stopped and have scores. A seed counts once, so that a copy of a run
    does not make its group look surer: of several runs with one seed a finished one counts before one that was
    stopped, then the newest.
    """
    groups: defaultdict[str, list[RunSummary]] = defaultdict(list)
    for line in lines:
        groups[line.settings or line.id].append(line)
    return [RunGroup(key, _name_of(group), tuple(group), tuple(_counted(group))) for key, group in groups.items()]


def single_runs(lines: Iterable[RunSummary]) -> list[RunGroup]:
    """Return every run by itself, with whatever scores it has so far."""
    return [RunGroup(line.id, line.name, (line,), (line,)) for line in lines]


def _counted(group: Sequence[RunSummary]) -> Iterator[RunSummary]:
    """Yield one run per seed, the newest first."""
    scored = [line for line in group if line.state in (State.FINISHED, State.STOPPED) and line.macro_f1 is not None]
    finished_first = sorted(scored, key=lambda line: line.state is not State.FINISHED)
    chosen = {line.seed: line.id for line in reversed(finished_first)}
    return (line for line in scored if chosen[line.seed] == line.id)


def _name_of(group: Sequence[RunSummary]) -> str:
    """Return the preset's title where nobody named the runs otherwise, else what their names begin with."""
    names, first = [line.name for line in group], group[0]
    title = PRESETS[first.preset].title if first.as_preset else ""
    if title and all(_SEED_AT_END.sub("", name) in (first.preset, title) for name in names):
        return title
    if len(set(names)) == 1:
        return names[0]
    return _SEED_AT_END.sub("", " ".join(_common_words(names))) or first.name


def _common_words(names: Sequence[str]) -> Iterator[str]:
    """Yield the words that all names begin with."""
    for words in zip(*(name.split() for name in names), strict=False):
        if len(set(words)) > 1:
            return
        yield words[0]


_SEED_AT_END: Final = re.compile(r"(\W*\bseed\b\W*\d*)?\W*$", re.IGNORECASE)
"""` · seed 42` at the end of a name, or what is left of it where names differ."""


# --- differences ---------------------------------------------------------------------------------------------------


class Standing(StrEnum):
    """How a difference to the baseline is to be read."""

    BASELINE = "baseline"
    CLEAR = "beyond the spread of seeds"
    WITHIN = "within the spread of seeds"
    ONE_SEED = "one seed: spread unknown"
    OTHER_FACES = "drawn against real faces"  # which is no comparison, so that no difference is given


@dataclass(frozen=True)
class Difference:
    """Accuracy less that of the baseline, from -1 to 1, and how it is to be read."""

    value: float | None
    standing: Standing


def difference(group: RunGroup, baseline: RunGroup, figure: Figure = "val_accuracy") -> Difference | None:
    """Return how a group's mean differs from the baseline's, None where one of them has none."""
    ours, theirs = group.statistic(figure), baseline.statistic(figure)
    if group.key == baseline.key:
        return Difference(None, Standing.BASELINE)
    if ours is None or theirs is None:
        return None
    if group.is_drawn != baseline.is_drawn:
        return Difference(None, Standing.OTHER_FACES)
    return Difference(ours.mean - theirs.mean, _standing(ours, theirs))


def standard_error(one: Statistic, other: Statistic) -> float | None:
    """Return the standard error of the difference of two means, sqrt(s1^2 / n1 + s2^2 / n2) (Welch 1947).

    None where one of them is a single run, whose spread nobody knows.
    """
    if one.deviation is None or other.deviation is None:
        return None
    return math.sqrt(one.deviation**2 / one.count + other.deviation**2 / other.count)


_ROUNDING: Final = 1e-9
"""Means of equal scores may differ by this, since two are averaged otherwise than three."""


def _standing(one: Statistic, other: Statistic) -> Standing:
    """Call a difference clear that is larger than twice its standard error, the usual rough interval of 95 %.

    NOTE: with two or three seeds a side the rule is lenient, because the deviations are themselves uncertain: of equal
    configurations about one pair in six looks different then.
    """
    error = standard_error(one, other)
    if error is None:
        return Standing.ONE_SEED
    return Standing.WITHIN if abs(one.mean - other.mean) <= 2 * error + _ROUNDING else Standing.CLEAR


# --- finding and ordering ------------------------------------------------------------------------------------------


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


# --- settings ------------------------------------------------------------------------------------------------------


class _Missing:
    """Stands for a setting that a configuration does not have."""


MISSING: Final = _Missing()


SettingPath = tuple[str, ...]
"""The names that lead to a setting, such as `("training", "schedule", "rate")`."""


def differing_settings(configs: Sequence[RunConfig], seeds: Sequence[Sequence[int]]) -> dict[SettingPath, list[Any]]:
    """Return the settings that are not the same in all configurations, by their path, with the value of each.

    A schedule or split of another kind is one setting, since its parts mean something else then; where a configuration
    has no such setting stands MISSING.

    Args:
        configs: What is compared.
        seeds: The seeds that were used with each, in place of its own.
    """
    return dict(_differences([_document(*pair) for pair in zip(configs, seeds, strict=True)], ()))


def _document(config: RunConfig, seeds: Sequence[int]) -> dict[str, Any]:
    document = config.model_dump(exclude={"schema_version", "name"})
    document["training"]["seed"] = list(seeds)
    return document


def _differences(values: list[Any], path: SettingPath) -> Iterator[tuple[SettingPath, list[Any]]]:
    if all(value == values[0] for value in values):
        return
    if all(isinstance(value, dict) and value.get("kind") == values[0].get("kind") for value in values):
        for name in dict.fromkeys(name for value in values for name in value):
            yield from _differences([value.get(name, MISSING) for value in values], (*path, name))
    else:
        yield path, values


# --- scores by emotion ---------------------------------------------------------------------------------------------


def recalls(evaluations: Sequence[Evaluation]) -> dict[str, Statistic]:
    """Return the recall of each emotion over runs, of which there must be one at least."""
    found = {name: Statistic.of(scores.per_class[name].recall for scores in evaluations) for name in EMOTIONS}
    return {name: known for name, known in found.items() if known is not None}


def added_confusion(evaluations: Sequence[Evaluation]) -> list[list[int]]:
    """Return the faces of every run in one confusion matrix."""
    places = range(len(EMOTIONS))
    return [[sum(scores.confusion[true][taken] for scores in evaluations) for taken in places] for true in places]
