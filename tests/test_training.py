"""The training process itself, started as the engine starts it."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from emotion_core.config import RunConfig, with_settings
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.presets import find_preset
from emotion_core.runs import HISTORY_COLUMNS, Run, Runs, State, summarise

PROJECT = Path(__file__).parent.parent

INSTALLED_BACKENDS = [
    pytest.param(backend, marks=pytest.mark.tensorflow)
    for backend in ("tensorflow", "jax", "torch")
    if importlib.util.find_spec(backend)
]

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
    params=INSTALLED_BACKENDS,
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


# --- going on -----------------------------------------------------------------------------------------------------


def queue_again(run: Run) -> None:
    """Make a run that is over wait again, as the engine does."""
    run.clear_requests()
    run.record(state=State.QUEUED)


def stop_after(epochs: int, run: Run, folder: Path, environment: dict[str, str]) -> None:
    """Train a run that is asked to stop as soon as it has done some epochs."""
    command = [sys.executable, "-c", TRAINER_THAT_IS_STOPPED, str(run.folder), str(epochs)]
    variables = os.environ | {"EMOTION_CACHE": str(folder / "cache")} | environment
    assert subprocess.run(command, cwd=PROJECT, env=variables, timeout=240, check=False).returncode == 0
    assert run.state() is State.STOPPED
    assert run.status().epoch == epochs


TRAINER_THAT_IS_STOPPED = """
import runpy, sys
from pathlib import Path
from emotion_core.recorder import Recorder
from emotion_core.runs import Run

folder, epochs = sys.argv[1], int(sys.argv.pop())
save = Recorder.save

def save_and_ask_to_stop(recorder, *given):
    save(recorder, *given)
    if recorder.standing.epoch == epochs:
        Run(Path(folder)).request_stop()

Recorder.save = save_and_ask_to_stop
runpy.run_module("emotion_core.training", run_name="__main__")
"""


def scores_of(run: Run) -> list[list[float]]:
    return run.history().drop(columns="seconds").to_numpy().tolist()


def assert_same_outcome(run: Run, other: Run) -> None:
    """Check that two runs have the same curves, the same probabilities and go on from the same numbers, bit for bit."""
    np.testing.assert_array_equal(scores_of(run), scores_of(other))
    np.testing.assert_array_equal(run.validation().probabilities, other.validation().probabilities)
    ours, theirs = run.checkpoints.latest(), other.checkpoints.latest()
    assert ours.epoch == theirs.epoch
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, array in ours.arrays.items():
        np.testing.assert_array_equal(array, theirs.arrays[name])
    assert (run.evaluation().best_epoch, run.evaluation().accuracy) == (
        other.evaluation().best_epoch,
        other.evaluation().accuracy,
    )


def test_a_linear_run_of_many_sittings_is_that_of_one(runs, csv, folder, linear_run):
    run = runs.create(linear_run.config)
    for epochs in (3, 4, linear_run.config.training.epochs):
        run.set_epochs(epochs)
        queue_again(run)
        assert run_training(run, folder / "cache").returncode == 0
    assert_same_outcome(run, linear_run)
    assert run.evaluation().seconds == pytest.approx(run.status().seconds, abs=1)


EXACT_CNN = SMALL_CNN | {
    "augmentation.rotation": 10,
    "augmentation.horizontal_flip": True,
    "device.deterministic": True,
    "device.kind": "cpu",
    "model.blocks": [{"convolutions": [{"filters": 4}], "batch_norm": "convolution", "dropout": 0.3}],
    "training.epochs": 12,  # long enough to be stopped in time
    "training.schedule": {"kind": "plateau", "rate": 0.05, "patience": 1, "factor": 0.5},
}


@pytest.fixture(
    scope="module",
    params=INSTALLED_BACKENDS,
)
def exact_run(request, runs, csv, folder):
    """A network with everything random in it, trained in one go with exact operations on the processor."""
    run = runs.create(configure("cnn-small", csv, **EXACT_CNN))
    answer = run_training(run, folder / "cache", KERAS_BACKEND=request.param, CUDA_VISIBLE_DEVICES="-1")
    assert answer.returncode == 0, answer.stderr
    return run


def test_a_network_that_was_stopped_and_resumed_is_bit_for_bit_one_that_never_was(exact_run, runs, folder):
    run = runs.create(exact_run.config)
    environment = {"KERAS_BACKEND": exact_run.status().backend, "CUDA_VISIBLE_DEVICES": "-1"}
    stop_after(2, run, folder, environment)
    queue_again(run)
    assert run_training(run, folder / "cache", **environment).returncode == 0
    assert run.state() is State.FINISHED
    assert_same_outcome(run, exact_run)


MODERN = {
    "augmentation.blur": 0.5,
    "augmentation.brightness": 0.2,
    "augmentation.erasing": 0.2,
    "device.deterministic": True,
    "device.kind": "cpu",
    "model.stem_filters": 4,
    "model.stages": [{"filters": 4}, {"filters": 8}],
    "training.batch_size": 16,
    "training.epochs": 6,
    "training.first_side": 32,
    "training.keep": "last",
    "training.mixup": 0.2,
    "training.schedule.rate": 0.1,
    "training.weight_average": 0.8,
}


@pytest.fixture(scope="module", params=INSTALLED_BACKENDS)
def modern_run(request, runs, csv, folder, linear_run):
    """A residual network with everything that the flagship's recipe has, and more, trained in one go."""
    teachers = {"training.teachers": [linear_run.id], "training.teacher_share": 0.5}
    run = runs.create(configure("residual", csv, **MODERN, **teachers))
    answer = run_training(run, folder / "cache", KERAS_BACKEND=request.param, CUDA_VISIBLE_DEVICES="-1")
    assert answer.returncode == 0, answer.stderr
    return run


