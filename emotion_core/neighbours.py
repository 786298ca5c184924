"""Faces that look alike: for a face, those of a data set that resemble it most, pixel by pixel.

Faces are compared by Pearson's correlation of their pixels at half size, in which light and contrast cancel. Each is
compared as it is and mirrored, and the larger correlation counts: a webcam may show its user mirrored, and a face
that looks left is like one that looks right.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.chunks import chunks
from emotion_core.config import RunConfig
from emotion_core.dataset import Dataset, rows_of_run
from emotion_core.emotions import IMAGE_SIZE

_REDUCTION: Final = 2
"""Sides are divided by this: 28,709 faces then take 63 MiB, and small shifts and noise count for less."""

_FEATURES: Final = (IMAGE_SIZE // _REDUCTION) ** 2

_CHUNK: Final = 1_024
"""Faces reduced at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Neighbour:
    """A face of the index: its row number there, and its correlation with the face asked about, -1 to 1."""

    row: int
    similarity: float


class FaceIndex:
    """Faces of a data set, ready to be searched for those that look like another.

    Args:
        images: uint8 (n, 48, 48), 0-255; may be mapped into memory, is read once and not kept.
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        _require_faces(images)
        self._vectors = np.empty((len(images), _FEATURES), np.float32)
        for part in chunks(len(images), _CHUNK):
            self._vectors[part] = _normalised(images[part])
        self._is_plain = ~self._vectors.any(axis=1)

    def nearest(self, face: NDArray[np.uint8], count: int = 8) -> list[Neighbour]:
        """Return the faces that look most like another, the most similar first.

        A face that is itself in the index is found there. Plain images, all of one brightness, are like nothing: they
        are not found, and for one the answer is empty.

        Args:
            face: uint8 (48, 48), 0-255.
            count: The most to return, at least 1.
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        views = np.stack([face, face[:, ::-1]])  # (2, 48, 48)
        _require_faces(views)
        queries = _normalised(views)
        if not queries.any():
            return []
        similarities = (self._vectors @ queries.T).max(axis=1)  # (n,)
        similarities[self._is_plain] = -np.inf
        order = np.argsort(-similarities)[: min(count, np.count_nonzero(~self._is_plain))]
        return [Neighbour(int(row), float(np.clip(similarities[row], -1, 1))) for row in order]


class TrainingFaces:
    """The faces of a data set that a run learnt from, to be searched like an index; raises BadInput."""

    def __init__(self, dataset: Dataset, config: RunConfig) -> None:
        self._rows = rows_of_run(dataset, config).training
        self._index = FaceIndex(dataset.images[self._rows])

    def nearest(self, face: NDArray[np.uint8], count: int = 8) -> list[Neighbour]:
        """Return those most like a face (uint8 (48, 48)), with their row numbers in the data set."""
        found = self._index.nearest(face, count)
        return [Neighbour(int(self._rows[near.row]), near.similarity) for near in found]


def _normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return faces (n, 48, 48) at half size with mean 0 and length 1, float32 (n, 576); plain ones are all 0."""
    small = _reduced(images)
    small -= small.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(small, axis=1, keepdims=True)
    np.divide(small, lengths, out=small, where=lengths > 0)
    return small


def _reduced(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the sums over squares of 2x2 pixels, float32 (n, 576).

    They are whole numbers, so that the mean of a plain face is exact, and nothing is left of it when it is taken off.
    """
    rows = images[:, ::_REDUCTION].astype(np.uint16) + images[:, 1::_REDUCTION]  # (n, 24, 48)
    squares = rows[:, :, ::_REDUCTION] + rows[:, :, 1::_REDUCTION]  # (n, 24, 24)
    return squares.reshape(len(images), _FEATURES).astype(np.float32)


def _require_faces(images: NDArray[np.uint8]) -> None:
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8 (n, {IMAGE_SIZE}, {IMAGE_SIZE}), not {images.dtype.name} {images.shape}"
        )
