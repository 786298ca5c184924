"""Finding faces: one interface, two detectors behind it.

`haar` works everywhere, because its files come with OpenCV. `yunet` finds more, in half the time, once its file has
been fetched (`detector_file`). Each knows how its boxes lie on a face, and says so as a `CropRule`.
"""

import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Final

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from emotion_core.boxes import Box, CropRule, square_crop
from emotion_core.detector_file import read_detector_file
from emotion_core.errors import BadInput, EmotionError, ModelUnavailable
from emotion_core.images import shrink, to_gray

_NARROWEST: Final = 64
"""YuNet's answers are noise on pictures of 32 pixels and less, so those are drawn out to this."""

LEAST_SMALLEST: Final = 0.02
"""Faces that take less of the picture's longer side are not looked for: the picture would not be reduced at all."""

Rectangle = tuple[float, float, float, float]
"""x, y, width, height."""


class Detector(ABC):
    """Finds upright frontal faces. May be shared by threads, which then wait for each other.

    Args:
        smallest: Side of the smallest face to look for, relative to the picture's longer side; None for
            `usual_smallest`. The picture is reduced until such a face is just large enough: looking for larger ones
            alone is faster and raises fewer false alarms.
    """

    name: ClassVar[str]
    crop: ClassVar[CropRule]
    usual_smallest: ClassVar[float]
    live_smallest: ClassVar[float]
    """The usual one for a live stream: a person at a webcam is near, so speed counts more than small faces."""

    _face_pixels: ClassVar[int]
    """Side of the smallest face in the reduced picture."""

    def __init__(self, smallest: float | None = None) -> None:
        self.smallest = self.usual_smallest if smallest is None else smallest
        self._longest_side = round(self._face_pixels / self.smallest)
        self._lock = threading.Lock()  # OpenCV's objects keep their working memory in themselves

    def detect(self, image: NDArray[np.uint8]) -> list[Box]:
        """Return the faces of a picture (h, w, 3) RGB or (h, w) gray as boxes, largest first, none inside another."""
        reduced = shrink(image, self._longest_side, self._longest_side)
        scale = max(reduced.shape[:2]) / max(image.shape[:2])
        with self._lock:
            found = self._find(reduced)
        boxes = [Box(*(round(side / scale) for side in rectangle)) for rectangle in found]
        least = 0.8 * self.smallest * max(image.shape[:2])  # boxes are cut more or less tightly
        boxes = [box for box in boxes if max(box.width, box.height) >= least]
        return without_nested(sorted(boxes, key=lambda box: box.area, reverse=True))

    def squares(self, image: NDArray[np.uint8]) -> list[Box]:
        """Return the faces of a picture, given as to `detect`, as the squares to cut out for the network."""
        return [square_crop(box, image.shape, self.crop) for box in self.detect(image)]

    @abstractmethod
    def _find(self, image: NDArray[np.uint8]) -> list[Rectangle]:
        """Return where the faces of a reduced picture are, in its pixels."""


class HaarDetector(Detector):
    """Three of the Haar cascades that come with OpenCV, together (Viola and Jones 2001, Lienhart and Maydt 2002).

    Each misses a fifth or more of FER-2013's tight crops, and not the same ones: that for profiles sees faces which are
    turned away. Where enough windows agree, of whichever cascade, there is a face. Contrast is evened out in tiles
    first (CLAHE): evening it out over the whole picture finds a tenth fewer. What is found, `benchmarks/find_faces.py`
    measures.
    """

    name = "haar"
    crop = CropRule(1.0, 0.0)
    """69.5 % of validation faces right, 70.8 % uncut; mid-plateau (`benchmarks/crop.py --count 1500`)."""

    usual_smallest = 0.12
    live_smallest = 0.15
    _face_pixels = 29

    _CASCADES: Final = ("frontalface_default", "frontalface_alt2", "profileface")
    _TOO_FEW: Final = 2
    """As many windows may agree where there is no face."""

    _LIKENESS: Final = 0.4
    """How far windows may lie apart, relative to their size, and still count as of one face; more joins neighbours."""

    def __init__(self, smallest: float | None = None) -> None:
        super().__init__(smallest)
        folder = Path(cv2.data.haarcascades)
        self._cascades = [_load_cascade(folder / f"haarcascade_{name}.xml") for name in self._CASCADES]
        self._contrast = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4))

    def _find(self, image: NDArray[np.uint8]) -> list[Rectangle]:
        even = self._contrast.apply(to_gray(image))
        side = round(self.smallest * max(even.shape))
        windows: list[list[int]] = []
        for cascade in self._cascades:
            hits = cascade.detectMultiScale(even, 1.1, minNeighbors=0, minSize=(side, side))
            windows += np.reshape(hits, (-1, 4)).tolist()
        faces, _ = cv2.groupRectangles(windows, self._TOO_FEW, self._LIKENESS) if windows else ((), ())
        return [(float(x), float(y), float(width), float(height)) for x, y, width, height in faces]