def test_a_modern_run_serves_averaged_and_calibrated_what_it_was_scored_with(modern_run):
    from emotion_core.classifier import load_classifier
    from emotion_core.dataset import load_dataset

    assert_whole(modern_run, epochs=6)
    assert modern_run.evaluation().best_epoch == 6
    assert modern_run.evaluation().temperature not in (0, 1)
    validation = modern_run.validation()
    faces = load_dataset(modern_run.config.data.source).images[validation.rows]
    classifier = load_classifier(modern_run)
    np.testing.assert_allclose(classifier.probabilities(faces), validation.probabilities, atol=2e-3)
    mirrored = classifier.probabilities(np.ascontiguousarray(faces[:, :, ::-1]))
    np.testing.assert_allclose(mirrored, validation.probabilities, atol=2e-3)


def test_a_network_answers_on_the_device_that_trains_as_it_serves(modern_run):
    from concurrent.futures import ThreadPoolExecutor

    from emotion_core.classifier import load_classifier
    from emotion_core.trainers.network_classifier import NetworkClassifier

    faces = np.random.default_rng(0).integers(0, 256, (24, 48, 48), dtype=np.uint8)
    network = NetworkClassifier(modern_run)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(network.probabilities, np.split(faces, 8)))
    np.testing.assert_allclose(np.concatenate(answers), load_classifier(modern_run).probabilities(faces), atol=1e-4)


def test_where_a_converter_fails_no_serving_copy_of_an_earlier_epoch_is_left(modern_run, tmp_path, monkeypatch):
    from emotion_core import export
    from emotion_core.trainers.network import _export

    def fail(*arguments):
        raise TypeError("no such operation")

    run = Run(Path(shutil.copytree(modern_run.folder, tmp_path / modern_run.id)))
    monkeypatch.setattr(export, "_write_onnx", fail)
    assert "no such operation" in _export(run, 1.0)
    assert not run.onnx_path.exists()
    assert not list(run.folder.glob(".*"))


def test_a_serving_copy_unfolds_to_the_network_that_it_serves(modern_run):
    import keras

    from emotion_core.models.unfolded import unfold_network
    from emotion_core.onnx_network import OnnxNetwork

    faces = np.random.default_rng(0).random((40, 48, 48, 1), dtype=np.float32)
    network = unfold_network(modern_run, faces[:24])
    expected = OnnxNetwork(modern_run.onnx_path)(faces)
    np.testing.assert_allclose(network.predict(faces, verbose=0), expected, atol=1e-4)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    learning = np.asarray(network(faces[:24], training=True))  # by the statistics of the batch, which are the same
    np.testing.assert_allclose(learning, expected[:24], atol=1e-3)


def on_either_side(run: Run, runs: Runs) -> list[str]:
    """Save two runs whose weights have those of a run between them, and return their ids."""
    from emotion_core.models.saved import load_network, save_network

    network, sides = load_network(run), []
    middle = network.get_weights()
    steps = [0.3 * np.random.default_rng(0).standard_normal(array.shape) * array.std() for array in middle]
    for sign in (1, -1):
        side = runs.create(with_settings(run.config, {"training.start_from": run.id}))
        network.set_weights([array + sign * step for array, step in zip(middle, steps, strict=True)])
        save_network(network, side)
        sides.append(side.id)
    return sides


