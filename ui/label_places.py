"""Where the names of points go in a scatter, so that they can be read."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

FIGURE: Final = (900, 420)
"""Width and height in pixels of the area that the points are thought to lie in."""

_LETTER: Final = 7.5
_LINE: Final = 18
_GAP: Final = 10
"""Pixels from a point to its name, and half the side of a point."""


class Point(NamedTuple):
    """A point, each coordinate from 0 to 1, and its name."""

    x: float
    y: float
    name: str


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def touches(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


def place_labels(points: Sequence[Point]) -> list[str | None]:
    """Return where each name goes, in Plotly's words; None where it would cover a point or an earlier name."""
    taken = [_around(point) for point in points]
    places: list[str | None] = []
    for point in points:
        free = ((place, box) for place, box in _candidates(point) if not any(box.touches(other) for other in taken))
        place, box = next(free, (None, None))
        places.append(place)
        if box:
            taken.append(box)
    return places


def _around(point: Point) -> _Box:
    x, y = point.x * FIGURE[0], point.y * FIGURE[1]
    return _Box(x - _GAP + 2, y - _GAP + 2, x + _GAP - 2, y + _GAP - 2)


def _candidates(point: Point) -> Iterator[tuple[str, _Box]]:
    """Yield the places around a point, the best first, with the area that its name takes there."""
    x, y = point.x * FIGURE[0], point.y * FIGURE[1]
    width = _LETTER * len(point.name)
    middle, side = (x - width / 2, x + width / 2), (y - _LINE / 2, y + _LINE / 2)
    above, below = (y + _GAP, y + _GAP + _LINE), (y - _GAP - _LINE, y - _GAP)
    left, right = (x - _GAP - width, x - _GAP), (x + _GAP, x + _GAP + width)
    for place, (start, end), (bottom, top) in (
        ("middle right", right, side),
        ("middle left", left, side),
        ("top center", middle, above),
        ("bottom center", middle, below),
        ("top right", right, above),
        ("bottom right", right, below),
        ("top left", left, above),
        ("bottom left", left, below),
    ):
        if start >= 0 and end <= FIGURE[0]:
            yield place, _Box(start, bottom, end, top)
