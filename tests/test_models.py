import numpy as np
import pytest

from emotion_core.config import (
    CnnModel,
    ConvolutionBlock,
    CosineRate,
    DenseModel,
    ExponentialRate,
    GruModel,
    OneCycleRate,
    ResidualModel,
)
from emotion_core.models.counts import count_operations, count_parameters
from emotion_core.presets import PRESETS
from emotion_core.schedules import tabulate

KERAS_PRESETS = [name for name, preset in PRESETS.items() if preset.config.model.family != "linear"]


LINEAR = 7 * (2304 + 1)
"""A weight per pixel and emotion, and an intercept per emotion."""

DENSE = (
    (2304 * 500 + 500) + (500 * 400 + 400) + (400 * 300 + 300) + (300 * 200 + 200) + (200 * 100 + 100) + (100 * 7 + 7)
)
NORMALISED = DENSE + 4 * (500 + 400 + 300 + 200 + 100)

GRU = sum((
    3 * 32 * (48 + 32) + 2 * 3 * 32,  # two gates and a candidate of 32 units, over 48 pixels and 32 states, two biases
    3 * 128 * (32 + 128) + 2 * 3 * 128,
    4 * 128,
    2 * (128 * 160 + 160) + (160 + 1),  # W1, W2 and V
    (128 * 128 + 128) + 4 * 128,
    128 * 128 + 128,
    (128 * 160 + 160) + 4 * 160,
    160 * 7 + 7,
))  # fmt: skip


RESIDUAL = sum((
    9 * 1 * 32 + 4 * 32,
    9 * 32 * 64 + 9 * 64 * 64 + 32 * 64 + 3 * 4 * 64,  # two convolutions, a projection, and their normalisations
    9 * 64 * 128 + 9 * 128 * 128 + 64 * 128 + 3 * 4 * 128,
    2 * 9 * 128 * 128 + 2 * 4 * 128,
    9 * 128 * 256 + 9 * 256 * 256 + 128 * 256 + 3 * 4 * 256,
    2 * 9 * 256 * 256 + 2 * 4 * 256,
    256 * 7 + 7,
))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", LINEAR),
        ("sgd-misaligned", LINEAR),
        ("residual", RESIDUAL),
        ("dense-1", DENSE),
        ("dense-2", DENSE),
        ("dense-3", DENSE),
        ("dense-4", NORMALISED),
        ("dense-l2-dropout", DENSE),
        ("dense-5", NORMALISED),
        ("dense-6", NORMALISED),
        ("dense-7", NORMALISED),
        ("dense-single", (2304 * 500 + 500) + (500 * 7 + 7)),
        ("gru-attention", GRU),
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
        DenseModel(last_units=350),
        GruModel(),
        GruModel(gru_units=(4,), batch_norm=False, attention_units=3, dense_layers=()),
        GruModel(gru_units=(4, 5, 6), dense_layers=({"units": 8},)),
        CnnModel(blocks=(ConvolutionBlock(convolutions=({"filters": 4},), pooling="none", batch_norm="none"),)),
        CnnModel(blocks=(ConvolutionBlock(convolutions=({"filters": 4},), batch_norm="convolution"),), head="average"),
        ResidualModel(stem_filters=4, stages=({"filters": 4}, {"filters": 8, "blocks": 3})),
        ResidualModel(stem_filters=8, stages=({"filters": 4, "blocks": 2},), standardize=False, dropout=0.5),
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
def test_a_network_is_the_same_whatever_keras_was_told_at_home():
    """Keras reads `~/.keras/keras.json`, where a tutorial of old may have left its own defaults."""
    import keras

    from emotion_core.models.build import build_model

    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    try:
        model = build_model(PRESETS["cnn-small"].config.model)
    finally:
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
    assert model.count_params() == count_parameters(PRESETS["cnn-small"].config.model)
    assert model.inputs[0].dtype == "float32"


