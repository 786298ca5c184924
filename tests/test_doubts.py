"""Which labels a model doubts, and which run is asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import save_finished_run
from planted_faces import save_judge

from emotion_core.config import MisalignedSplit
from emotion_core.dataset import Dataset, load_dataset
from emotion_core.doubts import doubt_labels, find_judge
from emotion_core.runs import Runs

PROBABILITIES = np.array(
    [
        [0.9, 0.1, 0, 0, 0, 0, 0],
        [0.8, 0.2, 0, 0, 0, 0, 0],
        [0.1, 0.9, 0, 0, 0, 0, 0],
        [0.3, 0.7, 0, 0, 0, 0, 0],
        [0.1, 0.9, 0, 0, 0, 0, 0],
    ],
    np.float32,
)
"""Usual self-confidence: (0.9 + 0.8 + 0.1) / 3 = 0.6 of faces labelled 0, (0.7 + 0.9) / 2 = 0.8 of those labelled 1."""

LABELS = np.array([0, 0, 0, 1, 1], np.uint8)


def test_the_label_that_a_model_finds_least_probable_comes_first():
    doubts = doubt_labels(LABELS, PROBABILITIES, np.array([30, 31, 32, 33, 34]))
    assert doubts.rows.tolist() == [32, 33, 31, 30, 34]
    np.testing.assert_allclose(doubts.self_confidence, [0.1, 0.7, 0.8, 0.9, 0.9])
    assert doubts.suggested.tolist() == [1, 1, 0, 0, 1]
    np.testing.assert_allclose(doubts.confidence, [0.9, 0.7, 0.8, 0.9, 0.9])
    assert doubts.is_suspect.tolist() == [True, False, False, False, False]


def test_an_emotion_is_not_suspected_below_its_usual_confidence():
    hesitant = PROBABILITIES.copy()
    hesitant[2, :2] = 0.25, 0.75  # under the 0.8 that faces labelled 1 usually get
    doubts = doubt_labels(LABELS, hesitant)
    assert doubts.rows[0] == 2
    assert doubts.suggested[0] == 1
    assert not doubts.is_suspect.any()


def test_a_label_as_sure_as_usual_is_not_suspected_though_another_is_likelier_but_unsure():
    probabilities = np.zeros((4, 7), np.float32)
    probabilities[:, :2] = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.55, 0.45]]
    doubts = doubt_labels(np.array([0, 0, 1, 1], np.uint8), probabilities)
    assert doubts.rows.tolist() == [2, 3, 1, 0]
    assert doubts.suggested.tolist() == [0, 0, 0, 0]
    assert not doubts.is_suspect.any()


def test_a_label_is_suspected_where_another_emotion_is_just_as_sure_as_usual():
    probabilities = np.zeros((2, 7), np.float32)
    probabilities[:, :3] = [[0.25, 0.5, 0.25], [0.125, 0.5, 0.375]]
    assert doubt_labels(np.array([0, 1], np.uint8), probabilities).is_suspect.tolist() == [True, False]


@pytest.mark.parametrize(
    ("probabilities", "rows"), [(PROBABILITIES[:4], None), (PROBABILITIES[:, :6], None), (PROBABILITIES, np.arange(4))]
)
def test_doubts_need_a_line_of_probabilities_for_each_label(probabilities: np.ndarray, rows: np.ndarray | None):
    with pytest.raises(ValueError, match=r"5 labels need probabilities \(5, 7\)"):
        doubt_labels(LABELS, probabilities, rows)


@pytest.fixture
def faces(faces_csv: Path) -> Dataset:
    """70 faces, labelled 0 to 6 in turn."""
    return load_dataset(faces_csv)


def test_the_first_run_that_was_validated_on_these_faces_judges_them(runs_folder: Path, faces: Dataset):
    runs = Runs(runs_folder)
    stranger = save_finished_run(runs)  # of 210 other faces
    first, second = save_judge(runs, faces), save_judge(runs, faces)
    judge = find_judge([stranger, second, first], faces)
    assert judge is not None
    assert judge.run is second
    assert judge.validation.labels.tolist() == faces.labels[judge.validation.rows].tolist()


@pytest.mark.parametrize(
    "settings",
    [{"data_fingerprint": "of other faces"}, {"data.split": MisalignedSplit()}],
    ids=["other faces", "labels that are not their own"],
)
def test_a_run_that_learnt_something_else_does_not_judge(runs_folder: Path, faces: Dataset, settings: dict[str, Any]):
    assert find_judge([save_judge(Runs(runs_folder), faces, settings)], faces) is None


def test_a_run_whose_answers_are_lost_is_passed_over(runs_folder: Path, faces: Dataset):
    lost, whole = save_judge(Runs(runs_folder), faces), save_judge(Runs(runs_folder), faces)
    (lost.folder / "validation.npz").write_bytes(b"half")
    judge = find_judge([lost, whole], faces)
    assert judge is not None
    assert judge.run is whole


def test_faces_without_labels_have_no_judge(runs_folder: Path, faces: Dataset):
    assert find_judge([save_judge(Runs(runs_folder), faces)], replace(faces, labels=None)) is None
