"""How many weights a model has and how much it computes, from its settings alone, without loading Keras."""

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

from emotion_core.config import CnnModel, DenseModel, GruModel, LinearModel, Model, ResidualModel
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS

_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE
_ROWS: Final = IMAGE_SIZE
"""Steps of a recurrent network, which reads a face row by row."""


class Layer(NamedTuple):
    """What a layer costs.

    Attributes:
        parameters: Its weights, those of batch statistics included.
        operations: Multiplications with weights, each with its addition, for one face.
    """

    parameters: int
    operations: int


def count_parameters(model: Model) -> int:
    """Return the number of weights, those of batch statistics included, as Keras's `count_params` does."""
    return sum(layer.parameters for layer in _layers(model))


def count_operations(model: Model) -> int:
    """Return the multiplications with weights, each with its addition, that one image takes from pixels to emotions.

    Biases, activations, pooling and normalisation are left out: beside those they are little.
    """
    return sum(layer.operations for layer in _layers(model))


def _layers(model: Model) -> Iterator[Layer]:
    match model:
        case LinearModel():
            return _dense_layers(_PIXELS, ())
        case DenseModel():
            return _dense_layers(_PIXELS, model.hidden_units, batch_norm=model.batch_norm)
        case GruModel():
            return _gru(model)
        case CnnModel():
            return _cnn(model)
        case ResidualModel():
            return _residual(model)


def _gru(model: GruModel) -> Iterator[Layer]:
    features = IMAGE_SIZE
    for units in model.gru_units:
        weights = 3 * units * (features + units)  # two gates and a candidate, from the row and the state before it
        yield Layer(weights + 3 * 2 * units, _ROWS * weights)  # each with two biases
        features = units
    if model.batch_norm:
        yield _batch_norm(features)
    compared = model.attention_units
    yield _dense(features, compared)  # what is asked
    yield _dense(features, compared, times=_ROWS)  # what each row has to say to it
    yield _dense(compared, 1, times=_ROWS)
    yield Layer(0, _ROWS * features)  # rows weighed by the answers
    for layer in model.dense_layers:
        yield _dense(features, layer.units)
        if layer.batch_norm:
            yield _batch_norm(layer.units)
        features = layer.units
    yield _dense(features, NUM_EMOTIONS)


def _cnn(model: CnnModel) -> Iterator[Layer]:
    channels, side = 1, IMAGE_SIZE
    for block in model.blocks:
        for convolution in block.convolutions:
            filters, is_normalised = convolution.filters, block.batch_norm == "convolution"
            yield _convolution(channels, filters, convolution.kernel_size, side)
            yield _batch_norm(filters) if is_normalised else Layer(filters, 0)  # biases
            channels = filters
        side = side if block.pooling == "none" else side // 2
        if block.batch_norm == "block":
            yield _batch_norm(channels)
    features = channels * side**2 if model.head == "flatten" else channels
    yield from _dense_layers(features, model.dense_units)


def _residual(model: ResidualModel) -> Iterator[Layer]:
    channels, side = model.stem_filters, IMAGE_SIZE
    yield from _normalised(1, channels, 3, side)
    for stage in model.stages:
        side = -(-side // 2)
        for _ in range(stage.blocks):
            yield from _normalised(channels, stage.filters, 3, side)
            yield from _normalised(stage.filters, stage.filters, 3, side)
            if channels != stage.filters:
                yield from _normalised(channels, stage.filters, 1, side)  # the shortcut
            channels = stage.filters
    yield _dense(channels, NUM_EMOTIONS)


def _dense_layers(inputs: int, hidden_units: tuple[int, ...], *, batch_norm: bool = False) -> Iterator[Layer]:
    for before, after in itertools.pairwise((inputs, *hidden_units, NUM_EMOTIONS)):
        yield _dense(before, after)
    if batch_norm:
        yield from map(_batch_norm, hidden_units)


def _normalised(inputs: int, filters: int, size: int, side: int) -> Iterator[Layer]:
    yield _convolution(inputs, filters, size, side)
    yield _batch_norm(filters)


def _convolution(inputs: int, filters: int, size: int, side: int) -> Layer:
    """Return what a convolution without biases costs at each of the places of its output."""
    weights = size**2 * inputs * filters
    return Layer(weights, side**2 * weights)


def _dense(inputs: int, units: int, times: int = 1) -> Layer:
    return Layer(inputs * units + units, times * inputs * units)


def _batch_norm(channels: int) -> Layer:
    return Layer(4 * channels, 0)  # scale, offset, moving mean, moving variance
