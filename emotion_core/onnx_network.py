"""A network's serving copy, its model.onnx, in ONNX Runtime: whole, or up to some place on the way to its answer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import IMAGE_SIZE


class OnnxNetwork:
    """A network as a function of faces, on the processor. It may be used by several threads at once.

    Raises what ONNX Runtime does, of many kinds, where the file holds no network for faces.

    Attributes:
        metadata: What the file says beside the network.
        shape: That of what it gives for one face.
    """

    def __init__(self, network: Path | bytes) -> None:
        import onnxruntime  # only those who classify need it

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        # Waiting threads sleep instead of spinning: a training run may need the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        self._input, self._output = self._session.get_inputs()[0].name, self._session.get_outputs()[0].name
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.shape = self(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 1), np.float32)).shape

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network gives for inputs float32 (n, 48, 48, 1), 0-1: float32, n first."""
        outputs: NDArray[np.float32] = self._session.run([self._output], {self._input: inputs})[0]
        return outputs


def cut_off(path: Path, choose: Callable[[list[Any]], str]) -> bytes:
    """Return a network whose only output is a value on the way to its answer, named by `choose` from its nodes."""
    import onnx  # only those who ask need it

    network = onnx.load_model_from_string(path.read_bytes())
    value = choose(list(network.graph.node))
    del network.graph.output[:]
    network.graph.output.append(onnx.ValueInfoProto(name=value))
    content: bytes = network.SerializeToString()
    return content
