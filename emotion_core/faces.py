"""Faces in pictures: found, cut out as the training faces were, classified, drawn."""

import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emotion_core.classifier import Classifier
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.errors import EmotionError
from emotion_core.images import to_face, to_gray

CROP_SCALE: Final = 1.0
"""Side of the crop given to the network, relative to the detector's box.

The box is about as wide as FER-2013's own crops. On 1,111 found validation faces the shipped model is as often right
from 0.9 to 1.05 of the box (0.70, as on the file's own crops), and less often outside (0.66 at 0.8, 0.67 at 1.2):
`python -m benchmarks.find_faces`.
"""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture; x and y are those of its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Number of pixels inside."""
        return self.width * self.height

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def mirrored(self, picture_width: int) -> "Box":
        """Return where the box is once the picture is mirrored left to right."""
        return Box(picture_width - self.x - self.width, self.y, self.width, self.height)


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


class FaceDetector:
    """Finds upright frontal faces with the Haar cascade that comes with OpenCV (Lienhart and Maydt 2002).

    The picture is reduced until its longer side has `longest_side` pixels: less is faster, and misses small faces.
    A face is found when it is at least a sixteenth of the longer side. May be shared by threads, which then wait
    for each other.
    """

    def __init__(self, longest_side: int = 480) -> None:
        self._longest_side = longest_side
        self._cascade = _load_cascade(Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt2.xml")
        self._lock = threading.Lock()  # OpenCV's object keeps its working memory in itself

    def detect(self, gray: NDArray[np.uint8]) -> list[Box]:
        """Return the detector's own boxes in a gray picture (h, w), in any order."""
        scale = min(1.0, self._longest_side / max(gray.shape))
        reduced = cv2.equalizeHist(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        smallest = max(reduced.shape) // 16
        with self._lock:
            found = self._cascade.detectMultiScale(reduced, 1.1, 4, minSize=(smallest, smallest))
        return [Box(*(round(float(side) / scale) for side in rectangle)) for rectangle in found]


def find_faces(image: NDArray[np.uint8], detector: FaceDetector | None = None) -> list[Face]:
    """Find the faces of a picture, largest first.

    Args:
        image: uint8 (h, w, 3) RGB or (h, w) gray.
        detector: One of your own, else one that all callers share.
    """
    gray = to_gray(image)
    found = sorted((detector or _shared_detector()).detect(gray), key=lambda box: box.area, reverse=True)
    return [cut_face(gray, square_crop(box, gray.shape)) for box in _without_nested(found)]


def whole_picture(image: NDArray[np.uint8]) -> Face:
    """Take the largest square in the middle of a picture for the face, for pictures that are nothing but a face."""
    gray = to_gray(image)
    height, width = gray.shape
    return cut_face(gray, square_crop(Box(0, 0, width, height), gray.shape, scale=1.0))


def square_crop(box: Box, shape: tuple[int, ...], scale: float = CROP_SCALE) -> Box:
    """Return the square around the middle of a box, moved and shrunk as needed to lie inside the picture.

    Args:
        box: As detected.
        shape: (height, width) of the picture.
        scale: Side of the square relative to the longer side of the box.
    """
    height, width = shape[:2]
    side = max(1, min(round(max(box.width, box.height) * scale), height, width))
    x = round(box.x + (box.width - side) / 2)
    y = round(box.y + (box.height - side) / 2)
    return Box(min(max(x, 0), width - side), min(max(y, 0), height - side), side, side)


def cut_face(gray: NDArray[np.uint8], box: Box) -> Face:
    """Cut a box out of a gray picture and bring it to the size of a training face."""
    return Face(box, to_face(gray[box.y : box.y + box.height, box.x : box.x + box.width]))


def classify_faces(
    image: NDArray[np.uint8], classifier: Classifier, detector: FaceDetector | None = None
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


def _without_nested(boxes: list[Box]) -> list[Box]:
    """Drop boxes whose middle lies in a larger one that comes before them: mouths and eyes taken for faces."""
    kept: list[Box] = []
    for box in boxes:
        if not any(larger.holds(box.x + box.width / 2, box.y + box.height / 2) for larger in kept):
            kept.append(box)
    return kept


def _load_cascade(path: Path) -> cv2.CascadeClassifier:
    """Read a cascade through Python: OpenCV itself cannot open paths with accents on Windows."""
    cascade = cv2.CascadeClassifier()
    storage = cv2.FileStorage(path.read_text(encoding="utf-8"), cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    if not cascade.read(storage.getFirstTopLevelNode()):
        raise EmotionError(f"{path} is not a face detector that this OpenCV reads; install opencv-python-headless<5.")
    return cascade


@cache
def _shared_detector() -> FaceDetector:
    return FaceDetector()


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _is_light(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140
