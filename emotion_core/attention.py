"""Which rows of a face a recurrent network attends to, read from the file it serves from.

`model.onnx` gives probabilities. The weights of the rows are computed on the way there, so that the part of the graph
that leads to them is loaded instead of the whole.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import GruModel
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.errors import ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.onnx_network import OnnxNetwork, cut_off
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
            self._network = OnnxNetwork(cut_off(path, _weights_of_the_rows))
            self._views = Views(Views.noted_in(self._network.metadata).mirrored)  # a closer view has other rows
        except Exception as error:  # onnx and the runtime raise types of their own, derived from nothing narrower
            raise ModelUnavailable(f"{path} cannot be read as a network that attends to rows of a face.") from error
        if self._network.shape != (1, IMAGE_SIZE, 1):
            raise ModelUnavailable(
                f"{path} weighs {self._network.shape} for one face; (1, {IMAGE_SIZE}, 1) was expected."
            )

    def weights(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the weight of each row of a face (uint8 (48, 48), 0-255): float32 (48,), 0-1, summing to 1."""
        inputs = to_network_input(face[np.newaxis])
        weights = self._views.average(self._network, inputs)  # (1, 48, 1)
        return weights.reshape(IMAGE_SIZE)


def load_attention(run: Run) -> AttentionReader | None:
    """Return the reader of a run's attention, None where its model has none; raises ModelUnavailable."""
    return AttentionReader(run.onnx_path) if isinstance(run.config.model, GruModel) else None


def _weights_of_the_rows(nodes: Sequence[Any]) -> str:
    """Return the name of the weights of the rows in a network.

    They are what its first softmax gives; its last gives the probabilities. No activation of its layers is a softmax.
    """
    return str(next(node.output[0] for node in nodes if node.op_type == "Softmax"))
