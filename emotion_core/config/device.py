"""Where a run computes."""

from typing import Literal

from pydantic import Field

from emotion_core.config.base import Settings


class Device(Settings):
    """Where the run computes, and how exactly."""

    backend: Literal["auto", "tensorflow", "jax", "torch"] = Field(
        "auto", description="Keras backend; auto takes the first installed one that sees a GPU, else TensorFlow."
    )
    kind: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="Auto takes a GPU where there is one. A run that asks for a GPU is refused if there is none.",
    )
    gpu: int | None = Field(None, ge=0, le=63, description="Number of the GPU, from 0; empty: the first that is free.")
    mixed_precision: Literal["auto", "on", "off"] = Field(
        "auto", description="Compute in 16 bits, keep weights in 32; auto does so on GPUs that benefit."
    )
    deterministic: bool = Field(
        False, description="Only operations that give the same bits each time, so that the run repeats exactly; slower."
    )
