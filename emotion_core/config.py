"""What a run is: immutable, validated settings from which everything else follows.

The form of the Train page, `--set path=value` on the command line, the help texts and the messages about values out
of bounds are all made from the fields below. A run's configuration is saved whole in its folder.
"""

from pathlib import PureWindowsPath
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from emotion_core.emotions import IMAGE_SIZE
from emotion_core.errors import BadInput

SAMPLE: Final = "sample"
"""The data source that stands for the drawn sample instead of a path."""

SAMPLE_NAME: Final = "Sample (drawn faces)"

Activation = Literal["relu", "softplus", "selu", "gelu"]
Initializer = Literal["he_normal", "glorot_normal", "glorot_uniform"]


class Settings(BaseModel):
    """Base of every group of settings: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- data ---------------------------------------------------------------------------------------------------------


class FirstRows(Settings):
    """The first rows are for validation, the rest for training, as in the coursework; nothing is shuffled."""

    kind: Literal["first_rows"] = "first_rows"
    count: int = Field(2_900, ge=1, le=1_000_000, description="Rows at the top of the file, used for validation.")
    largest_share: float = Field(
        0.2, gt=0, lt=1, description="Upper limit for small data sets, as a share of their rows."
    )


class RandomSplit(Settings):
    """A random share is for validation; images and labels are split together."""

    kind: Literal["random"] = "random"
    share: float = Field(0.2, gt=0, lt=1, description="Share of the rows that validate.")


class UsageSplit(Settings):
    """The file's own Usage column decides: Training for training, PublicTest for validation."""

    kind: Literal["usage"] = "usage"


class MisalignedSplit(Settings):
    """A mistake to learn from: images and labels are shuffled separately, so a label is right only by chance."""

    kind: Literal["misaligned"] = "misaligned"
    share: float = Field(0.2, gt=0, lt=1, description="Share of the rows that validate.")


Split = Annotated[FirstRows | RandomSplit | UsageSplit | MisalignedSplit, Field(discriminator="kind")]


class Data(Settings):
    """Which faces are for training, and which for validation only."""

    source: str = Field(SAMPLE, description="Path of a CSV, a zip or a folder of images, or 'sample' for drawn faces.")
    drop_incomplete: bool = Field(False, description="Leave out rows with missing pixels instead of refusing the file.")
    split: Split = Field(FirstRows(), description="How validation rows are chosen.")

    @property
    def is_drawn(self) -> bool:
        """Whether the faces are the sample's, drawn by code."""
        return self.source == SAMPLE

    @property
    def name(self) -> str:
        """What the data is called: its file or folder, without those it lies in on whichever system that was."""
        return SAMPLE_NAME if self.is_drawn else PureWindowsPath(self.source).name


class Augmentation(Settings):
    """Random changes to training images, drawn afresh for each image and epoch. Validation uses the originals."""

    rotation: float = Field(0.0, ge=0, le=180, description="Largest rotation either way, in degrees.")
    width_shift: float = Field(0.0, ge=0, le=0.5, description="Largest sideways shift, as a share of the width.")
    height_shift: float = Field(0.0, ge=0, le=0.5, description="Largest up or down shift, as a share of the height.")
    zoom: float = Field(0.0, ge=0, le=0.5, description="Zoom drawn per axis from 1 - zoom to 1 + zoom.")
    brightness: float = Field(
        0.0, ge=0, le=0.9, description="Brightness factor drawn per image, from 1 - brightness to 1 + brightness."
    )
    blur: float = Field(
        0.0, ge=0, le=5, description="Largest standard deviation of a Gaussian blur, in pixels of the 48x48 image."
    )
    compression: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Save as JPEG, which leaves blocks, with a quality drawn from 100% minus this to 100%.",
    )
    erasing: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Cover a rectangle of up to this share of the area with noise, in half of the images "
        "(random erasing, Zhong et al. 2020).",
    )
    horizontal_flip: bool = Field(False, description="Mirror half of the images left to right.")

    @property
    def enabled(self) -> bool:
        """Whether any transform can change an image."""
        return self != Augmentation()


# --- models -------------------------------------------------------------------------------------------------------


