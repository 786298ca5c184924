"""Pictures that are there twice, and blank ones, planted among others."""

import cv2
import numpy as np
import pytest
from planted_faces import (
    Change,
    brightened,
    compressed,
    draw,
    mirrored,
    mirrored_and_shifted,
    of_less_contrast,
    shifted,
    stamped,
    with_copies,
)

from emotion_core.duplicates import blank_rows, exact_groups, linked, near_pairs


def test_a_faint_face_is_not_blank():
    images = draw(3)
    images[1] = images[1] // 3
    assert images[1].std() < 9
    assert blank_rows(images).tolist() == []


def test_rows_with_the_same_pixels_are_one_group_among_those_asked_about():
    images = with_copies((0, 3), (0, 5), (1, 4))
    assert exact_groups(images, np.array([0, 1, 2, 3, 5])) == [[0, 3, 5]]


@pytest.mark.parametrize(
    "change", [mirrored, brightened, of_less_contrast, compressed, shifted, mirrored_and_shifted, stamped]
)
def test_a_changed_copy_is_a_near_duplicate(change: Change):
    images = draw(600)  # more than are compared at once
    images[555] = change(images[7])
    assert exact_groups(images, np.arange(600)) == []
    (pair,) = near_pairs(images, np.arange(600))
    assert (pair.first, pair.second, pair.mirrored) == (7, 555, change in (mirrored, mirrored_and_shifted))
    assert 0.92 <= pair.similarity <= 1


def test_copies_under_other_light_are_found_among_a_thousand():
    originals = draw(600)
    lit_from_below = originals + np.arange(0, 24, 0.5).astype(np.uint8)[:, np.newaxis]
    pairs = near_pairs(np.concatenate([originals, lit_from_below]), np.arange(1_200))
    assert sorted((pair.first, pair.second) for pair in pairs) == [(row, row + 600) for row in range(600)]


def test_an_overlay_makes_up_for_a_shift():
    images = draw(2)
    images[1] = shifted(images[0])
    (pair,) = near_pairs(images, np.arange(2))
    assert pair.similarity == pytest.approx(1, abs=1e-4)
    assert np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1] < 0.99


def test_pictures_that_only_look_alike_when_blurred_are_not_the_same():
    fine = np.random.default_rng(1).integers(0, 2, (2, 48, 48), dtype=np.uint8) * np.uint8(60)
    images = draw(1) + fine
    small = [cv2.resize(image, (12, 12), interpolation=cv2.INTER_AREA).ravel() for image in images]
    assert np.corrcoef(*small)[0, 1] > 0.9
    assert near_pairs(images, np.arange(2)) == []


def test_the_negative_of_a_picture_is_no_duplicate():
    images = draw(2)
    images[1] = 255 - images[0]
    assert near_pairs(images, np.arange(2)) == []


def test_pictures_linked_through_others_are_one_group():
    assert linked([(5, 2), (7, 9), (2, 1), (9, 7), (1, 5), (8, 9)]) == [[1, 2, 5], [7, 8, 9]]
