"""Faces followed from frame to frame."""

import cv2
import numpy as np
import pytest

from emotion_core.boxes import Box
from emotion_core.images import to_gray
from emotion_core.tracking import Tracker
from tests.camera import portrait

FACE = Box(171, 133, 197, 197)
"""Of the astronaut."""

FLAT = np.full((240, 320), 90, np.uint8)
"""A frame in which nothing can be followed."""

LEFT, MIDDLE, RIGHT = Box(10, 60, 60, 60), Box(120, 60, 70, 70), Box(240, 60, 50, 50)


@pytest.fixture(scope="module")
def astronaut():
    return to_gray(portrait())


def moved(picture, x=0.0, y=0.0, growth=1.0):
    """A picture whose face has moved and grown around its own middle."""
    middle_x, middle_y = FACE.middle
    matrix = np.array([[growth, 0, (1 - growth) * middle_x + x], [0, growth, (1 - growth) * middle_y + y]])
    return cv2.warpAffine(picture, matrix, picture.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def texture(seed, side=80):
    noise = np.random.default_rng(seed).normal(0, 1, (side, side))
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 45 * soft / soft.std(), 0, 255).astype(np.uint8)


def scene(*patches, shape=(320, 480)):
    """A frame with square patches, each (pixels, x, y), on a flat ground."""
    frame = np.full(shape, 90, np.uint8)
    for pixels, x, y in patches:
        frame[y : y + len(pixels), x : x + len(pixels)] = pixels
    return frame


def tracker_of(frame, *faces, number=1, **settings):
    """A tracker that has been told of faces in its first frame."""
    tracker = Tracker(**settings)
    tracker.follow(frame, number)
    tracker.correct(faces, number)
    return tracker


def on_flat_ground(*faces, **settings):
    return tracker_of(FLAT, *faces, **settings)


def numbers(tracker):
    return {track.number for track in tracker.tracks}


def boxes(tracker, shape=FLAT.shape):
    return {track.number: track.box(shape) for track in tracker.tracks}


def test_detected_face_is_where_it_was_detected():
    assert boxes(on_flat_ground(LEFT, MIDDLE)) == {0: LEFT, 1: MIDDLE}


@pytest.mark.parametrize("scale", [0.5, 1.0])
@pytest.mark.parametrize(("step_x", "step_y"), [(4, 2), (-5, 0), (0, 6), (0.5, -0.5)])
def test_face_is_followed_without_being_detected(astronaut, scale, step_x, step_y):
    tracker = tracker_of(astronaut, FACE, scale=scale)
    for step in range(1, 16):
        tracker.follow(moved(astronaut, step * step_x, step * step_y), 1 + step)
    ((x, y, side),) = [track.square for track in tracker.tracks]
    assert (x, y) == pytest.approx((FACE.middle[0] + 15 * step_x, FACE.middle[1] + 15 * step_y), abs=3)
    assert side == pytest.approx(197, rel=0.03)


@pytest.mark.parametrize("growth", [1.015, 0.985])
def test_box_grows_and_shrinks_with_the_face(astronaut, growth):
    tracker = tracker_of(astronaut, FACE)
    for step in range(1, 16):
        tracker.follow(moved(astronaut, growth=growth**step), 1 + step)
    ((x, y, side),) = [track.square for track in tracker.tracks]
    assert side == pytest.approx(197 * growth**15, rel=0.04)
    assert (x, y) == pytest.approx(FACE.middle, abs=4)


def test_way_through_noise_is_followed(astronaut):
    noise = np.random.default_rng(4)
    tracker = tracker_of(astronaut, FACE)
    for step in range(1, 16):
        frame = moved(astronaut, 4 * step, 0) + noise.normal(0, 4, astronaut.shape)
        tracker.follow(np.clip(frame, 0, 255).astype(np.uint8), 1 + step)
    (track,) = tracker.tracks
    assert track.square[:2] == pytest.approx((FACE.middle[0] + 60, FACE.middle[1]), abs=5)


def test_box_stays_where_nothing_can_be_followed():
    tracker = on_flat_ground(MIDDLE)
    for number in range(2, 10):
        tracker.follow(FLAT + number, number)
    assert boxes(tracker) == {0: MIDDLE}


