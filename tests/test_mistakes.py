"""Faces behind a cell of the confusion matrix, and the surest mistakes."""

import numpy as np
import pytest

from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.mistakes import Confusion, commonest_confusion, faces_in_cell, mistakes
from emotion_core.runs import Validation

ANGRY, FEAR, HAPPY, SAD = (EMOTIONS.index(name) for name in ("Angry", "Fear", "Happy", "Sad"))


def outcome(*judged: tuple[int, int, float]) -> Validation:
    """Faces by true label, predicted label and confidence; the other emotions share what is left."""
    probabilities = np.array([(1 - sure) / (NUM_EMOTIONS - 1) for _, _, sure in judged])[:, None].repeat(7, axis=1)
    for place, (_, predicted, sure) in enumerate(judged):
        probabilities[place, predicted] = sure
    labels = np.array([true for true, _, _ in judged], np.uint8)
    return Validation(100 + np.arange(len(judged)), labels, probabilities.astype(np.float32))


JUDGED = outcome(
    (FEAR, SAD, 0.5),
    (FEAR, SAD, 0.9),
    (FEAR, FEAR, 0.8),
    (SAD, FEAR, 0.95),
    (FEAR, SAD, 0.7),
    (HAPPY, HAPPY, 0.99),
    (FEAR, HAPPY, 0.6),
)


def test_the_faces_of_a_cell_come_the_surest_first():
    assert faces_in_cell(JUDGED, FEAR, SAD).tolist() == [1, 4, 0]


def test_a_cell_on_the_diagonal_holds_what_was_found():
    assert faces_in_cell(JUDGED, HAPPY, HAPPY).tolist() == [5]


def test_true_and_predicted_are_told_apart():
    assert faces_in_cell(JUDGED, SAD, FEAR).tolist() == [3]


def test_an_empty_cell_has_no_faces():
    assert faces_in_cell(JUDGED, ANGRY, SAD).tolist() == []


def test_equally_sure_faces_keep_the_order_of_the_data_set():
    validation = outcome(*[(FEAR, SAD, 0.5), (FEAR, SAD, 0.75)] * 20)
    assert faces_in_cell(validation, FEAR, SAD).tolist() == [*range(1, 40, 2), *range(0, 40, 2)]


def test_mistakes_come_the_surest_first_and_leave_out_what_was_right():
    assert mistakes(JUDGED).tolist() == [3, 1, 4, 6, 0]


def test_mistakes_on_one_emotion():
    assert mistakes(JUDGED, FEAR).tolist() == [1, 4, 6, 0]
    assert mistakes(JUDGED, HAPPY).tolist() == []


def test_the_cells_divide_the_faces_among_them():
    cells = [faces_in_cell(JUDGED, true, predicted) for true in range(7) for predicted in range(7)]
    assert sorted(np.concatenate(cells).tolist()) == list(range(7))


def confusion(**cells: int) -> list[list[int]]:
    counts = [[0] * NUM_EMOTIONS for _ in EMOTIONS]
    for name, count in cells.items():
        true, predicted = (EMOTIONS.index(part) for part in name.split("_"))
        counts[true][predicted] = count
    return counts


def test_the_commonest_confusion_is_by_share_of_the_true_emotion():
    counts = confusion(Happy_Happy=900, Happy_Sad=100, Disgust_Angry=3, Disgust_Disgust=7)
    assert commonest_confusion(counts) == Confusion(EMOTIONS.index("Disgust"), ANGRY, 3, 0.3)


@pytest.mark.parametrize("counts", [confusion(), confusion(Happy_Happy=5, Sad_Sad=2)])
def test_without_mistakes_there_is_no_commonest_confusion(counts):
    assert commonest_confusion(counts) is None
