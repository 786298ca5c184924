"""Strokes on a gray picture.

Places are in units of half the picture: (0, 0) is the middle, x runs right and y down, from -1 to 1. Tones run from
0, black, to 255, white.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import IMAGE_SIZE

Points = NDArray[np.float64]
"""x and y of each point of a line: (n, 2)."""

SIDE: Final = 3 * IMAGE_SIZE
"""Side of a picture in pixels: it is drawn large and averaged down, for soft edges."""

_FRACTION_BITS: Final = 4
_CIRCLE: Final = np.array([(np.cos(angle), np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 48, endpoint=False)])
_T: Final = np.linspace(0, 1, 16)[:, None]
_BEZIER: Final = np.hstack([(1 - _T) ** 2, 2 * _T * (1 - _T), _T**2])


class Pen:
    """A picture and the strokes on it."""

    def __init__(self, tone: float) -> None:
        self.picture = np.full((SIDE, SIDE), as_tone(tone), np.uint8)

    def fill(self, outline: Points, tone: float) -> None:
        """Fill the inside of a closed line."""
        cv2.fillPoly(self.picture, [_to_pixels(outline)], as_tone(tone), cv2.LINE_AA, _FRACTION_BITS)

    def stroke(self, line: Points, tone: float, width: float) -> None:
        """Draw along a line; `width` in the units of places."""
        thickness = max(1, round(width * SIDE / 2))
        cv2.polylines(self.picture, [_to_pixels(line)], False, as_tone(tone), thickness, cv2.LINE_AA, _FRACTION_BITS)

    def mask(self, outline: Points) -> NDArray[np.uint8]:
        """Return 1 inside a closed line and 0 outside, uint8 (144, 144)."""
        inside = np.zeros_like(self.picture)
        cv2.fillPoly(inside, [_to_pixels(outline)], 1, cv2.LINE_8, _FRACTION_BITS)
        return inside


def oval(x: float, y: float, half_width: float, half_height: float) -> Points:
    """An ellipse about (x, y)."""
    return _CIRCLE * (half_width, half_height) + (x, y)


def box(x: float, y: float, half_width: float, half_height: float) -> Points:
    """A rectangle about (x, y)."""
    return np.array([(x + i * half_width, y + j * half_height) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def curve(start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]) -> Points:
    """A quadratic Bezier curve; it passes half way between `control` and the middle of its ends."""
    return np.asarray(_BEZIER @ np.array([start, control, end]))


def band(upper: Points, lower: Points) -> Points:
    """The closed line around what lies between two lines that run the same way."""
    return np.concatenate([upper, lower[::-1]])


def as_tone(tone: float) -> int:
    """Return the tone of a picture, a whole number from 0 to 255, rounded down."""
    return int(min(255, max(0, tone)))


def _to_pixels(points: Points) -> NDArray[np.int32]:
    return np.rint((points + 1) * SIDE / 2 * 2**_FRACTION_BITS).astype(np.int32)
