"""How the learning rate changes: the policies, and what can be set about each."""

from typing import Annotated, Literal

from pydantic import Field

from emotion_core.config.base import Settings


class ConstantRate(Settings):
    """The same learning rate throughout."""

    kind: Literal["constant"] = "constant"
    rate: float = Field(1e-3, gt=0, le=10, description="Learning rate.")


class ExponentialRate(Settings):
    """At epoch e: rate x decay^e."""

    kind: Literal["exponential"] = "exponential"
    rate: float = Field(1e-4, gt=0, le=10, description="Learning rate of the first epoch.")
    decay: float = Field(0.95, gt=0, le=1, description="Factor from one epoch to the next.")


class StepRate(Settings):
    """At epoch e: rate x factor^floor((1 + e) / every)."""

    kind: Literal["step"] = "step"
    rate: float = Field(1e-4, gt=0, le=10, description="Learning rate of the first epochs.")
    factor: float = Field(0.5, gt=0, le=1, description="Factor at each step.")
    every: int = Field(10, ge=1, le=1_000, description="Epochs between steps.")


class PlateauRate(Settings):
    """Multiplied by a factor whenever validation loss has not improved for some epochs."""

    kind: Literal["plateau"] = "plateau"
    rate: float = Field(1e-3, gt=0, le=10, description="Learning rate at the start.")
    factor: float = Field(0.2, gt=0, lt=1, description="Factor applied when validation loss has stalled.")
    patience: int = Field(5, ge=1, le=1_000, description="Epochs without improvement before the rate falls.")


class CosineRate(Settings):
    """Per batch, along half a cosine from the rate to the end rate (Loshchilov and Hutter 2017, without restarts)."""

    kind: Literal["cosine"] = "cosine"
    rate: float = Field(1e-3, gt=0, le=10, description="Highest learning rate, at the first batch after warm-up.")
    end: float = Field(1e-6, gt=0, le=10, description="Learning rate approached by the last batch.")
    warmup: float = Field(
        0.0, ge=0, lt=1, description="Share of all batches over which the rate first rises linearly from zero."
    )


class OneCycleRate(Settings):
    """Per batch and linear: start to peak, back to start, then down to the end rate (Smith 2018)."""

    kind: Literal["one_cycle"] = "one_cycle"
    start: float = Field(0.001, gt=0, le=10, description="Learning rate at both ends of the cycle.")
    peak: float = Field(0.01, gt=0, le=10, description="Learning rate at the peak.")
    end: float = Field(1e-7, gt=0, le=10, description="Learning rate to which the final descent leads.")
    iterations: int | None = Field(
        None, ge=3, le=10_000_000, description="Total batches; empty: those of the whole run."
    )
    last_iterations: int | None = Field(
        None, ge=1, le=10_000_000, description="Batches of the final descent; empty: one in nine."
    )


Schedule = Annotated[
    ConstantRate | ExponentialRate | StepRate | PlateauRate | CosineRate | OneCycleRate, Field(discriminator="kind")
]
