"""What uneven classes do to the loss and to scores, reckoned by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import save_finished_run

from emotion_core.config import with_settings
from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import evaluate
from emotion_core.imbalance import compare_policies, constant_scores, loss_shares
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, State

COUNTS = dict(zip(EMOTIONS, (10, 1, 10, 50, 10, 9, 10), strict=True))


def counted_labels(counts: dict[str, int]) -> np.ndarray:
    return np.repeat(np.arange(len(EMOTIONS)), list(counts.values()))


# --- the loss ------------------------------------------------------------------------------------------------------


def test_without_weights_the_loss_is_shared_as_the_faces_are():
    assert loss_shares(COUNTS, dict.fromkeys(EMOTIONS, 1.0)) == {name: count / 100 for name, count in COUNTS.items()}


def test_with_balanced_weights_every_emotion_has_the_same_share():
    weights = {name: 100 / (7 * count) for name, count in COUNTS.items()}
    assert list(loss_shares(COUNTS, weights).values()) == pytest.approx([1 / 7] * 7)


def test_no_faces_have_no_loss():
    assert set(loss_shares(dict.fromkeys(EMOTIONS, 0), dict.fromkeys(EMOTIONS, 0.0)).values()) == {0.0}


# --- always the same answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["Happy", "Disgust"])
def test_scores_of_a_constant_answer_are_those_that_the_evaluation_finds(answer):
    labels = counted_labels(COUNTS)
    probabilities = np.tile(np.eye(7)[EMOTIONS.index(answer)], (len(labels), 1))
    expected = evaluate(labels, probabilities)
    scores = constant_scores(COUNTS, answer, "Disgust")
    assert scores.accuracy == pytest.approx(expected.accuracy)
    assert scores.macro_f1 == pytest.approx(expected.macro_f1)
    assert scores.recall == expected.per_class["Disgust"].recall


def test_a_constant_answer_finds_nothing_where_there_is_nothing():
    nothing = constant_scores(dict.fromkeys(EMOTIONS, 0), "Happy", "Happy")
    assert (nothing.accuracy, nothing.macro_f1, nothing.recall) == (0, 0, 0)


# --- runs with and without weights ---------------------------------------------------------------------------------


@pytest.fixture
def runs(runs_folder) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def dataset():
    """What tells one data set from another."""
    return SimpleNamespace(fingerprint="of these faces", name="faces.csv", source="/data/faces.csv")


def save_run(runs: Runs, policy: str, *, preset="dense-5", seed=42, skill=0.5, data="of these faces") -> Run:
    """Save a finished run as it would be with such class weights."""
    run = save_finished_run(runs, preset=preset, seed=seed, skill=skill)
    changes = {"training.class_weights": policy, "data_fingerprint": data}
    return reconfigured(run, changes)


def reconfigured(run: Run, changes: dict[str, str]) -> Run:
    """Return a run as if it had been submitted with other settings."""
    text = with_settings(run.config, changes).model_dump_json()
    (run.folder / "config.json").write_text(text, encoding="utf-8")
    return Run(run.folder)


def test_models_that_differ_in_weights_alone_come_as_a_pair(runs, dataset):
    save_run(runs, "balanced", skill=0.3)
    plain = save_run(runs, "none", skill=0.6)
    save_run(runs, "none", preset="dense-1", skill=0.9)
    (pair,) = compare_policies(runs, dataset, "Disgust")
    assert (pair.policies[0].group.newest.preset, pair.is_pair) == ("dense-5", True)
    assert [part.policy for part in pair.policies] == ["none", "balanced"]
    evaluation = plain.evaluation()
    assert pair.policies[0].scores.accuracy == evaluation.accuracy
    assert pair.policies[0].scores.recall == evaluation.per_class["Disgust"].recall


def test_of_many_pairs_the_three_most_accurate_are_shown(runs, dataset):
    for place, preset in enumerate(("dense-1", "dense-2", "dense-5", "dense-6")):
        for policy in ("none", "balanced"):
            save_run(runs, policy, preset=preset, skill=0.2 + place / 5)
    pairs = compare_policies(runs, dataset, "Disgust")
    assert [pair.policies[0].group.newest.preset for pair in pairs] == ["dense-6", "dense-5", "dense-2"]


def test_seeds_of_a_pair_are_averaged(runs, dataset):
    accuracies = [save_run(runs, "none", seed=seed).evaluation().accuracy for seed in (42, 43)]
    save_run(runs, "balanced")
    (pair,) = compare_policies(runs, dataset, "Disgust")
    assert len(pair.policies[0].group.counted) == 2
    assert pair.policies[0].scores.accuracy == pytest.approx(np.mean(accuracies))


def test_a_seed_counts_once_and_runs_that_are_not_over_count_nothing(runs, dataset):
    once = save_run(runs, "none", skill=0.6)
    save_run(runs, "none", skill=0.2).record(state=State.FAILED)
    save_run(runs, "balanced").record(state=State.FAILED)
    (model,) = compare_policies(runs, dataset, "Disgust")
    assert not model.is_pair
    assert [line.id for line in model.policies[0].group.counted] == [once.id]
    assert model.policies[0].scores.accuracy == once.evaluation().accuracy


def test_without_a_pair_the_best_model_of_each_policy_stands_by_itself(runs, dataset):
    for preset, policy, skill in (("dense-1", "none", 0.2), ("dense-2", "none", 0.7), ("dense-3", "balanced", 0.4)):
        save_run(runs, policy, preset=preset, skill=skill)
    found = compare_policies(runs, dataset, "Disgust")
    assert [comparison.policies[0].group.newest.preset for comparison in found] == ["dense-2", "dense-3"]
    assert not any(comparison.is_pair for comparison in found)


def test_runs_of_other_data_unfinished_and_damaged_ones_are_passed_over(runs, dataset):
    save_run(runs, "none", data="of other faces")
    runs.create(find_preset("dense-5").config)
    (save_run(runs, "none").folder / "config.json").write_text("{half", encoding="utf-8")
    assert compare_policies(runs, dataset, "Disgust") == []


def test_a_run_without_a_digest_of_its_data_is_known_by_the_name_of_its_file(runs, dataset):
    reconfigured(save_run(runs, "none", data=""), {"data.source": r"C:\Users\me\faces.csv"})
    assert len(compare_policies(runs, dataset, "Disgust")) == 1
    dataset.name = "others.csv"
    assert compare_policies(runs, dataset, "Disgust") == []
