"""Views of a face over which a network's answers are averaged."""

import numpy as np
import pytest

from emotion_core.config import Prediction
from emotion_core.views import ENLARGED_BY, Views, enlarged

FACES = np.random.default_rng(0).random((3, 48, 48, 1), dtype=np.float32)


def right_half(faces):
    """Say how bright each half of a face is, (n, 2)."""
    return np.stack([faces[:, :, :24].mean(axis=(1, 2, 3)), faces[:, :, 24:].mean(axis=(1, 2, 3))], axis=1)


def test_an_enlarged_face_keeps_its_middle_and_loses_its_edges():
    face = np.zeros((1, 48, 48, 1), np.float32)
    face[:, 14:34, 14:34] = 1  # a square of 20 pixels about the middle, which becomes one of 22
    larger = enlarged(face)[0, :, :, 0]
    assert larger[13:35, 13:35].min() > 0.9
    assert larger.sum() == pytest.approx(20**2 * ENLARGED_BY**2, rel=0.01)
    np.testing.assert_allclose(larger, larger[::-1, ::-1], atol=1e-6)


def test_a_face_without_detail_stays_as_it_is():
    np.testing.assert_allclose(enlarged(np.full((2, 48, 48, 1), 0.3, np.float32)), 0.3, atol=1e-6)


@pytest.mark.parametrize(
    ("views", "seen"),
    [
        (Views(), [FACES]),
        (Views(mirrored=True), [FACES, FACES[:, :, ::-1]]),
        (Views(closer=True), [FACES, enlarged(FACES)]),
        (
            Views(mirrored=True, closer=True),
            [FACES, FACES[:, :, ::-1], enlarged(FACES), enlarged(FACES)[:, :, ::-1]],
        ),
    ],
)
def test_answers_to_the_views_are_averaged(views, seen):
    expected = np.mean([right_half(view) for view in seen], axis=0)
    np.testing.assert_allclose(views.average(right_half, FACES), expected, atol=1e-6)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("closer", [False, True])
def test_views_are_those_of_the_settings_and_can_be_noted(mirrored, closer):
    views = Views.asked_by(Prediction(flip_average=mirrored, closer_average=closer))
    assert views == Views(mirrored, closer)
    assert Views.noted_in(views.notes()) == views


def test_a_file_that_says_nothing_of_views_is_asked_about_the_face_alone():
    assert Views.noted_in({"temperature": "1.0"}) == Views()
