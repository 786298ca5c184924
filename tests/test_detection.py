"""Faces found in pictures, by each of the detectors."""

import shutil
import threading

import cv2
import numpy as np
import pytest

from emotion_core.boxes import Box
from emotion_core.detection import (
    DETECTORS,
    HaarDetector,
    YunetDetector,
    best_detector,
    open_detector,
    without_nested,
)
from emotion_core.detector_file import FILE_NAME
from emotion_core.errors import BadInput, ModelUnavailable
from tests.camera import portrait
from tests.detector_choice import BOTH, PHOTOGRAPHS, PUBLISHED, needs_yunet
from tests.portrait import draw_portrait


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder in which files of detectors are looked for, empty."""
    monkeypatch.setenv("EMOTION_DETECTORS", str(tmp_path))
    return tmp_path


@pytest.fixture
def open_named(folder):
    """Open a detector by its name; YuNet's file is in the folder where it is beside the checkout."""
    if PUBLISHED.exists():
        shutil.copy(PUBLISHED, folder)
    return open_detector


@pytest.fixture(scope="module")
def haar():
    return open_detector("haar")


@pytest.mark.parametrize("size", [60, 120, 200])
@pytest.mark.parametrize("middle", [(320, 240), (210, 250), (440, 260)])
def test_drawn_face_is_found_where_it_is(haar, size, middle):
    (box,) = haar.detect(draw_portrait(center=middle, size=size))
    assert box.middle == pytest.approx(middle, abs=0.15 * size)
    assert box.width == box.height == pytest.approx(4 / 3 * size, rel=0.2)


@needs_yunet
@pytest.mark.parametrize("size", [30, 60, 120, 200])
def test_yunet_finds_a_drawn_face_where_it_is(open_named, size):
    (box,) = open_named("yunet").detect(draw_portrait(center=(210, 250), size=size))
    assert box.middle == pytest.approx((210, 250), abs=0.15 * size)
    assert box.width == pytest.approx(size, rel=0.2)


@pytest.mark.parametrize("name", BOTH)
def test_astronaut_has_one_face(open_named, name):
    (box,) = open_named(name).detect(portrait())
    assert box.middle == pytest.approx((270, 235), abs=25)
    assert 140 < box.width <= box.height < 260


@pytest.mark.skipif(not PHOTOGRAPHS, reason="the photographs are not beside the checkout")
@pytest.mark.parametrize("name", BOTH)
def test_each_photograph_has_one_face(open_named, name):
    detector = open_named(name)
    pictures = {path.name: cv2.imread(str(path))[:, :, ::-1] for path in PHOTOGRAPHS}
    assert {name: len(detector.detect(picture)) for name, picture in pictures.items()} == dict.fromkeys(pictures, 1)


@pytest.mark.parametrize("name", BOTH)
def test_gray_picture_gives_the_same_faces(open_named, name):
    detector, picture = open_named(name), draw_portrait()
    assert detector.detect(picture[:, :, 0]) == detector.detect(picture) != []


@pytest.mark.parametrize("name", BOTH)
def test_large_picture_is_searched_reduced_and_boxed_in_its_own_pixels(open_named, name):
    detector = open_named(name)
    (small,) = detector.detect(draw_portrait())
    (large,) = detector.detect(cv2.resize(draw_portrait(), None, fx=5, fy=5))
    assert large.middle == pytest.approx([5 * value for value in small.middle], abs=30)
    assert large.width == pytest.approx(5 * small.width, rel=0.1)


@pytest.mark.parametrize("name", BOTH)
def test_largest_face_comes_first(open_named, name):
    left, right = draw_portrait(320, 480, (160, 230), 70), draw_portrait(320, 480, (160, 230), 110)
    first, second = open_named(name).detect(np.hstack([left, right]))
    assert first.area > second.area
    assert first.x > 320 > second.x


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("colours", [(), (3,)])
@pytest.mark.parametrize("brightness", [0, 127, 255])
def test_plain_picture_of_any_shape_has_no_face(open_named, name, colours, brightness):
    shapes = [(480, 640), (48, 48), (32, 640), (10, 100), (100, 10), (3, 500), (500, 3), (1, 3_000), (20, 20), (1, 1)]
    detector = open_named(name)
    found = {shape: detector.detect(np.full((*shape, *colours), brightness, np.uint8)) for shape in shapes}
    assert found == {shape: [] for shape in shapes}


@pytest.mark.parametrize("name", BOTH)
def test_noise_has_no_face(open_named, name):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    assert open_named(name).detect(noise) == []


