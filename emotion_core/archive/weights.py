"""Arrays and weights in an exported run: checked by shape, kind and value, and never unpickled."""

import io
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.archive.zips import CheckedZip
from emotion_core.config import Model
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.evaluation import LEAST_TEMPERATURE, MOST_TEMPERATURE
from emotion_core.models.counts import count_parameters
from emotion_core.runs import Validation
from emotion_core.units import MEGABYTE

Arrays = Mapping[str, NDArray[Any]]

_LINEAR_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "coefficients": (NUM_EMOTIONS, IMAGE_SIZE**2),
    "intercepts": (NUM_EMOTIONS,),
    "temperature": (),
}
_KERAS_NAMES: Final = {"metadata.json", "config.json", "model.weights.h5"}
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_HDF5_OVERHEAD: Final = 4 * MEGABYTE
_MOST_ROWS: Final = 2**31
_MOST_BYTES: Final = 256 * MEGABYTE
"""Most bytes of an array or of weights once they are decompressed."""


def validation_of(content: bytes | None, title: str) -> Validation | None:
    """Return what a validation.npz holds; raises BadInput where its arrays do not belong together."""
    if content is None:
        return None
    arrays = _arrays(content, ("rows", "labels", "probabilities"), title)
    rows, labels, probabilities = arrays["rows"], arrays["labels"], arrays["probabilities"]
    try:
        Validation(rows, labels, probabilities).check()
        if rows.dtype.kind != "i" or not 0 <= rows.min() <= rows.max() < _MOST_ROWS:
            raise ValueError("a row has no number")
    except ValueError as error:
        raise BadInput(
            f"{title} does not hold row numbers, labels and probabilities that fit together: {error}."
        ) from error
    return Validation(rows.astype(np.int64), labels.astype(np.uint8), probabilities.astype(np.float32))


def linear_weights(content: bytes | None, title: str) -> Arrays | None:
    """Return what a linear.npz holds; raises BadInput where that is not a linear model's weights."""
    if content is None:
        return None
    arrays = _arrays(content, tuple(_LINEAR_SHAPES), title)
    sound = all(
        array.shape == _LINEAR_SHAPES[name] and array.dtype == np.float32 and np.isfinite(array).all()
        for name, array in arrays.items()
    )
    if not sound or not LEAST_TEMPERATURE <= arrays["temperature"] <= MOST_TEMPERATURE:
        raise BadInput(f"{title} does not hold the finite weights of a linear model.")
    return arrays


def network_weights(content: bytes | None, model: Model, title: str) -> bytes | None:
    """Return a model.keras as it is, if its weights take the room that those of `model` take; else raises BadInput.

    The description of a network that lies beside the weights in it is never read, here or later.
    """
    if content is None:
        return None
    archive = CheckedZip(io.BytesIO(content), title)
    if set(archive.names) != _KERAS_NAMES:
        raise BadInput(f"{title} is not a network saved by Keras.")
    weights = archive.read("model.weights.h5", _MOST_BYTES)
    least = 4 * count_parameters(model)  # 32 bits each; an optimiser's state may add up to four times that
    if not weights.startswith(_HDF5) or not least <= len(weights) <= 5 * least + _HDF5_OVERHEAD:
        raise BadInput(f"{title} does not hold the weights of the network that config.json describes.")
    return content


def _arrays(content: bytes, expected: tuple[str, ...], title: str) -> dict[str, NDArray[Any]]:
    archive = CheckedZip(io.BytesIO(content), title)
    if set(archive.names) != {f"{name}.npy" for name in expected}:
        raise BadInput(f"{title} does not hold exactly the arrays {', '.join(expected)}.")
    return {name: _array(archive.read(f"{name}.npy", _MOST_BYTES), f"{name} in {title}") for name in expected}


def _array(content: bytes, title: str) -> NDArray[Any]:
    """Read a .npy; memory is taken for the bytes that are there, whatever shape its header tells."""
    file = io.BytesIO(content)
    try:
        np.lib.format.read_magic(file)
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
        if kind.hasobject or math.prod(shape) * kind.itemsize != len(content) - file.tell():
            raise ValueError("its header and its length differ")
        return np.frombuffer(content, kind, offset=file.tell()).reshape(shape, order="F" if by_columns else "C")
    except Exception as error:  # a header is a Python literal, whose parsing can fail in many ways
        raise BadInput(f"{title} is not an array of numbers.") from error
