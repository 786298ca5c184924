"""Which rows of a face a recurrent network attends to, read from the file it serves from.

`model.onnx` gives probabilities. The weights of the rows are computed on the way there, so that the part of the graph
that leads to them is loaded instead of the whole.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import open_session
from emotion_core.config import GruModel
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.errors import ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.runs import Run
from emotion_core.views import Views


class AttentionReader:
    """The attention of a GRU network over the rows of a face (`models.gru.RowAttention`), from its model.onnx.

    The network attends to its states, and its state at a row knows that row and those above it: weight on the mouth
    may be due to the eyes. Where the network's answer is the mean over a face and its mirror image, so are its weights.
    A reader may be used by several threads at once. Raises ModelUnavailable where the file has no such attention.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._session = open_session(_up_to_attention(path))
            self._input, self._output = self._session.get_inputs()[0].name, self._session.get_outputs()[0].name
            views = Views.noted_in(self._session.get_modelmeta().custom_metadata_map)
            self._views = Views(views.mirrored)  # a closer view has other rows
            weights = self._run(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 1), np.float32))
        except Exception as error:  # onnx and the runtime raise types of their own, derived from nothing narrower
            raise ModelUnavailable(f"{path} cannot be read as a network that attends to rows of a face.") from error
        if weights.shape != (1, IMAGE_SIZE, 1):
            raise ModelUnavailable(f"{path} weighs {weights.shape} for one face; (1, {IMAGE_SIZE}, 1) was expected.")

    def weights(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the weight of each row of a face (uint8 (48, 48), 0-255): float32 (48,), 0-1, summing to 1."""
        inputs = to_network_input(face[np.newaxis])
        weights = self._views.average(self._run, inputs)
        return weights.reshape(IMAGE_SIZE)

    def _run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the weights (n, 48, 1) of the rows of faces (n, 48, 48, 1)."""
        weights: NDArray[np.float32] = self._session.run([self._output], {self._input: inputs})[0]
        return weights


def load_attention(run: Run) -> AttentionReader | None:
    """Return the reader of a run's attention, None where its model has none; raises ModelUnavailable."""
    return AttentionReader(run.onnx_path) if isinstance(run.config.model, GruModel) else None


def _up_to_attention(path: Path) -> bytes:
    """Return the network with the weights of the rows as its only output.

    They are what its first softmax gives; its last gives the probabilities. No activation of its layers is a softmax.
    """
    import onnx  # only those who ask need it

    network = onnx.load_model_from_string(path.read_bytes())
    weights = next(node.output[0] for node in network.graph.node if node.op_type == "Softmax")
    del network.graph.output[:]
    network.graph.output.append(onnx.ValueInfoProto(name=weights))
    content: bytes = network.SerializeToString()
    return content
