"""What a network is asked beside the face itself, so that its answers can be averaged (test-time augmentation)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.config import Prediction
from emotion_core.emotions import IMAGE_SIZE

ENLARGED_BY: Final = 1.1
"""How much larger the closer view is; chosen among 1.06, 1.1 and 1.15 on validation faces."""

MIRRORED: Final = "flip_average"
CLOSER: Final = "closer_average"
"""What the metadata of a model.onnx call the views; 1 where they are averaged."""

Faces = NDArray[np.float32]
Classify = Callable[[Faces], NDArray[np.float32]]


@dataclass(frozen=True)
class Views:
    """Which views of a face are averaged: its mirror image, and both of them closer."""

    mirrored: bool = False
    closer: bool = False

    @classmethod
    def asked_by(cls, settings: Prediction) -> Self:
        """Return the views that a run's settings ask for."""
        return cls(settings.flip_average, settings.closer_average)

    @classmethod
    def noted_in(cls, metadata: Mapping[str, str]) -> Self:
        """Return the views that the metadata of a model.onnx ask for."""
        return cls(metadata.get(MIRRORED) == "1", metadata.get(CLOSER) == "1")

    def notes(self) -> dict[str, str]:
        """Return what `noted_in` reads."""
        return {MIRRORED: str(int(self.mirrored)), CLOSER: str(int(self.closer))}

    def average(self, classify: Classify, faces: Faces) -> NDArray[np.float32]:
        """Return the mean of what is said of each view.

        Args:
            classify: Takes faces as below, gives float32 (n, k).
            faces: float32 (n, 48, 48, 1), 0 to 1.
        """
        views = [faces, *([enlarged(faces)] if self.closer else [])]
        if self.mirrored:
            views += [np.ascontiguousarray(view[:, :, ::-1]) for view in views]
        total = sum((classify(view) for view in views[1:]), start=classify(views[0]))
        return total * np.float32(1 / len(views))


def enlarged(faces: Faces) -> Faces:
    """Return faces (n, 48, 48, 1) larger about their middle; what reaches beyond the edges is cut off."""
    shift = (1 - ENLARGED_BY) * (IMAGE_SIZE - 1) / 2
    matrix = np.array([[ENLARGED_BY, 0, shift], [0, ENLARGED_BY, shift]])
    larger = np.empty_like(faces)
    for source, target in zip(faces, larger, strict=True):
        cv2.warpAffine(source, matrix, (IMAGE_SIZE, IMAGE_SIZE), dst=target, borderMode=cv2.BORDER_REPLICATE)
    return larger
