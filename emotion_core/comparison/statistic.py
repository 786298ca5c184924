"""A figure over several runs: its mean and its spread."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Self

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

TEST_FIGURES: Final = ("test_accuracy", "test_macro_f1")
"""Those that are of a file of test faces."""


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
