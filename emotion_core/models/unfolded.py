"""A network to train on from its serving copy, which has each batch normalisation folded into its convolution.

A folded convolution is a kernel and an offset. Batch normalisation is given the statistics that the convolution's
outputs have on some faces, with the scale and offset that undo it: the network answers as before, and can learn on.
"""

import re
from typing import Final, NamedTuple

import keras
import numpy as np
import onnx
from keras import layers
from numpy.typing import NDArray

from emotion_core.chunks import chunks
from emotion_core.config import ResidualModel
from emotion_core.errors import DamagedRun
from emotion_core.models.build import build_model
from emotion_core.models.saved import computing_in
from emotion_core.runs import Run

_NUMBER = re.compile(r"conv2d(?:_(\d+))?_\d+/")
"""Keras numbers layers as they are made, and its exporter adds a number of its own."""

_FACES_AT_ONCE: Final = 128


class _Folded(NamedTuple):
    kernel: NDArray[np.float32]  # (filters, channels, height, width)
    offset: NDArray[np.float32]  # (filters,)


def unfold_network(run: Run, faces: NDArray[np.float32]) -> keras.Model:
    """Return a residual network from a run's model.onnx, with batch normalisation after each convolution.

    Args:
        run: One that has a model.onnx.
        faces: float32 (n, 48, 48, 1), 0 to 1, such as those it is to learn from: batch statistics are taken of them.

    Raises:
        DamagedRun: The file cannot be read or holds no such network.
    """
    with computing_in("float32"):
        network = build_model(run.config.model)
    convolutions = [layer for layer in network.layers if isinstance(layer, layers.Conv2D)]
    try:
        if not isinstance(run.config.model, ResidualModel):
            raise ValueError("it is not a residual network")
        graph = onnx.load(run.onnx_path).graph
        arrays = {each.name.removesuffix("/16bits"): onnx.numpy_helper.to_array(each) for each in graph.initializer}
        folded = _folded_convolutions(graph, arrays)
        for layer, part in zip(sorted(convolutions, key=_place), folded, strict=True):
            layer.kernel.assign(part.kernel.transpose(2, 3, 1, 0))
            _normalisation_of(layer).beta.assign(part.offset)
        _set_output(network, graph, arrays)
    except Exception as error:  # ONNX and protobuf raise types of their own
        raise DamagedRun(f"{run.onnx_path} does not hold this run's network in a form to train on: {error}") from error
    _take_statistics(network, convolutions, faces)
    return network


def _folded_convolutions(graph: onnx.GraphProto, arrays: dict[str, NDArray[np.float32]]) -> list[_Folded]:
    """Return the convolutions in the order in which their layers were made."""
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    nodes.sort(key=lambda node: _number_in(node.input[1]))
    return [_Folded(arrays[node.input[1]].astype(np.float32), arrays[node.input[2]]) for node in nodes]


def _number_in(name: str) -> int:
    """Return the number that Keras gave a layer, from a name of its weights: 17 for `conv2d_17_1/...`, 0 for none."""
    found = _NUMBER.search(name)
    return int(found[1] or 0) if found else 0


def _set_output(network: keras.Model, graph: onnx.GraphProto, arrays: dict[str, NDArray[np.float32]]) -> None:
    (product,) = (node for node in graph.node if node.op_type == "MatMul")
    (added,) = (node for node in graph.node if product.output[0] in node.input)
    (offset,) = (arrays[name] for name in added.input if name in arrays)
    network.layers[-1].set_weights([arrays[product.input[1]].astype(np.float32), offset])


def _place(layer: keras.Layer) -> int:
    number = layer.name.rpartition("_")[2]
    return int(number) if number.isdecimal() else 0


def _normalisation_of(convolution: keras.Layer) -> keras.Layer:
    (node,) = convolution._outbound_nodes
    return node.operation


def _take_statistics(network: keras.Model, convolutions: list[keras.Layer], faces: NDArray[np.float32]) -> None:
    """Give batch normalisation the statistics of what it gets, and the scale and offset that leave it unchanged."""
    for layer in convolutions:
        norm = _normalisation_of(layer)  # until then it adds the offset alone
        norm.gamma.assign(np.full(norm.gamma.shape, np.sqrt(1 + norm.epsilon), np.float32))
    outputs = keras.Model(network.inputs, [layer.output for layer in convolutions])
    for layer, (mean, variance) in zip(convolutions, _moments(outputs, faces), strict=True):
        norm = _normalisation_of(layer)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
        norm.gamma.assign(np.sqrt(variance + norm.epsilon))
        norm.beta.assign(keras.ops.convert_to_numpy(norm.beta) + mean)


def _moments(network: keras.Model, faces: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return mean and variance of each channel of each output, over the faces and all places.

    The maps of a few faces at a time are held: those of all together would take gigabytes.
    """
    parts = (faces[part] for part in chunks(len(faces), _FACES_AT_ONCE))
    sums = [list(map(_sums, network.predict(part, batch_size=_FACES_AT_ONCE, verbose=0))) for part in parts]
    moments = []
    for of_output in zip(*sums, strict=True):
        count, total, squares = np.sum(of_output, axis=0)
        mean = total / count
        moments.append((mean.astype(np.float32), (squares / count - mean**2).clip(0).astype(np.float32)))
    return moments


def _sums(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return of each channel of maps (n, h, w, channels) the count, sum and sum of squares of its values: (3, c)."""
    values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
    return np.stack([np.full(values.shape[1], len(values)), values.sum(axis=0), (values**2).sum(axis=0)])