def test_a_dense_network_has_its_layers_in_order():
    from emotion_core.models.build import build_model

    model = build_model(DenseModel(hidden_layers=2, batch_norm=True, batch_norm_momentum=0.9, dropout=0.2))
    hidden = ["Dense", "BatchNormalization", "Dropout"]
    assert [type(layer).__name__ for layer in model.layers[1:]] == ["Flatten", *hidden, *hidden, "Dense"]
    assert [layer.output.shape[1] for layer in model.layers[1:]] == [2304, 500, 500, 500, 400, 400, 400, 7]
    assert {layer.momentum for layer in model.layers if type(layer).__name__ == "BatchNormalization"} == {0.9}


@pytest.mark.tensorflow
@pytest.mark.parametrize(("regularizer", "expected"), [("l1", 0.01 * 3), ("l2", 0.01 * 5), ("l1l2", 0.01 * 8)])
def test_penalties_have_the_coursework_s_strength(regularizer, expected):
    """Weights of 1 and -2 cost 0.01 of 1 + 2, of 1 + 4, or of both."""
    import keras

    from emotion_core.models.build import build_model

    model = build_model(DenseModel(hidden_layers=1, first_units=1, regularizer=regularizer))
    kernel = np.zeros((2304, 1), np.float32)
    kernel[:2, 0] = 1, -2
    model.layers[2].set_weights([kernel, np.zeros(1)])
    assert float(keras.ops.sum(model.losses)) == pytest.approx(expected)


@pytest.mark.tensorflow
def test_gru_with_attention_has_the_shapes_of_the_coursework():
    from emotion_core.models.build import build_model

    model = build_model(PRESETS["gru-attention"].config.model)
    shapes = {type(layer).__name__: layer.output.shape[1:] for layer in model.layers}
    assert shapes["Reshape"] == (48, 48)
    assert [layer.output.shape[1:] for layer in model.layers if type(layer).__name__ == "GRU"] == [(48, 32), (48, 128)]
    assert shapes["RowAttention"] == (128,)
    assert [layer.units for layer in model.layers if type(layer).__name__ == "Dense"] == [128, 128, 160, 7]


@pytest.mark.tensorflow
def test_attention_is_that_of_its_formula():
    """score_t = V tanh(W1 h_t + W2 q), a softmax over the rows, and their weighted mean."""
    from emotion_core.models.gru import RowAttention

    rng = np.random.default_rng(5)
    rows, query = rng.normal(size=(3, 48, 6)).astype(np.float32), rng.normal(size=(3, 6)).astype(np.float32)
    layer = RowAttention(4)
    layer.build(rows.shape, query.shape)
    weights = [rng.normal(size=weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    w1, b1, w2, b2, v, b = weights
    scores = np.tanh(rows @ w1 + b1 + (query @ w2 + b2)[:, None, :]) @ v + b  # (3, 48, 1)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(layer.weigh(rows, query)), shares, atol=1e-5)
    np.testing.assert_allclose(np.asarray(layer(rows, query)), (shares * rows).sum(axis=1), atol=1e-5)


@pytest.mark.tensorflow
def test_attention_asks_with_the_last_state():
    """Rows before the last may only change the answer through the recurrent layers and what is attended to."""
    import keras

    from emotion_core.models.build import build_model

    model = build_model(PRESETS["gru-attention"].config.model)
    last_gru, attention = model.layers[3], model.get_layer("attention")
    inner = keras.Model(model.input, [last_gru.output, attention.input[1]])
    states, query = inner(np.random.default_rng(1).random((2, 48, 48, 1), np.float32))
    np.testing.assert_allclose(np.asarray(states)[:, -1], np.asarray(query))


@pytest.mark.tensorflow
@pytest.mark.parametrize("schedule", [ExponentialRate(), CosineRate(), OneCycleRate(start=0.001, peak=0.01, end=1e-6)])
def test_optimizer_follows_the_tabulated_schedule(schedule):
    import keras

    from emotion_core.callbacks import TabulatedRate

    table = tabulate(schedule, epochs=5, steps_per_epoch=4)
    rate = TabulatedRate(table)
    for step in range(25):
        expected = table.rates[min(step // table.steps_each, len(table.rates) - 1)]
        assert float(rate(keras.ops.convert_to_tensor(step))) == pytest.approx(expected)


# --- residual networks --------------------------------------------------------------------------------------------

SMALL_RESIDUAL = ResidualModel(stem_filters=4, stages=({"filters": 8, "blocks": 2}, {"filters": 16}))


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(3).random((1, 48, 48, 1), np.float32)


@pytest.mark.tensorflow
def test_a_residual_network_halves_the_sides_at_each_stage():
    from emotion_core.models.build import build_model

    model = build_model(PRESETS["residual"].config.model)
    added = [layer.output.shape[1:] for layer in model.layers if type(layer).__name__ == "Add"]
    assert added == [(24, 24, 64), (12, 12, 128), (12, 12, 128), (6, 6, 256), (6, 6, 256)]
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3), (1, 1)}
    assert len(convolutions) == 1 + 2 * 5 + 3
    assert not any(layer.use_bias for layer in convolutions)


@pytest.mark.tensorflow
def test_operations_are_those_of_the_convolutions_that_keras_builds():
    from emotion_core.models.build import build_model

    for settings in (PRESETS["residual"].config.model, SMALL_RESIDUAL):
        model = build_model(settings)
        convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
        work = sum(np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:3]) for layer in convolutions)
        assert count_operations(settings) == work + model.layers[-1].kernel.shape[0] * 7