class LinearModel(Settings):
    """A linear one-vs-rest classifier on the pixels, by stochastic gradient descent (scikit-learn)."""

    family: Literal["linear"] = "linear"
    loss: Literal["hinge", "log_loss", "modified_huber"] = Field(
        "hinge", description="Loss of each one-vs-rest classifier."
    )
    penalty: Literal["l2", "l1", "elasticnet"] = Field("l2", description="Penalty on the weights.")
    alpha: float = Field(1e-4, gt=0, le=1, description="Strength of the penalty; it also sets the learning rate.")


class DenseModel(Settings):
    """Fully connected layers, each narrower than the one before, on the flattened pixels."""

    family: Literal["dense"] = "dense"
    hidden_layers: int = Field(5, ge=1, le=10, description="Number of hidden layers.")
    first_units: int = Field(500, ge=1, le=4_096, description="Units of the first hidden layer.")
    descent: int = Field(100, ge=0, le=1_000, description="How many fewer units each further layer has.")
    last_units: int | None = Field(
        None,
        ge=1,
        le=4_096,
        description="Units of the last hidden layer, such as the coursework's 350; empty: by the descent.",
    )
    activation: Activation = Field("relu", description="Activation of the hidden layers.")
    kernel_initializer: Initializer = Field("he_normal", description="Initial values of the hidden weights.")
    dropout: float = Field(0.0, ge=0, le=0.9, description="Share of units dropped after each hidden layer.")
    regularizer: Literal["none", "l1", "l2", "l1l2"] = Field("none", description="Penalty on the hidden weights.")
    regularizer_strength: float = Field(0.01, ge=0, le=1, description="Strength of the penalty; 0.01 is Keras's own.")
    batch_norm: bool = Field(False, description="Batch normalisation after each hidden layer.")
    batch_norm_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the batch statistics.")

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """Units of each hidden layer, first to last."""
        units = [self.first_units - self.descent * layer for layer in range(self.hidden_layers)]
        return (*units[:-1], units[-1] if self.last_units is None else self.last_units)

    @model_validator(mode="after")
    def _every_layer_has_units(self) -> Self:
        if min(self.hidden_units) < 1:
            raise ValueError(
                f"{self.hidden_layers} hidden layers from {self.first_units} units, each {self.descent} narrower, "
                f"leave {min(self.hidden_units)} units in one of them; use fewer layers or a smaller descent"
            )
        return self


class Convolution(Settings):
    """One convolution, padded to keep its input's size."""

    filters: int = Field(64, ge=1, le=1_024, description="Number of filters.")
    kernel_size: int = Field(3, ge=1, le=15, description="Side of the square kernel in pixels.")


class ConvolutionBlock(Settings):
    """Convolutions, then pooling, batch normalisation and dropout, each optional."""

    convolutions: tuple[Convolution, ...] = Field(min_length=1, max_length=8, description="Convolutions in order.")
    pooling: Literal["none", "max", "average"] = Field("max", description="Pooling over 2x2 pixels.")
    batch_norm: Literal["none", "block", "convolution"] = Field(
        "block", description="Batch normalisation once after pooling, or between each convolution and activation."
    )
    dropout: float = Field(0.0, ge=0, le=0.9, description="Share of values dropped at the end of the block.")


class CnnModel(Settings):
    """Blocks of convolutions, then dense layers."""

    family: Literal["cnn"] = "cnn"
    blocks: tuple[ConvolutionBlock, ...] = Field(min_length=1, max_length=5, description="Blocks in order.")
    head: Literal["flatten", "average"] = Field(
        "flatten", description="How the last maps reach the dense layers: every value, or each map's average."
    )
    dense_units: tuple[Annotated[int, Field(ge=1, le=4_096)], ...] = Field(
        (500, 400, 300), max_length=8, description="Units of each dense layer."
    )
    activation: Activation = Field("softplus", description="Activation of the convolutions.")
    dense_activation: Activation = Field("relu", description="Activation of the dense layers.")
    kernel_initializer: Initializer = Field("he_normal", description="Initial values of the hidden weights.")
    output_initializer: Initializer = Field("glorot_normal", description="Initial values of the output's weights.")


class DenseLayer(Settings):
    """One fully connected layer, with optional batch normalisation."""

    units: int = Field(128, ge=1, le=4_096, description="Number of units.")
    batch_norm: bool = Field(False, description="Batch normalisation after the layer.")


