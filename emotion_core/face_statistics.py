"""How the faces of each emotion look: their mean face, how much each pixel varies, how bright and contrasty they are.

Sums are taken in whole numbers, so that they are exact however many faces there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.chunks import chunks
from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS, IMAGE_SIZE

WHITE: Final = 255
"""The highest brightness that a face can have."""

MOST_CONTRAST: Final = WHITE / 2
"""The highest contrast that a face can have: half of it black, half white."""

BINS: Final = 64
"""Bins of equal width in which brightness and contrast are counted."""

_ABOVE: Final = (213, 94, 0)
_BELOW: Final = (0, 114, 178)
_NEUTRAL: Final = (247, 247, 249)
"""Vermilion and blue, which people with any kind of colour vision tell apart (Okabe and Ito, 2008), over near-white."""

_PIXELS: Final = IMAGE_SIZE**2

_CHUNK: Final = 512
"""Faces summed at once: few enough to stay in the processor's cache."""

_SMOOTHING: Final = np.array([1, 4, 6, 4, 1]) / 16
"""Weights of a bin and its neighbours."""


@dataclass(frozen=True, eq=False)
class FaceStatistics:
    """What some faces have in common and how they differ, in gray levels; at least one face.

    Attributes:
        mean: float64 (48, 48), the mean of each pixel, 0-255.
        deviation: float64 (48, 48), the standard deviation of each pixel.
        brightness: float64 (n,), the mean of each face's pixels.
        contrast: float64 (n,), the standard deviation of each face's pixels.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.brightness)


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """Statistics of all faces of a data set, and by emotion: none for an emotion without faces, none without labels."""

    every: FaceStatistics
    by_emotion: Mapping[str, FaceStatistics]


def class_statistics(dataset: Dataset) -> ClassStatistics:
    """Return the statistics of a data set of at least one face; its images are read once, a few at a time."""
    if not len(dataset):
        raise ValueError(f"{dataset.name} has no faces to look at")
    if dataset.labels is None:
        return ClassStatistics(_sum_up(dataset.images, np.arange(len(dataset))).statistics(), {})
    rows = {name: np.flatnonzero(dataset.labels == label) for label, name in enumerate(EMOTIONS)}
    sums = {name: _sum_up(dataset.images, places) for name, places in rows.items() if len(places)}
    return ClassStatistics(_together(list(sums.values())), {name: found.statistics() for name, found in sums.items()})


@dataclass(frozen=True)
class EmotionsCompared:
    """How a measure such as brightness differs between emotions.

    Attributes:
        highest: The emotion with the highest mean.
        lowest: The emotion with the lowest mean.
        gap: Distance of their means.
        spread: Standard deviation of the faces of one emotion around its mean, over all emotions.
        explained: Share of the variance that lies between emotions, 0-1, without what a few faces give by chance:
            epsilon squared (Kelley, "An Unbiased Correlation Ratio Measure", PNAS 21, 1935).
    """

    highest: str
    lowest: str
    gap: float
    spread: float
    explained: float


def compare_emotions(values: Mapping[str, NDArray[np.float64]]) -> EmotionsCompared:
    """Compare the values (n,) that the faces of each emotion have of a measure; at least one emotion has faces."""
    means = {name: float(found.mean()) for name, found in values.items()}
    every = np.concatenate(list(values.values()))
    within = sum(float(((found - means[name]) ** 2).sum()) for name, found in values.items())
    whole = float(((every - every.mean()) ** 2).sum())
    highest, lowest = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    return EmotionsCompared(
        highest=highest,
        lowest=lowest,
        gap=means[highest] - means[lowest],
        spread=(within / len(every)) ** 0.5,
        explained=_explained(within, whole, len(every), len(values)),
    )


def _explained(within: float, whole: float, faces: int, emotions: int) -> float:
    if not whole or faces == emotions:
        return 0.0
    return max(0.0, 1 - (within / (faces - emotions)) / (whole / (faces - 1)))


def differences(statistics: ClassStatistics) -> dict[str, NDArray[np.float64]]:
    """Return how the mean face of each emotion differs from that of all faces, float64 (48, 48) in gray levels.

    The difference in overall brightness is taken off, so that what is left is a difference in the face.
    """
    raw = {name: found.mean - statistics.every.mean for name, found in statistics.by_emotion.items()}
    return {name: difference - difference.mean() for name, difference in raw.items()}


def picture(values: NDArray[np.float64], lowest: float, highest: float) -> NDArray[np.uint8]:
    """Draw a map (48, 48) in gray, uint8 (48, 48): `lowest` is black and `highest` white."""
    shares = (values - lowest) / max(highest - lowest, np.finfo(float).tiny)
    return np.asarray((WHITE * shares.clip(0, 1)).round(), dtype=np.uint8)


def difference_picture(difference: NDArray[np.float64], full: float) -> NDArray[np.uint8]:
    """Draw a difference (48, 48) in colour, uint8 (48, 48, 3) RGB: vermilion above 0, blue below.

    Args:
        difference: In gray levels.
        full: The size from which on a difference has full colour.
    """
    shares = np.abs(difference / max(full, np.finfo(float).tiny)).clip(0, 1)[..., np.newaxis]  # (48, 48, 1)
    colours = np.where(difference[..., np.newaxis] > 0, _ABOVE, _BELOW)  # (48, 48, 3)
    return np.asarray(((1 - shares) * _NEUTRAL + shares * colours).round(), dtype=np.uint8)


def density(values: NDArray[np.float64], highest: float) -> NDArray[np.float64]:
    """Return how a measure from 0 to `highest` is distributed: float64 (BINS,), smoothed, summing to 1."""
    counts, _ = np.histogram(values, BINS, (0, highest))
    reach = len(_SMOOTHING) // 2
    mirrored = np.pad(counts / len(values), reach, mode="symmetric")  # what smoothing takes over an end comes back
    return np.convolve(mirrored, _SMOOTHING, mode="valid")


@dataclass(frozen=True)
class _Sums:
    """Sums of pixels and of their squares, over faces int64 (2304,) and over the pixels of each face int64 (n,)."""

    pixels: NDArray[np.int64]
    pixel_squares: NDArray[np.int64]
    faces: NDArray[np.int64]
    face_squares: NDArray[np.int64]

    def statistics(self) -> FaceStatistics:
        shape, count = (IMAGE_SIZE, IMAGE_SIZE), len(self.faces)
        return FaceStatistics(
            mean=(self.pixels / count).reshape(shape),
            deviation=_deviation(self.pixels, self.pixel_squares, count).reshape(shape),
            brightness=self.faces / _PIXELS,
            contrast=_deviation(self.faces, self.face_squares, _PIXELS),
        )


def _together(parts: list[_Sums]) -> FaceStatistics:
    return _Sums(
        pixels=np.sum([part.pixels for part in parts], axis=0),
        pixel_squares=np.sum([part.pixel_squares for part in parts], axis=0),
        faces=np.concatenate([part.faces for part in parts]),
        face_squares=np.concatenate([part.face_squares for part in parts]),
    ).statistics()


def _deviation(sums: NDArray[np.int64], squares: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return standard deviations from sums of `count` values; the difference is taken before anything is rounded."""
    deviation: NDArray[np.float64] = np.sqrt(count * squares - sums**2) / count
    return deviation


def _sum_up(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> _Sums:
    pixels, pixel_squares = np.zeros(_PIXELS, np.int64), np.zeros(_PIXELS, np.int64)
    faces, face_squares = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    for part in chunks(len(rows), _CHUNK):
        values = images[rows[part]].reshape(-1, _PIXELS)  # (chunk, 2304)
        squares = np.square(values, dtype=np.uint16)  # 255 squared still fits
        pixels += values.sum(axis=0, dtype=np.uint32)
        pixel_squares += squares.sum(axis=0, dtype=np.uint32)
        faces[part] = values.sum(axis=1, dtype=np.uint32)
        face_squares[part] = squares.sum(axis=1, dtype=np.uint32)
    return _Sums(pixels, pixel_squares, faces, face_squares)
