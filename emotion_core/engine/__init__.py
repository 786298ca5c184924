"""Who computes which run, and when.

An engine takes configurations, makes runs of them and sees to it that they are computed, in order, by processes of
their own. It starts `emotion_core.training` by name and never imports it, and it never loads Keras: a page or a
command may use it freely. What it knows lives in the folder of runs, so any number of processes may use one folder.
"""

from typing import Protocol

from emotion_core.config import RunConfig
from emotion_core.engine.local import LocalEngine
from emotion_core.runs import Run, State

__all__ = ["Engine", "LocalEngine"]


class Engine(Protocol):
    """The seam between the app and whatever computes runs."""

    def submit(self, config: RunConfig) -> Run:
        """Freeze the settings in a new run and queue it."""

    def stop(self, run: Run) -> None:
        """Ask a run to end after the batch in hand, keeping what it has learnt."""

    def kill(self, run: Run) -> None:
        """End a run's processes at once."""

    def state(self, run: Run) -> State:
        """Say where the run is in its life."""

    def logs(self, run: Run, lines: int = 40) -> str:
        """Return the last lines that the run printed."""
