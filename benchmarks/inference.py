"""How long networks take to classify faces: ONNX Runtime, as the app has it, against TensorFlow and LiteRT.

    python benchmarks/inference.py [PRESET...] [--rounds N]

Each runtime gets the same network with the same fresh weights (what they are does not change the time), and all must
agree within 1e-4 before any is timed. TensorFlow is measured as a traced function and as Keras's `predict`, LiteRT
(XNNPACK) as Keras exports it. The runtimes take turns on batches of 1 and 8; told is the median of a
call and its 95th percentile, in milliseconds.

The exit code is 1 where another runtime takes over 5 ms less than ONNX Runtime for a single face: a tenth of what a
frame of the webcam may take, and worth a second package for serving.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from emotion_core.classifier import OnnxClassifier
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.images import to_network_input
from emotion_core.models.build import build_model
from emotion_core.presets import find_preset

Faces = NDArray[np.uint8]
Runtime = Callable[[Faces], NDArray[np.float32]]

BATCHES = (1, 8)
OURS = "ONNX Runtime"
WORTH_A_CHANGE_MS = 5.0


def onnx_runtime(network: keras.Model, folder: Path) -> Runtime:
    path = folder / "model.onnx"
    network.export(path, format="onnx", verbose=False)
    return OnnxClassifier(path).probabilities


def tensorflow_function(network: keras.Model) -> Runtime:
    traced = tf.function(lambda faces: network(faces, training=False))
    return lambda faces: traced(tf.constant(to_network_input(faces))).numpy()


def keras_predict(network: keras.Model) -> Runtime:
    return lambda faces: network.predict(to_network_input(faces), verbose=0)


def litert(network: keras.Model, folder: Path) -> Runtime:
    path = folder / "model.tflite"
    network.export(path, format="litert", verbose=False)
    interpreter = tf.lite.Interpreter(str(path), num_threads=os.cpu_count())
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def classify(faces: Faces) -> NDArray[np.float32]:
        if interpreter.get_input_details()[0]["shape"][0] != len(faces):
            interpreter.resize_tensor_input(into, (len(faces), IMAGE_SIZE, IMAGE_SIZE, 1))
            interpreter.allocate_tensors()
        interpreter.set_tensor(into, to_network_input(faces))
        interpreter.invoke()
        return interpreter.get_tensor(out)

    return classify


def compare(preset: str, rounds: int, folder: Path) -> bool:
    """Print the times of one preset's network; return whether ONNX Runtime is the choice for a single face."""
    keras.utils.set_random_seed(1)
    network = build_model(find_preset(preset).config.model)
    network(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 1), np.float32))
    runtimes = {
        OURS: onnx_runtime(network, folder),
        "TensorFlow function": tensorflow_function(network),
        "Keras predict": keras_predict(network),
        "LiteRT": litert(network, folder),
    }
    chosen = True
    for batch in BATCHES:
        faces = np.random.default_rng(0).integers(0, 256, (batch, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
        expected = runtimes[OURS](faces)
        for name, classify in runtimes.items():
            np.testing.assert_allclose(classify(faces), expected, atol=1e-4, err_msg=name)
        times: dict[str, list[float]] = {name: [] for name in runtimes}
        for _ in range(rounds):
            for name, classify in runtimes.items():
                began = time.perf_counter()
                classify(faces)
                times[name].append(1e3 * (time.perf_counter() - began))
        medians = {name: float(np.median(spent)) for name, spent in times.items()}
        for name, spent in times.items():
            ratio = medians[name] / medians[OURS]
            late = np.quantile(spent, 0.95)
            print(f"{preset:16s}{batch:3d}  {name:22s}{medians[name]:8.2f} ms{late:8.2f} ms  x{ratio:.2f}", flush=True)
        chosen &= batch > 1 or medians[OURS] - min(medians.values()) < WORTH_A_CHANGE_MS
    return chosen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=["residual", "cnn-small", "cnn"], metavar="PRESET")
    parser.add_argument("--rounds", type=int, default=100, help="calls of each runtime (default: 100)")
    options = parser.parse_args()
    print(f"{'network':16s}{'n':>3s}  {'runtime':22s}{'median':>11s}{'95 %':>11s}  against ONNX Runtime")
    met = True
    for preset in options.presets:
        with tempfile.TemporaryDirectory() as folder:
            met &= compare(preset, options.rounds, Path(folder))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