def test_box_stays_inside_the_frame_when_its_face_leaves():
    patch = texture(1)
    tracker = tracker_of(scene((patch, 380, 100)), Box(380, 100, 80, 80))
    for step in range(1, 25):
        x = 380 + 4 * step
        tracker.follow(scene((patch[:, : 480 - x], x, 100)) if x < 480 else scene(), 1 + step)
        (box,) = boxes(tracker, (320, 480)).values()
        assert 0 <= box.x <= box.x + box.width <= 480
        assert 0 <= box.y <= box.y + box.height <= 320


def test_answer_about_a_past_frame_moves_the_face_where_it_is_now(astronaut):
    tracker = tracker_of(astronaut, FACE)
    for step in range(1, 13):
        tracker.follow(moved(astronaut, 5 * step, 0), 1 + step)
    # the detector has worked on the fifth frame meanwhile, where the face had moved by 20, and saw it 60 lower
    tracker.correct([Box(FACE.x + 20, FACE.y + 60, 197, 197)], 5)
    (track,) = tracker.tracks
    assert track.square[:2] == pytest.approx((FACE.middle[0] + 60, FACE.middle[1] + 60), abs=3)
    assert track.at(5)[:2] == pytest.approx((FACE.middle[0] + 20, FACE.middle[1] + 60), abs=3)
    assert track.at(13) == pytest.approx(track.square)


def test_old_answer_that_was_right_then_changes_nothing_now(astronaut):
    tracker = tracker_of(astronaut, FACE)
    for step in range(1, 13):
        tracker.follow(moved(astronaut, 5 * step, 0), 1 + step)
    before = tracker.tracks[0].square
    tracker.correct([Box(FACE.x + 15, FACE.y, 197, 197)], 4)
    assert numbers(tracker) == {0}
    assert tracker.tracks[0].square == pytest.approx(before, abs=2)


def test_small_miss_is_made_good_in_part_and_a_large_one_at_once():
    steady, hasty = on_flat_ground(Box(100, 60, 80, 80)), on_flat_ground(Box(100, 60, 80, 80))
    steady.correct([Box(108, 60, 80, 80)], 1)
    hasty.correct([Box(130, 60, 80, 80)], 1)
    assert 100 < boxes(steady)[0].x < 108
    assert boxes(hasty)[0] == Box(130, 60, 80, 80)


def test_small_misses_are_made_good_in_the_end():
    tracker = on_flat_ground(Box(100, 60, 80, 80))
    for number in range(2, 10):
        tracker.follow(FLAT, number)
        tracker.correct([Box(108, 64, 90, 90)], number)
    assert boxes(tracker) == {0: Box(108, 64, 90, 90)}


def test_answer_older_than_what_is_remembered_counts_from_the_oldest():
    tracker = on_flat_ground(MIDDLE)
    for number in range(2, 200):
        tracker.follow(FLAT, number)
    (track,) = tracker.tracks
    assert len(track.past) < 100
    assert track.box_at(1, FLAT.shape) == MIDDLE
    tracker.correct([MIDDLE], 1)
    assert boxes(tracker) == {0: MIDDLE}


def test_people_keep_their_numbers_whatever_the_order_of_detection():
    tracker = on_flat_ground(LEFT, MIDDLE, RIGHT)
    for number, faces in enumerate([(RIGHT, LEFT, MIDDLE), (MIDDLE, RIGHT, LEFT)], 2):
        tracker.follow(FLAT, number)
        tracker.correct(faces, number)
    assert boxes(tracker) == {0: LEFT, 1: MIDDLE, 2: RIGHT}


def test_number_of_someone_who_left_goes_to_the_next_who_comes():
    tracker = on_flat_ground(LEFT, MIDDLE, RIGHT)
    for _ in range(3):
        tracker.correct([LEFT, RIGHT], 1)
    assert boxes(tracker) == {0: LEFT, 2: RIGHT}
    low = Box(120, 150, 60, 60)
    tracker.correct([low, LEFT, RIGHT, MIDDLE], 1)
    assert boxes(tracker) == {0: LEFT, 1: low, 2: RIGHT, 3: MIDDLE}


def test_face_is_forgotten_after_three_misses():
    tracker = on_flat_ground(MIDDLE)
    for _ in range(2):
        tracker.correct([], 1)
        assert numbers(tracker) == {0}
    tracker.correct([], 1)
    assert numbers(tracker) == set()


