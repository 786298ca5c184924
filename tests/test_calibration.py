"""Confidence against accuracy, with values reckoned by hand; and the interval of a measured share."""

import numpy as np
import pytest
from scipy.special import softmax

from emotion_core.calibration import at_temperature, calibrate, fit_temperature
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.intervals import wilson_interval


def judged(*faces: tuple[float, bool]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of faces by confidence and whether it was right; class 0 is always the answer."""
    sure = np.array([confidence for confidence, _ in faces])
    probabilities = ((1 - sure) / (NUM_EMOTIONS - 1))[:, None].repeat(NUM_EMOTIONS, axis=1)
    probabilities[:, 0] = sure
    return np.array([0 if right else 1 for _, right in faces], np.uint8), probabilities


FACES = judged((0.95, True), (0.95, True), (0.85, False), (0.85, True), (0.45, False))


def test_faces_are_counted_by_confidence():
    assert calibrate(*FACES).faces.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 2, 2]


def test_each_bin_has_its_mean_confidence_and_accuracy():
    calibration = calibrate(*FACES)
    assert calibration.confidence[[4, 8, 9]] == pytest.approx([0.45, 0.85, 0.95])
    assert calibration.accuracy[[4, 8, 9]].tolist() == [0, 0.5, 1]


def test_the_calibration_error_is_the_mean_gap_by_faces():
    # 2/5 * |1 - 0.95| + 2/5 * |0.5 - 0.85| + 1/5 * |0 - 0.45|
    assert calibrate(*FACES).error == pytest.approx(0.02 + 0.14 + 0.09)


def test_means_are_over_faces_not_over_bins():
    calibration = calibrate(*FACES)
    assert calibration.mean_confidence == pytest.approx((0.95 + 0.95 + 0.85 + 0.85 + 0.45) / 5)
    assert calibration.mean_accuracy == pytest.approx(3 / 5)


def test_the_most_telling_bin_adds_most_to_the_error():
    assert calibrate(*FACES).most_telling == 8


def test_of_a_model_without_any_error_the_bin_with_most_faces_is_told():
    perfect = calibrate(*judged(*[(1.0, True)] * 3))
    assert (perfect.error, perfect.faces[perfect.most_telling]) == (0, 3)


def test_a_model_that_is_as_often_right_as_it_says_has_no_error():
    calibration = calibrate(*judged(*[(0.75, True)] * 3, (0.75, False)))
    assert calibration.error == pytest.approx(0)


def test_a_model_that_is_always_sure_and_always_wrong_has_the_largest_error():
    assert calibrate(*judged(*[(1.0, False)] * 3)).error == 1


@pytest.mark.parametrize(("confidence", "number"), [(0.5, 0), (0.5000001, 1), (1.0, 1)])
def test_a_bin_holds_its_upper_end_and_not_its_lower(confidence, number):
    assert calibrate(*judged((confidence, True)), bins=2).faces.argmax() == number


# Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3
@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_agrees_with_published_values(right, count, low, high):
    assert wilson_interval(right / count, count) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_stays_within_0_and_1():
    assert wilson_interval(1.0, 3)[1] == 1


# --- temperature --------------------------------------------------------------------------------------------------


def test_temperature_undoes_what_made_a_model_too_sure():
    rng = np.random.default_rng(0)
    honest = softmax(rng.normal(0, 1.5, (20_000, 7)), axis=1)
    labels = np.array([rng.choice(7, p=row) for row in honest])
    too_sure = softmax(3 * np.log(honest), axis=1)
    temperature = fit_temperature(labels, np.log(too_sure))
    assert temperature == pytest.approx(3, rel=0.03)
    np.testing.assert_allclose(at_temperature(too_sure, temperature), honest, atol=0.02)
    assert calibrate(labels, too_sure).error > 0.2
    assert calibrate(labels, at_temperature(too_sure, temperature)).error < 0.01


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_temperature_is_found_however_large_the_scores_are(scale):
    """As those of a linear model that is hardly regularised."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (20_000, 7))
    labels = np.array([rng.choice(7, p=row) for row in softmax(logits, axis=1)])
    assert fit_temperature(labels, scale * logits) == pytest.approx(scale, rel=0.03)


def test_a_temperature_of_one_changes_nothing_and_any_keeps_the_order():
    probabilities = softmax(np.random.default_rng(0).normal(0, 3, (50, 7)), axis=1).astype(np.float32)
    np.testing.assert_allclose(at_temperature(probabilities, 1.0), probabilities, atol=1e-6)
    for temperature in (0.3, 4.0):
        changed = at_temperature(probabilities, temperature)
        np.testing.assert_allclose(changed.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(changed.argsort(axis=1), probabilities.argsort(axis=1))


def test_a_probability_of_nothing_does_no_harm():
    certain = np.array([[1, 0, 0, 0, 0, 0, 0]], np.float32)
    for temperature in (0.05, 1.0, 20.0):
        assert np.isfinite(at_temperature(certain, temperature)).all()
