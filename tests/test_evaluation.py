import numpy as np
import pytest

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


def test_log_loss_is_the_mean_surprise_and_stays_finite():
    probabilities = np.array([[0.5, 0.5, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]])
    assert log_loss(np.array([0, 0]), probabilities) == pytest.approx(np.log(2) / 2)
    assert log_loss(np.array([6]), one_hot([0])) == pytest.approx(-np.log(1e-7))
