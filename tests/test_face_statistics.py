"""Mean faces, brightness and contrast of each emotion."""

import numpy as np
import pytest

from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.face_statistics import (
    BINS,
    MOST_CONTRAST,
    class_statistics,
    compare_emotions,
    density,
    difference_picture,
    differences,
    picture,
)

COUNT = 1_300
"""More than two chunks of one emotion."""


def dataset(images: np.ndarray, labels: np.ndarray | None) -> Dataset:
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=images,
        labels=labels,
        ids=np.arange(len(images)).astype(str),
        usage=None,
        problems=(),
        fingerprint="",
    )


@pytest.fixture(scope="module")
def faces() -> Dataset:
    rng = np.random.default_rng(3)
    labels = np.where(rng.random(COUNT) < 0.9, 3, 1).astype(np.uint8)
    return dataset(rng.integers(0, 256, (COUNT, 48, 48), dtype=np.uint8), labels)


@pytest.mark.parametrize(("emotion", "label"), [("Happy", 3), ("Disgust", 1)])
def test_statistics_of_an_emotion_are_those_of_its_faces(faces: Dataset, emotion: str, label: int):
    found = class_statistics(faces).by_emotion[emotion]
    own = faces.images[faces.labels == label].astype(float)
    assert len(found) == len(own)
    np.testing.assert_allclose(found.mean, own.mean(axis=0))
    np.testing.assert_allclose(found.deviation, own.std(axis=0))
    np.testing.assert_allclose(found.brightness, own.mean(axis=(1, 2)))
    np.testing.assert_allclose(found.contrast, own.std(axis=(1, 2)))


@pytest.mark.parametrize("labelled", [True, False])
def test_statistics_of_all_faces_need_no_labels(faces: Dataset, labelled: bool):
    statistics = class_statistics(faces if labelled else dataset(faces.images, None))
    np.testing.assert_allclose(statistics.every.mean, faces.images.mean(axis=0))
    np.testing.assert_allclose(statistics.every.deviation, faces.images.std(axis=0))
    assert sorted(statistics.every.contrast) == pytest.approx(sorted(faces.images.std(axis=(1, 2))))
    assert set(statistics.by_emotion) == ({"Happy", "Disgust"} if labelled else set())


def test_sums_of_the_brightest_faces_do_not_overflow():
    statistics = class_statistics(dataset(np.full((600, 48, 48), 255, np.uint8), None)).every
    assert set(statistics.mean.flat) == {255}
    assert set(statistics.deviation.flat) == {0}
    assert set(statistics.contrast) == {0}


def test_a_face_half_black_half_white_has_most_contrast():
    face = np.zeros((1, 48, 48), np.uint8)
    face[:, :24] = 255
    assert class_statistics(dataset(face, None)).every.contrast == pytest.approx([MOST_CONTRAST])


def test_no_faces_are_refused():
    with pytest.raises(ValueError, match=r"faces\.csv"):
        class_statistics(dataset(np.zeros((0, 48, 48), np.uint8), None))


@pytest.mark.parametrize(
    ("values", "explained", "gap", "spread"),
    [
        ({"Happy": [1, 3], "Sad": [1, 3]}, 0, 0, 1),
        ({"Happy": [5, 5], "Sad": [1, 1]}, 1, 4, 0),
        ({"Happy": [4, 6], "Sad": [0, 2]}, 0.7, 4, 1),  # 1 - (4 / 2) / (20 / 3)
        ({"Happy": [5], "Sad": [1]}, 0, 4, 0),  # a face each tells nothing
        ({"Happy": [2, 2], "Sad": [2]}, 0, 0, 0),
    ],
)
def test_emotions_are_compared_by_their_share_of_the_variance(
    values: dict[str, list[int]], explained: float, gap: float, spread: float
):
    found = compare_emotions({name: np.array(each, float) for name, each in values.items()})
    assert (found.explained, found.gap, found.spread) == pytest.approx((explained, gap, spread))
    if gap:
        assert (found.highest, found.lowest) == ("Happy", "Sad")


def test_a_few_faces_whose_light_is_chance_explain_nothing_on_average():
    rng = np.random.default_rng(0)
    found = [compare_emotions({name: rng.normal(size=5) for name in EMOTIONS}).explained for _ in range(200)]
    assert np.mean(found) < 0.07  # without allowing for chance it would be 6 / 34
    many = {name: rng.normal(place, 5, size=5_000) for place, name in enumerate(EMOTIONS)}
    assert compare_emotions(many).explained == pytest.approx(
        4 / 29, abs=0.01
    )  # the means' variance is 4, the faces' 25


@pytest.mark.parametrize("values", [[0.0], [255.0], [17.0, 128.0, 129.0, 255.0]])
def test_a_density_sums_to_one_even_where_smoothing_reaches_over_an_end(values: list[float]):
    found = density(np.array(values), 255)
    assert found.shape == (BINS,)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)


def test_differences_leave_overall_brightness_out():
    images = np.full((4, 48, 48), 100, np.uint8)
    images[2:] += 50
    images[3, 0, 0] += 100
    found = differences(class_statistics(dataset(images, np.array([0, 0, 3, 3], np.uint8))))
    assert set(found) == {"Angry", "Happy"}
    assert found["Happy"].mean() == pytest.approx(0)
    assert found["Happy"][0, 0] == pytest.approx(25, abs=0.1)
    assert abs(found["Happy"][1:]).max() < 0.1


def test_a_picture_stretches_its_range_from_black_to_white():
    values = np.full((48, 48), 90.0)
    values[0, :3] = (80, 100, 120)
    assert picture(values, 80, 100)[0, :4].tolist() == [0, 255, 255, 128]
    assert not picture(np.full((48, 48), 7.0), 7, 7).any()


def test_a_difference_is_warm_above_and_cool_below():
    difference = np.zeros((48, 48))
    difference[0, :2] = (20, -20)
    above, below, none = difference_picture(difference, 10)[0, :3].tolist()
    assert above == [213, 94, 0]
    assert below == [0, 114, 178]
    assert min(none) > 240
    assert (difference_picture(np.zeros((48, 48)), 0) > 240).all()
