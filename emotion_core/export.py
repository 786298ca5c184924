"""The serving copy of a network: model.onnx from model.keras.

Keras writes ONNX best through TensorFlow, so a run that was trained on another backend is exported by a process of
its own: `python -m emotion_core.export RUN_FOLDER` with KERAS_BACKEND=tensorflow.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from emotion_core.errors import EmotionError
from emotion_core.files import replacing
from emotion_core.runs import Run


def export_onnx(run: Run) -> None:
    """Write the run's model.onnx; raises EmotionError where TensorFlow is missing or the export fails."""
    import keras

    if keras.backend.backend() == "tensorflow":
        _export_here(run)
    elif importlib.util.find_spec("tensorflow") is None:
        raise EmotionError(
            "model.onnx was not written because TensorFlow is not installed here; on a machine that has it, "
            f"run: python -m emotion_core.export {run.folder}"
        )
    else:
        _export_in_new_process(run)


def _export_here(run: Run) -> None:
    import keras

    from emotion_core.models.saved import load_network

    network = load_network(run)
    network(keras.ops.zeros((1, *network.input_shape[1:])))  # the exporter needs a model that has been called
    with replacing(run.onnx_path) as temporary:
        network.export(temporary, format="onnx", verbose=False)


def _export_in_new_process(run: Run) -> None:
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "emotion_core.export", str(run.folder)]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise EmotionError(f"model.onnx could not be written for {run.id}; the lines above say why.")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    export_onnx(Run(Path(sys.argv[1])))
