"""Whether a run says the same of every face through ONNX Runtime and through each Keras backend that is installed.

    python benchmarks/agreement.py RUN_FOLDER [CSV]

The network of model.keras is run by TensorFlow, JAX and PyTorch, each in a process of its own, averaged over mirror
images and calibrated as the run's settings and scores say; model.onnx by the app's own classifier. Told are the largest
difference between probabilities and the number of faces that are given another emotion.

The exit code is 1 where probabilities differ by more than 0.001, or an emotion does that was not as good as undecided.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from emotion_core.calibration import at_temperature
from emotion_core.classifier import OnnxClassifier
from emotion_core.dataset import load_dataset
from emotion_core.images import to_network_input
from emotion_core.runs import Run
from emotion_core.views import Views

BACKENDS = ("tensorflow", "jax", "torch")
GOAL = 1e-3


def through_keras(run: Run, csv: Path) -> NDArray[np.float32]:
    """Return probabilities (n, 7) by the backend of this process."""
    from emotion_core.models.saved import load_network

    network = load_network(run)
    faces = to_network_input(load_dataset(csv).images)

    def classify(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(network.predict(inputs, batch_size=256, verbose=0), np.float32)

    evaluation = run.evaluation()
    assert evaluation is not None, f"{run.folder} has no scores"
    probabilities = Views.asked_by(run.config.prediction).average(classify, faces)
    return at_temperature(probabilities, evaluation.temperature)


def in_a_process(run: Run, csv: Path, backend: str) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probabilities.npy"
        subprocess.run(
            [sys.executable, __file__, str(run.folder), str(csv), "--write", str(path)],
            env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            check=True,
        )
        return np.asarray(np.load(path), np.float32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER", help="a folder with model.keras and model.onnx")
    parser.add_argument("csv", type=Path, nargs="?", default=Path("data/my_emotion_test.csv"), metavar="CSV")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    run = Run(options.run)
    if options.write:
        np.save(options.write, through_keras(run, options.csv))
        return 0
    ours = OnnxClassifier(run.onnx_path).probabilities(load_dataset(options.csv).images)
    first, second = np.sort(ours, axis=1)[:, :-3:-1].T
    clear = first - second > 2 * GOAL
    agree = True
    print(f"{len(ours):,} faces, against ONNX Runtime")
    for backend in (name for name in BACKENDS if importlib.util.find_spec(name)):
        theirs = in_a_process(run, options.csv, backend)
        difference, others = float(np.abs(ours - theirs).max()), ours.argmax(axis=1) != theirs.argmax(axis=1)
        agree &= difference <= GOAL and not (others & clear).any()
        print(f"{backend:12s}largest difference {difference:.1e}, other emotion for {others.sum()} faces", flush=True)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
