"""Faces followed from frame to frame, so that a box stays on its face and a person keeps a number.

A detector says now and then where the faces are; in between their texture is followed by optical flow (median flow,
Kalal, Mikolajczyk and Matas 2010, on Lucas and Kanade's pyramids). What the detector says may be about a frame that is
past: it is set against where the face was followed to be in that frame.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.boxes import Box

_POINTS_A_SIDE: Final = 7
"""A grid of so many points a side is followed on each face."""

_FEWEST_POINTS: Final = 12
"""With fewer that can be followed a box stays where it is."""

_FARTHEST_RETURN: Final = 1.0
"""Pixels by which a point may miss its start when it is followed there and back."""

_PAST_FRAMES: Final = 60
"""How far back a detector's answer may be about."""

_LEAST_OVERLAP: Final = 0.25
"""Of a detected face with a followed one, to be taken for the same."""

_PULL: Final = 0.5
"""How much of the way to where the detector sees it a box is moved at once: less is steadier, more is quicker."""

_MISSES: Final = 2
"""How often in succession the detector may miss a face before it is forgotten."""

Square = NDArray[np.float64]
"""x and y of the middle, and the side, in pixels of the frame: float64 (3,)."""


@dataclass
class Track:
    """A face that is followed.

    Attributes:
        number: Of the person, from 0, the smallest that no other face has: it chooses the colour.
        square: Where the face is in the newest frame.
        hits: How often the detector saw it.
        misses: How often in succession the detector has missed it.
        past: Number of a frame, and where the face was in it, oldest first.
    """

    number: int
    square: Square
    hits: int = 1
    misses: int = 0
    past: deque[tuple[int, Square]] = field(default_factory=lambda: deque(maxlen=_PAST_FRAMES))

    def at(self, frame: int) -> Square:
        """Return where the face was in a frame, or in the oldest that is remembered."""
        known = [square for number, square in self.past if number <= frame]
        return known[-1] if known else self.past[0][1] if self.past else self.square

    def box(self, shape: tuple[int, ...]) -> Box:
        """Return where the face is in the newest frame, inside its shape (height, width)."""
        return _box(self.square, shape)

    def box_at(self, frame: int, shape: tuple[int, ...]) -> Box:
        """Return where the face was in a frame, inside its shape (height, width)."""
        return _box(self.at(frame), shape)


