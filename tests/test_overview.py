"""A look over a data set: counts, weights and which faces to show."""

import numpy as np
import pytest

from emotion_core.config import with_settings
from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.overview import WEIGHT_POLICIES, emotions_not_validated, look_over, row_after, rows_of
from emotion_core.presets import find_preset

LABELS = np.array([3] * 60 + [1] * 20 + [0, 2, 4, 5, 6] * 4, np.uint8)


def dataset(labels: np.ndarray | None = LABELS, usage: np.ndarray | None = None) -> Dataset:
    count = 100 if labels is None else len(labels)
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=np.zeros((count, 48, 48), np.uint8),
        labels=labels,
        ids=np.arange(count).astype(str),
        usage=usage,
        problems=(),
        fingerprint="",
    )


def test_first_fifth_of_a_small_set_validates():
    overview = look_over(dataset())
    assert overview.validation == dict.fromkeys(EMOTIONS, 0) | {"Happy": 20}
    assert sum(overview.training.values()) == 80
    assert not any(overview.held_back.values())


@pytest.mark.parametrize(
    ("split", "missing"),
    [
        ({"kind": "first_rows"}, ["Fear", "Happy", "Sad", "Surprise", "Neutral"]),
        ({"kind": "random", "share": 0.5}, []),
    ],
)
def test_emotions_that_are_learnt_and_not_validated_are_named(split: dict[str, object], missing: list[str]):
    config = with_settings(find_preset("sgd").config, {"data.split": split})
    assert emotions_not_validated(dataset(np.sort(np.arange(100) % 7).astype(np.uint8)), config) == missing


def test_an_emotion_that_is_not_learnt_is_not_missed():
    labels = np.repeat([EMOTIONS.index("Happy"), EMOTIONS.index("Sad")], [60, 40]).astype(np.uint8)
    assert emotions_not_validated(dataset(labels), find_preset("dense-5").config) == ["Sad"]


def test_largest_smallest_and_share():
    overview = look_over(dataset())
    assert (overview.largest, overview.smallest) == ("Happy", "Neutral")
    assert overview.share("Happy") == 0.6
    assert not overview.is_even


def test_where_all_are_equally_large_the_smallest_is_another_than_the_largest():
    overview = look_over(dataset(np.arange(70) % 7))
    assert overview.is_even
    assert (overview.largest, overview.smallest) == ("Angry", "Neutral")


def test_rows_that_usage_keeps_out_are_held_back():
    usage = np.array(["Training"] * 90 + ["PrivateTest"] * 10)
    overview = look_over(dataset(usage=usage))
    assert sum(overview.held_back.values()) == 10
    assert sum(overview.counts.values()) == 100


def test_weights_come_from_the_training_rows():
    weights = look_over(dataset()).weights
    assert set(weights) == set(WEIGHT_POLICIES)
    assert weights["balanced"]["Happy"] == pytest.approx(80 / (7 * 40))
    assert weights["none"]["Happy"] == 1


def test_pages_of_an_emotion_hold_each_of_its_rows_once_and_begin_again():
    pages = [rows_of(dataset(), "Disgust", page, 8) for page in range(3)]
    assert sorted(np.concatenate(pages)) == list(range(60, 80))
    assert list(rows_of(dataset(), "Disgust", 3, 8)) == list(pages[0])


def test_an_emotion_without_faces_has_no_rows():
    only_happy = dataset(np.full(100, 3, np.uint8))
    assert len(rows_of(only_happy, "Sad", 0, 8)) == 0


def test_unlabelled_faces_are_shown_without_emotion():
    assert len(rows_of(dataset(labels=None), None, 0, 30)) == 30


@pytest.mark.parametrize(
    ("row", "emotion", "following"),
    [(0, None, 1), (99, None, 0), (0, "Disgust", 60), (60, "Disgust", 61), (79, "Disgust", 60)],
)
def test_next_face(row: int, emotion: str | None, following: int):
    assert row_after(dataset(), row, emotion) == following
