import sys

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from emotion_core import intervals
from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import evaluate, log_loss
from emotion_core.intervals import macro_f1_interval


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


def test_intervals_hold_the_scores_and_are_narrower_on_more_faces():
    labels = np.repeat(np.arange(7), 30)
    predictions = np.where(np.arange(len(labels)) % 3, labels, (labels + 1) % 7)
    few, many = (evaluate(np.tile(labels, times), one_hot(np.tile(predictions, times))) for times in (1, 16))
    assert few.macro_f1 == pytest.approx(many.macro_f1)
    for scores in (few, many):
        for score, (low, high) in (
            (scores.accuracy, scores.accuracy_interval()),
            (scores.macro_f1, scores.macro_f1_interval()),
        ):
            assert low < score < high
    widths = [high - low for low, high in (few.macro_f1_interval(), many.macro_f1_interval())]
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.1)


def test_the_interval_of_macro_f1_holds_the_truth_about_as_often_as_it_says():
    """Samples from a population whose macro-F1 is known: 95 % of the intervals should hold it."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(7), size=7) * 0.06 + np.eye(7) * 0.08
    shares /= shares.sum()
    hits = shares.diagonal()
    truth = (2 * hits / (shares.sum(axis=0) + shares.sum(axis=1))).mean()
    samples = rng.multinomial(1000, shares.ravel(), size=200).reshape(-1, 7, 7)
    held = [low <= truth <= high for low, high in map(macro_f1_interval, samples)]
    assert 0.9 < np.mean(held) < 0.99


def test_the_interval_of_macro_f1_is_the_same_each_time_and_knows_nothing_of_no_faces():
    confusion = (np.eye(7, dtype=int) * 5 + 1).tolist()
    first = macro_f1_interval(confusion)
    intervals._bootstrap.cache_clear()
    assert macro_f1_interval(confusion) == first
    assert macro_f1_interval(np.zeros((7, 7), int).tolist()) == (0.0, 1.0)