@pytest.mark.parametrize("start", ["a serving copy", "two networks"])
def test_a_fine_tuned_run_begins_with_the_weights_of_another_or_their_mean(modern_run, csv, folder, tmp_path, start):
    import shutil

    from emotion_core.classifier import load_classifier

    elsewhere = Runs(tmp_path / "runs")
    if start == "two networks":
        start_from = on_either_side(modern_run, elsewhere)
    else:
        shutil.copytree(modern_run.folder, elsewhere.folder / modern_run.id, ignore=shutil.ignore_patterns("*.keras"))
        start_from = [modern_run.id]
    slowly = {"training.schedule.kind": "constant", "training.schedule.rate": 1e-9}
    gently = {**slowly, "training.weight_average": None}
    once = {"training.start_from": start_from, "training.epochs": 1, "training.first_side": None}
    run = elsewhere.create(configure("residual", csv, **MODERN | gently | once))
    backend = modern_run.status().backend
    answer = run_training(run, folder / "cache", KERAS_BACKEND=backend, CUDA_VISIBLE_DEVICES="-1")
    assert answer.returncode == 0, answer.stderr
    faces = np.random.default_rng(0).integers(0, 256, (50, 48, 48), dtype=np.uint8)
    ours, theirs = (load_classifier(each).probabilities(faces) for each in (run, modern_run))
    # All but the batch statistics stay where they were.
    assert np.corrcoef(np.log(ours).ravel(), np.log(theirs).ravel())[0, 1] > 0.9


def test_a_network_that_travelled_serves_again_once_its_serving_copy_is_made(modern_run, tmp_path):
    from emotion_core.archive import pack, unpack, why_not_prepared
    from emotion_core.classifier import load_classifier

    pack(modern_run, tmp_path / "run.zip")
    incoming = unpack(tmp_path / "run.zip", Runs(tmp_path / "elsewhere"))
    assert not summarise(incoming).has_model
    deadline = time.monotonic() + 240
    while not incoming.onnx_path.exists() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert incoming.onnx_path.exists(), why_not_prepared(incoming)
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48), dtype=np.uint8)
    expected, found = (load_classifier(each).probabilities(faces) for each in (modern_run, incoming))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("first_epochs", [1, 3])
def test_a_modern_run_of_two_sittings_is_that_of_one(modern_run, runs, folder, first_epochs):
    """Resumed within the epochs of one side, and where the side of the images changes."""
    run = runs.create(modern_run.config)
    environment = {"KERAS_BACKEND": modern_run.status().backend, "CUDA_VISIBLE_DEVICES": "-1"}
    stop_after(first_epochs, run, folder, environment)
    queue_again(run)
    assert run_training(run, folder / "cache", **environment).returncode == 0
    assert_same_outcome(run, modern_run)


def test_a_finished_run_with_more_epochs_goes_on_where_it_ended(linear_run, runs, csv, folder):
    run = runs.create(configure("sgd", csv, **{"training.epochs": 2}))
    run_training(run, folder / "cache")
    first = scores_of(run)
    run.set_epochs(4)
    queue_again(run)
    run_training(run, folder / "cache")
    np.testing.assert_array_equal(scores_of(run)[:2], first)
    np.testing.assert_array_equal(scores_of(run), scores_of(linear_run)[:4])


def test_a_run_resumed_after_its_last_epoch_only_writes_what_was_missing(runs, csv, folder):
    run = runs.create(configure("sgd", csv, **{"training.epochs": 2}))
    run_training(run, folder / "cache")
    before = run.evaluation()
    for path in (run.linear_path, run.folder / "evaluation.json"):
        path.unlink()
    queue_again(run)
    run_training(run, folder / "cache")
    assert run.linear_path.exists()
    assert (run.evaluation().accuracy, run.evaluation().best_epoch) == (before.accuracy, before.best_epoch)


def test_a_run_whose_checkpoint_cannot_be_read_keeps_its_results_and_says_so(runs, csv, folder):
    run = runs.create(configure("sgd", csv, **{"training.epochs": 2}))
    run_training(run, folder / "cache")
    before, scored = run.history(), run.evaluation()
    (checkpoint,) = (run.folder / "checkpoint").glob("*.npz")
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    run.set_epochs(5)
    queue_again(run)
    run_training(run, folder / "cache")
    assert run.state() is State.FAILED
    assert "Its checkpoint cannot be read, so this run cannot go on." in run.status().reason
    assert run.history().equals(before)
    assert run.evaluation() == scored


def test_a_run_refuses_other_faces_than_it_was_submitted_with(runs, csv, folder):
    from emotion_core.dataset import load_dataset

    other = write_faces(folder / "other.csv", count=150)
    was, now = load_dataset(csv).fingerprint, load_dataset(other).fingerprint
    run = runs.create(configure("sgd", other, data_fingerprint=was))
    assert run_training(run, folder / "cache").returncode == 1
    assert run.state() is State.FAILED
    for said in ("other.csv has changed", was[:12], now[:12]):
        assert said in run.status().reason
    assert not len(run.history())
