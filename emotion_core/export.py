"""The serving copy of a network: model.onnx from model.keras.

The file also says what is to be done with the network's answers, in its metadata: over which views of a face they are
averaged, and the temperature that calibrates them.

Keras writes ONNX best through TensorFlow, so a run that was trained on another backend is exported by a process of
its own: `python -m emotion_core.export RUN_FOLDER [TEMPERATURE]` with KERAS_BACKEND=tensorflow.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from emotion_core.classifier import TEMPERATURE
from emotion_core.errors import EmotionError
from emotion_core.files import replacing
from emotion_core.runs import Run, Runs
from emotion_core.views import Views

if TYPE_CHECKING:
    import keras


def export_onnx(run: Run, temperature: float) -> None:
    """Write the run's model.onnx; raises EmotionError where TensorFlow is missing or the export fails."""
    import keras

    if keras.backend.backend() == "tensorflow":
        _export_here(run, temperature)
    elif importlib.util.find_spec("tensorflow") is None:
        raise EmotionError(
            "model.onnx was not written because TensorFlow is not installed here; on a machine that has it, "
            f"run: python -m emotion_core.export {run.folder}"
        )
    else:
        _export_in_new_process(run, temperature)


def _export_here(run: Run, temperature: float) -> None:
    from emotion_core.models.saved import load_network

    network = load_network(run)
    metadata = {**Views.asked_by(run.config.prediction).notes(), TEMPERATURE: repr(temperature)}
    with replacing(run.onnx_path) as temporary:
        try:
            _write_onnx(network, temporary, metadata)
        except OSError:
            raise
        except Exception as error:  # converters raise types of their own, of many kinds
            raise EmotionError(f"model.onnx could not be written for {run.id}: {error}") from error


def _write_onnx(network: "keras.Model", path: Path, metadata: dict[str, str]) -> None:
    import keras
    import onnx

    network(keras.ops.zeros((1, *network.input_shape[1:])))  # the exporter needs a model that has been called
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # by what Keras does for old NumPy
        network.export(path, format="onnx", verbose=False)
    exported = onnx.load(path)
    onnx.helper.set_model_props(exported, metadata)
    onnx.save(exported, path)


def _export_in_new_process(run: Run, temperature: float) -> None:
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "emotion_core.export", str(run.folder), repr(temperature)]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise EmotionError(f"model.onnx could not be written for {run.id}; the lines above say why.")


def main() -> None:
    """Export the run that the command line names; ends with one sentence where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m emotion_core.export", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("temperature", type=float, nargs="?")
    options = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    run = Run(options.folder.resolve())
    one_at_a_time = FileLock(Runs(run.folder.parent).engine_folder / "export.lock")  # each takes most of a gigabyte
    try:
        with one_at_a_time:
            scores = run.evaluation()
            known = scores.temperature if scores else 1.0
            export_onnx(run, known if options.temperature is None else options.temperature)
    except EmotionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
