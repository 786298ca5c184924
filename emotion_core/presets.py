"""The coursework's configurations, and ours beside them, as data."""

from dataclasses import dataclass
from typing import Any, Final

from emotion_core.config import (
    Augmentation,
    CnnModel,
    Convolution,
    ConvolutionBlock,
    CosineRate,
    Data,
    DenseModel,
    ExponentialRate,
    GruModel,
    LinearModel,
    MisalignedSplit,
    OneCycleRate,
    PlateauRate,
    Prediction,
    RandomSplit,
    ResidualModel,
    ResidualStage,
    RunConfig,
    Schedule,
    Split,
    StepRate,
    Training,
)
from emotion_core.errors import BadInput

COURSEWORK_AUGMENTATION: Final = Augmentation(rotation=30, width_shift=0.1, height_shift=0.1, zoom=0.1)
"""The notebook's `ImageDataGenerator` settings."""

_ROBUST_AUGMENTATION: Final = Augmentation(
    rotation=15,
    width_shift=0.1,
    height_shift=0.1,
    zoom=0.15,
    brightness=0.2,
    blur=0.8,
    compression=0.7,
    erasing=0.2,
    horizontal_flip=True,
)
"""What a camera does to faces, as far as code can."""


@dataclass(frozen=True)
class Preset:
    """A named starting point: what it is called on screen, why one would choose it, and its settings."""

    title: str
    summary: str
    config: RunConfig

    @property
    def name(self) -> str:
        """The name on the command line and in saved runs."""
        return self.config.preset


def _block(
    *convolutions: tuple[int, int], pooling: str = "max", batch_norm: str = "block", dropout: float = 0.3
) -> ConvolutionBlock:
    """Build a block from (filters, kernel size) pairs."""
    return ConvolutionBlock.model_validate(
        {
            "convolutions": [Convolution(filters=filters, kernel_size=size) for filters, size in convolutions],
            "pooling": pooling,
            "batch_norm": batch_norm,
            "dropout": dropout,
        }
    )


def _linear(name: str, title: str, summary: str, split: Split) -> Preset:
    """Build the coursework's SGD baseline, scikit-learn's defaults on the flat pixels."""
    return Preset(
        title=title,
        summary=summary,
        config=RunConfig(preset=name, data=Data(split=split), model=LinearModel(), training=Training(epochs=1_000)),
    )


_COURSEWORK_DECAY: Final = ExponentialRate(rate=1e-4, decay=0.95)
_NORMALISED: Final[dict[str, Any]] = {"batch_norm": True, "batch_norm_momentum": 0.9}


def _dense(name: str, title: str, summary: str, schedule: Schedule = _COURSEWORK_DECAY, **model: Any) -> Preset:
    """Build one of the coursework's dense networks, which differ in the settings of the model and the schedule."""
    return Preset(
        title=title,
        summary=summary,
        config=RunConfig(
            preset=name,
            augmentation=COURSEWORK_AUGMENTATION,
            model=DenseModel(**model),
            training=Training(schedule=schedule),
        ),
    )


