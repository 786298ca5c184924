"""The reliability diagram, and what it says in a sentence."""

import numpy as np
import pytest

from emotion_core.calibration import Calibration
from ui import reliability


def calibration(*bins: tuple[int, float, float]) -> Calibration:
    """Bins of so many faces with mean confidence and accuracy."""
    faces, confidence, accuracy = zip(*bins, strict=True)
    return Calibration(np.array(faces), np.array(confidence), np.array(accuracy))


TWO = calibration((30, 0.4, 0.38), (10, 0.8, 0.71))


def test_bins_without_faces_are_left_out():
    points = reliability.reliability_points(calibration((0, 0, 0), (3, 0.4, 0.5), (0, 0, 0), (1, 0.9, 1)))
    assert points[["low", "high", "accuracy", "faces"]].values.tolist() == [[0.25, 0.5, 0.5, 3], [0.75, 1, 1, 1]]


def test_the_sentence_tells_of_the_bin_that_adds_most_to_the_error():
    sentence = "When it says 80%, it is right 71% of the time (10 faces)."
    assert reliability.most_telling_sentence(TWO) == sentence


def test_a_single_face_is_one_face():
    assert "(1 face)" in reliability.most_telling_sentence(calibration((1, 0.8, 0.0)))


@pytest.mark.parametrize(
    ("confidence", "accuracy", "verdict"),
    [
        (0.8, 0.7, "overconfident by 10 points"),
        (0.5, 0.65, "underconfident by 15 points"),
        (0.61, 0.6, "about as sure as it should be"),
        (0.63, 0.6, "overconfident by 3 points"),
        (0.6049, 0.5951, "about as sure as it should be"),
        (0.3402, 0.3226, "overconfident by 2 points"),  # 34% less 32%, as the others
        (0.4471, 0.4245, "overconfident by 3 points"),  # 45% less 42%, as it says itself
        (0.2849, 0.3351, "underconfident by 6 points"),  # 34% less 28%
    ],
)
def test_a_model_is_too_sure_or_too_modest_or_neither(confidence, accuracy, verdict):
    assert reliability.overall_sentence(calibration((10_000, confidence, accuracy))).endswith(f"it is {verdict}.")


@pytest.mark.parametrize(
    ("faces", "verdict"),
    [(14, "about as sure as it should be, as far as 14 faces can tell"), (1_400, "overconfident by 13 points")],
)
def test_a_few_faces_do_not_tell_whether_a_model_is_too_sure(faces, verdict):
    assert reliability.overall_sentence(calibration((faces, 0.63, 0.5))).endswith(f"it is {verdict}.")


def test_what_is_drawn_is_in_the_points():
    chart = reliability.reliability_chart()
    made = {step["as"] for step in chart["transform"]}
    drawn = {
        channel["field"]
        for layer in chart["layer"]
        if "data" not in layer
        for channel in layer["encoding"].values()
        if "field" in channel
    }
    assert drawn - made <= set(reliability.reliability_points(TWO).columns)


@pytest.mark.parametrize(("temperature", "was"), [(1.4, "overconfident"), (0.7, "underconfident")])
def test_what_calibration_did_is_said_with_its_temperature(temperature, was):
    sentence = reliability.temperature_sentence(temperature)
    assert f"Before calibration it was {was}" in sentence
    assert f"temperature of {temperature:.2f}" in sentence


def test_nothing_is_said_of_calibration_where_there_was_none():
    assert not reliability.temperature_sentence(1.0)
