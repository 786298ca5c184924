"""The training process itself, started as the engine starts it."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotion_core.config import RunConfig, with_settings
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.presets import find_preset
from emotion_core.runs import HISTORY_COLUMNS, Run, Runs, State

PROJECT = Path(__file__).parent.parent

SMALL_CNN = {
    "model.blocks": [{"convolutions": [{"filters": 4}], "batch_norm": "convolution"}],
    "model.head": "average",
    "training.epochs": 2,
    "training.batch_size": 16,
    "training.schedule.kind": "plateau",
}


def write_faces(path: Path, count: int = 140) -> Path:
    """Write a CSV of noise with a bright band whose height tells the label, so that anything can learn from it."""
    rng = np.random.default_rng(0)
    lines = ["id,emotion,pixels"]
    for row in range(count):
        label = row % NUM_EMOTIONS
        pixels = rng.integers(0, 100, (48, 48))
        pixels[6 * label : 6 * label + 6] += 100
        lines.append(f"{row},{label},{' '.join(map(str, pixels.ravel()))}")
    path.write_text("\n".join(lines) + "\n")
    return path


def run_training(run: Run, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emotion_core.training", str(run.folder)],
        cwd=PROJECT,
        env=os.environ | {"EMOTION_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "2"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def configure(preset: str, csv: Path, **settings: object) -> RunConfig:
    return with_settings(find_preset(preset).config, {"data.source": str(csv)} | settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def csv(folder):
    return write_faces(folder / "faces.csv")


@pytest.fixture(scope="module")
def runs(folder):
    return Runs(folder / "runs")


@pytest.fixture(scope="module")
def linear_run(runs, csv, folder):
    run = runs.create(configure("sgd", csv, **{"training.epochs": 20}))
    answer = run_training(run, folder / "cache")
    assert answer.returncode == 0, answer.stderr
    return run


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(backend, marks=pytest.mark.tensorflow)
        for backend in ("tensorflow", "jax", "torch")
        if importlib.util.find_spec(backend)
    ],
)
def network_run(request, runs, csv, folder):
    """The same small network on each backend that is installed."""
    run = runs.create(configure("cnn-small", csv, **SMALL_CNN))
    answer = run_training(run, folder / "cache", KERAS_BACKEND=request.param)
    assert answer.returncode == 0, answer.stderr
    assert run.status().backend == request.param
    return run


def assert_whole(run: Run, epochs: int) -> None:
    """Check what every finished run must hold."""
    assert run.state() is State.FINISHED, run.status().reason
    assert not run.is_alive()
    history, evaluation, validation = run.history(), run.evaluation(), run.validation()
    assert tuple(history.columns) == HISTORY_COLUMNS
    assert list(history["epoch"]) == list(range(1, epochs + 1))
    assert evaluation is not None
    assert evaluation.images == len(validation.labels) == 28
    assert evaluation.accuracy == (validation.probabilities.argmax(axis=1) == validation.labels).mean()
    np.testing.assert_allclose(validation.probabilities.sum(axis=1), 1, atol=2e-3)
    assert evaluation.images_per_second > 0
    assert run.status().started <= run.status().finished


def test_linear_run_is_whole_and_has_learnt(linear_run):
    assert_whole(linear_run, epochs=linear_run.status().epoch)
    assert linear_run.evaluation().accuracy > 0.5
    with np.load(linear_run.linear_path) as weights:
        assert weights["coefficients"].shape == (7, 2304)
        assert weights["intercepts"].shape == (7,)
        assert weights["temperature"] > 0


def test_linear_run_repeats_itself_from_its_seed(linear_run, runs, folder):
    again = runs.create(linear_run.config)
    assert run_training(again, folder / "cache").returncode == 0
    columns = [name for name in HISTORY_COLUMNS if name != "seconds"]
    assert again.history()[columns].equals(linear_run.history()[columns])


def test_linear_weights_give_the_saved_probabilities(linear_run):
    from emotion_core.classifier import load_classifier
    from emotion_core.dataset import load_dataset

    validation = linear_run.validation()
    faces = load_dataset(linear_run.config.data.source).images[validation.rows]
    np.testing.assert_allclose(load_classifier(linear_run).probabilities(faces), validation.probabilities, atol=2e-3)


def test_network_run_is_whole_and_serves_what_it_was_scored_with(network_run):
    from emotion_core.classifier import load_classifier
    from emotion_core.dataset import load_dataset

    assert_whole(network_run, epochs=2)
    validation = network_run.validation()
    faces = load_dataset(network_run.config.data.source).images[validation.rows]
    np.testing.assert_allclose(load_classifier(network_run).probabilities(faces), validation.probabilities, atol=2e-3)


def test_kept_epoch_is_that_of_the_lowest_validation_loss(network_run):
    history = network_run.history()
    best = history.loc[history["val_loss"].idxmin()]
    assert network_run.evaluation().best_epoch == network_run.status().best_epoch == best["epoch"]
    assert network_run.evaluation().accuracy == pytest.approx(best["val_accuracy"], abs=1e-4)


def test_validation_sees_the_first_rows_in_their_order(network_run):
    assert list(network_run.validation().rows) == list(range(28))


def test_progress_tells_of_the_epoch_in_hand(network_run):
    progress = network_run.progress()
    assert set(progress["epoch"]) == {2}
    assert progress["batch"].iloc[-1] == network_run.status().batches == 7


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"data.source": "no/such/file.csv"}, "no/such/file.csv"),
        ({"data.split.kind": "usage"}, "Usage"),
    ],
)
def test_run_that_cannot_train_says_why_in_one_sentence(runs, csv, folder, settings, sentence):
    run = runs.create(configure("sgd", csv, **settings))
    assert run_training(run, folder / "cache").returncode == 1
    assert run.state() is State.FAILED
    assert sentence in run.status().reason
    assert "\n" not in run.status().reason


def test_run_stopped_before_its_first_epoch_has_no_model(runs, csv, folder):
    run = runs.create(configure("sgd", csv))
    run.request_stop()
    assert run_training(run, folder / "cache").returncode == 0
    assert run.state() is State.STOPPED
    assert not run.linear_path.exists()
