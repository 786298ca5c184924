"""Learning rates as functions of time, reckoned in NumPy so that they can be drawn and checked without Keras.

A plateau schedule is not among them: it depends on how training goes, and `callbacks` follows it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import (
    ConstantRate,
    CosineRate,
    ExponentialRate,
    OneCycleRate,
    PlateauRate,
    Schedule,
    StepRate,
)


@dataclass(frozen=True)
class RateTable:
    """Learning rates in order; each holds for `steps_each` batches, the last one for ever after."""

    rates: NDArray[np.float32]
    steps_each: int


def tabulate(schedule: Schedule, epochs: int, steps_per_epoch: int) -> RateTable:
    """Return the learning rate of every epoch, or of every batch where the schedule changes within epochs."""
    epoch = np.arange(epochs)
    match schedule:
        case ConstantRate() | PlateauRate():
            rates = np.array([schedule.rate])
        case ExponentialRate():
            rates = schedule.rate * schedule.decay**epoch
        case StepRate():
            rates = schedule.rate * schedule.factor ** ((1 + epoch) // schedule.every)
        case CosineRate():
            return RateTable(_cosine(schedule, epochs * steps_per_epoch).astype(np.float32), 1)
        case OneCycleRate():
            return RateTable(_one_cycle(schedule, epochs * steps_per_epoch).astype(np.float32), 1)
    return RateTable(rates.astype(np.float32), steps_per_epoch)


def _cosine(schedule: CosineRate, all_steps: int) -> NDArray[np.float64]:
    done = np.arange(all_steps) / all_steps
    return schedule.end + (schedule.rate - schedule.end) * (1 + np.cos(np.pi * done)) / 2


def _one_cycle(schedule: OneCycleRate, all_steps: int) -> NDArray[np.float64]:
    """Rise to the peak and fall back, each over half of what the final descent leaves (Smith 2018)."""
    iterations = schedule.iterations or all_steps
    last = min(schedule.last_iterations or max(1, iterations // 9), iterations - 1)
    half = (iterations - last) // 2
    return np.interp(
        np.arange(iterations),
        [0, half, 2 * half, iterations],
        [schedule.start, schedule.peak, schedule.start, schedule.end],
    )
