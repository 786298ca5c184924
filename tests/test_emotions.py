"""Labels, names and colours."""

import re

import pytest

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS, NUM_EMOTIONS, label_of


def test_labels_stand_in_the_order_of_fer_2013():
    assert EMOTIONS == ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
    assert NUM_EMOTIONS == 7


def test_every_emotion_has_a_colour_of_its_own():
    assert list(EMOTION_COLOURS) == list(EMOTIONS)
    assert len(set(EMOTION_COLOURS.values())) == NUM_EMOTIONS
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in EMOTION_COLOURS.values())


@pytest.mark.parametrize("label", range(NUM_EMOTIONS))
def test_a_number_and_a_name_in_any_case_mean_the_same_label(label):
    name = EMOTIONS[label]
    assert [label_of(text) for text in (str(label), name, name.upper(), f" {name.lower()} ")] == [label] * 4


@pytest.mark.parametrize(
    ("text", "label"), [("anger", 0), ("disgusted", 1), ("fearful", 2), ("happiness", 3), ("sadness", 4)]
)
def test_usual_other_names_are_known(text, label):
    assert label_of(text) == label


@pytest.mark.parametrize("text", ["7", "-1", "3.0", "", "contempt", "1e0", "99999999999999999999"])
def test_what_is_no_emotion_is_none(text):
    assert label_of(text) is None