class YunetDetector(Detector):
    """OpenCV's YuNet, a network of 75,000 weights (Wu, Peng and Yu 2023). Raises ModelUnavailable without its file."""

    name = "yunet"
    crop = CropRule(0.91, 0.0)
    """Mid-plateau for the network that ships: 69.5 % of the validation faces right, 68.4 to 69.3 % by those around it
    (scales 0.87, 0.91, 0.95, between those of `benchmarks/crop.py`)."""

    usual_smallest = 0.03
    live_smallest = 0.06
    _face_pixels = 19

    _CONFIDENCE: Final = 0.5
    _OVERLAP: Final = 0.3
    _CANDIDATES: Final = 5_000
    """Windows that are kept before those of one face are joined; each face has several."""

    def __init__(self, smallest: float | None = None) -> None:
        super().__init__(smallest)
        weights = np.frombuffer(read_detector_file(), np.uint8)
        try:
            self._network = cv2.FaceDetectorYN.create(
                "onnx", weights, np.empty(0, np.uint8), (32, 32), self._CONFIDENCE, self._OVERLAP, self._CANDIDATES
            )
        except cv2.error as error:
            raise ModelUnavailable("This OpenCV cannot use the YuNet detector; install the pinned version.") from error

    def _find(self, image: NDArray[np.uint8]) -> list[Rectangle]:
        image = _padded(image, _NARROWEST)
        self._network.setInputSize((image.shape[1], image.shape[0]))
        colours = cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
        _, faces = self._network.detect(cv2.cvtColor(image, colours))
        return [] if faces is None else [(face[0], face[1], face[2], face[3]) for face in faces.tolist()]


DETECTORS: Final[dict[str, type[HaarDetector | YunetDetector]]] = {"yunet": YunetDetector, "haar": HaarDetector}
"""By name, the better first."""


def open_detector(name: str | None = None, smallest: float | None = None) -> Detector:
    """Return a detector of one's own.

    Args:
        name: "yunet" or "haar"; None for the first of them that can be had here.
        smallest: As in `Detector`.

    Raises:
        BadInput: No detector has this name, or the smallest face is no share between 0.02 and 1.
        ModelUnavailable: The file of the detector asked for is not here.
    """
    name = name or best_detector()
    if name not in DETECTORS:
        raise BadInput(f"There is no face detector {name!r}; there are {', '.join(DETECTORS)}.")
    if smallest is not None and not LEAST_SMALLEST <= smallest <= 1:
        raise BadInput(
            f"The smallest face to look for is a share of the picture from {LEAST_SMALLEST} to 1, not {smallest}."
        )
    return DETECTORS[name](smallest)


def best_detector() -> str:
    """Return the name of the best detector that can be had here."""
    try:
        read_detector_file()
    except ModelUnavailable:
        return HaarDetector.name
    return YunetDetector.name


def without_nested(boxes: list[Box]) -> list[Box]:
    """Drop boxes whose middle lies in one that comes before them: mouths and eyes taken for faces."""
    kept: list[Box] = []
    for box in boxes:
        if not any(larger.holds(*box.middle) for larger in kept):
            kept.append(box)
    return kept


def _padded(image: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    """Return a picture at least so many pixels wide and high, its border drawn out below and to the right."""
    below, right = max(0, least - image.shape[0]), max(0, least - image.shape[1])
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def _load_cascade(path: Path) -> cv2.CascadeClassifier:
    """Read a cascade through Python: OpenCV itself cannot open paths with accents on Windows."""
    cascade = cv2.CascadeClassifier()
    storage = cv2.FileStorage(path.read_text(encoding="utf-8"), cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    if not cascade.read(storage.getFirstTopLevelNode()):
        raise EmotionError(f"{path} is not a face detector that this OpenCV reads; install opencv-python-headless<5.")
    return cascade
