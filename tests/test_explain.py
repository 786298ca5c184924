"""What an answer hangs on: faces covered square by square, and the colour laid over them."""

from itertools import product

import numpy as np
import pytest

from emotion_core.classifier import Classifier, LinearClassifier
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.explain import FULL_DROP, FULL_WEIGHT, attention_overlay, heat_overlay, occlusion_map

HAPPY, SAD = EMOTIONS.index("Happy"), EMOTIONS.index("Sad")
REGION = np.s_[30:36, 14:34]
"""About where a mouth is."""


@pytest.fixture
def face():
    """A face whose region of interest is brighter than its mean, and all else darker."""
    face = np.random.default_rng(1).integers(20, 30, (48, 48), dtype=np.uint8)
    face[REGION] += 150
    return face


@pytest.fixture
def looks_at(tmp_path):
    """Make a model that finds a face happy where a part of it is bright, and sad the more it lacks that."""

    def make(*parts):
        coefficients = np.zeros((NUM_EMOTIONS, 48, 48), np.float32)
        for part in parts:
            coefficients[HAPPY][part], coefficients[SAD][part] = 0.05, -0.05
        weights = {"coefficients": coefficients.reshape(NUM_EMOTIONS, -1), "intercepts": np.zeros(NUM_EMOTIONS)}
        np.savez(tmp_path / "linear.npz", **weights, temperature=np.float32(1))
        return LinearClassifier(tmp_path / "linear.npz")

    return make


class Witness(Classifier):
    """A model that keeps what it was shown and has no opinion."""

    def __init__(self):
        self.calls = []

    def probabilities(self, images, progress=None):
        self.calls.append(images)
        return super().probabilities(images, progress)

    def classify_inputs(self, inputs):
        return np.full((len(inputs), NUM_EMOTIONS), 1 / NUM_EMOTIONS, np.float32)


def test_covering_single_pixels_lights_exactly_what_the_model_looks_at(looks_at, face):
    drops = occlusion_map(looks_at(REGION), face, patch=1, stride=1).drops
    lit = np.zeros((48, 48), bool)
    lit[REGION] = True
    assert (drops[lit] > 0).all()
    assert (drops[~lit] == 0).all()


def test_squares_light_what_the_model_looks_at_and_no_more_than_their_side_around_it(looks_at, face):
    drops = occlusion_map(looks_at(REGION), face, patch=12, stride=4).drops
    assert drops.dtype == np.float32
    assert (drops[REGION] > 0).all()
    reached = np.zeros((48, 48), bool)
    reached[30 - 11 : 36 + 11, 14 - 11 : 34 + 11] = True
    assert (drops[~reached] == 0).all()
    row, column = np.unravel_index(drops.argmax(), drops.shape)
    assert 30 <= row < 36
    assert 14 <= column < 34


def test_covering_what_speaks_against_an_emotion_raises_it(looks_at, face):
    drops = occlusion_map(looks_at(REGION), face, label=SAD).drops
    assert (drops[REGION] < 0).all()
    assert drops.max() == 0
    assert (drops[:18] == 0).all()


def test_the_most_probable_emotion_is_explained_where_none_is_named(looks_at, face):
    model = looks_at(REGION)
    expected = model.probabilities(face[np.newaxis])[0]
    unnamed, named = occlusion_map(model, face), occlusion_map(model, face, label=SAD)
    assert (unnamed.label, named.label) == (HAPPY, SAD)
    assert unnamed.probability == pytest.approx(expected[HAPPY])
    assert named.probability == pytest.approx(expected[SAD])


def test_one_square_over_the_whole_face_shows_what_a_plain_face_lacks(looks_at, face):
    model = looks_at(REGION)
    plain = np.full_like(face, face.mean().round())
    before, after = model.probabilities(np.stack([face, plain]))[:, HAPPY]
    drops = occlusion_map(model, face, patch=48, stride=48).drops
    np.testing.assert_allclose(drops, before - after, rtol=1e-6)
    assert before - after > 0.1


