"""Parameter counts from the settings alone, so that a page can show them without loading Keras."""

import itertools

from emotion_core.config import CnnModel, DenseModel, GruModel, LinearModel, Model, ResidualModel
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS

PIXELS = IMAGE_SIZE * IMAGE_SIZE


def count_parameters(model: Model) -> int:
    """Return the number of weights, those of batch statistics included, as Keras's `count_params` does."""
    match model:
        case LinearModel():
            return _dense(PIXELS, NUM_EMOTIONS)
        case DenseModel():
            return _dense_layers(PIXELS, model.hidden_units, batch_norm=model.batch_norm)
        case GruModel():
            return _gru(model)
        case CnnModel():
            return _cnn(model)
        case ResidualModel():
            return _residual(model)


def _gru(model: GruModel) -> int:
    inputs, total = IMAGE_SIZE, 0
    for units in model.gru_units:
        total += 3 * units * (inputs + units + 2)  # two gates and a candidate, each with two biases
        inputs = units
    total += _batch_norm(inputs) if model.batch_norm else 0
    total += 2 * _dense(inputs, model.attention_units) + _dense(model.attention_units, 1)
    for layer in model.dense_layers:
        total += _dense(inputs, layer.units) + (_batch_norm(layer.units) if layer.batch_norm else 0)
        inputs = layer.units
    return total + _dense(inputs, NUM_EMOTIONS)


def _cnn(model: CnnModel) -> int:
    total, channels, side = 0, 1, IMAGE_SIZE
    for block in model.blocks:
        for convolution in block.convolutions:
            total += convolution.kernel_size**2 * channels * convolution.filters
            channels = convolution.filters
            total += _batch_norm(channels) if block.batch_norm == "convolution" else channels
        side = side if block.pooling == "none" else side // 2
        total += _batch_norm(channels) if block.batch_norm == "block" else 0
    features = channels * side**2 if model.head == "flatten" else channels
    return total + _dense_layers(features, model.dense_units, batch_norm=False)


def _residual(model: ResidualModel) -> int:
    def convolution(inputs: int, filters: int, size: int = 3) -> int:
        return size**2 * inputs * filters + _batch_norm(filters)

    total, channels = convolution(1, model.stem_filters), model.stem_filters
    for stage in model.stages:
        for _ in range(stage.blocks):
            total += convolution(channels, stage.filters) + convolution(stage.filters, stage.filters)
            total += convolution(channels, stage.filters, size=1) if channels != stage.filters else 0
            channels = stage.filters
    return total + _dense(channels, NUM_EMOTIONS)


def _dense_layers(inputs: int, hidden_units: tuple[int, ...], *, batch_norm: bool) -> int:
    widths = (inputs, *hidden_units, NUM_EMOTIONS)
    weights = sum(_dense(before, after) for before, after in itertools.pairwise(widths))
    return weights + (sum(map(_batch_norm, hidden_units)) if batch_norm else 0)


def _dense(inputs: int, units: int) -> int:
    return inputs * units + units


def _batch_norm(channels: int) -> int:
    return 4 * channels  # scale, offset, moving mean, moving variance
