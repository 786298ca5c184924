"""How a model learns."""

from typing import Any, Final, Literal

from pydantic import Field, field_validator

from emotion_core.config.base import Settings
from emotion_core.config.schedules import ExponentialRate, Schedule
from emotion_core.emotions import IMAGE_SIZE

MOST_EPOCHS: Final = 10_000

WeightPolicy = Literal["none", "balanced", "square_root"]
"""The ways to weigh the classes in the loss."""


class Training(Settings):
    """How long and how fast the model learns."""

    epochs: int = Field(100, ge=1, le=MOST_EPOCHS, description="Maximum number of passes over the training data.")
    batch_size: int = Field(32, ge=1, le=8_192, description="Images per step.")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="Seed of every random draw: weights, order, augmentation.")
    optimizer: Literal["adam", "sgd"] = Field(
        "adam", description="Adam, or stochastic gradient descent with Nesterov momentum."
    )
    amsgrad: bool = Field(True, description="Adam with the AMSGrad correction (Reddi et al. 2018).")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of stochastic gradient descent.")
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Each step shrinks the layers' weights by this share times the learning rate; biases and "
        "normalisation are exempt (decoupled, Loshchilov and Hutter 2019).",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of each training label that is spread evenly over all emotions."
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Blend each training face and its label with another, in a ratio drawn from Beta(mixup, mixup); 0: "
        "never (Zhang et al. 2018).",
    )
    weight_average: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Momentum, per batch, of a moving average of the weights; the average is validated and kept. "
        "Empty: none.",
    )
    first_side: int | None = Field(
        None,
        ge=16,
        le=IMAGE_SIZE,
        description="Side in pixels of the images at the start of training; it grows to 48 over the first half "
        "of the epochs (progressive resolution, residual networks only). Empty: 48 throughout.",
    )
    schedule: Schedule = Field(ExponentialRate(), description="How the learning rate changes.")
    class_weights: WeightPolicy = Field(
        "none", description="Weight each class by n / (classes x count), by its square root, or not at all."
    )
    early_stopping_patience: int | None = Field(
        20, ge=1, le=10_000, description="Epochs without a better validation loss before stopping; empty: never."
    )
    keep: Literal["best", "last"] = Field(
        "best", description="Save the epoch with the lowest validation loss, or the last."
    )
    start_from: tuple[str, ...] = Field(
        (),
        max_length=8,
        description="Saved run of the same network whose weights training starts from (fine-tuning). Several that were "
        "fine-tuned from the same one: the mean of their weights (model soup, Wortsman et al. 2022). None: random "
        "weights.",
    )
    teachers: tuple[str, ...] = Field(
        (),
        max_length=8,
        description="Saved runs whose predictions for each training face are learnt along with its label (knowledge "
        "distillation, Hinton et al. 2015). They take turns, batch by batch.",
    )
    teacher_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of the training target that is a teacher's prediction; the rest is the label.",
    )

    def has_stalled(self, epoch: int, best_epoch: int, counted_from: int) -> bool:
        """Whether early stopping ends a run after an epoch: the best one, or where counting began, is too long ago."""
        patience = self.early_stopping_patience
        return patience is not None and epoch - max(best_epoch, counted_from) >= patience

    @field_validator("start_from", "teachers", mode="before")
    @classmethod
    def _as_written_on_one_line(cls, value: Any) -> Any:
        """Read ids with commas between, as `--set` gives them, and the beginning of one that is a number."""
        is_line = isinstance(value, str | int)
        return [part.strip() for part in str(value).split(",") if part.strip()] if is_line else value
