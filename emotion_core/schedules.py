"""Learning rates and image sides as functions of time.

They are reckoned in NumPy, so that they can be drawn and checked without Keras.

A plateau schedule is not among them: it depends on how training goes, and `callbacks` follows it.
"""

from dataclasses import dataclass
from typing import Final

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
from emotion_core.emotions import IMAGE_SIZE

SIDE_STEP: Final = 8
"""Pixels by which the side of the images grows at a time."""


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


@dataclass(frozen=True)
class SameSide:
    """Epochs that train on images of one side: those from `first`, counted from 0, up to `end`, which is not one."""

    first: int
    end: int
    side: int


def progressive_sides(first_side: int | None, epochs: int) -> list[SameSide]:
    """Return which epochs train on images of which side: it grows in steps of 8 to 48 over the first half.

    A run that is too short for all steps leaves some out.
    """
    sides = [*range(first_side or IMAGE_SIZE, IMAGE_SIZE, SIDE_STEP), IMAGE_SIZE]
    growing = len(sides) - 1
    starts = [round(epochs / 2 * number / growing) if growing else 0 for number in range(len(sides))]
    parts = zip(starts, [*starts[1:], epochs], sides, strict=True)
    return [SameSide(first, end, side) for first, end, side in parts if first < end]


def epoch_work(first_side: int | None, epochs: int, *, on_gpu: bool) -> NDArray[np.float64]:
    """Return the work of each epoch, (epochs,), as a share of that on whole faces: what decides how long it takes.

    On a processor it is the share of the pixels. Beside a GPU, making the images takes the time, whatever their size.
    """
    parts = progressive_sides(None if on_gpu else first_side, epochs)
    return np.repeat([(part.side / IMAGE_SIZE) ** 2 for part in parts], [part.end - part.first for part in parts])


def _cosine(schedule: CosineRate, all_steps: int) -> NDArray[np.float64]:
    """Rise in a line to the rate, then fall along half a cosine."""
    rising = round(schedule.warmup * all_steps)
    rise = schedule.rate * np.arange(1, rising + 1) / (rising + 1)
    done = np.arange(all_steps - rising) / (all_steps - rising)
    return np.concatenate([rise, schedule.end + (schedule.rate - schedule.end) * (1 + np.cos(np.pi * done)) / 2])


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