class Tracker:
    """Follows the faces of one stream of frames of one size. For one thread at a time.

    Args:
        scale: Frames are followed reduced by this, since flow takes time by the pixel.
        hits_needed: How often the detector must see a face before it is believed.
    """

    def __init__(self, scale: float = 0.5, hits_needed: int = 1) -> None:
        self._scale = scale
        self._hits_needed = hits_needed
        self._tracks: list[Track] = []
        self._previous: NDArray[np.uint8] | None = None
        self._shape: tuple[int, ...] = (0, 0)

    @property
    def tracks(self) -> list[Track]:
        """The faces that are believed in, largest first."""
        believed = [track for track in self._tracks if track.hits >= self._hits_needed]
        return sorted(believed, key=lambda track: -track.square[2])

    def follow(self, gray: NDArray[np.uint8], frame: int) -> None:
        """Move all faces on to the next frame.

        Args:
            gray: uint8 (h, w).
            frame: Its number, larger than those before.
        """
        height, width = (max(1, round(side * self._scale)) for side in gray.shape)
        reduced = np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if self._previous is None or self._previous.shape != reduced.shape:
            self._tracks.clear()
        elif self._tracks:
            self._flow(self._previous, reduced)
        self._previous, self._shape = reduced, gray.shape
        for track in self._tracks:
            track.past.append((frame, track.square))

    def correct(self, faces: Sequence[Box], frame: int) -> None:
        """Take in where the detector saw faces in a frame that may be past.

        Args:
            faces: Squares in pixels of the frame.
            frame: Its number.
        """
        pairs = _matches([track.box_at(frame, self._shape) for track in self._tracks], faces)
        for place, track in enumerate(self._tracks):
            if place in pairs:
                _pull(track, faces[pairs[place]], frame)
            else:
                track.misses += 1
        taken = {track.number for track in self._tracks}  # whoever goes now leaves the number to the next to come later
        self._tracks = [track for track in self._tracks if track.misses <= _MISSES]
        for place in sorted(set(range(len(faces))) - set(pairs.values())):
            number = next(number for number in range(len(taken) + 1) if number not in taken)
            taken.add(number)
            self._add(faces[place], number, frame)

    def forget(self) -> None:
        """Drop all faces and the last frame."""
        self._tracks, self._previous = [], None

    def _flow(self, previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> None:
        """Move and scale each square as the points on its face moved."""
        grids = [_grid(track.square * self._scale) for track in self._tracks]
        start = np.concatenate(grids)[:, np.newaxis].astype(np.float32)  # (points, 1, 2)
        end, seen, _ = cv2.calcOpticalFlowPyrLK(previous, current, start, None, winSize=(11, 11), maxLevel=2)
        back, returned, _ = cv2.calcOpticalFlowPyrLK(current, previous, end, None, winSize=(11, 11), maxLevel=2)
        near = np.linalg.norm(back - start, axis=2).ravel() < _FARTHEST_RETURN
        good = near & (seen.ravel() > 0) & (returned.ravel() > 0)
        count = _POINTS_A_SIDE**2
        for place, track in enumerate(self._tracks):
            mine = slice(place * count, (place + 1) * count)
            kept = good[mine]
            if kept.sum() >= _FEWEST_POINTS:
                moved = _moved(track.square * self._scale, start[mine, 0][kept], end[mine, 0][kept])
                track.square = moved / self._scale

    def _add(self, face: Box, number: int, frame: int) -> None:
        track = Track(number, _square(face))
        track.past.append((frame, track.square))
        self._tracks.append(track)


def _pull(track: Track, face: Box, frame: int) -> None:
    """Move a track towards where the detector saw it, at once where that is far away."""
    miss = _square(face) - track.at(frame)
    pull = _PULL if np.abs(miss).max() < 0.25 * track.square[2] else 1.0
    track.square = track.square + pull * miss
    track.past = deque(((number, square + pull * miss) for number, square in track.past), _PAST_FRAMES)
    track.hits += 1
    track.misses = 0


def _matches(tracked: Sequence[Box], found: Sequence[Box]) -> dict[int, int]:
    """Return which tracked face each found one is, by place, the largest overlaps first."""
    overlaps = [
        (face.overlap(other), place, other_place)
        for place, face in enumerate(tracked)
        for other_place, other in enumerate(found)
    ]
    pairs: dict[int, int] = {}
    for overlap, place, other_place in sorted(overlaps, reverse=True):
        if overlap >= _LEAST_OVERLAP and place not in pairs and other_place not in pairs.values():
            pairs[place] = other_place
    return pairs


def _moved(square: Square, start: NDArray[np.float32], end: NDArray[np.float32]) -> Square:
    """Return a square moved by the median of its points' ways, and scaled by that of their distances' growth."""
    way = np.median(end - start, axis=0)
    before, after = _distances(start), _distances(end)
    far = before > 1
    growth = float(np.median(after[far] / before[far])) if far.any() else 1.0
    return np.array([square[0] + way[0], square[1] + way[1], square[2] * np.clip(growth, 0.9, 1.1)])


def _distances(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances of all pairs of points (n, 2): float32 (n * (n - 1) / 2,)."""
    first, second = np.triu_indices(len(points), 1)
    distances: NDArray[np.float32] = np.linalg.norm(points[first] - points[second], axis=1)
    return distances


def _grid(square: Square) -> NDArray[np.float64]:
    """Return points spread over the middle of a square: (49, 2)."""
    reach = 0.35 * square[2] * np.linspace(-1, 1, _POINTS_A_SIDE)
    x, y = np.meshgrid(square[0] + reach, square[1] + reach)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _square(box: Box) -> Square:
    return np.array([*box.middle, max(box.width, box.height)], np.float64)


def _box(square: Square, shape: tuple[int, ...]) -> Box:
    """Return a square as a box inside a frame of the shape (height, width)."""
    height, width = shape[:2]
    side = max(1, min(round(square[2]), height, width))
    x, y = round(square[0] - side / 2), round(square[1] - side / 2)
    return Box(min(max(x, 0), width - side), min(max(y, 0), height - side), side, side)
