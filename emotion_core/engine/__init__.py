"""Who computes which run, where, and when.

An engine takes configurations, makes runs of them and sees to it that they are computed, in order, by processes of
their own, one in each slot at a time: a GPU each, and the processor. It starts `emotion_core.training` by name and
never imports it, and it never loads Keras or takes a GPU: a page or a command may use it freely. What it knows lives
in the folder of runs, so any number of processes may use one folder.
"""

from collections.abc import Sequence
from typing import Protocol

from emotion_core.config import RunConfig
from emotion_core.engine.local import LocalEngine
from emotion_core.runs import Run, State

__all__ = ["Engine", "LocalEngine"]


class Engine(Protocol):
    """The seam between the app and whatever computes runs."""

    def submit(self, config: RunConfig) -> Run:
        """Freeze the settings in a new run and queue it."""

    def submit_all(self, configs: Sequence[RunConfig]) -> list[Run]:
        """Queue several runs in their order: all of them or none."""

    def stop(self, run: Run) -> None:
        """Ask a run to end after the batch in hand, keeping its whole epochs."""

    def kill(self, run: Run) -> None:
        """End a run's processes at once."""

    def move(self, run: Run, places: int) -> None:
        """Let a waiting run come earlier (-1: by one place) or later."""

    def resume(self, run: Run, epochs: int | None = None) -> None:
        """Queue a run that is over once more, to go on from its last whole epoch, up to `epochs` in all."""

    def delete(self, run: Run) -> None:
        """Remove a run for good, unless it computes or one in hand needs it."""

    def state(self, run: Run) -> State:
        """Say where the run is in its life."""

    def logs(self, run: Run, lines: int = 40) -> str:
        """Return the last lines that the run printed."""

    def wake(self) -> bool:
        """See to it that runs which wait are taken up, as after a crash or a restart; say whether any does."""

    def is_working(self) -> bool:
        """Whether runs are being computed, or about to be."""
