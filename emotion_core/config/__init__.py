"""What a run is: immutable, validated settings from which everything else follows.

The form of the Train page, `--set path=value` on the command line, the help texts and the messages about values out
of bounds are all made from the fields of these classes. A run's configuration is saved whole in its folder, by `runs`:
nothing here reads or writes files.
"""

from emotion_core.config.assignments import CHOOSERS, with_settings
from emotion_core.config.augmentation import Augmentation
from emotion_core.config.base import Settings
from emotion_core.config.complaints import complaint, problems_of
from emotion_core.config.data import (
    SAMPLE,
    SAMPLE_NAME,
    Data,
    FirstRows,
    MisalignedSplit,
    RandomSplit,
    Split,
    UsageSplit,
)
from emotion_core.config.device import Device
from emotion_core.config.models import (
    CnnModel,
    Convolution,
    ConvolutionBlock,
    DenseLayer,
    DenseModel,
    GruModel,
    LinearModel,
    Model,
    ResidualModel,
    ResidualStage,
)
from emotion_core.config.prediction import Prediction
from emotion_core.config.run import LONGEST_NAME, RunConfig, parse_config, refuse_unused, unused_by, unused_settings
from emotion_core.config.schedules import (
    ConstantRate,
    CosineRate,
    ExponentialRate,
    OneCycleRate,
    PlateauRate,
    Schedule,
    StepRate,
)
from emotion_core.config.training import MOST_EPOCHS, Training, WeightPolicy

__all__ = [
    "CHOOSERS",
    "LONGEST_NAME",
    "MOST_EPOCHS",
    "SAMPLE",
    "SAMPLE_NAME",
    "Augmentation",
    "CnnModel",
    "ConstantRate",
    "Convolution",
    "ConvolutionBlock",
    "CosineRate",
    "Data",
    "DenseLayer",
    "DenseModel",
    "Device",
    "ExponentialRate",
    "FirstRows",
    "GruModel",
    "LinearModel",
    "MisalignedSplit",
    "Model",
    "OneCycleRate",
    "PlateauRate",
    "Prediction",
    "RandomSplit",
    "ResidualModel",
    "ResidualStage",
    "RunConfig",
    "Schedule",
    "Settings",
    "Split",
    "StepRate",
    "Training",
    "UsageSplit",
    "WeightPolicy",
    "complaint",
    "parse_config",
    "problems_of",
    "refuse_unused",
    "unused_by",
    "unused_settings",
    "with_settings",
]