@pytest.mark.tensorflow
def test_a_block_adds_what_it_computes_to_its_input():
    """With convolutions of nothing but zeros, the second block of a stage hands its input on."""
    import keras

    from emotion_core.models.build import build_model

    model = build_model(SMALL_RESIDUAL)
    adds = [layer for layer in model.layers if type(layer).__name__ == "Add"]
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    for layer in convolutions[4:6]:  # after the stem and the first block's three
        layer.set_weights([np.zeros_like(layer.kernel)])
    x, shortcut = adds[1].input
    values = keras.Model(model.input, [x, shortcut, adds[1].output])(np.random.rand(2, 48, 48, 1).astype("float32"))
    assert not np.asarray(values[0]).any()
    np.testing.assert_array_equal(values[1], values[2])
    assert np.asarray(values[1]).any()


@pytest.mark.tensorflow
def test_light_and_contrast_do_not_change_what_a_standardising_network_says(face):
    from emotion_core.models.build import build_model

    model = build_model(SMALL_RESIDUAL)
    said = np.asarray(model(face))
    np.testing.assert_allclose(np.asarray(model(0.3 * face + 0.2)), said, atol=1e-4)
    plain = build_model(SMALL_RESIDUAL.model_copy(update={"standardize": False}))
    assert np.abs(np.asarray(plain(0.3 * face + 0.2)) - np.asarray(plain(face))).max() > 1e-3


@pytest.mark.tensorflow
def test_standardised_faces_have_mean_0_and_variance_1_and_blank_ones_are_no_error():
    from emotion_core.models.residual import Standardization

    faces = np.random.default_rng(0).random((3, 48, 48, 1), np.float32)
    faces[2] = 0.5
    standard = np.asarray(Standardization()(faces))
    np.testing.assert_allclose(standard.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(standard.std(axis=(1, 2, 3)), [1, 1, 0], atol=1e-4)


@pytest.mark.tensorflow
def test_a_network_for_any_side_has_the_weights_of_that_for_48(face):
    from emotion_core.models.build import build_model

    fixed, free = build_model(SMALL_RESIDUAL), build_model(SMALL_RESIDUAL, any_side=True)
    fixed.set_weights(free.get_weights())
    np.testing.assert_allclose(np.asarray(fixed(face)), np.asarray(free(face)), atol=1e-6)
    assert free(face[:, :32, :32]).shape == (1, 7)
