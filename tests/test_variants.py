"""A face and its variants, looked into."""

import numpy as np
import pytest

from emotion_core.augment import augment
from emotion_core.classifier import Classifier
from emotion_core.config import Augmentation
from emotion_core.emotions import EMOTIONS
from emotion_core.variants import Effect, ask_about, drawn_by, each_alone, reach, summarise_pixels

EVERYTHING = Augmentation(
    rotation=20, width_shift=0.2, height_shift=0.1, zoom=0.3, brightness=0.5, blur=2, compression=0.8, erasing=0.4,
    horizontal_flip=True,
)  # fmt: skip


def draw(settings: Augmentation, count: int = 500, seed: int = 1) -> dict[str, np.ndarray]:
    return drawn_by(settings, count, np.random.default_rng(seed))


def test_each_transform_that_is_on_stands_alone():
    alone = each_alone(Augmentation(rotation=20, horizontal_flip=True))
    assert alone == {"rotation": Augmentation(rotation=20), "horizontal_flip": Augmentation(horizontal_flip=True)}
    assert each_alone(Augmentation()) == {}


@pytest.mark.parametrize("name", Augmentation.model_fields)
def test_every_field_has_its_draws_within_its_reach(name: str):
    most = dict.fromkeys(Augmentation.model_fields, 0) | {
        name: next((limit.le for limit in Augmentation.model_fields[name].metadata if hasattr(limit, "le")), True)
    }
    drawn = draw(Augmentation(**most), 2_000)
    low, high = reach(name)
    assert set(drawn) == {name}
    assert drawn[name].shape == (2_000, 2 if name == "zoom" else 1)
    assert drawn[name].min() >= low
    assert drawn[name].max() <= high * 1.05  # the sides of what is erased are whole pixels
    assert np.ptp(drawn[name]) > 0.95 * (high - low)


def face_with_a_spot(row: int, column: int) -> np.ndarray:
    face = np.zeros((1, 48, 48), np.uint8)
    face[0, row - 1 : row + 2, column - 1 : column + 2] = 255
    return face


def place_of_the_spot(face: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(face > 60)
    return rows.mean(), columns.mean()


@pytest.mark.parametrize(
    ("name", "extent", "spot", "moved"),
    [
        ("width_shift", 0.2, (24, 24), lambda number: (24, 24 + number)),
        ("height_shift", 0.2, (24, 24), lambda number: (24 + number, 24)),
        ("zoom", 0.3, (34, 24), lambda number: (23.5 + 10.5 / number, 24)),
        ("rotation", 60, (24, 40), lambda number: (23.5 + 16.5 * np.sin(np.radians(number)), None)),
    ],
)
def test_numbers_say_where_a_face_goes(name, extent, spot, moved):
    """A positive shift goes right or down, a positive angle turns what is at the right downwards: clockwise."""
    only, seed = Augmentation(**{name: extent}), 5
    number = draw(only, 1, seed)[name][0, -1]
    changed = augment(face_with_a_spot(*spot), only, np.random.default_rng(seed))[0]
    row, column = moved(number)
    assert place_of_the_spot(changed)[0] == pytest.approx(row, abs=0.6)
    if column is not None:
        assert place_of_the_spot(changed)[1] == pytest.approx(column, abs=1.5)


def test_numbers_say_what_light_flip_and_erasing_do():
    gray = np.full((40, 48, 48), 100, np.uint8)
    gray[:, :, :10] = 50
    lit = augment(gray, Augmentation(brightness=0.5), np.random.default_rng(1))
    np.testing.assert_allclose(
        lit[:, 0, 20] / 100, draw(Augmentation(brightness=0.5), 40)["brightness"][:, 0], atol=0.01
    )
    flipped = augment(gray, Augmentation(horizontal_flip=True), np.random.default_rng(1))
    mirrored = draw(Augmentation(horizontal_flip=True), 40)["horizontal_flip"][:, 0]
    np.testing.assert_array_equal(flipped[:, 0, -1] == 50, mirrored == 1)
    erased = augment(gray, Augmentation(erasing=0.4), np.random.default_rng(1))
    covered = (erased != gray).mean(axis=(1, 2))
    np.testing.assert_allclose(covered, draw(Augmentation(erasing=0.4), 40)["erasing"][:, 0], atol=0.01)


def test_pixels_are_described_and_counted():
    summary = summarise_pixels(np.array([[0, 51], [102, 255]], np.uint8), 255, bins=5)
    assert (summary.lowest, summary.highest, summary.mean) == (0, 255, 102)
    assert summary.deviation == pytest.approx(95.41, abs=0.01)
    assert summary.counts.tolist() == [1, 1, 1, 0, 1]


def sure_of(*emotions: str, share: float = 0.7) -> np.ndarray:
    rows = np.full((len(emotions), 7), (1 - share) / 6, np.float32)
    rows[np.arange(len(emotions)), [EMOTIONS.index(emotion) for emotion in emotions]] = share
    return rows


def test_variants_that_keep_or_change_the_answer_are_counted():
    effect = Effect(sure_of("Happy")[0], sure_of("Happy", "Sad", "Happy", "Fear", "Sad"))
    assert (effect.answer, effect.kept) == ("Happy", 2)
    assert effect.becomes == {"Sad": 2, "Fear": 1}


def test_the_surest_of_the_changed_comes_first():
    variants = np.concatenate([sure_of("Sad", share=0.5), sure_of("Happy"), sure_of("Fear", share=0.9)])
    assert Effect(sure_of("Happy")[0], variants).changed.tolist() == [2, 0]


def test_where_all_keep_the_answer_none_is_changed():
    effect = Effect(sure_of("Happy")[0], sure_of("Happy", "Happy"))
    assert (effect.kept, effect.becomes, len(effect.changed)) == (2, {}, 0)


def test_a_model_is_asked_about_the_face_and_its_variants_apart():
    class Brightness(Classifier):
        def classify_inputs(self, inputs):
            return np.repeat(inputs.mean(axis=(1, 2)), 7, axis=1)

    effect = ask_about(Brightness(), np.zeros((48, 48), np.uint8), np.full((3, 48, 48), 255, np.uint8))
    assert effect.original.tolist() == [0] * 7
    assert effect.variants.shape == (3, 7)
    assert effect.variants.min() == 1