def test_the_lowest_and_the_highest_are_those_of_a_single_square(looks_at, face):
    model, covered = looks_at(REGION), []
    for row, column in product(range(0, 48, 12), repeat=2):
        covered.append(face.copy())
        covered[-1][row : row + 12, column : column + 12] = face.mean().round()
    under_each = model.probabilities(np.stack(covered))[:, HAPPY]
    occlusion = occlusion_map(model, face, patch=12, stride=12)
    assert (occlusion.lowest, occlusion.highest) == pytest.approx((under_each.min(), under_each.max()))
    finer = occlusion_map(model, face, patch=12, stride=4)
    assert finer.probability - finer.lowest > finer.drops.max()  # which is a mean


def test_a_pixel_s_drop_is_the_mean_over_the_squares_that_cover_it(looks_at, face):
    """Of two pixels 4 apart, squares of side 6 cover both or one, depending on where they lie."""
    face[:2] = 20
    face[0, 20] = face[0, 24] = 220
    model = looks_at(np.s_[0, 20], np.s_[0, 24])
    mean = face.mean().round()
    first, both = face.copy(), face.copy()
    first[0, 20] = mean
    both[0, 20] = both[0, 24] = mean
    whole, one, two = model.probabilities(np.stack([face, first, both]))[:, HAPPY]
    drops = occlusion_map(model, face, label=HAPPY, patch=6, stride=1).drops
    # Squares that cover pixel 20 begin at 15 to 20; those that begin at 19 and 20 cover pixel 24 too.
    assert drops[0, 20] == pytest.approx((4 * (whole - one) + 2 * (whole - two)) / 6, rel=1e-3)


def test_how_often_a_pixel_is_covered_does_not_change_its_drop(looks_at, face):
    """Squares of side 10, 4 apart, cover pixel 3 of a row three times and pixel 4 twice."""
    face[3, 3] = face[4, 4] = 220
    often, seldom = (
        occlusion_map(looks_at(place), face, label=HAPPY, patch=10, stride=4).drops[place] for place in ((3, 3), (4, 4))
    )
    assert often == pytest.approx(seldom, rel=1e-3)
    assert often > 0


@pytest.mark.parametrize(
    ("patch", "stride", "least", "most"), [(12, 4, 9, 9), (10, 4, 4, 9), (8, 8, 1, 1), (5, 1, 25, 25), (48, 24, 4, 4)]
)
def test_all_pixels_are_covered_about_equally_often_and_in_one_call(face, patch, stride, least, most):
    witness = Witness()
    occlusion_map(witness, face, patch=patch, stride=stride)
    (images,) = witness.calls
    np.testing.assert_array_equal(images[0], face)
    covered = (images[1:] != face).sum(axis=0)
    assert (covered.min(), covered.max()) == (least, most)
    assert set(images[1:][images[1:] != face].tolist()) == {face.mean().round()}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label": -1}, "label must be from 0 to 6, not -1"),
        ({"label": 7}, "label must be from 0 to 6, not 7"),
        ({"patch": 0}, "patch must be from 1 to 48, not 0"),
        ({"patch": 49}, "patch must be from 1 to 48, not 49"),
        ({"stride": 0}, r"stride must be from 1 to patch \(12\), not 0"),
        ({"stride": 13}, r"stride must be from 1 to patch \(12\), not 13"),
        ({"face": np.zeros((24, 24), np.uint8)}, r"face must be uint8 \(48, 48\), not uint8 \(24, 24\)"),
        ({"face": np.zeros((48, 48))}, r"face must be uint8 \(48, 48\), not float64"),
    ],
)
def test_wrong_arguments_are_named(face, changed, message):
    with pytest.raises(ValueError, match=message):
        occlusion_map(**{"classifier": Witness(), "face": face} | changed)


# --- the overlays --------------------------------------------------------------------------------------------------

FLAT = np.full((48, 48), 128, np.uint8)


