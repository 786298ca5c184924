"""What each part of the residual network's recipe is worth: the recipe, and the recipe with one thing changed.

    python benchmarks/ablations.py CSV --runs DIR [--seeds 42 43] [--epochs 12] [--mixed-precision on] [--only NAME...]

A network of half the widths, a quarter of the work, is trained by the preset's recipe and by each variant of it, one
after the other, in a folder of runs of their own. What is there already is not done again, and what was cut off goes
on, so that the whole may take several sittings. Then a table is printed: validation accuracy as mean over seeds and
sample standard deviation, and the difference to the recipe of the same seeds. Its margin (95 %) is that of other faces:
both answer to the same ones, so that only those on which they differ count. Other seeds would add to it.

Averaging over mirror images needs no run of its own: the last epoch's validation accuracy is without it.
"""

import argparse
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from emotion_core.config import RunConfig, with_settings
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, State, Validation
from emotion_core.settings import PROJECT

Hits = NDArray[np.float64]
"""Which faces are right, (n,), 0 or 1."""

SMALL: dict[str, Any] = {
    "model.stem_filters": 16,
    "model.stages": [{"filters": 32}, {"filters": 64, "blocks": 2}, {"filters": 128, "blocks": 2}],
}

RECIPE = "the recipe"
VARIANTS: dict[str, dict[str, Any]] = {
    RECIPE: {},
    "Adam instead of SGD": {
        "training.optimizer": "adam",
        "training.weight_decay": 0.0,
        "training.schedule.rate": 0.002,
    },
    "no weight decay": {"training.weight_decay": 0.0},
    "constant learning rate": {"training.schedule": {"kind": "constant", "rate": 0.02}},
    "no label smoothing": {"training.label_smoothing": 0.0},
    "mixup 0.2": {"training.mixup": 0.2},
    "averaged weights": {"training.weight_average": 0.999},
    "48 pixels throughout": {"training.first_side": None},
    "no mirroring": {"augmentation.horizontal_flip": False},
    "no rotation, shift, zoom": {
        f"augmentation.{name}": 0.0 for name in ("rotation", "width_shift", "height_shift", "zoom")
    },
    "no erasing": {"augmentation.erasing": 0.0},
    "no blur, no other light": {"augmentation.blur": 0.0, "augmentation.brightness": 0.0},
    "no JPEG": {"augmentation.compression": 0.0},
    "no standardisation": {"model.standardize": False},
    "no dropout": {"model.dropout": 0.0},
    "balanced class weights": {"training.class_weights": "balanced"},
}


def configs(options: argparse.Namespace) -> Iterator[tuple[str, RunConfig]]:
    """Yield every run by the name of its variant, all variants of a seed before the next seed."""
    common = {
        "data.source": str(options.csv.resolve()),
        "training.epochs": options.epochs,
        "device.mixed_precision": options.mixed_precision,
    }
    for seed in options.seeds:
        for name in options.only or VARIANTS:
            settings = SMALL | common | {"training.seed": seed, "name": name} | VARIANTS[name]
            yield name, with_settings(find_preset("residual").config, settings)


def finished(runs: Runs, config: RunConfig) -> Run | None:
    """Return the run of these settings, trained to its end here if it is not there yet; None where that fails."""
    run = next((run for run in runs.all() if run.config == config), None) or runs.create(config)
    if run.state() is not State.FINISHED:
        run.record(state=State.QUEUED)
        environment = {"KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "tensorflow")}
        with run.log_path.open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "emotion_core.training", str(run.folder)],
                cwd=PROJECT, env=os.environ | environment, stdout=log, stderr=log, check=False,
            )  # fmt: skip
    return run if run.state() is State.FINISHED else None


def hits(outcome: Validation) -> Hits:
    """Return which faces it has right, float64 (n,), 0 or 1."""
    return np.asarray(outcome.probabilities.argmax(axis=1) == outcome.labels, dtype=np.float64)


def difference(ours: dict[int, Hits], theirs: dict[int, Hits]) -> str:
    """Return by how many points one is better than the other on the seeds, at least one, that both have."""
    gains = np.mean([ours[seed] - theirs[seed] for seed in ours if seed in theirs], axis=0)
    return f"{100 * gains.mean():+.1f} ± {196 * gains.std(ddof=1) / math.sqrt(len(gains)):.1f}"


def row(name: str, accuracies: list[float], gain: str) -> str:
    spread = f" ± {stdev(accuracies):.3f}" if len(accuracies) > 1 else ""
    return f"| {name} | {len(accuracies)} | {fmean(accuracies):.3f}{spread} | {gain} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, metavar="CSV")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--mixed-precision", choices=["auto", "on", "off"], default="auto")
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), metavar="NAME", help="some of the variants")
    options = parser.parse_args()
    runs, scores = Runs(options.runs), dict[str, dict[int, Hits]]()
    without_mirrors: list[float] = []
    for name, config in configs(options):
        seed, run = config.training.seed, finished(runs, config)
        if run is None:
            print(f"{name}, seed {seed}: failed; its log says why", file=sys.stderr)
            continue
        scores.setdefault(name, {})[seed] = hits(run.validation())
        print(f"{name}, seed {seed}: {scores[name][seed].mean():.4f}", file=sys.stderr, flush=True)
        if name == RECIPE:
            without_mirrors.append(float(run.history()["val_accuracy"].iloc[-1]))
    recipe = scores.get(RECIPE, {})
    print("| variant | seeds | validation accuracy | difference, points |\n|---|---|---|---|")
    for name, faces in scores.items():
        means = [float(each.mean()) for each in faces.values()]
        print(row(name, means, difference(faces, recipe) if recipe and name != RECIPE else ""))
        if name == RECIPE:
            lost = f"{100 * (fmean(without_mirrors) - fmean(means)):+.1f}"
            print(row("no averaging over mirror images", without_mirrors, lost))
    return 0


if __name__ == "__main__":
    sys.exit(main())
