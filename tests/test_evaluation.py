import sys

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import evaluate, log_loss


def one_hot(predictions):
    return np.eye(7)[predictions]


def test_scores_of_a_small_case_reckoned_by_hand():
    labels = np.array([0, 0, 0, 3, 3, 6])
    evaluation = evaluate(labels, one_hot([0, 0, 3, 3, 3, 0]))
    assert evaluation.images == 6
    assert evaluation.accuracy == pytest.approx(4 / 6)
    angry, happy, neutral = (evaluation.per_class[name] for name in ("Angry", "Happy", "Neutral"))
    assert (angry.precision, angry.recall, angry.f1, angry.support) == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
    assert (happy.precision, happy.recall, happy.f1, happy.support) == pytest.approx((2 / 3, 1, 0.8, 2))
    assert (neutral.precision, neutral.recall, neutral.f1, neutral.support) == (0, 0, 0, 1)
    assert evaluation.macro_f1 == pytest.approx((2 / 3 + 0.8) / 7)
    assert evaluation.confusion[0] == [2, 0, 0, 1, 0, 0, 0]
    assert evaluation.confusion[6] == [1, 0, 0, 0, 0, 0, 0]
    assert np.sum(evaluation.confusion) == 6


def test_every_emotion_is_scored_even_when_absent():
    evaluation = evaluate(np.array([3]), one_hot([3]))
    assert tuple(evaluation.per_class) == EMOTIONS
    assert np.shape(evaluation.confusion) == (7, 7)


@pytest.mark.parametrize("classes", [1, 3, 7])
def test_scores_are_those_of_scikit_learn_which_is_too_slow_to_import_for_them(classes, monkeypatch):
    rng = np.random.default_rng(classes)
    labels, predictions = rng.integers(0, classes, 200).astype(np.uint8), rng.integers(0, 7, 200)
    each = precision_recall_fscore_support(labels, predictions, labels=range(7), zero_division=0)
    confusion = confusion_matrix(labels, predictions, labels=range(7)).tolist()
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    evaluation = evaluate(labels, one_hot(predictions))
    scores = [(score.precision, score.recall, score.f1, score.support) for score in evaluation.per_class.values()]
    assert scores == list(zip(*each, strict=True))
    assert evaluation.confusion == confusion


def test_log_loss_is_the_mean_surprise_and_stays_finite():
    probabilities = np.array([[0.5, 0.5, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]])
    assert log_loss(np.array([0, 0]), probabilities) == pytest.approx(np.log(2) / 2)
    assert log_loss(np.array([6]), one_hot([0])) == pytest.approx(-np.log(1e-7))
