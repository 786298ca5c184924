"""Figures of the Augment page."""

import re

import numpy as np
import pytest

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.variants import Effect, summarise_pixels
from ui.augment_charts import PATCH, Card, Stage, Strip, cards, histogram, renamed, sentence, spread, stages, strips


def effect(answer: str, *variants: str) -> Effect:
    rows = np.full((1 + len(variants), 7), 0.05, np.float32)
    rows[np.arange(len(rows)), [EMOTIONS.index(emotion) for emotion in (answer, *variants)]] = 0.7
    return Effect(rows[0], rows[1:])


@pytest.mark.parametrize(
    ("variants", "true", "words"),
    [
        (["Happy"] * 3, None, "3 of 3 variants keep Happy."),
        (["Happy", "Sad"], "Happy", "1 of 2 variants keep Happy; 1 becomes Sad. That is its label."),
        (["Sad", "Sad", "Fear"], "Fear", "0 of 3 variants keep Happy; 2 become Sad, 1 Fear. Its label is Fear."),
    ],
)
def test_the_sentence_counts_what_variants_become(variants: list[str], true: str | None, words: str):
    assert re.sub("<[^>]+>", "", sentence(effect("Happy", *variants), true)) == words


def test_each_emotion_has_a_bar_and_a_dot_for_each_variant():
    figure = spread(effect("Happy", *["Sad"] * 9))
    assert figure.count('role="img"') == 7
    for emotion in EMOTIONS:
        assert figure.count(f"{EMOTION_COLOURS[emotion]} 3px") == 9
    assert "Happy: 70% for the face, 5% to 5% for its variants" in figure


def test_only_so_many_changed_variants_are_shown():
    figure = renamed(effect("Happy", "Sad", "Happy", "Sad", "Fear"), ["a", "b", "c", "d"], 2)
    assert re.findall('src="(.)"', figure) == ["a", "c"]
    assert "Sad 70%" in re.sub("<[^>]+>", "", figure)


def test_the_fullest_bin_is_as_high_as_the_figure():
    assert re.findall(r"height:([\d.]+)%", histogram([5, 10, 0], ["0", "1"], "alt")) == ["50.0", "100.0", "0.0"]


def test_a_histogram_of_nothing_is_flat():
    assert re.findall(r"height:([\d.]+)%", histogram([0, 0, 0], [], "alt")) == ["0.0", "0.0", "0.0"]


def test_names_and_numbers_stand_with_their_figures():
    assert "up to 30°" in strips([Strip("Rotation", "up to 30°", ["x"], ["−12°"])])
    figure = cards([Card("Zoom", "90% to 110%", "below 100%: nearer", [1, 2, 3], ["50%", "150%"])])
    assert all(words in figure for words in ("Zoom", "90% to 110%", "below 100%: nearer", "150%"))


def test_the_frame_lies_around_the_pixels_that_are_written_as_numbers():
    summary = summarise_pixels(np.zeros((48, 48)), 255)
    stage = Stage("Gray", "", "x", [["1"]], summary, ("0", "255"), 0)
    (frame,) = re.findall(r"position:absolute;([^\"]*)outline", stages([stage]))
    place = dict(re.findall(r"(top|left|width|height):([\d.]+)%", frame))
    rows, columns = PATCH
    assert float(place["top"]) == pytest.approx(100 * rows.start / 48, abs=0.01)
    assert float(place["height"]) == pytest.approx(100 * len(range(48)[rows]) / 48, abs=0.01)
    assert float(place["width"]) == pytest.approx(100 * len(range(48)[columns]) / 48, abs=0.01)
