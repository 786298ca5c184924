"""The coursework's configurations, figure by figure as the notebook has them."""

import pytest

from emotion_core.config import (
    Augmentation,
    CnnModel,
    DenseModel,
    ExponentialRate,
    FirstRows,
    GruModel,
    LinearModel,
    OneCycleRate,
    PlateauRate,
    Prediction,
    RandomSplit,
    RunConfig,
    StepRate,
    Training,
)
from emotion_core.errors import BadInput
from emotion_core.models.counts import count_parameters
from emotion_core.presets import PRESETS, find_preset


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_is_named_described_and_survives_saving(preset):
    assert PRESETS[preset.config.preset] is preset
    assert preset.title
    assert preset.summary.endswith(".")
    assert RunConfig.model_validate_json(preset.config.model_dump_json()) == preset.config


def test_an_unknown_preset_is_answered_with_those_there_are():
    with pytest.raises(BadInput, match=r"no preset 'cnm'.*sgd.*dense-5.*cnn"):
        find_preset("cnm")


def test_sgd_is_scikit_learns_default_on_an_80_20_split():
    config = find_preset("sgd").config
    assert config.model == LinearModel(loss="hinge", penalty="l2", alpha=1e-4)
    assert (config.training.epochs, config.training.early_stopping_patience) == (1_000, 20)
    assert config.data.split == RandomSplit(share=0.2)
    assert not config.augmentation.enabled


COURSEWORK_AUGMENTATION = Augmentation(rotation=30, width_shift=0.1, height_shift=0.1, zoom=0.1)


@pytest.mark.parametrize("name", ["dense-5", "cnn"])
def test_networks_train_on_the_coursework_s_data_and_augmentation(name):
    config = find_preset(name).config
    assert config.data.split == FirstRows(count=2_900)
    assert config.augmentation == COURSEWORK_AUGMENTATION
    assert config.training.amsgrad
    assert config.training.early_stopping_patience == 20
    assert config.training.keep == "best"
    assert config.training.seed == 42


def test_dense_5_is_the_coursework_s_best_dense_network():
    config = find_preset("dense-5").config
    assert isinstance(config.model, DenseModel)
    assert config.model.hidden_units == (500, 400, 300, 200, 100)
    assert (config.model.activation, config.model.kernel_initializer) == ("relu", "he_normal")
    assert (config.model.regularizer, config.model.regularizer_strength) == ("l2", 0.01)
    assert (config.model.batch_norm, config.model.batch_norm_momentum) == (True, 0.9)
    assert config.model.dropout == 0
    assert (config.training.epochs, config.training.batch_size) == (100, 32)
    assert config.training.schedule == ExponentialRate(rate=1e-4, decay=0.95)
    assert config.training.class_weights == "none"


DECAY = ExponentialRate(rate=1e-4, decay=0.95)
ONE_CYCLE = OneCycleRate(start=0.001, peak=0.01, end=1e-7, iterations=81_600, last_iterations=9_063)
DENSE = [
    ("dense-1", 0, "none", False, DECAY),
    ("dense-2", 0.2, "none", False, DECAY),
    ("dense-3", 0, "l1", False, DECAY),
    ("dense-4", 0, "l1", True, DECAY),
    ("dense-5", 0, "l2", True, DECAY),
    ("dense-6", 0, "l1l2", True, DECAY),
    ("dense-7", 0, "l2", True, ONE_CYCLE),
    ("dense-l2-dropout", 0.2, "l2", False, DECAY),
    ("dense-single", 0, "none", False, DECAY),
]


@pytest.mark.parametrize(("name", "dropout", "regularizer", "batch_norm", "schedule"), DENSE)
def test_each_dense_network_has_what_the_coursework_s_table_gives_it(name, dropout, regularizer, batch_norm, schedule):
    config = find_preset(name).config
    assert isinstance(config.model, DenseModel)
    assert config.model.hidden_units == ((500,) if name == "dense-single" else (500, 400, 300, 200, 100))
    assert (config.model.activation, config.model.kernel_initializer) == ("relu", "he_normal")
    assert (config.model.dropout, config.model.regularizer) == (dropout, regularizer)
    assert config.model.batch_norm is batch_norm
    if batch_norm:
        assert config.model.batch_norm_momentum == 0.9
    if regularizer != "none":
        assert config.model.regularizer_strength == 0.01
    assert config.training == Training(epochs=100, batch_size=32, schedule=schedule, amsgrad=True, class_weights="none")
    assert (config.training.optimizer, config.training.early_stopping_patience) == ("adam", 20)


def test_the_gru_halves_its_rate_every_ten_epochs_and_waits_ten():
    config = find_preset("gru-attention").config
    assert config.model == GruModel(
        gru_units=(32, 128), activation="selu", kernel_initializer="he_normal", attention_units=160
    )
    assert [(layer.units, layer.batch_norm) for layer in config.model.dense_layers] == [
        (128, True),
        (128, False),
        (160, True),
    ]
    assert config.training.schedule == StepRate(rate=1e-4, factor=0.5, every=10)
    assert (config.training.epochs, config.training.batch_size) == (100, 32)
    assert config.training.early_stopping_patience == 10


@pytest.mark.parametrize("name", [name for name in PRESETS if not name.startswith("residual")])
def test_what_came_after_the_coursework_is_off_in_its_configurations(name):
    training, prediction = find_preset(name).config.training, find_preset(name).config.prediction
    assert training.optimizer == "adam"
    assert not any((training.weight_decay, training.label_smoothing, training.mixup))
    assert (training.weight_average, training.first_side) == (None, None)
    assert prediction == Prediction(flip_average=False, closer_average=False, calibrate=False)


def test_cnn_is_the_coursework_s_layer_by_layer():
    config = find_preset("cnn").config
    assert isinstance(config.model, CnnModel)
    layers = [
        (
            [(convolution.filters, convolution.kernel_size) for convolution in block.convolutions],
            block.pooling,
            block.batch_norm,
            block.dropout,
        )
        for block in config.model.blocks
    ]
    assert layers == [
        ([(64, 7), (64, 3)], "max", "block", 0.3),
        ([(128, 3), (128, 3)], "average", "block", 0.3),
        ([(256, 3), (256, 3)], "max", "block", 0.3),
        ([(256, 3), (256, 3)], "none", "none", 0.0),
    ]
    assert (config.model.head, config.model.dense_units) == ("flatten", (500, 400, 300))
    assert (config.model.activation, config.model.dense_activation) == ("softplus", "relu")
    assert (config.model.kernel_initializer, config.model.output_initializer) == ("he_normal", "glorot_normal")
    assert count_parameters(config.model) == 7_260_075
    assert (config.training.epochs, config.training.batch_size) == (200, 64)
    assert config.training.schedule == PlateauRate(rate=1e-4, factor=0.2, patience=5)
    assert config.training.class_weights == "balanced"
