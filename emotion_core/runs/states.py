"""Where a run is in its life, and what its trainer tells of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from emotion_core.evaluation import Count, Seconds, Share, Speed

Moment = Annotated[float, Field(ge=0, le=32_503_680_000)]
"""Seconds since 1970, up to the year 3000: what every system can write as a date."""


class State(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"  # waits for its turn
    RUNNING = "running"  # a living trainer holds its lock
    STOPPING = "stopping"  # running, and asked to stop
    STOPPED = "stopped"  # ended early because a person asked
    FINISHED = "finished"  # ran to its end: all epochs, or early stopping
    FAILED = "failed"  # ended by an error that its reason tells
    INTERRUPTED = "interrupted"  # its trainer died without a word
    DAMAGED = "damaged"  # its folder cannot be read

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the run by itself."""
        return self not in (State.QUEUED, State.RUNNING, State.STOPPING)


class Status(BaseModel):
    """What status.json holds. Times are seconds since 1970; `epoch` counts whole epochs done.

    Attributes:
        sequence: Place in the queue; 0 for a run that the process which made it computes itself.
        seconds: Time spent computing, over all sittings of a run that was resumed; it counts no pause.
        resumed: How often the run was resumed.
        patience_from: The epoch from which early stopping counts, where a finished run was continued.
        slot: The slot of the engine that it computes in, such as `cpu` or `gpu-0`.
        machine: A digest of the machine that it computes on, as `hardware.this_machine` gives it.
        images: Training images in an epoch.
        memory: Bytes that the trainer takes.
        gpu_memory: Bytes of the GPU that are taken, of `gpu_memory_total`, by whomever.
        gpu_use: Share of the last moment in which the GPU computed, 0 to 1.
    """

    model_config = ConfigDict(frozen=True)

    state: State
    reason: str = ""
    sequence: Count = 0
    submitted: Moment
    started: Moment | None = None
    finished: Moment | None = None
    seconds: Seconds | None = None
    resumed: Count = 0
    epoch: Count = 0
    epochs: Count
    batch: Count = 0
    batches: Count = 0
    images_per_second: Speed | None = None
    backend: str = ""
    device: str = ""
    slot: str = ""
    machine: str = ""
    images: Count = 0
    memory: Count | None = None
    gpu_memory: Count | None = None
    gpu_memory_total: Count | None = None
    gpu_use: Share | None = None
    parameters: Count | None = None
    best_epoch: Count | None = None
    best_val_loss: FiniteFloat | None = None
    best_val_accuracy: Share | None = None
    patience_from: Count = 0
