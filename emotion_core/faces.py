"""Faces in pictures: found, cut out as the training faces were, classified, drawn."""

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emotion_core.boxes import Box, square_crop
from emotion_core.classifier import Classifier
from emotion_core.detection import Detector, best_detector, open_detector
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.images import to_face, to_gray


@dataclass(frozen=True)
class Face:
    """A face as found: where, and as the network sees it (uint8 (48, 48))."""

    box: Box
    crop: NDArray[np.uint8]


@dataclass(frozen=True)
class ClassifiedFace:
    """A face with the probability of each emotion (float32 (7,), in the order of `EMOTIONS`)."""

    box: Box
    crop: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    @property
    def label(self) -> int:
        """Number of the most probable emotion."""
        return int(self.probabilities.argmax())

    @property
    def emotion(self) -> str:
        """Name of the most probable emotion."""
        return EMOTIONS[self.label]

    @property
    def confidence(self) -> float:
        """Probability of the most probable emotion."""
        return float(self.probabilities.max())


def find_faces(image: NDArray[np.uint8], detector: Detector | None = None) -> list[Face]:
    """Find the faces of a picture, largest first.

    Args:
        image: uint8 (h, w, 3) RGB or (h, w) gray.
        detector: One of your own, else one that all callers share.
    """
    detector = detector or shared_detector()
    gray = to_gray(image)
    return [cut_face(gray, square_crop(box, gray.shape, detector.crop)) for box in detector.detect(image)]


def whole_picture(image: NDArray[np.uint8]) -> Face:
    """Take the largest square in the middle of a picture for the face, for pictures that are nothing but a face."""
    gray = to_gray(image)
    height, width = gray.shape
    return cut_face(gray, square_crop(Box(0, 0, width, height), gray.shape))


def cut_face(gray: NDArray[np.uint8], box: Box) -> Face:
    """Cut a box out of a gray picture and bring it to the size of a training face."""
    return Face(box, to_face(gray[box.y : box.y + box.height, box.x : box.x + box.width]))


def classify_faces(
    image: NDArray[np.uint8], classifier: Classifier, detector: Detector | None = None
) -> list[ClassifiedFace]:
    """Find and classify the faces of a picture (uint8 (h, w, 3) RGB or (h, w) gray), largest first."""
    return classify_crops(find_faces(image, detector), classifier)


def classify_crops(faces: list[Face], classifier: Classifier) -> list[ClassifiedFace]:
    """Classify faces that were found before, in one batch."""
    if not faces:
        return []
    probabilities = classifier.probabilities(np.stack([face.crop for face in faces]))
    return [ClassifiedFace(face.box, face.crop, row) for face, row in zip(faces, probabilities, strict=True)]


def draw_faces(image: NDArray[np.uint8], faces: list[ClassifiedFace]) -> NDArray[np.uint8]:
    """Return a copy of an RGB picture with a box and a label around each face, in its emotion's colour."""
    drawn = image.copy()
    thickness = max(2, round(max(image.shape) / 300))
    for face in faces:
        colour, box = _rgb(EMOTION_COLOURS[face.emotion]), face.box
        cv2.rectangle(drawn, (box.x, box.y), (box.x + box.width - 1, box.y + box.height - 1), colour, thickness)
        _draw_label(drawn, f"{face.emotion} {face.confidence:.0%}", box, colour, 9 * thickness)
    return drawn


def _draw_label(image: NDArray[np.uint8], text: str, box: Box, colour: tuple[int, int, int], size: int) -> None:
    """Write on a strip that stands on the box, or hangs inside it where there is no room above."""
    strip = _label_strip(text, colour, size)[: image.shape[0], : image.shape[1]]
    height, width = strip.shape[:2]
    left = max(0, min(box.x, image.shape[1] - width))
    top = min(box.y - height if box.y >= height else box.y, image.shape[0] - height)
    image[top : top + height, left : left + width] = strip


@lru_cache(maxsize=256)
def _label_strip(text: str, colour: tuple[int, int, int], size: int) -> NDArray[np.uint8]:
    """Return text on its emotion's colour, uint8 (h, w, 3)."""
    font = ImageFont.load_default(size)
    padding = size // 3
    strip = Image.new("RGB", (round(font.getlength(text)) + 2 * padding, size + 2 * padding), colour)
    ink = "black" if _is_light(colour) else "white"
    ImageDraw.Draw(strip).text((padding, strip.height / 2), text, ink, font, anchor="lm")
    return np.array(strip)


def shared_detector() -> Detector:
    """Return the best detector that can be had here, made once for all callers."""
    return _detector(best_detector())


@cache
def _detector(name: str) -> Detector:
    return open_detector(name)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _is_light(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140
