"""A live stream: what is shown at once, what is read by and by, and what is left of it."""

import logging
import math
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_core import webcam as webcam_module
from emotion_core.annotate import UNSURE_COLOUR, person_colour
from emotion_core.boxes import Box
from emotion_core.classifier import Classifier, LinearClassifier
from emotion_core.detection import HaarDetector, open_detector
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS, NUM_EMOTIONS
from emotion_core.faces import cut_face
from emotion_core.images import to_gray
from emotion_core.streaming import Newest
from emotion_core.webcam import LiveSettings, LiveView, WebcamClassifier
from tests.camera import portrait
from tests.portrait import draw_portrait

PROJECT = Path(__file__).parent.parent

HAPPY, SAD, NEUTRAL = (EMOTIONS.index(emotion) for emotion in ("Happy", "Sad", "Neutral"))

FRAME_SECONDS = 0.25
"""Between the frames of these streams: slow enough that each is searched for faces."""

SMALLEST = 0.18
"""Smallest face looked for: larger than in use, for speed."""

PATIENCE = 30
"""Seconds for what takes a tenth of one on an idle machine."""


class Clock:
    """Seconds that pass as the test says."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Obedient:
    """Waits and breaks as it is told, and says when it was asked."""

    def __init__(self):
        self.trouble = None
        self.entered, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()

    def block(self):
        self.entered.clear()
        self.may_answer.clear()

    def answer_when_told(self):
        self.entered.set()
        assert self.may_answer.wait(2 * PATIENCE)
        if self.trouble:
            raise self.trouble


class Answers(Obedient, Classifier):
    """Gives every face the same answer, which the test may change."""

    def __init__(self, label=HAPPY, confidence=0.9):
        super().__init__()
        self.says(label, confidence)
        self.calls = 0

    def says(self, label, confidence=0.9):
        self.answer = np.full(NUM_EMOTIONS, (1 - confidence) / (NUM_EMOTIONS - 1), np.float32)
        self.answer[label] = confidence

    def classify_inputs(self, inputs):
        self.calls += 1
        self.answer_when_told()
        return np.tile(self.answer, (len(inputs), 1))


class Brightness(Classifier):
    """Answers with how bright a face is: happy if it is, sad if not."""

    def classify_inputs(self, inputs):
        brightness = inputs.mean(axis=(1, 2, 3))
        answers = np.zeros((len(inputs), NUM_EMOTIONS), np.float32)
        answers[:, HAPPY], answers[:, SAD] = brightness, 1 - brightness
        return answers


class Searches(Obedient, HaarDetector):
    """Counts how often it is asked."""

    def __init__(self):
        HaarDetector.__init__(self, SMALLEST)
        Obedient.__init__(self)
        self.count = 0

    def detect(self, image):
        self.count += 1
        self.answer_when_told()
        return super().detect(image)


class Handled(list):
    """The frames that were read, and whom to tell of the next."""

    def __init__(self):
        super().__init__()
        self.changed = threading.Condition()


class Stream:
    """A webcam whose frames come one by one, each once the one before has been read if so wanted."""

    def __init__(self, webcam, clock, handled):
        self.webcam, self.clock, self.handled = webcam, clock, handled

    def show(self, frame, seconds=FRAME_SECONDS):
        """Show a frame, and do not care whether it is read."""
        self.clock.now += seconds
        self.shown = self.webcam.show(frame)
        self.plain = frame[:, ::-1] if self.webcam.settings.mirrored else frame
        return self.shown

    def read(self, *frames, seconds=FRAME_SECONDS):
        """Show frames, each of which is read; return what was shown for the last."""
        for frame in frames:
            before = len(self.handled)
            shown = self.show(frame, seconds)
            self.settle(before + 1)
        return shown

    def settle(self, count):
        """Wait until so many frames have been read in all."""
        with self.handled.changed:
            assert self.handled.changed.wait_for(lambda: len(self.handled) >= count, PATIENCE), "waited in vain"

    def coloured(self, colour):
        """Return which pixels of what was shown last were drawn in a colour."""
        rgb = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
        return (self.shown == rgb).all(axis=2) & (self.shown != self.plain).any(axis=2)

    def labelled(self, colour):
        """Whether a strip in a colour was drawn."""
        return int(self.coloured(colour).sum()) > 500

    def framed(self, number=0):
        """Where the box of a person was drawn, None where it was not: by its sides, which are longer than letters."""
        mask = self.coloured(person_colour(number))
        rows, columns = (np.flatnonzero(mask.sum(axis=axis) > 40) for axis in (1, 0))
        if not len(rows) or not len(columns):
            return None
        return Box(int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)

    @property
    def people(self):
        return {person.number: person.face for person in self.webcam.latest.people}


@pytest.fixture(scope="module")
def detector():
    return open_detector("haar", SMALLEST)


@pytest.fixture
def stream(detector, monkeypatch):
    """Make a stream that a model reads; nothing that waits is left behind."""
    models = []

    def make(classifier, settings=None, own_detector=None):
        handled = Handled()

        class Watched(Newest):
            def __init__(self, handle):
                def watched(item):
                    handle(item)
                    with handled.changed:
                        handled.append(item)
                        handled.changed.notify_all()

                super().__init__(watched)

        monkeypatch.setattr(webcam_module, "Newest", Watched)
        clock = Clock()
        webcam = WebcamClassifier(classifier, own_detector or detector, clock)
        webcam.settings = settings or webcam.settings
        models.append(classifier)
        return Stream(webcam, clock, handled)

    yield make
    for model in models:
        if isinstance(model, Answers):
            model.may_answer.set()


@pytest.fixture
def linear(tmp_path):
    path = tmp_path / "linear.npz"
    coefficients = np.random.default_rng(3).normal(0, 0.05, (NUM_EMOTIONS, 2304))
    np.savez(path, coefficients=coefficients, intercepts=np.zeros(NUM_EMOTIONS), temperature=1.0)
    return LinearClassifier(path)


def person_at(x=160, y=120, size=70):
    """A small frame with one drawn face."""
    return draw_portrait(320, 240, (x, y), size)


def two_people(left=90, right=60):
    """A frame with a face in the middle of each half, of the sizes given."""
    return np.hstack([draw_portrait(240, 240, (120, 120), left), draw_portrait(240, 240, (120, 120), right)])


def nobody(width=320):
    return np.random.default_rng(0).integers(100, 130, (240, width, 3), dtype=np.uint8)


# --- what is found and read ----------------------------------------------------------------------------------------


def test_nothing_is_known_before_the_first_frame(stream):
    webcam = stream(Answers()).webcam
    assert webcam.latest is None
    assert webcam.still() is None
    assert not webcam.paused


def test_model_and_detector_are_warm_before_the_first_frame(stream):
    model, detector = Answers(), Searches()
    stream(model, own_detector=detector)
    assert (model.calls, detector.count) == (1, 1)


def test_best_detector_is_taken_where_none_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOTION_DETECTORS", str(tmp_path))
    assert isinstance(WebcamClassifier(Answers()).detector, HaarDetector)


def test_face_is_shown_once_it_was_found_twice(stream):
    live = stream(Answers())
    live.read(person_at())
    assert live.webcam.latest.people == ()
    live.read(person_at())
    assert live.people.keys() == {0}


def test_flash_that_looks_like_a_face_is_not_shown(stream):
    live = stream(Answers())
    for frame in (person_at(), nobody(), nobody(), nobody(), person_at(), nobody()):
        shown = live.read(frame)
        assert live.webcam.latest.people == ()
        np.testing.assert_array_equal(shown, frame[:, ::-1])


@pytest.mark.parametrize("mirrored", [True, False])
def test_face_is_read_as_the_camera_saw_it(stream, linear, mirrored):
    frame = person_at(110)
    live = stream(linear, LiveSettings(mirrored=mirrored))
    live.read(frame, frame)
    (face,) = live.people.values()
    assert face.box.middle == pytest.approx((110, 120), abs=10)
    np.testing.assert_array_equal(face.crop, cut_face(to_gray(frame), face.box).crop)
    np.testing.assert_allclose(face.probabilities, linear.probabilities(face.crop[np.newaxis])[0], rtol=1e-4)


def test_astronaut_is_found_and_read(stream, linear):
    live = stream(linear)
    live.read(portrait(), portrait())
    (face,) = live.people.values()
    assert face.box.middle == pytest.approx((270, 235), abs=25)


def test_frame_is_not_changed_by_drawing(stream):
    frame = person_at()
    before = frame.copy()
    live = stream(Answers())
    shown = live.read(frame, frame, frame)
    np.testing.assert_array_equal(frame, before)
    assert not np.shares_memory(shown, frame)


def test_faces_are_read_more_often_than_they_are_looked_for(stream):
    model, detector = Answers(), Searches()
    live = stream(model, own_detector=detector)
    live.read(person_at(), person_at())
    searches, readings = detector.count, model.calls
    live.read(*[person_at()] * 20, seconds=0.04)
    assert model.calls == readings + 20
    assert 2 <= detector.count - searches <= 5, "about every fifth of a second"


def test_frame_without_faces_is_searched_however_soon_it_comes(stream):
    detector = Searches()
    live = stream(Answers(), own_detector=detector)
    before = detector.count
    live.read(*[nobody()] * 5, seconds=0.01)
    assert detector.count == before + 5
    assert live.webcam.latest.people == ()


def test_person_who_left_is_forgotten(stream):
    live = stream(Answers())
    live.read(person_at(), person_at())
    assert live.people
    shown = live.read(nobody(), nobody(), nobody(), nobody())
    assert live.people == {}
    np.testing.assert_array_equal(shown, nobody()[:, ::-1])


# --- what is shown at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [True, False])
def test_box_lies_over_the_face_on_the_side_where_it_is_shown(stream, mirrored):
    frame = draw_portrait(center=(220, 230))
    live = stream(Answers(), LiveSettings(mirrored=mirrored))
    shown = live.read(frame, frame, frame)
    (face,) = live.people.values()
    expected = face.box.mirrored(640) if mirrored else face.box
    box = live.framed()
    assert shown.shape == frame.shape
    assert (box.x > 320) is mirrored
    assert (box.x, box.width) == pytest.approx((expected.x, expected.width), abs=4)
    assert box.y + box.height == pytest.approx(expected.y + expected.height, abs=4)
    untouched = np.s_[400:, :]
    np.testing.assert_array_equal(shown[untouched], (frame[:, ::-1] if mirrored else frame)[untouched])


@pytest.mark.parametrize("label", range(NUM_EMOTIONS))
def test_label_has_the_colour_of_the_emotion(stream, label):
    live = stream(Answers(label))
    live.read(person_at(), person_at(), person_at())
    assert [emotion for emotion, colour in EMOTION_COLOURS.items() if live.labelled(colour)] == [EMOTIONS[label]]
    rows = np.flatnonzero(live.coloured(EMOTION_COLOURS[EMOTIONS[label]]).sum(axis=1) > 40)
    assert rows.max() <= live.framed().y + 2, "it stands on the box"


@pytest.mark.parametrize(("confidence", "is_unsure"), [(0.55, True), (0.65, False)])
def test_face_below_the_threshold_is_labelled_unsure(stream, confidence, is_unsure):
    live = stream(Answers(HAPPY, confidence), LiveSettings(unsure_below=0.6))
    live.read(person_at(), person_at(), person_at())
    assert live.labelled(UNSURE_COLOUR) is is_unsure
    assert live.labelled(EMOTION_COLOURS["Happy"]) is not is_unsure
    assert live.people[0].emotion == "Happy", "the figures say what it might be all the same"


def test_settings_hold_from_the_next_frame_on(stream):
    live = stream(Answers(HAPPY, 0.65))
    live.read(person_at(110), person_at(110))
    live.webcam.settings = LiveSettings(unsure_below=0.7, mirrored=False)
    live.show(person_at(110))
    assert live.framed().middle[0] == pytest.approx(110, abs=15)
    assert not live.labelled(EMOTION_COLOURS["Happy"])


def test_showing_does_not_wait_for_the_model(stream):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    model.block()
    live.show(person_at())
    assert model.entered.wait(PATIENCE)
    for _ in range(20):
        live.show(person_at())
    assert not model.may_answer.is_set()


def test_how_the_stream_stands_can_be_asked_while_the_model_is_busy(stream):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    model.block()
    live.show(person_at())
    assert model.entered.wait(PATIENCE)
    assert live.people[0].emotion == "Happy"
    assert live.webcam.still().image.shape == (240, 320, 3)


def test_frames_that_came_while_the_model_was_busy_are_left_out(stream):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    calls = model.calls
    model.block()
    for _ in range(10):
        live.show(person_at())
        assert model.entered.wait(PATIENCE)
    model.may_answer.set()
    live.settle(4)
    assert model.calls == calls + 2, "the first and the newest of ten"


def test_box_and_label_move_with_the_face_while_the_model_is_busy(stream):
    astronaut, model = portrait(), Answers()
    live = stream(model)
    live.read(astronaut, astronaut)
    live.read(astronaut)
    start = live.framed()
    model.block()
    for step in range(1, 16):
        live.show(np.roll(astronaut, 6 * step, axis=1))
    box = live.framed()
    assert box.x - start.x == pytest.approx(-90, abs=8), "to the left, as in a mirror"
    assert box.y == pytest.approx(start.y, abs=5)
    columns = np.flatnonzero(live.coloured(EMOTION_COLOURS["Happy"]).any(axis=0))
    assert columns.min() == pytest.approx(box.x, abs=6)


# --- people --------------------------------------------------------------------------------------------------------


def test_person_keeps_the_number_while_moving(stream):
    live = stream(Answers())
    frames = [np.roll(two_people(left=70, right=90), 5 * step, axis=1) for step in range(8)]
    live.read(frames[0], frames[0])
    first = {number: face.box.middle[0] for number, face in live.people.items()}
    assert first == {0: pytest.approx(360, abs=15), 1: pytest.approx(120, abs=15)}
    live.read(*frames[1:])
    now = {number: face.box.middle[0] for number, face in live.people.items()}
    assert now == {number: pytest.approx(x + 35, abs=10) for number, x in first.items()}


def test_answer_about_a_past_frame_goes_to_the_person_who_has_moved_on(stream):
    astronaut, model = portrait(), Answers()
    live = stream(model)
    live.read(astronaut, astronaut)
    model.block()
    for step in range(1, 16):
        live.show(np.roll(astronaut, 6 * step, axis=1))
        assert model.entered.wait(PATIENCE)
    model.says(SAD, 1.0)
    model.may_answer.set()
    live.settle(4)
    assert live.people.keys() == {0}
    live.read(np.roll(astronaut, 90, axis=1))
    assert live.framed().mirrored(640).middle[0] == pytest.approx(270 + 90, abs=30)


def test_person_keeps_number_and_colour_when_another_leaves(stream):
    live = stream(Answers())
    live.read(two_people(90, 60), two_people(90, 60))
    assert live.people.keys() == {0, 1}
    alone = two_people(90, 60)
    alone[:, :240] = 150
    live.read(*[alone] * 5)
    assert live.people.keys() == {1}
    assert live.framed(1).mirrored(480).middle[0] == pytest.approx(360, abs=15)
    assert live.framed(0) is None


def test_each_person_has_an_answer_of_their_own(stream):
    frame = two_people(90, 70)
    frame[:, 240:] //= 3
    live = stream(Brightness())
    live.read(frame, frame, frame)
    assert {number: face.emotion for number, face in live.people.items()} == {0: "Happy", 1: "Sad"}
    for face in live.people.values():
        assert face.probabilities[HAPPY] == pytest.approx(face.crop.mean() / 255, abs=0.03)


def test_people_come_largest_first(stream):
    live = stream(Answers())
    live.read(two_people(60, 90), two_people(60, 90))
    first, second = live.webcam.latest.people
    assert first.face.box.area > second.face.box.area


def test_largest_face_alone_is_read_and_drawn_where_that_is_wanted(stream):
    frame = two_people(90, 60)
    live = stream(Answers(), LiveSettings(largest_only=True))
    shown = live.read(frame, frame, frame)
    (face,) = live.people.values()
    assert face.box.middle[0] == pytest.approx(120, abs=15)
    assert len(live.webcam.still().faces) == 1
    np.testing.assert_array_equal(shown[100:, :240], frame[:, ::-1][100:, :240])
    live.webcam.settings = LiveSettings()
    live.read(frame)
    assert len(live.people) == 2


# --- smoothing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5, 2.0, 1e6])
def test_newest_reading_counts_by_the_time_since_the_last(stream, smoothing):
    model = Answers(HAPPY, 1.0)
    live = stream(model, LiveSettings(smoothing=smoothing))
    live.read(person_at(), person_at())
    np.testing.assert_array_equal(live.people[0].probabilities, np.eye(NUM_EMOTIONS)[HAPPY])
    model.says(SAD, 1.0)
    live.read(person_at(), seconds=0.5)
    share = 1 - math.exp(-0.5 / smoothing) if smoothing else 1.0
    assert live.people[0].probabilities[SAD] == pytest.approx(share, abs=1e-5)
    assert live.people[0].probabilities[HAPPY] == pytest.approx(1 - share, abs=1e-5)


def test_smoothed_probabilities_sum_to_one_and_settle_on_what_lasts(stream):
    model = Answers(HAPPY, 0.8)
    live = stream(model, LiveSettings(smoothing=0.5))
    live.read(person_at(), person_at())
    model.says(NEUTRAL, 0.7)
    for _ in range(20):
        live.read(person_at())
        assert live.people[0].probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert live.people[0].confidence == pytest.approx(0.7, abs=0.01)
    assert live.people[0].emotion == "Neutral"
    assert live.people[0].probabilities.dtype == np.float32


def test_newcomer_is_not_blended_with_who_was_there_before(stream):
    model = Answers(HAPPY, 1.0)
    live = stream(model, LiveSettings(smoothing=1e6))
    live.read(person_at(90), person_at(90))
    live.read(*[nobody()] * 4)
    model.says(SAD, 1.0)
    live.read(person_at(230), person_at(230))
    assert live.people.keys() == {0}, "the number is free again"
    assert live.people[0].probabilities[SAD] == 1


# --- pause and still -----------------------------------------------------------------------------------------------


def test_pause_holds_the_very_picture_and_resuming_goes_on(stream):
    live = stream(Answers())
    before = live.read(person_at(), person_at(), person_at())
    live.webcam.pause(True)
    assert live.webcam.paused
    for x in (100, 200):
        np.testing.assert_array_equal(live.show(person_at(x)), before)
    assert len(live.handled) == 3, "what is not shown is not read"
    live.webcam.pause(False)
    assert not live.webcam.paused
    after = live.read(person_at(164), person_at(164))
    assert (after != before).any()
    assert live.people.keys() == {0}


def test_pause_keeps_the_people(stream):
    live = stream(Answers())
    live.read(person_at(), person_at())
    live.webcam.pause(True)
    for _ in range(5):
        live.show(nobody())
    assert live.people.keys() == {0}


def test_pause_before_the_first_frame_shows_that_frame(stream):
    live = stream(Answers())
    live.webcam.pause(True)
    first = live.show(person_at(100))
    np.testing.assert_array_equal(live.show(person_at(200)), first)


@pytest.mark.parametrize("mirrored", [True, False])
def test_still_is_the_newest_frame_as_the_camera_saw_it(stream, mirrored):
    live = stream(Answers(), LiveSettings(mirrored=mirrored))
    live.read(person_at(110), person_at(110), person_at(112))
    still = live.webcam.still()
    np.testing.assert_array_equal(still.image, person_at(112))
    (face,) = still.faces
    assert face.box.middle == pytest.approx((112, 120), abs=10)
    assert face.emotion == "Happy"


def test_still_of_a_pause_is_the_frame_that_is_shown(stream):
    live = stream(Answers())
    live.read(person_at(), person_at())
    live.webcam.pause(True)
    live.show(person_at(200))
    np.testing.assert_array_equal(live.webcam.still().image, person_at())


def test_still_without_a_face_is_the_frame_alone(stream):
    live = stream(Answers())
    live.show(nobody())
    still = live.webcam.still()
    np.testing.assert_array_equal(still.image, nobody())
    assert still.faces == ()


# --- the end of a stream, and of its frames ------------------------------------------------------------------------


def test_nothing_is_kept_of_a_stream_that_ended(stream):
    live = stream(Answers())
    live.read(person_at(), person_at())
    live.webcam.pause(True)
    live.webcam.forget()
    assert live.webcam.latest is None
    assert live.webcam.still() is None
    assert not live.webcam.paused
    np.testing.assert_array_equal(live.show(person_at()), person_at()[:, ::-1])


def test_next_stream_begins_anew(stream):
    live = stream(Answers(), LiveSettings(smoothing=1e6))
    live.read(two_people(), two_people())
    live.webcam.forget()
    live.webcam.classifier.says(SAD)
    live.clock.now += 60
    live.read(person_at())
    assert live.webcam.latest.people == ()
    assert live.webcam.latest.frames_per_second == 0, "the pause between two streams is not a slow frame"
    live.read(person_at())
    assert live.people.keys() == {0}
    assert live.people[0].emotion == "Sad"


@pytest.mark.parametrize("trouble", [None, RuntimeError("out of memory")])
def test_reading_under_way_when_the_stream_ended_leaves_nothing_behind(stream, trouble):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    model.block()
    live.show(person_at())
    assert model.entered.wait(PATIENCE)
    live.webcam.forget()
    model.trouble = trouble
    model.may_answer.set()
    live.settle(3)
    assert live.webcam.latest is None
    assert live.webcam.still() is None
    shown = live.show(nobody())
    np.testing.assert_array_equal(shown, nobody()[:, ::-1])


def test_late_reading_of_the_last_stream_says_nothing_of_the_next(stream):
    model = Answers()
    live = stream(model)
    live.read(person_at(90), person_at(90))
    model.block()
    live.show(person_at(90))
    assert model.entered.wait(PATIENCE)
    live.webcam.forget()
    live.show(person_at(230))
    model.may_answer.set()
    live.settle(4)
    live.read(person_at(230))
    assert live.people.keys() == {0}
    assert live.people[0].box.middle[0] == pytest.approx(230, abs=10)


def test_late_search_of_the_last_stream_finds_nothing_for_the_next(stream):
    detector = Searches()
    live = stream(Answers(), own_detector=detector)
    detector.block()
    live.show(person_at())
    assert detector.entered.wait(PATIENCE)
    live.webcam.forget()
    live.show(nobody())
    detector.may_answer.set()
    live.settle(2)
    live.read(person_at())
    assert live.webcam.latest.people == (), "it was found but once in this stream"
    live.read(person_at())
    assert live.people.keys() == {0}


def test_camera_that_changes_its_size_is_read_on(stream):
    live = stream(Answers())
    live.read(person_at(), person_at())
    large = cv2.resize(person_at(110), (640, 480))
    live.read(large, large, large)
    (face,) = live.people.values()
    assert face.box.middle == pytest.approx((220, 240), abs=20)
    assert live.framed().mirrored(640).middle[0] == pytest.approx(220, abs=20)


def test_streams_share_a_model_and_nothing_else(stream):
    model = Answers()
    first, second = stream(model), stream(model)
    first.read(person_at(), person_at())
    second.read(nobody())
    first.webcam.settings = replace(first.webcam.settings, mirrored=False)
    first.webcam.pause(True)
    assert first.people.keys() == {0}
    assert second.webcam.latest.people == ()
    assert second.webcam.settings == LiveSettings()
    assert not second.webcam.paused


# --- troubles and figures ------------------------------------------------------------------------------------------


def test_model_that_breaks_is_told_of_and_the_picture_goes_on(stream, caplog):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    model.trouble = RuntimeError("out of memory")
    with caplog.at_level(logging.CRITICAL):
        live.read(person_at(), person_at(164))
    assert live.webcam.latest.trouble == "Faces cannot be read: out of memory"
    assert live.framed().mirrored(320).middle[0] == pytest.approx(164, abs=15)


def test_trouble_is_over_once_a_frame_is_read(stream, caplog):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    model.trouble = RuntimeError("out of memory")
    live.read(person_at())
    model.trouble = None
    model.says(SAD)
    live.read(*[person_at()] * 6)
    assert live.webcam.latest.trouble == ""
    assert live.people[0].emotion == "Sad"


def test_trouble_with_the_very_first_frames_is_told_of(stream, caplog):
    detector = Searches()
    live = stream(Answers(), own_detector=detector)
    detector.trouble = RuntimeError("no memory")
    shown = live.read(person_at())
    assert live.webcam.latest == LiveView(trouble="Faces cannot be read: no memory")
    np.testing.assert_array_equal(shown, person_at()[:, ::-1])
    assert [record.exc_info[0] for record in caplog.records] == [RuntimeError]


def test_rates_and_delay_are_measured(stream):
    live = stream(Answers())

    class Slow(Answers):
        def classify_inputs(self, inputs):
            live.clock.now += 0.04
            return super().classify_inputs(inputs)

    live.read(person_at(), person_at())
    live.webcam.classifier = Slow()
    live.read(*[person_at()] * 20, seconds=0.06)  # and 40 ms of work each
    view = live.webcam.latest
    assert view.milliseconds == pytest.approx(40)
    assert view.frames_per_second == pytest.approx(10, rel=0.15)
    assert view.readings_per_second == pytest.approx(10, rel=0.15)
    live.clock.now += 10
    assert live.webcam.latest.frames_per_second == live.webcam.latest.readings_per_second == 0


def test_frames_that_nobody_reads_count_as_shown_alone(stream):
    model = Answers()
    live = stream(model)
    live.read(person_at(), person_at())
    model.block()
    live.show(person_at())
    assert model.entered.wait(PATIENCE)
    for _ in range(30):
        live.show(person_at(), seconds=0.1)
    assert live.webcam.latest.frames_per_second == pytest.approx(10, rel=0.1)
    assert live.webcam.latest.readings_per_second == 0


ENDING_IN_MID_STREAM = """
import time
from emotion_core.classifier import best_run, load_classifier
from emotion_core.detection import HaarDetector
from emotion_core.runs import Runs
from emotion_core.settings import runs_folder
from emotion_core.webcam import WebcamClassifier
from tests.camera import portrait

webcam = WebcamClassifier(load_classifier(best_run(Runs(runs_folder()))), HaarDetector())
for shift in range(20):
    webcam.show(portrait()[:, shift:].copy())
    time.sleep(0.02)
"""


def test_a_process_that_ends_in_mid_stream_ends_well(monkeypatch):
    monkeypatch.setenv("EMOTION_RUNS", str(PROJECT / "trained"))
    answer = subprocess.run(
        [sys.executable, "-c", ENDING_IN_MID_STREAM], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert (answer.returncode, answer.stderr) == (0, "")
