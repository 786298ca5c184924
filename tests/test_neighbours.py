"""Faces that look alike."""

import tracemalloc

import cv2
import numpy as np
import pytest
from planted_faces import draw

from emotion_core.config import with_settings
from emotion_core.dataset import load_dataset, rows_of_run
from emotion_core.neighbours import FaceIndex, Neighbour, TrainingFaces
from emotion_core.presets import find_preset


@pytest.fixture(scope="module")
def images():
    return draw(2_500)


@pytest.fixture(scope="module")
def index(images):
    return FaceIndex(images)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, of both at half size."""
    halves = [cv2.resize(face.astype(np.float64), (24, 24), interpolation=cv2.INTER_AREA) for face in (one, other)]
    return np.corrcoef(halves[0].ravel(), halves[1].ravel())[0, 1]


@pytest.mark.parametrize("row", [0, 1_023, 1_024, 2_499])
def test_a_face_finds_itself_first(index, images, row):
    first, second = index.nearest(images[row], count=2)
    assert first.row == row
    assert first.similarity == pytest.approx(1, abs=1e-5)
    assert second.similarity < 0.95


@pytest.mark.parametrize(
    "change",
    [
        lambda face: face[:, ::-1],
        lambda face: face + np.uint8(60),
        lambda face: face - np.uint8(60),
        lambda face: face // 3,
        lambda face: (face - np.uint8(60))[:, ::-1] // 2 + np.uint8(100),
    ],
    ids=["mirrored", "brighter", "darker", "of less contrast", "all of it"],
)
def test_a_face_is_found_by_its_like(index, images, change):
    first, second = index.nearest(change(images[77]), count=2)
    assert first.row == 77
    assert first.similarity == pytest.approx(1, abs=2e-3)
    assert second.similarity < 0.95


def test_similarity_is_the_larger_correlation_of_the_face_and_its_mirror_image():
    images, face = draw(40, seed=1), draw(1, seed=2)[0]
    expected = [max(correlation(image, face), correlation(image, face[:, ::-1])) for image in images]
    found = FaceIndex(images).nearest(face, count=40)
    assert [neighbour.row for neighbour in found] == np.argsort(expected)[::-1].tolist()
    np.testing.assert_allclose([neighbour.similarity for neighbour in found], sorted(expected)[::-1], atol=1e-5)


def test_no_rounding_takes_a_similarity_beyond_one(index, images):
    assert max(index.nearest(image, count=1)[0].similarity for image in images[:40]) <= 1


def test_noise_resembles_no_face(index, images):
    noise = np.random.default_rng(3).integers(0, 256, (48, 48), dtype=np.uint8)
    assert index.nearest(noise)[0].similarity < 0.4 < index.nearest(draw(1, seed=4)[0])[0].similarity


def test_noise_on_a_face_takes_little_of_its_similarity(index, images):
    noise = np.random.default_rng(3).integers(-20, 21, (48, 48))
    first = index.nearest((images[5] + noise).astype(np.uint8))[0]
    assert first.row == 5
    assert 0.9 < first.similarity < 0.999


def test_as_many_are_found_as_were_asked_for_or_as_there_are(images):
    index = FaceIndex(images[:5])
    assert len(index.nearest(images[0], count=3)) == 3
    assert sorted(neighbour.row for neighbour in index.nearest(images[0], count=8)) == [0, 1, 2, 3, 4]


def test_the_opposite_of_a_symmetric_face_is_as_unlike_it_as_can_be(images):
    face = images[0] // 2 + images[0][:, ::-1] // 2
    (found,) = FaceIndex(face[np.newaxis]).nearest(255 - face)
    assert found.similarity == pytest.approx(-1, abs=1e-5)
    assert found.similarity >= -1


@pytest.mark.parametrize("brightness", [0, 101, 255])
def test_plain_images_are_not_found_and_find_nothing(images, brightness):
    plain = np.full((48, 48), brightness, np.uint8)
    index = FaceIndex(np.stack([plain, images[0], plain, images[1]]))
    assert sorted(neighbour.row for neighbour in index.nearest(255 - images[0])) == [1, 3]
    assert index.nearest(plain) == []


def test_no_faces_give_no_neighbours(images):
    assert FaceIndex(images[:0]).nearest(images[0]) == []


def test_images_may_be_mapped_into_memory(images, tmp_path):
    np.save(tmp_path / "images.npy", images[:20])
    index = FaceIndex(np.load(tmp_path / "images.npy", mmap_mode="r"))
    assert index.nearest(images[7], count=1) == [Neighbour(7, pytest.approx(1, abs=1e-5))]


def test_a_face_of_the_index_takes_two_and_a_half_kilobytes_and_little_more_while_it_is_built(images):
    """28,709 of them take less than 70 MB."""
    tracemalloc.start()
    index = FaceIndex(images)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert index.nearest(images[0], count=1)[0].row == 0
    assert kept < 2_400 * len(images)
    assert peak - kept < 16 * 2**20


@pytest.mark.parametrize("shape", [(48, 48), (3, 24, 24), (3, 48, 48, 1)])
def test_only_faces_make_an_index(shape):
    with pytest.raises(ValueError, match=r"images must be uint8 \(n, 48, 48\)"):
        FaceIndex(np.zeros(shape, np.uint8))


def test_a_face_of_another_kind_is_refused(index, images):
    with pytest.raises(ValueError, match="not float64"):
        index.nearest(images[0] / 255)
    with pytest.raises(ValueError, match="not uint8"):
        index.nearest(images[0][:24])
    with pytest.raises(ValueError, match="count must be at least 1, not 0"):
        index.nearest(images[0], count=0)


def test_of_a_data_set_only_faces_that_train_are_found_under_their_own_row(faces_csv):
    dataset = load_dataset(faces_csv)
    config = with_settings(find_preset("dense-5").config, {"data.split.kind": "first_rows", "data.split.count": 7})
    rows, faces = rows_of_run(dataset, config), TrainingFaces(dataset, config)
    assert rows.validation.tolist() == list(range(7))
    assert faces.nearest(dataset.images[rows.training[5]], 1)[0].row == rows.training[5]
    assert {near.row for near in faces.nearest(dataset.images[0], len(dataset))} == set(rows.training.tolist())
