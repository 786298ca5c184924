"""Parameter counts from the settings alone, so that a page can show them without loading Keras."""

import itertools

from emotion_core.config import CnnModel, DenseModel, LinearModel, Model
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS

PIXELS = IMAGE_SIZE * IMAGE_SIZE


def count_parameters(model: Model) -> int:
    """Return the number of weights, those of batch statistics included, as Keras's `count_params` does."""
    match model:
        case LinearModel():
            return _dense(PIXELS, NUM_EMOTIONS)
        case DenseModel():
            return _dense_layers(PIXELS, model.hidden_units, batch_norm=model.batch_norm)
        case CnnModel():
            return _cnn(model)


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


def _dense_layers(inputs: int, hidden_units: tuple[int, ...], *, batch_norm: bool) -> int:
    widths = (inputs, *hidden_units, NUM_EMOTIONS)
    weights = sum(_dense(before, after) for before, after in itertools.pairwise(widths))
    return weights + (sum(map(_batch_norm, hidden_units)) if batch_norm else 0)


def _dense(inputs: int, units: int) -> int:
    return inputs * units + units


def _batch_norm(channels: int) -> int:
    return 4 * channels  # scale, offset, moving mean, moving variance
