"""A live stream of faces: each frame is shown at once, and read as often as the machine can.

Knows neither browser nor page. Whoever owns the stream calls `show` from its thread with every frame and gets it back
with boxes at once: faces are followed there, which takes a few milliseconds. A second thread finds and classifies the
faces of the newest frame, and leaves out those that came while it was busy, so that the picture never waits for a
model. Whoever shows the figures reads `latest` from a third. Frames are dropped as soon as a newer one is there.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.annotate import UNSURE_COLOUR, draw_box, draw_label, person_colour
from emotion_core.boxes import Box
from emotion_core.classifier import Classifier
from emotion_core.detection import DETECTORS, Detector, best_detector, open_detector
from emotion_core.emotions import EMOTION_COLOURS
from emotion_core.faces import ClassifiedFace, classify_crops, cut_face
from emotion_core.images import to_gray
from emotion_core.streaming import Newest, Rate
from emotion_core.tracking import Track, Tracker

_DETECTION_SECONDS: Final = 0.2
"""How often faces are looked for while some are followed; where there are none every frame that is read is searched."""

_HITS_NEEDED: Final = 2
"""How often a face must be found before it is shown: what is taken for a face by mistake seldom is so twice."""


@dataclass(frozen=True)
class LiveSettings:
    """What a person may change while the stream runs.

    Attributes:
        smoothing: Seconds over which probabilities are averaged, the newest counting most; 0 shows each as it comes.
        unsure_below: With less confidence, 0-1, a face is labelled unsure.
        largest_only: Read the largest face alone.
        mirrored: Show the picture as in a mirror. Faces are read as the camera sees them all the same.
    """

    smoothing: float = 0.5
    unsure_below: float = 0.4
    largest_only: bool = False
    mirrored: bool = True


@dataclass(frozen=True)
class LivePerson:
    """A face that is followed, with its smoothed probabilities.

    Attributes:
        number: Stays while the face is in view; chooses the colour.
        face: As last read; its box in pixels of the frame as the camera saw it.
    """

    number: int
    face: ClassifiedFace


@dataclass(frozen=True)
class LiveView:
    """How the stream stands.

    Attributes:
        people: Largest first.
        frames_per_second: Rate at which frames are shown.
        readings_per_second: Rate at which faces are read.
        milliseconds: From the arrival of the frame last read to its result.
        trouble: Why faces cannot be read, empty while they can.
    """

    people: tuple[LivePerson, ...] = ()
    frames_per_second: float = 0.0
    readings_per_second: float = 0.0
    milliseconds: float = 0.0
    trouble: str = ""


@dataclass(frozen=True)
class Still:
    """A frame that someone took out of the stream: uint8 (h, w, 3) RGB, as the camera saw it, and its faces."""

    image: NDArray[np.uint8]
    faces: tuple[ClassifiedFace, ...]


@dataclass(frozen=True)
class _Frame:
    number: int
    arrived: float
    image: NDArray[np.uint8]
    gray: NDArray[np.uint8]


class WebcamClassifier:
    """Reads the faces of one stream. Ready, with model and detector warm, once it is made.

    Args:
        classifier: The model; may be shared between streams.
        detector: One of the stream's own, else the best that can be had here.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.classifier = classifier
        self.detector = detector or open_live_detector()
        self.settings = LiveSettings()
        self._clock = clock
        self._lock = threading.Lock()  # guards all that follows
        self._tracker = Tracker(hits_needed=_HITS_NEEDED)
        self._people: dict[int, LivePerson] = {}
        self._read_at: dict[int, float] = {}
        self._detected_at = -math.inf
        self._number = self._forgotten = 0  # of the newest frame, and of the last of a stream that has ended
        self._shown, self._read = Rate(), Rate()
        self._milliseconds, self._trouble = 0.0, ""
        self._last: tuple[_Frame, NDArray[np.uint8]] | None = None
        self._paused = False
        self._reader = Newest(self._read_frame)
        self._warm_up()

    def show(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Take in the next frame of the stream and return what is to be shown for it, in a few milliseconds.

        Args:
            image: uint8 (h, w, 3), RGB.
        """
        gray = to_gray(image)
        with self._lock:
            now = self._clock()
            self._shown.count(now)
            if self._paused and self._last:
                return self._last[1]
            self._number += 1
            frame = _Frame(self._number, now, image, gray)
            self._tracker.follow(gray, frame.number)
            shown = self._drawn(frame)
            self._last = frame, shown
        self._reader.give(frame)
        return shown

    @property
    def latest(self) -> LiveView | None:
        """How the stream stands, None before the first frame is read."""
        with self._lock:
            if not self._read.has_counted and not self._trouble:
                return None
            now = self._clock()
            return LiveView(
                self._known(),
                self._shown.per_second(now),
                self._read.per_second(now),
                self._milliseconds,
                self._trouble,
            )

    @property
    def paused(self) -> bool:
        """Whether the picture stands still."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Let the picture stand still, or move on."""
        with self._lock:
            self._paused = paused

    def still(self) -> Still | None:
        """Return the newest frame with its faces where they are in it, None before the first."""
        with self._lock:
            if self._last is None:
                return None
            frame = self._last[0]
            known = [track for track in self._chosen() if track.number in self._people]
            cuts = [cut_face(frame.gray, track.box(frame.gray.shape)) for track in known]
            shares = [self._people[track.number].face.probabilities for track in known]
        faces = (ClassifiedFace(cut.box, cut.crop, share) for cut, share in zip(cuts, shares, strict=True))
        return Still(frame.image, tuple(faces))

    def forget(self) -> None:
        """Drop frames and faces: the stream has ended."""
        with self._lock:
            self._tracker.forget()
            self._people.clear()
            self._read_at.clear()
            self._last, self._detected_at, self._paused = None, -math.inf, False
            self._shown, self._read = Rate(), Rate()
            self._forgotten, self._trouble = self._number, ""

    def _read_frame(self, frame: _Frame) -> None:
        """Find and classify the faces of a frame that was shown. The reading thread does this."""
        try:
            squares = self._located(frame)
            crops = [cut_face(frame.gray, square) for square in squares.values()]
            faces = dict(zip(squares, classify_crops(crops, self.classifier), strict=True))
        except Exception as error:  # whatever it is, the picture goes on and the page says so
            if not self._trouble:  # or it would be logged with every frame
                logging.getLogger(__name__).exception("A frame could not be read.")
            with self._lock:
                if frame.number > self._forgotten:
                    self._trouble = f"Faces cannot be read: {error}"
            return
        with self._lock:
            if frame.number > self._forgotten:
                self._take_in(faces, frame)

    def _located(self, frame: _Frame) -> dict[int, Box]:
        """Return where in a frame the faces to read are, by person; look for them where that is due."""
        with self._lock:
            due = frame.arrived - self._detected_at >= _DETECTION_SECONDS or not self._tracker.tracks
        squares = self.detector.squares(frame.image) if due else []
        with self._lock:
            if due and frame.number > self._forgotten:
                self._detected_at = frame.arrived
                self._tracker.correct(squares, frame.number)
            return {track.number: track.box_at(frame.number, frame.gray.shape) for track in self._chosen()}

    def _chosen(self) -> list[Track]:
        tracks = self._tracker.tracks
        return tracks[:1] if self.settings.largest_only else tracks

    def _take_in(self, faces: dict[int, ClassifiedFace], frame: _Frame) -> None:
        """Blend what was read with what was known, and drop the people who are gone."""
        for number, face in faces.items():
            self._people[number] = LivePerson(number, self._smoothed(number, face, frame.arrived))
            self._read_at[number] = frame.arrived
        here = {track.number for track in self._tracker.tracks}
        self._people = {number: person for number, person in self._people.items() if number in here}
        now = self._clock()
        self._read.count(now)
        self._milliseconds, self._trouble = 1_000 * (now - frame.arrived), ""

    def _smoothed(self, number: int, face: ClassifiedFace, moment: float) -> ClassifiedFace:
        known = self._people.get(number)
        if known is None:
            return face
        share = _share_of_new(moment - self._read_at[number], self.settings.smoothing)
        blend = share * face.probabilities + (1 - share) * known.face.probabilities
        return ClassifiedFace(face.box, face.crop, blend.astype(np.float32))

    def _known(self) -> tuple[LivePerson, ...]:
        return tuple(self._people[track.number] for track in self._chosen() if track.number in self._people)

    def _drawn(self, frame: _Frame) -> NDArray[np.uint8]:
        """Return a copy of a frame with a box in the person's colour and a label in the emotion's around each face."""
        width = frame.image.shape[1]
        drawn = np.ascontiguousarray(frame.image[:, ::-1]) if self.settings.mirrored else frame.image.copy()
        for track in reversed(self._chosen()):  # the largest on top
            box = track.box(frame.gray.shape)
            box = box.mirrored(width) if self.settings.mirrored else box
            draw_box(drawn, box, person_colour(track.number))
            if person := self._people.get(track.number):
                draw_label(drawn, box, *self._label(person.face))
        return drawn

    def _label(self, face: ClassifiedFace) -> tuple[str, str]:
        """Return what is written on a face, and the colour that it is written on."""
        if face.confidence < self.settings.unsure_below:
            return "unsure", UNSURE_COLOUR
        return f"{face.emotion} {face.confidence:.0%}", EMOTION_COLOURS[face.emotion]

    def _warm_up(self) -> None:
        """Do once what is slow the first time, so that no frame waits for it."""
        self.detector.detect(np.zeros((240, 320, 3), np.uint8))
        self.classifier.probabilities(np.zeros((1, 48, 48), np.uint8))


def open_live_detector(name: str | None = None, smallest: float | None = None) -> Detector:
    """Return a detector for a stream, quick where nobody asks for small faces; raises as `open_detector`."""
    name = name or best_detector()
    if smallest is None and name in DETECTORS:
        smallest = DETECTORS[name].live_smallest
    return open_detector(name, smallest)


def _share_of_new(seconds: float, smoothing: float) -> float:
    """Return how much a reading counts beside those before it, after so many seconds (exponential smoothing)."""
    return 1.0 if smoothing <= 0 else 1 - math.exp(-max(0.0, seconds) / smoothing)
