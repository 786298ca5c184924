"""Faces in pictures: found, cut out as the training faces were, classified."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_core.boxes import Box, square_crop
from emotion_core.classifier import Classifier
from emotion_core.detection import Detector
from emotion_core.emotions import EMOTIONS
from emotion_core.images import to_face, to_gray


@dataclass(frozen=True)
class Face:
    """A face as found: where, and as the network sees it (uint8 (48, 48))."""

    box: Box
    crop: NDArray[np.uint8]


@dataclass(frozen=True)
class ClassifiedFace(Face):
    """A face with the probability of each emotion (float32 (7,), in the order of `EMOTIONS`)."""

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

    @property
    def shares(self) -> dict[str, float]:
        """Probability of each emotion by its name."""
        return dict(zip(EMOTIONS, self.probabilities.tolist(), strict=True))


def find_faces(image: NDArray[np.uint8], detector: Detector) -> list[Face]:
    """Find the faces of a picture, uint8 (h, w, 3) RGB or (h, w) gray, largest first."""
    gray = to_gray(image)
    return [cut_face(gray, square) for square in detector.squares(image)]


def whole_picture(image: NDArray[np.uint8]) -> Face:
    """Take the largest square in the middle of a picture, uint8 (h, w, 3) RGB or (h, w) gray, for the face.

    For pictures that are nothing but a face.
    """
    gray = to_gray(image)
    height, width = gray.shape
    return cut_face(gray, square_crop(Box(0, 0, width, height), gray.shape))


def cut_face(gray: NDArray[np.uint8], box: Box) -> Face:
    """Cut a box out of a gray picture, uint8 (h, w), and bring it to the size of a training face."""
    return Face(box, to_face(gray[box.y : box.y + box.height, box.x : box.x + box.width]))


def classify_faces(
    image: NDArray[np.uint8], classifier: Classifier, detector: Detector, *, whole: bool = False
) -> list[ClassifiedFace]:
    """Find and classify the faces of a picture, largest first.

    Args:
        image: uint8 (h, w, 3) RGB or (h, w) gray.
        classifier: The model.
        detector: Finds the faces.
        whole: Where no face is found, take the whole picture for one.
    """
    faces = find_faces(image, detector) or ([whole_picture(image)] if whole else [])
    return classify_crops(faces, classifier)


def classify_crops(faces: Sequence[Face], classifier: Classifier) -> list[ClassifiedFace]:
    """Classify faces that were found before, in one batch."""
    if not faces:
        return []
    probabilities = classifier.probabilities(np.stack([face.crop for face in faces]))
    return [ClassifiedFace(face.box, face.crop, row) for face, row in zip(faces, probabilities, strict=True)]
