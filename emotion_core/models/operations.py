"""How much a model computes, from the settings alone, so that a page can tell how long training takes."""

import itertools

from emotion_core.config import CnnModel, DenseModel, GruModel, LinearModel, Model, ResidualModel
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS

PIXELS = IMAGE_SIZE * IMAGE_SIZE


def count_operations(model: Model) -> int:
    """Return the multiplications with weights, each with its addition, that one image takes from pixels to emotions.

    Biases, activations, pooling and normalisation are left out: beside those they are little.
    """
    match model:
        case LinearModel():
            return PIXELS * NUM_EMOTIONS
        case DenseModel():
            return _dense_layers(PIXELS, *model.hidden_units, NUM_EMOTIONS)
        case GruModel():
            return _gru(model)
        case CnnModel():
            return _cnn(model)
        case ResidualModel():
            return _residual(model)


def _gru(model: GruModel) -> int:
    widths = (IMAGE_SIZE, *model.gru_units)
    # Two gates and a candidate, at each row, from the row and from the state before it.
    recurrent = sum(IMAGE_SIZE * 3 * units * (inputs + units) for inputs, units in itertools.pairwise(widths))
    features, compared = widths[-1], model.attention_units
    query = features * compared
    each_row = features * compared + compared + features  # projected, scored, and weighed
    dense = _dense_layers(features, *(layer.units for layer in model.dense_layers), NUM_EMOTIONS)
    return recurrent + query + IMAGE_SIZE * each_row + dense


def _cnn(model: CnnModel) -> int:
    total, channels, side = 0, 1, IMAGE_SIZE
    for block in model.blocks:
        for convolution in block.convolutions:
            total += side**2 * convolution.kernel_size**2 * channels * convolution.filters
            channels = convolution.filters
        side = side if block.pooling == "none" else side // 2
    features = channels * side**2 if model.head == "flatten" else channels
    return total + _dense_layers(features, *model.dense_units, NUM_EMOTIONS)


def _residual(model: ResidualModel) -> int:
    total, channels, side = IMAGE_SIZE**2 * 9 * model.stem_filters, model.stem_filters, IMAGE_SIZE
    for stage in model.stages:
        side = -(-side // 2)
        for _ in range(stage.blocks):
            projected = channels * stage.filters if channels != stage.filters else 0
            total += side**2 * (9 * channels * stage.filters + 9 * stage.filters**2 + projected)
            channels = stage.filters
    return total + _dense_layers(channels, NUM_EMOTIONS)


def _dense_layers(*widths: int) -> int:
    return sum(before * after for before, after in itertools.pairwise(widths))
