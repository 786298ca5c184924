"""How long a run may take on this machine: as runs like it did here, else reckoned from its settings.

All figures are rough: another backend, a busy machine or early stopping can halve or double them.
"""

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import psutil

from emotion_core.config import LinearModel, Model, RunConfig
from emotion_core.errors import DamagedRun
from emotion_core.hardware import this_machine
from emotion_core.models.counts import count_operations, count_parameters
from emotion_core.runs import Run, Runs
from emotion_core.schedules import epoch_work
from emotion_core.watch import as_duration

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_OPERATIONS_TO_LEARN: Final = 6
"""Floating-point operations for each multiplication and addition of a forward pass: training goes back, too."""


@dataclass(frozen=True)
class _Family:
    """What training a family of models makes of a processor.

    Attributes:
        efficiency: Operations in the time of one of the yardstick; large convolutions do better than small matrices.
        most_cores: How many cores it keeps busy.
    """

    efficiency: float
    most_cores: int


# Two cores of an AMD EPYC (Zen 5), whose yardstick is 80 GFLOP/s a core, TensorFlow 2.21, in images a second: dense-5
# 3,850 in batches of 32 and 17,000 of 256, gru-attention 950, cnn 122, cnn-small 507, residual 118 at full size;
# scikit-learn's sgd 35,000 with its scores. How many cores a family keeps busy is an estimate: small networks in small
# batches wait for one another.
_FAMILIES: Final = {
    "linear": _Family(0.021, most_cores=2),
    "dense": _Family(2.1, most_cores=4),
    "gru": _Family(0.16, most_cores=2),
    "cnn": _Family(1.75, most_cores=16),
    "residual": _Family(0.84, most_cores=16),
}

_UPDATE: Final = 690
"""What it takes to update one parameter after a batch, in operations of the yardstick; measured likewise."""

_TEACHER: Final = 270e6
"""What a teacher's answer to one face takes, if it is a residual network, in the same; measured likewise."""

_YARDSTICK_SIDE: Final = 64
_YARDSTICK_SECONDS: Final = 0.06

_LONG_ENOUGH_SECONDS: Final = 20
"""A run that computed for less tells little of its pace: a network's first batches wait for it to be compiled."""

_EPOCHS_THAT_TELL: Final = 5
"""A run of so many epochs tells a pace as well as any longer one."""

_GRIDS: Final = {60: 10, 1_800: 60, 3_600: 300, 10_800: 900, 86_400: 3_600, 259_200: 21_600}
"""By the seconds below which a duration lies, those to which it is rounded; above all of them, whole days."""

_DAY: Final = 86_400


@dataclass(frozen=True)
class Workload:
    """What decides how fast a run learns on a machine.

    Attributes:
        taught: Whether teachers answer, too.
        mixed_precision: Whether it was asked to compute in 16 bits.
    """

    model: Model
    batch_size: int
    on_gpu: bool
    taught: bool = False
    mixed_precision: bool = False

    @classmethod
    def of(cls, config: RunConfig, *, has_gpu: bool) -> Self:
        """Return that of a run on a machine with a GPU or without; a linear model takes neither batches nor a GPU."""
        if isinstance(config.model, LinearModel):
            return cls(config.model, 0, on_gpu=False)
        device, training = config.device, config.training
        return cls(
            config.model,
            training.batch_size,
            on_gpu=has_gpu and device.kind != "cpu",
            taught=bool(training.teachers),
            mixed_precision=device.mixed_precision == "on",
        )


Job = tuple[RunConfig, int]
"""A run, and the number of faces that train in it."""


@dataclass(frozen=True)
class Expectation:
    """How long something may take.

    Attributes:
        measured: As such runs took on this machine; otherwise it is reckoned, in part at least.
        at_most: Early stopping may end it sooner.
    """

    seconds: float
    measured: bool
    at_most: bool

    def __str__(self) -> str:
        """Return it as one would say it: `up to 25 min`, `about 9 h`."""
        return f"{'up to' if self.at_most else 'about'} {as_rough_duration(self.seconds)}"


def jobs_of(configs: Iterable[RunConfig], dataset: "Dataset") -> list[Job]:
    """Return runs with the number of faces that train in each; raises BadInput where the data cannot be split so."""
    from emotion_core.dataset import split_rows  # slow to import

    counts = cache(lambda split, seed: len(split_rows(dataset, split, seed).training))
    return [(config, counts(config.data.split, config.training.seed)) for config in configs]


