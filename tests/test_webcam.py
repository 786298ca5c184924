"""What happens to each frame of a webcam."""

import threading

import numpy as np
import pytest
from portrait import draw_portrait

from emotion_core.classifier import Classifier, LinearClassifier
from emotion_core.emotions import EMOTION_COLOURS
from emotion_core.faces import find_faces
from emotion_core.webcam import WebcamClassifier


class Clock:
    """Seconds that grow by a fixed step at each look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Gate(Classifier):
    """Holds the first face it is given until the gate is opened; answers with the face's brightness."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.calls = 0

    def _classify(self, inputs):
        self.calls += 1
        if self.calls == 2:  # the first call is the warming up
            self.entered.set()
            assert self.opened.wait(10)
        brightness = float(inputs.mean())
        return np.array([[brightness, 1 - brightness, 0, 0, 0, 0, 0]], np.float32)


@pytest.fixture
def classifier(tmp_path):
    path = tmp_path / "linear.npz"
    coefficients = np.random.default_rng(3).normal(0, 0.05, (7, 2304))
    np.savez(path, coefficients=coefficients, intercepts=np.zeros(7), temperature=1.0)
    return LinearClassifier(path)


def mask_of(image, emotion):
    colour = EMOTION_COLOURS[emotion]
    return (image == [int(colour[start : start + 2], 16) for start in (1, 3, 5)]).all(axis=2)


def test_nothing_is_known_before_the_first_frame(classifier):
    assert WebcamClassifier(classifier).latest is None


def test_frame_comes_back_mirrored_with_the_box_over_the_face(classifier):
    frame = draw_portrait(center=(220, 230))
    webcam = WebcamClassifier(classifier)
    shown = webcam.process(frame)
    (face,) = webcam.latest.faces
    assert shown.shape == frame.shape
    rows, columns = np.nonzero(mask_of(shown, face.emotion))
    assert columns.min() > 320, "a face on the camera's left is shown on the right"
    mirrored = face.box.mirrored(640)
    assert columns.min() == pytest.approx(mirrored.x, abs=3)
    assert rows.max() == pytest.approx(mirrored.y + mirrored.height, abs=3)
    untouched = np.s_[400:, :]
    np.testing.assert_array_equal(shown[untouched], frame[:, ::-1][untouched])


def test_face_is_classified_as_the_camera_saw_it(classifier):
    frame = draw_portrait(center=(220, 230))
    webcam = WebcamClassifier(classifier)
    webcam.process(frame)
    (face,) = webcam.latest.faces
    (found,) = find_faces(frame)
    assert face.box.x + face.box.width / 2 == pytest.approx(found.box.x + found.box.width / 2, abs=10)
    np.testing.assert_array_equal(face.probabilities, classifier.probabilities(face.crop[np.newaxis])[0])


def test_frame_without_a_face_is_only_mirrored_and_clears_the_result(classifier):
    webcam = WebcamClassifier(classifier)
    webcam.process(draw_portrait())
    empty = np.random.default_rng(0).integers(100, 130, (240, 320, 3), dtype=np.uint8)
    np.testing.assert_array_equal(webcam.process(empty), empty[:, ::-1])
    assert webcam.latest.number == 2
    assert webcam.latest.faces == ()


def test_nothing_is_kept_of_a_stream_that_ended(classifier):
    webcam = WebcamClassifier(classifier, Clock(0.05))
    webcam.process(draw_portrait())
    webcam.forget()
    assert webcam.latest is None
    webcam.process(draw_portrait())
    assert webcam.latest.frames_per_second == 0, "the pause between two streams is not a slow frame"


def test_frame_is_not_changed_by_drawing(classifier):
    frame = draw_portrait()
    before = frame.copy()
    WebcamClassifier(classifier).process(frame)
    np.testing.assert_array_equal(frame, before)


def test_times_are_measured(classifier):
    webcam = WebcamClassifier(classifier, Clock(0.05))  # two looks a frame: 50 ms of work, 100 ms apart
    for _ in range(5):
        webcam.process(draw_portrait())
    assert webcam.latest.milliseconds == pytest.approx(50)
    assert webcam.latest.frames_per_second == pytest.approx(10)


def test_slow_frame_does_not_replace_the_result_of_a_newer_one():
    gate = Gate()
    webcam = WebcamClassifier(gate)
    slow = threading.Thread(target=webcam.process, args=(draw_portrait(),))
    slow.start()
    assert gate.entered.wait(10)
    # the detector is free again, so a second frame overtakes the first
    webcam.process(draw_portrait(size=90))
    newest = webcam.latest
    gate.opened.set()
    slow.join(10)
    assert newest.number == 2
    assert webcam.latest is newest
