"""Runs that repeat each other with other seeds, and their means."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from emotion_core.comparison.statistic import TEST_FIGURES, Figure, Statistic
from emotion_core.coursework import REPORTED, Reported
from emotion_core.grid import without_seed
from emotion_core.presets import PRESETS
from emotion_core.runs import RunSummary, State


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
        """Return a figure over the runs that are counted and have it; test scores only of the newest one's file."""
        lines = self.counted
        if figure in TEST_FIGURES:
            lines = tuple(line for line in lines if line.test_data == self.test_data)
        return Statistic.of(getattr(line, figure) for line in lines)

    @property
    def test_data(self) -> str:
        """Name of the file that the test scores are of, empty where there are none."""
        return next((line.test_data for line in self.counted if line.test_data), "")

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
    if title and all(without_seed(name) in (first.preset, title) for name in names):
        return title
    if len(set(names)) == 1:
        return names[0]
    return re.sub(r"\W*$", "", without_seed(" ".join(_common_words(names)))) or first.name


def _common_words(names: Sequence[str]) -> Iterator[str]:
    """Yield the words that all names begin with."""
    for words in zip(*(name.split() for name in names), strict=False):
        if len(set(words)) > 1:
            return
        yield words[0]