def expect(jobs: Iterable[Job], paces: Mapping[Workload, float], *, has_gpu: bool = False) -> Expectation | None:
    """Return how long runs may take one after the other; None if a GPU computes one and has computed none like it yet.

    Args:
        jobs: What `jobs_of` returns.
        paces: What `measured_paces` returns.
        has_gpu: Whether this machine has a GPU, which then computes networks unless their settings say otherwise.
    """
    seconds, measured, at_most = 0.0, True, False
    for config, images in jobs:
        workload = Workload.of(config, has_gpu=has_gpu)
        if workload.on_gpu and workload not in paces:
            return None
        pace = paces.get(workload) or _speed(workload, paces) / _cost(workload)
        work = epoch_work(config.training.first_side, config.training.epochs, on_gpu=workload.on_gpu)
        seconds += float(work.sum()) * images / pace
        measured &= workload in paces
        at_most |= config.training.early_stopping_patience is not None
    return Expectation(seconds, measured, at_most)


def say(jobs: Sequence[Job], paces: Mapping[Workload, float], *, has_gpu: bool) -> str:
    """Say how long runs may take one after the other, and of a GPU that has computed none like them that it has not."""
    if expected := expect(jobs, paces, has_gpu=has_gpu):
        return str(expected)
    return f"not measured on this GPU yet; {expect(jobs, paces)} on the processor"


def measured_paces(runs: Runs) -> dict[Workload, float]:
    """Return how fast runs learnt on this machine, validation included: images a second by workload, newest last.

    On a processor an image of fewer pixels counts as so much less of one. A newer run of a workload takes the place of
    one that did no more epochs; one that was soon ended knows less.
    """
    here, paces, epochs = this_machine(), dict[Workload, float](), dict[Workload, int]()
    for run in runs.all():
        try:
            found = _measured(run, here)
        except DamagedRun:
            continue
        if found:
            workload, pace, done = found
            if min(done, _EPOCHS_THAT_TELL) >= epochs.get(workload, 0):
                paces.pop(workload, None)
                paces[workload], epochs[workload] = pace, min(done, _EPOCHS_THAT_TELL)
    return paces


def as_rough_duration(seconds: float) -> str:
    """Write a duration without pretending to know it well: `30 s`, `25 min`, `1 h 30 min`, `9 h`, `2 days`."""
    grid = next((grid for limit, grid in _GRIDS.items() if seconds < limit), _DAY)
    return as_duration(max(1, round(seconds / grid)) * grid)


@cache
def core_speed() -> float:
    """Return the floating-point operations a second of one core when it multiplies small matrices: the yardstick.

    Measured once, in less than a tenth of a second of the core's time; what else the machine does hardly changes it.
    """
    matrix = np.ones((_YARDSTICK_SIDE, _YARDSTICK_SIDE), np.float32)
    product = np.empty_like(matrix)
    count, began = 0, time.thread_time()
    while (spent := time.thread_time() - began) < _YARDSTICK_SECONDS:
        np.matmul(matrix, matrix, out=product)
        count += 1
    return 2 * _YARDSTICK_SIDE**3 * count / spent


def _measured(run: Run, machine: str) -> tuple[Workload, float, int] | None:
    """Return a run's workload, pace and epochs, None where it was computed elsewhere or not for long enough.

    Its first epoch, in which a network is compiled, counts only where there is no other.
    """
    status = run.status()
    if status.machine != machine or not status.epoch or not status.images:
        return None
    if not status.seconds or status.seconds < _LONG_ENOUGH_SECONDS:
        return None
    workload = Workload.of(run.config, has_gpu=status.device.startswith("GPU"))
    begun = status.batch / status.batches if status.batches else 0.0  # of the epoch in hand
    epochs = max(status.epochs, status.epoch)
    work = epoch_work(run.config.training.first_side, epochs, on_gpu=workload.on_gpu)
    done = work[: status.epoch].sum() + begun * work[status.epoch : status.epoch + 1].sum()
    seconds, history = status.seconds, run.history()
    if status.epoch > 1 and len(history) and (first := float(history["seconds"].iloc[0])) < seconds:
        done, seconds = done - work[0], seconds - first
    return workload, float(done) * status.images / seconds, status.epoch


def _speed(workload: Workload, paces: Mapping[Workload, float]) -> float:
    """Return the operations a second that this processor gives a workload: as its family's last run, or reckoned."""
    family, precision = workload.model.family, workload.mixed_precision
    for other in reversed(list(paces)):
        if (other.model.family, other.mixed_precision) == (family, precision) and not other.on_gpu:
            return paces[other] * _cost(other)
    return core_speed() * min(_cores(), _FAMILIES[family].most_cores)


def _cost(workload: Workload) -> float:
    """Return what learning from one image takes, in operations of the yardstick."""
    model = workload.model
    learning = _OPERATIONS_TO_LEARN * count_operations(model) / _FAMILIES[model.family].efficiency
    update = _UPDATE * count_parameters(model) / workload.batch_size if workload.batch_size else 0.0
    return learning + update + (_TEACHER if workload.taught else 0.0)


def _cores() -> int:
    """Return how many cores compute. On Apple's processors one thread has the unit for matrices, and no more of it."""
    if sys.platform == "darwin":
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, psutil.cpu_count(logical=False) or usable)