def drops_of(value: float, part=np.s_[:]) -> np.ndarray:
    drops = np.zeros((48, 48), np.float32)
    drops[part] = value
    return drops


def warmth(picture: np.ndarray) -> np.ndarray:
    """Return by how much red exceeds blue, (side, side)."""
    return picture[..., 0].astype(int) - picture[..., 2]


def test_without_findings_the_face_is_shown_enlarged_and_sharp(face):
    enlarged = face.repeat(6, axis=0).repeat(6, axis=1)
    picture = heat_overlay(face, drops_of(0))
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.stack([enlarged] * 3, axis=-1))
    np.testing.assert_array_equal(attention_overlay(face, np.zeros(48, np.float32)), picture)


@pytest.mark.parametrize("side", [48, 100, 480])
def test_overlays_have_the_side_that_was_asked_for(face, side):
    assert heat_overlay(face, drops_of(0.3), side).shape == (side, side, 3)
    assert attention_overlay(face, np.full(48, 1 / 48, np.float32), side).shape == (side, side, 3)


def test_what_speaks_for_the_answer_is_warm_and_what_speaks_against_it_cool():
    drops = drops_of(0.4, np.s_[:16]) + drops_of(-0.4, np.s_[32:])
    picture = warmth(heat_overlay(FLAT, drops, side=48))
    assert (picture[:10] > 80).all()
    assert (picture[38:] < -80).all()
    assert (picture[23:25] == 0).all()


def test_drops_are_shown_relative_to_the_largest():
    drops = drops_of(0.4, np.s_[:24]) + drops_of(-0.1, np.s_[24:])
    np.testing.assert_array_equal(heat_overlay(FLAT, drops), heat_overlay(FLAT, 2 * drops))


def test_small_drops_do_not_look_like_a_finding():
    full, noise = (warmth(heat_overlay(FLAT, drops_of(value))).max() for value in (FULL_DROP, FULL_DROP / 20))
    assert 0 < noise < full / 15


def test_heat_has_no_steps():
    """On a plain face, where one part matters and the next does not, no pixel is far from its neighbours."""
    picture = heat_overlay(FLAT, drops_of(0.5, np.s_[20:28, 20:28])).astype(int)
    assert np.ptp(picture[..., 2]) > 40
    assert max(abs(np.diff(picture, axis=axis)).max() for axis in (0, 1)) <= 5


@pytest.mark.parametrize("drop", [0.5, -0.5])
def test_the_face_is_legible_beneath_full_colour(drop):
    face = np.zeros((48, 48), np.uint8)
    face[:, 24:] = 255
    brightness = heat_overlay(face, drops_of(drop)).mean(axis=-1)
    assert brightness[:, 144:].min() - brightness[:, :144].max() > 80


def test_rows_are_the_warmer_the_more_they_are_attended_to():
    weights = np.zeros(48, np.float32)
    weights[10], weights[30] = 0.7, 0.3
    rows = warmth(attention_overlay(FLAT, weights, side=48))
    assert (rows == rows[:, :1]).all()
    assert rows[10, 0] > rows[30, 0] > 50
    assert not np.delete(rows, [10, 30], axis=0).any()


def test_even_attention_is_faint():
    even, focused = np.full(48, 1 / 48, np.float32), np.full(48, FULL_WEIGHT, np.float32)
    assert 0 < warmth(attention_overlay(FLAT, even)).max() < warmth(attention_overlay(FLAT, focused)).min() / 2


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda face: heat_overlay(face[:24], drops_of(0)), "face must be"),
        (lambda face: heat_overlay(face, drops_of(0)[:24]), r"drops must have shape \(48, 48\), not \(24, 48\)"),
        (lambda face: attention_overlay(face[:24], np.zeros(48)), "face must be"),
        (lambda face: attention_overlay(face, np.zeros((48, 1))), r"weights must have shape \(48,\), not \(48, 1\)"),
    ],
)
def test_overlays_refuse_other_shapes(face, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(face)
