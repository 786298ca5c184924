"""Copy a run into `trained/` as it ships: small, and without a trace of the machine that it was trained on.

    python scripts/ship.py RUN_FOLDER [--serve]

Curves, settings, scores and the outcome on the validation rows are copied; with --serve also the file that the app
classifies with, a network's weights in 16 bits: they are widened when it is loaded, so it computes in 32, and what it
says must stay within 0.001. Checkpoints, the optimiser and model.keras stay behind. The data is named by its place in
the project, the log keeps what the trainer printed and drops what libraries did, and a finished run's note, which is
about the machine, goes. Add the new folder with `git add --force`.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).parent.parent))

from emotion_core.classifier import OnnxClassifier
from emotion_core.config import SAMPLE, RunConfig
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.files import write_text
from emotion_core.runs import Run, State, Status
from emotion_core.settings import PROJECT

ALWAYS = ("history.csv", "evaluation.json", "validation.npz", "about.json")
SERVING = ("model.onnx", "linear.npz")
SMALLEST_HALVED = 1_024
LARGEST_DIFFERENCE = 1e-3
OURS = re.compile(r"(epoch \d|--- taken up|Going on|[\d,]+ training and|stopped\.).*|finished\.")


def ship(run: Run, target: Path, *, serve: bool) -> None:
    """Copy a run that is over; raises FileExistsError where it ships already."""
    if run.state() not in (State.FINISHED, State.STOPPED):
        raise SystemExit(f"{run.id} is {run.state()}; only a run that finished or was stopped can ship.")
    target.mkdir(parents=True)
    for name in ALWAYS + (SERVING if serve else ()):
        if (run.folder / name).exists():
            shutil.copyfile(run.folder / name, target / name)
    if (network := target / "model.onnx").exists():
        store_in_16_bits(network)
        refuse_if_it_says_otherwise(run.onnx_path, network)
    write_text(target / "config.json", without_paths(run.config).model_dump_json(indent=2) + "\n")
    write_text(target / "status.json", without_note(run.status()).model_dump_json(indent=2) + "\n")
    printed = map(OURS.match, run.log_path.read_text(encoding="utf-8").splitlines())
    write_text(target / "log.txt", "".join(f"{line[0]}\n" for line in printed if line))


def store_in_16_bits(path: Path) -> None:
    """Rewrite a model.onnx so that its large weights are float16, each followed by a cast to float32."""
    model = onnx.load(path)
    casts = []
    for weights in model.graph.initializer:
        array = onnx.numpy_helper.to_array(weights)
        if array.dtype != np.float32 or array.size < SMALLEST_HALVED:
            continue
        name = weights.name
        weights.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float16), f"{name}/16bits"))
        casts.append(onnx.helper.make_node("Cast", [weights.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def refuse_if_it_says_otherwise(original: Path, copy: Path) -> None:
    """Compare two networks on noise and on flat pictures of every brightness."""
    faces = np.random.default_rng(0).integers(0, 256, (256, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    faces[128:] = np.arange(128, dtype=np.uint8)[:, np.newaxis, np.newaxis] * 2
    expected, got = (OnnxClassifier(path).probabilities(faces) for path in (original, copy))
    if (difference := float(np.abs(expected - got).max())) > LARGEST_DIFFERENCE:
        raise SystemExit(f"In 16 bits the network's probabilities differ by up to {difference:.4f}.")


def without_note(status: Status) -> Status:
    """Return the status without what a finished run has to say, such as that its machine could not write model.onnx."""
    return status.model_copy(update={"reason": ""}) if status.state is State.FINISHED else status


def without_paths(config: RunConfig) -> RunConfig:
    """Return the settings with the data named by its place in the project."""
    if config.data.source == SAMPLE:
        return config
    source = f"data/{Path(config.data.source).name}"
    return config.model_copy(update={"data": config.data.model_copy(update={"source": source})})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--serve", action="store_true", help="with the file that the app classifies with")
    options = parser.parse_args()
    if not (options.run / "config.json").exists():
        parser.error(f"{options.run} holds no run.")
    ship(Run(options.run), PROJECT / "trained" / options.run.name, serve=options.serve)