class GruModel(Settings):
    """Gated recurrent units that read a face as 48 rows of 48 pixels, attention over the rows, then dense layers."""

    family: Literal["gru"] = "gru"
    gru_units: tuple[Annotated[int, Field(ge=1, le=1_024)], ...] = Field(
        (32, 128), min_length=1, max_length=4, description="Units of each recurrent layer."
    )
    activation: Activation = Field("selu", description="Activation of the recurrent layers.")
    kernel_initializer: Initializer = Field("he_normal", description="Initial values of the hidden weights.")
    batch_norm: bool = Field(True, description="Batch normalisation before attention.")
    attention_units: int = Field(160, ge=1, le=1_024, description="Units that compare each row with the last state.")
    dense_layers: tuple[DenseLayer, ...] = Field(
        (DenseLayer(units=128, batch_norm=True), DenseLayer(units=128), DenseLayer(units=160, batch_norm=True)),
        max_length=8,
        description="Dense layers in order.",
    )
    dense_activation: Activation = Field("relu", description="Activation of the dense layers.")


class ResidualStage(Settings):
    """Residual blocks of one width; the first block halves the sides of its input."""

    filters: int = Field(64, ge=1, le=1_024, description="Number of filters of each convolution.")
    blocks: int = Field(1, ge=1, le=16, description="Number of blocks, each of two convolutions and a shortcut.")


class ResidualModel(Settings):
    """A residual network of plain 3x3 convolutions (He et al. 2016): each block learns what to add to its input."""

    family: Literal["residual"] = "residual"
    stem_filters: int = Field(32, ge=1, le=1_024, description="Filters of the first convolution, at full size.")
    stages: tuple[ResidualStage, ...] = Field(
        (ResidualStage(filters=64), ResidualStage(filters=128, blocks=2), ResidualStage(filters=256, blocks=2)),
        min_length=1,
        max_length=5,
        description="Stages in order.",
    )
    standardize: bool = Field(
        True, description="First give each face mean 0 and variance 1, so that light and contrast hardly matter."
    )
    activation: Activation = Field("relu", description="Activation after each convolution.")
    dropout: float = Field(0.0, ge=0, le=0.9, description="Share of the last features dropped.")


Model = Annotated[LinearModel | DenseModel | GruModel | CnnModel | ResidualModel, Field(discriminator="family")]


# --- training -----------------------------------------------------------------------------------------------------


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