@pytest.mark.parametrize("name", BOTH)
def test_searching_leaves_the_picture_as_it_is(open_named, name):
    picture = draw_portrait()
    before = picture.copy()
    open_named(name).detect(picture)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("name", BOTH)
def test_view_into_a_picture_is_searched_like_a_copy(open_named, name):
    detector, view = open_named(name), draw_portrait(center=(220, 230))[:, ::-1]
    assert detector.detect(view) == detector.detect(view.copy()) != []


@pytest.mark.parametrize("name", BOTH)
def test_threads_may_share_a_detector(open_named, name):
    detector = open_named(name)
    pictures = [draw_portrait(), draw_portrait(320, 240, (150, 120), 90)]
    alone = [detector.detect(picture) for picture in pictures]
    found = {}

    def search(thread):
        found[thread] = [detector.detect(picture) for _ in range(3) for picture in pictures]

    threads = [threading.Thread(target=search, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), alone * 3)


def test_face_that_fills_less_than_the_smallest_is_not_looked_for(haar):
    tiny = round(0.5 * haar.smallest * 640)
    assert haar.detect(draw_portrait(size=tiny)) == []


def test_boxes_that_are_much_smaller_than_the_smallest_are_dropped(haar, monkeypatch):
    monkeypatch.setattr(haar, "_find", lambda picture: [(9.0, 9.0, 30.0, 30.0), (90.0, 90.0, 6.0, 6.0)])
    (face,) = haar.detect(np.zeros((240, 320, 3), np.uint8))
    assert face.holds(30, 30)


def test_smaller_faces_are_found_where_asked_for(haar):
    crowd = draw_portrait(size=38)
    assert haar.detect(crowd) == []
    (face,) = open_detector("haar", smallest=0.05).detect(crowd)
    assert face.holds(320, 230)


def test_looking_for_smaller_faces_finds_the_same_large_one():
    (coarse,) = open_detector("haar", smallest=0.2).detect(draw_portrait())
    (fine,) = open_detector("haar", smallest=0.06).detect(draw_portrait())
    assert coarse.overlap(fine) > 0.7


@pytest.mark.parametrize("smallest", [0, 0.001, -1, 1.5, float("nan")])
def test_smallest_face_that_is_no_share_is_refused(smallest):
    with pytest.raises(BadInput, match=r"from 0\.02 to 1"):
        open_detector("haar", smallest)


@pytest.mark.parametrize("name", BOTH)
def test_detector_opens_by_its_name(open_named, name):
    detector = open_named(name)
    assert type(detector) is DETECTORS[name]
    assert detector.name == name


def test_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(BadInput, match=r"'harr'.*yunet, haar"):
        open_detector("harr")


def test_yunet_without_its_file_says_how_to_fetch_it(folder):
    with pytest.raises(ModelUnavailable, match="fetch-detector"):
        open_detector("yunet")


def test_without_a_file_haar_is_the_best_there_is(folder):
    assert best_detector() == "haar"
    assert isinstance(open_detector(), HaarDetector)


def test_damaged_file_counts_as_none(folder):
    (folder / FILE_NAME).write_bytes(b"half of it")
    assert best_detector() == "haar"
    with pytest.raises(ModelUnavailable, match="damaged"):
        open_detector("yunet")


@needs_yunet
def test_yunet_misses_nobody_in_a_picture_of_many(open_named):
    face = draw_portrait(size=100)[:, 120:520]  # 400 wide, 480 high
    crowd = np.tile(cv2.resize(face, (120, 144), interpolation=cv2.INTER_AREA), (8, 10, 1))
    assert len(open_named("yunet").detect(crowd)) == 80


@needs_yunet
def test_with_its_file_yunet_is_the_best_there_is(open_named):
    assert best_detector() == "yunet"
    assert isinstance(open_detector(smallest=0.06), YunetDetector)


def test_boxes_in_the_middle_of_larger_ones_are_dropped():
    face, mouth, neighbour = Box(0, 0, 100, 100), Box(30, 60, 40, 20), Box(90, 0, 60, 60)
    assert without_nested([face, neighbour, mouth]) == [face, neighbour]


def test_cascade_in_a_folder_with_accents_is_read(tmp_path, monkeypatch):
    folder = tmp_path / "Übung é"
    shutil.copytree(cv2.data.haarcascades, folder)
    monkeypatch.setattr(cv2.data, "haarcascades", f"{folder}/")
    assert len(open_detector("haar").detect(draw_portrait())) == 1
