"""The runs that ship: whole, small, of no particular machine, and as good as they say."""

import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from emotion_core.classifier import load_classifier
from emotion_core.comparison import group_runs
from emotion_core.coursework import SEEDS
from emotion_core.dataset import load_dataset, read_labels
from emotion_core.evaluation import evaluate
from emotion_core.runs import Run, State, summarise
from emotion_core.sample import draw_sample
from emotion_core.submission import score_predictions

PROJECT = Path(__file__).parent.parent
DATA = PROJECT / "data"


def shipped_runs() -> list[Run]:
    """Return the runs that are under version control; where that cannot be told, all that are here."""
    command = ["git", "ls-files", "trained/*/config.json"]
    with suppress(OSError):
        answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if names := answer.stdout.split():
            return [Run((PROJECT / name).parent) for name in names]
    return [Run(path.parent) for path in sorted((PROJECT / "trained").glob("*/config.json"))]


SHIPPED = shipped_runs()
SERVING = [run for run in SHIPPED if run.onnx_path.exists() or run.linear_path.exists()]
LARGEST = 25_000_000

WEIGHTS_LOST = ("20261128-030740-residual-wide", "20261128-030744-cnn", "20261128-030744-residual-wide-2ddcefd6")
"""Beginnings of the runs that a GPU trained whose weights nobody has: they could be scored while they trained only."""


def named(runs: list[Run]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("run", runs, ids=lambda run: run.id)


@named(SHIPPED)
def test_a_shipped_run_is_whole_and_its_scores_are_those_of_its_probabilities(run):
    evaluation, validation, history = run.evaluation(), run.validation(), run.history()
    assert evaluation is not None
    again = evaluate(validation.labels, validation.probabilities)
    assert again.accuracy == evaluation.accuracy
    assert again.confusion == evaluation.confusion
    assert run.state() in (State.FINISHED, State.STOPPED)
    assert len(history) == run.status().epoch
    kept = history.set_index("epoch").loc[evaluation.best_epoch]
    if run.config.training.keep == "best":
        assert kept["val_loss"] == history["val_loss"].min()
    else:
        assert evaluation.best_epoch == len(history)
    near = 0.02 if run.config.prediction.flip_average else 1e-3  # the curve is of the faces without their mirror images
    assert kept["val_accuracy"] == pytest.approx(evaluation.accuracy, abs=near)


@named([run for run in SHIPPED if not run.id.startswith(WEIGHTS_LOST)])
def test_a_shipped_run_was_scored_on_test_faces(run):
    evaluation = run.evaluation()
    assert evaluation is not None
    assert evaluation.test is not None
    assert (evaluation.test.images, evaluation.test.data) == (3_589, "my_emotion_test.csv")


@named(SHIPPED)
def test_a_shipped_run_names_no_place_of_the_machine_that_trained_it(run):
    assert run.config.data.source == "data/my_emotion_train.csv"
    assert not (run.folder / "checkpoint").exists()
    for name in ("config.json", "status.json", "log.txt"):
        assert "/home" not in (text := (run.folder / name).read_text(encoding="utf-8"))
        assert "/tmp" not in text
        assert "/dev" not in text


@named(SERVING)
@pytest.mark.skipif(not (DATA / "my_emotion_test.csv").exists(), reason="the competition's files are not here")
def test_a_shipped_model_scores_what_its_evaluation_says(run):
    faces = load_dataset(DATA / "my_emotion_test.csv")
    probabilities = load_classifier(run).probabilities(faces.images)
    scores = score_predictions(faces.ids, probabilities, *read_labels(DATA / "my_emotion_test_labels.csv"))
    evaluation = run.evaluation()
    assert evaluation is not None
    assert evaluation.test is not None
    assert scores.accuracy == evaluation.test.accuracy
    assert scores.macro_f1 == evaluation.test.macro_f1


def test_the_coursework_s_table_ships_with_its_seeds():
    groups = {group.newest.preset: group for group in group_runs(map(summarise, SHIPPED)) if group.newest.as_preset}
    assert set(groups) >= set(SEEDS)
    assert {name: groups[name].seeds for name in SEEDS} == SEEDS


def test_every_family_ships_a_model_and_all_together_are_small():
    assert {run.config.model.family for run in SERVING} == {"linear", "dense", "gru", "cnn", "residual"}
    files = [path for run in SHIPPED for path in run.folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < LARGEST


@named(SERVING)
def test_a_shipped_model_tells_faces_apart(run):
    """A model that gives every face the same answer has lost its weights; the misaligned ones know next to nothing."""
    faces = draw_sample()[0][:60]
    probabilities = load_classifier(run).probabilities(faces)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)
    assert probabilities.std(axis=0).max() > (0.015 if run.config.preset == "sgd-misaligned" else 0.05)
