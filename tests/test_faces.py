"""Faces found, cut as the training faces were, and classified."""

import numpy as np
import pytest

from emotion_core.boxes import Box, CropRule, square_crop
from emotion_core.classifier import LinearClassifier
from emotion_core.detection import open_detector
from emotion_core.emotions import EMOTIONS
from emotion_core.faces import (
    ClassifiedFace,
    Face,
    classify_crops,
    classify_faces,
    cut_face,
    find_faces,
    whole_picture,
)
from emotion_core.images import to_face, to_gray
from tests.portrait import draw_portrait


@pytest.fixture
def classifier(tmp_path):
    random = np.random.default_rng(3)
    path = tmp_path / "linear.npz"
    np.savez(path, coefficients=random.normal(0, 0.05, (7, 2304)), intercepts=np.zeros(7), temperature=1.0)
    return LinearClassifier(path)


@pytest.fixture(scope="module")
def detector():
    return open_detector("haar")


def test_face_is_found_where_it_is(detector):
    (face,) = find_faces(draw_portrait(center=(210, 250)), detector)
    assert face.box.middle == pytest.approx((210, 250), abs=25)
    assert face.crop.shape == (48, 48)
    assert face.crop.dtype == np.uint8


def test_crop_is_what_the_box_holds(detector):
    portrait = draw_portrait()
    (face,) = find_faces(portrait, detector)
    box = face.box
    inside = to_gray(portrait)[box.y : box.y + box.height, box.x : box.x + box.width]
    np.testing.assert_array_equal(face.crop, to_face(inside))


def test_box_is_cut_as_the_detectors_rule_says():
    detector, portrait = open_detector("haar"), draw_portrait()
    (found,) = detector.detect(portrait)
    detector.crop = CropRule(scale=0.8, down=0.1)
    (face,) = find_faces(portrait, detector)
    assert face.box == square_crop(found, portrait.shape, CropRule(scale=0.8, down=0.1)) != found


def test_gray_picture_gives_the_same_faces(detector):
    portrait = draw_portrait()
    (gray,), (colour,) = find_faces(portrait[:, :, 0], detector), find_faces(portrait, detector)
    assert gray.box == colour.box
    np.testing.assert_array_equal(gray.crop, colour.crop)


def test_faces_come_largest_first(detector):
    left, right = draw_portrait(320, 480, (160, 230), 70), draw_portrait(320, 480, (160, 230), 110)
    first, second = find_faces(np.hstack([left, right]), detector)
    assert first.box.x > 320 > second.box.x


def test_whole_picture_is_its_middle_square():
    image = np.zeros((60, 100, 3), np.uint8)
    image[:, 20:80] = 200
    face = whole_picture(image)
    assert face.box == Box(20, 0, 60, 60)
    assert face.crop.min() == 200


def test_cut_takes_no_pixel_from_outside_the_box():
    gray = np.zeros((100, 100), np.uint8)
    gray[30:70, 10:50] = 200
    assert cut_face(gray, Box(10, 30, 40, 40)).crop.min() == 200
    assert cut_face(gray, Box(9, 30, 40, 40)).crop.min() < 200


def test_faces_are_classified_by_their_crops(classifier, detector):
    portrait = draw_portrait()
    (face,) = classify_faces(portrait, classifier, detector)
    (found,) = find_faces(portrait, detector)
    assert face.box == found.box
    np.testing.assert_array_equal(face.crop, found.crop)
    np.testing.assert_array_equal(face.probabilities, classifier.probabilities(found.crop[np.newaxis])[0])


def test_each_face_gets_its_own_probabilities(classifier):
    crops = np.random.default_rng(5).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    faces = [Face(Box(number, 0, 48, 48), crop) for number, crop in enumerate(crops)]
    classified = classify_crops(faces, classifier)
    assert [face.box for face in classified] == [face.box for face in faces]
    for face, crop in zip(classified, crops, strict=True):
        np.testing.assert_allclose(face.probabilities, classifier.probabilities(crop[np.newaxis])[0], rtol=1e-5)


def test_picture_without_a_face_needs_no_model(detector):
    assert classify_faces(np.full((240, 320, 3), 127, np.uint8), None, detector) == []


@pytest.mark.parametrize("label", range(7))
def test_face_is_named_by_its_most_probable_emotion(label):
    probabilities = np.full(7, 0.1, np.float32)
    probabilities[label] = 0.4
    face = ClassifiedFace(Box(0, 0, 1, 1), np.zeros((48, 48), np.uint8), probabilities)
    assert (face.label, face.emotion) == (label, EMOTIONS[label])
    assert face.confidence == pytest.approx(0.4)
    assert list(face.shares) == list(EMOTIONS)
    assert face.shares[EMOTIONS[label]] == pytest.approx(0.4)