_PRESETS: Final = (
    _linear(
        "sgd",
        "Linear baseline",
        "One weight per pixel and emotion. Usually done in a minute, long before its last epoch; too simple for faces.",
        RandomSplit(share=0.2),
    ),
    _linear(
        "sgd-misaligned",
        "Linear, misaligned",
        "The notebook's mistake, on purpose: faces and labels shuffled separately, so there is nothing to learn.",
        MisalignedSplit(share=0.2),
    ),
    _dense("dense-1", "Dense 1: baseline", "Five layers, each narrower than the one before, and nothing else."),
    _dense("dense-2", "Dense 2: dropout", "A fifth of the units dropped at every step.", dropout=0.2),
    _dense(
        "dense-3",
        "Dense 3: L1",
        "An L1 penalty of 0.01, strong enough to push most weights to zero.",
        regularizer="l1",
    ),
    _dense(
        "dense-4",
        "Dense 4: L1, batch norm",
        "The same penalty, with batch normalisation.",
        regularizer="l1",
        **_NORMALISED,
    ),
    _dense(
        "dense-l2-dropout",
        "Dense: L2, dropout",
        "Tried between 4 and 5 in the coursework, and dropped.",
        regularizer="l2",
        dropout=0.2,
    ),
    _dense(
        "dense-5",
        "Dense 5: L2, batch norm",
        "The coursework's best dense network: an L2 penalty with batch normalisation.",
        regularizer="l2",
        **_NORMALISED,
    ),
    _dense(
        "dense-6",
        "Dense 6: L1, L2, batch norm",
        "Both penalties at once, with batch normalisation.",
        regularizer="l1l2",
        **_NORMALISED,
    ),
    _dense(
        "dense-7",
        "Dense 7: 1cycle",
        "Number 5 with a learning rate that rises and falls once (Smith 2018).",
        regularizer="l2",
        schedule=OneCycleRate(start=0.001, peak=0.01, end=1e-7, iterations=81_600, last_iterations=9_063),
        **_NORMALISED,
    ),
    _dense(
        "dense-single", "Dense: one layer", "A single hidden layer of 500 units (after Heaton 2008).", hidden_layers=1
    ),
    Preset(
        title="GRU with attention",
        summary="Reads a face row by row and attends to some of the rows (after Li et al. 2021).",
        config=RunConfig(
            preset="gru-attention",
            augmentation=COURSEWORK_AUGMENTATION,
            model=GruModel(),
            training=Training(schedule=StepRate(rate=1e-4, factor=0.5, every=10), early_stopping_patience=10),
        ),
    ),
    Preset(
        title="Coursework CNN",
        summary="The coursework's recommendation: eight convolutions, 7.3 million parameters. Best on a GPU.",
        config=RunConfig(
            preset="cnn",
            augmentation=COURSEWORK_AUGMENTATION,
            model=CnnModel(
                blocks=(
                    _block((64, 7), (64, 3)),
                    _block((128, 3), (128, 3), pooling="average"),
                    _block((256, 3), (256, 3)),
                    _block((256, 3), (256, 3), pooling="none", batch_norm="none", dropout=0),
                ),
            ),
            # The coursework does not say where the rate starts. From Adam's own 0.001 the network had learnt nothing
            # after three epochs (0.20 on validation), from 0.0001 it had 0.32 after one.
            training=Training(epochs=200, batch_size=64, schedule=PlateauRate(rate=1e-4), class_weights="balanced"),
        ),
    ),
    Preset(
        title="Small CNN",
        summary="Seven convolutions and a tenth of the coursework CNN's parameters: an hour on a laptop's processor.",
        config=RunConfig(
            preset="cnn-small",
            augmentation=Augmentation(rotation=15, width_shift=0.1, height_shift=0.1, zoom=0.15, horizontal_flip=True),
            model=CnnModel(
                blocks=(
                    _block((32, 5), batch_norm="convolution", dropout=0.1),
                    _block((64, 3), (64, 3), batch_norm="convolution", dropout=0.1),
                    _block((128, 3), (128, 3), batch_norm="convolution", dropout=0.2),
                    _block((128, 3), (256, 3), pooling="none", batch_norm="convolution", dropout=0.3),
                ),
                head="average",
                dense_units=(),
                activation="relu",
            ),
            training=Training(epochs=30, batch_size=64, schedule=OneCycleRate(start=2e-4, peak=3e-3, end=1e-6)),
        ),
    ),
    Preset(
        title="Residual network",
        summary="Plain 3x3 convolutions with shortcuts, trained by a modern recipe. The most accurate one here.",
        config=RunConfig(
            preset="residual",
            augmentation=_ROBUST_AUGMENTATION,
            model=ResidualModel(dropout=0.3),
            training=Training(
                epochs=100,
                batch_size=64,
                optimizer="sgd",
                weight_decay=0.005,
                label_smoothing=0.1,
                first_side=32,
                schedule=CosineRate(rate=0.05, end=1e-5, warmup=0.1),
                early_stopping_patience=None,
                keep="last",
            ),
            prediction=Prediction(flip_average=True, calibrate=True),
        ),
    ),
    Preset(
        title="Wide residual network",
        summary="The residual network, 1.5 times as wide, for a GPU.",
        config=RunConfig(
            preset="residual-wide",
            augmentation=_ROBUST_AUGMENTATION,
            model=ResidualModel(
                stem_filters=48,
                stages=(
                    ResidualStage(filters=96),
                    ResidualStage(filters=192, blocks=2),
                    ResidualStage(filters=384, blocks=2),
                ),
                dropout=0.3,
            ),
            training=Training(
                epochs=100,
                batch_size=128,
                optimizer="sgd",
                weight_decay=0.005,
                label_smoothing=0.1,
                schedule=CosineRate(rate=0.1, end=1e-5, warmup=0.1),
                early_stopping_patience=None,
                keep="last",
            ),
            prediction=Prediction(flip_average=True, calibrate=True),
        ),
    ),
)

PRESETS: Final[dict[str, Preset]] = {preset.name: preset for preset in _PRESETS}
"""Every preset by its name, in the order in which they are best met."""


def find_preset(name: str) -> Preset:
    """Return the preset called `name`; raise BadInput listing the names there are."""
    if name not in PRESETS:
        raise BadInput(f"There is no preset {name!r}; the presets are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def preset_of(config: RunConfig) -> Preset | None:
    """Return the preset whose own settings these are, on whatever data, with whatever seed and device; else None."""
    preset = PRESETS.get(config.preset)
    is_its_own = preset is not None and _without_circumstances(config) == _without_circumstances(preset.config)
    return preset if is_its_own else None


def title_of(config: RunConfig) -> str:
    """Return what a run that nobody named is called: the title of its preset, only its name where settings differ."""
    preset = preset_of(config)
    return preset.title if preset else config.preset


def _without_circumstances(config: RunConfig) -> dict[str, Any]:
    return config.model_dump(
        exclude={
            "name": True,
            "device": True,
            "data": {"source", "drop_incomplete"},
            "data_fingerprint": True,
            "training": {"seed"},
        }
    )
