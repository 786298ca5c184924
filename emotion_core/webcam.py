"""What happens to each frame of a webcam: find, classify, draw, and remember the newest result.

Knows neither browser nor stream. Whoever owns the stream calls `process` from its thread; whoever shows the result
reads `latest` from another. Frames are never kept.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Classifier
from emotion_core.detection import open_detector
from emotion_core.faces import ClassifiedFace, classify_faces, draw_faces

DETECTION_SIDE: Final = 320
"""Longer side at which faces are looked for: a person at a webcam is near, so speed counts more than small faces."""


@dataclass(frozen=True)
class FrameResult:
    """What one frame showed.

    Attributes:
        number: Place of the frame in the stream, from 1.
        faces: Largest first; boxes in pixels of the frame as the camera saw it.
        milliseconds: Time that finding and classifying took.
        frames_per_second: Rate of the last frames; 0 for the first.
    """

    number: int
    faces: tuple[ClassifiedFace, ...]
    milliseconds: float
    frames_per_second: float


class WebcamClassifier:
    """Classifies the frames of one stream. Ready, with model and detector warm, once it is made.

    Args:
        classifier: The model; may be shared between streams.
        clock: Seconds that only grow.
    """

    def __init__(self, classifier: Classifier, clock: Callable[[], float] = time.monotonic) -> None:
        self.classifier = classifier
        self._clock = clock
        self._detector = open_detector(longest_side=DETECTION_SIDE)
        self._lock = threading.Lock()
        self._started = 0
        self._latest: FrameResult | None = None
        self._times: deque[float] = deque(maxlen=15)
        self._warm_up()

    @property
    def latest(self) -> FrameResult | None:
        """The result of the newest frame that is done, None before the first."""
        with self._lock:
            return self._latest

    def process(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Classify a frame (uint8 (h, w, 3) RGB) and return it mirrored, as people know themselves, with boxes.

        The face is classified as the camera saw it; only the picture that is shown is mirrored.
        """
        with self._lock:
            self._started += 1
            number = self._started
        start = self._clock()
        faces = classify_faces(frame, self.classifier, self._detector)
        self._remember(number, faces, start)
        return draw_faces(np.ascontiguousarray(frame[:, ::-1]), _mirrored(faces, frame.shape[1]))

    def forget(self) -> None:
        """Drop the last result, with the face in it: the stream has ended."""
        with self._lock:
            self._latest = None
            self._times.clear()

    def _remember(self, number: int, faces: list[ClassifiedFace], start: float) -> None:
        """Keep the result, unless that of a later frame came first."""
        end = self._clock()
        with self._lock:
            self._times.append(end)
            if self._latest is None or number > self._latest.number:
                self._latest = FrameResult(number, tuple(faces), 1_000 * (end - start), _rate(self._times))

    def _warm_up(self) -> None:
        """Do once what is slow the first time, so that no frame waits for it."""
        self._detector.detect(np.zeros((240, 320), np.uint8))
        self.classifier.probabilities(np.zeros((1, 48, 48), np.uint8))


def _mirrored(faces: list[ClassifiedFace], width: int) -> list[ClassifiedFace]:
    return [ClassifiedFace(face.box.mirrored(width), face.crop, face.probabilities) for face in faces]


def _rate(times: deque[float]) -> float:
    """Frames per second over the given moments."""
    span = times[-1] - times[0]
    return (len(times) - 1) / span if span > 0 else 0.0