MOST_EPOCHS: Final = 10_000


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
    class_weights: Literal["none", "balanced", "square_root"] = Field(
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


class Prediction(Settings):
    """What is done with a network's answers, in validation and in use."""

    flip_average: bool = Field(
        False, description="Average the predictions for a face and its mirror image; takes twice as long."
    )
    closer_average: bool = Field(
        False, description="Also average the predictions for the face 10% larger; takes twice as long again."
    )
    calibrate: bool = Field(
        False,
        description="Match confidence to accuracy, by a temperature fitted on the validation rows (Guo et al. 2017). "
        "The predicted emotion stays the same.",
    )


class RunConfig(Settings):
    """Everything that decides a run."""

    schema_version: Literal[1] = 1
    preset: str = Field("custom", max_length=80, description="Preset that the settings started from.")
    name: str = Field("", max_length=200, description="Display name.")
    data: Data = Data()
    augmentation: Augmentation = Augmentation()
    model: Model
    training: Training = Training()
    prediction: Prediction = Prediction()
    device: Device = Device()
    data_fingerprint: str = Field(
        "", max_length=64, description="Digest of the faces at submission; a run refuses to learn from others."
    )

    @model_validator(mode="after")
    def _only_residual_networks_take_any_side(self) -> Self:
        if self.training.first_side and not isinstance(self.model, ResidualModel):
            raise ValueError("training.first_side is for residual networks; the others take 48x48 pixels only")
        return self

    @model_validator(mode="after")
    def _only_networks_are_fine_tuned(self) -> Self:
        if self.training.start_from and isinstance(self.model, LinearModel):
            raise ValueError("training.start_from is for networks; a linear model starts from zero")
        return self

    @model_validator(mode="after")
    def _only_networks_have_teachers(self) -> Self:
        if self.training.teachers and isinstance(self.model, LinearModel):
            raise ValueError("training.teachers is for networks; a linear model learns from labels only")
        return self


UNUSED_BY_LINEAR: Final = tuple(
    f"{group}.{name}"
    for group, settings in (("augmentation", Augmentation), ("training", Training), ("prediction", Prediction))
    for name in settings.model_fields
    if name not in ("epochs", "seed", "class_weights", "early_stopping_patience", "keep")
)
"""Settings that a linear model has no use for."""


def refuse_unused(config: RunConfig) -> None:
    """Raise BadInput where settings were changed that the model has no use for: the run would not be what it says."""
    if not isinstance(config.model, LinearModel):
        return
    plain = RunConfig(model=config.model).model_dump()
    given = config.model_dump()
    changed = [path for path in UNUSED_BY_LINEAR if _value_at(given, path) != _value_at(plain, path)]
    if changed:
        raise BadInput(f"A linear model has no use for {', '.join(changed)}; leave that at its default.")


def _value_at(document: dict[str, Any], path: str) -> Any:
    group, _, name = path.partition(".")
    return document[group][name]


_CHOICES: Final[dict[Any, type[Settings]]] = {
    choice.model_fields[discriminator].default: choice
    for union, discriminator in ((Split, "kind"), (Schedule, "kind"), (Model, "family"))
    for choice in get_args(get_args(union)[0])
}
"""The groups that can be chosen from, by the kind or family that chooses them."""

CHOOSERS: Final = ("kind", "family")
"""Settings that choose their group, which starts anew with them."""


def parse_config(document: Any) -> RunConfig:
    """Validate a document (nested dicts) as a configuration; raise BadInput with one sentence."""
    try:
        return RunConfig.model_validate(document)
    except ValidationError as error:
        raise BadInput(explain_errors(error)) from error


def explain_errors(error: ValidationError) -> str:
    """Turn pydantic's report into one sentence that names each field, what it got and what it takes."""
    return "; ".join(map(_explain, error.errors(include_url=False)))


def _explain(problem: ErrorDetails) -> str:
    """Say where a value is wrong, why, and what it was; a check of several settings names them itself."""
    place = ".".join(map(str, problem["loc"]))
    reason = problem["msg"].removeprefix("Value error, ")
    got = "" if isinstance(problem["input"], dict) else f" (got {_shortened(problem['input'])})"
    return f"{place}: {reason}{got}" if place else reason + got


def with_settings(config: RunConfig, assignments: dict[str, Any]) -> RunConfig:
    """Return `config` with values set at dotted paths, for example `{"training.epochs": 5}`; raise BadInput.

    Setting `kind` of a schedule or split, or `family` of a model, starts that group from its defaults. In whatever
    order they come, a group is set before its settings, and its kind or family before the others.
    """
    document = config.model_dump()
    for path in sorted(assignments, key=_precedence):
        _assign(document, path, assignments[path])
    return parse_config(document)


def _precedence(path: str) -> tuple[int, bool]:
    return path.count("."), path.rpartition(".")[2] not in CHOOSERS


def _assign(document: Any, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for depth, part in enumerate(parents):
        document = _child(document, part, ".".join(parents[: depth + 1]))
    names = _names_in(document)
    if last in names:
        if last in CHOOSERS and _is_another_choice(document[last], value):
            document.clear()  # the new group's settings begin with their defaults
        document[last] = value
    elif isinstance(document, tuple | list):
        raise BadInput(f"{path}: set a field of the element, for example {path}.filters=32")
    else:
        raise BadInput(f"There is no setting {path!r}; the settings there are: {', '.join(names) or 'none'}.")


def _is_another_choice(chosen: Any, value: Any) -> bool:
    """Whether a kind or family stands for another group than the one chosen; the kinds of a device stand for none."""
    return str(chosen) in _CHOICES and str(value) in _CHOICES and chosen != value


def _names_in(document: Any) -> list[str]:
    """Return the settings of a group, also of one that was just started anew and holds nothing but its kind."""
    if not isinstance(document, dict):
        return []
    choice = _CHOICES.get(str(document.get("kind", document.get("family"))))
    return list(choice.model_fields if choice else document)


def _child(document: Any, part: str, path: str) -> Any:
    if isinstance(document, dict) and part in document:
        return document[part]
    if isinstance(document, tuple | list) and part.isdecimal() and int(part) < len(document):
        return document[int(part)]
    raise BadInput(f"There is no setting {path!r}.")


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