def test_only_misses_in_succession_count():
    tracker = on_flat_ground(MIDDLE)
    for _ in range(3):
        tracker.correct([], 1)
        tracker.correct([], 1)
        assert numbers(tracker) == {0}
        tracker.correct([MIDDLE], 1)


def test_face_is_believed_once_it_was_seen_often_enough():
    tracker = on_flat_ground(MIDDLE, hits_needed=3)
    assert numbers(tracker) == set()
    tracker.correct([MIDDLE], 1)
    assert numbers(tracker) == set()
    tracker.correct([MIDDLE, RIGHT], 1)
    assert boxes(tracker) == {0: MIDDLE}


def test_largest_face_comes_first():
    tracker = on_flat_ground(RIGHT, MIDDLE, LEFT)
    assert [track.number for track in tracker.tracks] == [1, 2, 0]


def test_face_goes_to_the_detection_that_covers_it_most():
    tracker = on_flat_ground(Box(100, 60, 80, 80))
    tracker.correct([Box(140, 60, 80, 80), Box(104, 60, 80, 80)], 1)
    assert numbers(tracker) == {0, 1}
    assert boxes(tracker)[0].x < 110
    assert boxes(tracker)[1] == Box(140, 60, 80, 80)


def test_detection_elsewhere_is_another_person():
    tracker = on_flat_ground(LEFT)
    tracker.correct([RIGHT], 1)
    assert boxes(tracker) == {0: LEFT, 1: RIGHT}


def test_people_who_pass_each_other_keep_their_numbers():
    first, second = texture(1), texture(2)

    def frame_at(step):
        return scene((first, 20 + 8 * step, 30), (second, 380 - 8 * step, 150))

    tracker = tracker_of(frame_at(0), Box(20, 30, 80, 80), Box(380, 150, 80, 80))
    for step in range(1, 46):
        tracker.follow(frame_at(step), 1 + step)
        if step % 6 == 0:
            tracker.correct([Box(380 - 8 * step, 150, 80, 80), Box(20 + 8 * step, 30, 80, 80)], 1 + step)
    found = boxes(tracker, (320, 480))
    assert found.keys() == {0, 1}
    assert (found[0].x, found[0].y) == pytest.approx((380, 30), abs=4)
    assert (found[1].x, found[1].y) == pytest.approx((20, 150), abs=4)


def test_frame_of_another_size_clears_all_faces():
    tracker = on_flat_ground(LEFT, MIDDLE)
    tracker.follow(np.full((480, 640), 90, np.uint8), 2)
    assert numbers(tracker) == set()
    tracker.correct([RIGHT], 2)
    tracker.follow(np.full((480, 640), 90, np.uint8), 3)
    assert boxes(tracker, (480, 640)) == {0: RIGHT}


def test_nothing_is_left_once_all_is_forgotten(astronaut):
    tracker = tracker_of(astronaut, FACE, LEFT)
    tracker.forget()
    assert numbers(tracker) == set()
    tracker.follow(moved(astronaut, 30, 0), 2)
    tracker.correct([FACE], 2)
    assert boxes(tracker, astronaut.shape) == {0: FACE}


@pytest.mark.parametrize("shape", [(2, 2), (16, 16), (3, 500)])
def test_tiny_frames_are_followed_like_any_other(shape):
    tracker = Tracker()
    side = min(shape)
    for number in range(1, 4):
        tracker.follow(np.full(shape, 90, np.uint8), number)
        tracker.correct([Box(0, 0, side, side)], number)
    assert boxes(tracker, shape) == {0: Box(0, 0, side, side)}


def test_number_is_not_given_to_another_in_the_moment_in_which_its_owner_is_dropped():
    tracker, frame = Tracker(), np.zeros((480, 640), np.uint8)
    tracker.follow(frame, 0)
    tracker.correct([Box(0, 0, 100, 100)], 0)
    for number in (1, 2):
        tracker.follow(frame, number)
        tracker.correct([], number)
    tracker.follow(frame, 3)
    tracker.correct([Box(400, 300, 100, 100)], 3)
    assert [track.number for track in tracker.tracks] == [1]
