import pytest

from emotion_core.config import CnnModel, ConvolutionBlock, DenseModel, ExponentialRate, OneCycleRate
from emotion_core.models.parameters import count_parameters
from emotion_core.presets import PRESETS
from emotion_core.schedules import tabulate

KERAS_PRESETS = [name for name, preset in PRESETS.items() if preset.config.model.family != "linear"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", 7 * (2304 + 1)),
        ("dense-5", 1_554_207 + 4 * (500 + 400 + 300 + 200 + 100)),
        ("cnn", 7_260_075),
    ],
)
def test_parameter_counts_of_the_coursework(name, expected):
    assert count_parameters(PRESETS[name].config.model) == expected


def test_hidden_units_descend_by_a_hundred_and_the_last_can_be_set():
    assert DenseModel().hidden_units == (500, 400, 300, 200, 100)
    assert DenseModel(last_units=350).hidden_units == (500, 400, 300, 200, 350)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", KERAS_PRESETS)
def test_keras_counts_as_many_parameters_as_the_settings_say(name):
    from emotion_core.models.build import build_model

    settings = PRESETS[name].config.model
    model = build_model(settings)
    assert model.count_params() == count_parameters(settings)
    assert model.input_shape == (None, 48, 48, 1)
    assert model.output_shape == (None, 7)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "settings",
    [
        DenseModel(hidden_layers=1, last_units=350, dropout=0.2, regularizer="l1l2"),
        DenseModel(hidden_layers=3, batch_norm=True, regularizer="l1"),
        CnnModel(blocks=(ConvolutionBlock(convolutions=({"filters": 4},), pooling="none", batch_norm="none"),)),
        CnnModel(blocks=(ConvolutionBlock(convolutions=({"filters": 4},), batch_norm="convolution"),), head="average"),
    ],
)
def test_every_option_of_a_model_is_counted(settings):
    from emotion_core.models.build import build_model

    assert build_model(settings).count_params() == count_parameters(settings)


@pytest.mark.tensorflow
def test_coursework_cnn_has_its_layers_in_order():
    from emotion_core.models.build import build_model

    model = build_model(PRESETS["cnn"].config.model)
    block = ["Conv2D", "Activation", "Conv2D", "Activation"]
    tail = ["BatchNormalization", "Dropout"]
    assert [type(layer).__name__ for layer in model.layers[1:]] == [
        *block, "MaxPooling2D", *tail,
        *block, "AveragePooling2D", *tail,
        *block, "MaxPooling2D", *tail,
        *block, "Flatten", "Dense", "Dense", "Dense", "Dense",
    ]  # fmt: skip
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert [(layer.filters, *layer.kernel_size) for layer in convolutions] == [
        (64, 7, 7), (64, 3, 3), (128, 3, 3), (128, 3, 3), (256, 3, 3), (256, 3, 3), (256, 3, 3), (256, 3, 3),
    ]  # fmt: skip


@pytest.mark.tensorflow
@pytest.mark.parametrize("schedule", [ExponentialRate(), OneCycleRate(start=0.001, peak=0.01, end=1e-6)])
def test_optimizer_follows_the_tabulated_schedule(schedule):
    import keras

    from emotion_core.callbacks import TabulatedRate

    table = tabulate(schedule, epochs=5, steps_per_epoch=4)
    rate = TabulatedRate(table)
    for step in range(25):
        expected = table.rates[min(step // table.steps_each, len(table.rates) - 1)]
        assert float(rate(keras.ops.convert_to_tensor(step))) == pytest.approx(expected)
