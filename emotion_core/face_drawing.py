"""One drawn face: a person, an expression, and the strokes that show them.

Places are in units of half the picture: (0, 0) is the middle, x runs right and y down, from -1 to 1. Tones run from
0, black, to 255, white.
"""

from dataclasses import dataclass, fields
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import IMAGE_SIZE

Points = NDArray[np.float64]

_SIDE: Final = 4 * IMAGE_SIZE  # drawn large and averaged down, for soft edges
_FRACTION_BITS: Final = 4
_SIDES: Final = (-1, 1)


@dataclass(frozen=True)
class Expression:
    """How far each part of the face is moved; 0 is at rest, and 1 is far."""

    brow_raise: float = 0.0
    brow_frown: float = 0.0  # inner ends down; below 0 they rise, as in grief
    eye_opening: float = 0.0
    smile: float = 0.0  # below 0 the corners of the mouth hang
    mouth_opening: float = 0.0
    mouth_width: float = 0.0
    lip_raise: float = 0.0  # the upper lip, towards the nose
    nose_wrinkle: float = 0.0
    cheeks: float = 0.0

    def shown(self, strength: float, rng: np.random.Generator, variation: float) -> Self:
        """Return it shown weakly or strongly, each part a little off."""
        moves = {field.name: getattr(self, field.name) * strength for field in fields(self)}
        return type(self)(**{name: move + rng.normal(0, variation) for name, move in moves.items()})


@dataclass(frozen=True)
class Person:
    """What a face looks like whatever it feels."""

    skin: float
    hair: float
    hair_style: int
    backdrop: float
    head_width: float
    jaw: float
    eye_distance: float
    eye_size: float
    eye_level: float
    brow_width: float
    nose_length: float
    mouth_level: float
    mouth_size: float
    lips: float
    has_glasses: bool
    has_beard: bool
    light: tuple[float, float]

    @classmethod
    def invent(cls, rng: np.random.Generator) -> Self:
        """Draw a person's looks."""
        skin = rng.uniform(85, 215)
        return cls(
            skin=skin,
            hair=min(rng.choice([25, 45, 80, 140, 200]) + rng.normal(0, 8), skin + 25),
            hair_style=int(rng.integers(5)),
            backdrop=rng.uniform(20, 235),
            head_width=rng.uniform(0.68, 0.80),
            jaw=rng.uniform(0.72, 0.95),
            eye_distance=rng.uniform(0.30, 0.36),
            eye_size=rng.uniform(0.145, 0.175),
            eye_level=rng.uniform(-0.20, -0.12),
            brow_width=rng.uniform(0.035, 0.07),
            nose_length=rng.uniform(0.32, 0.40),
            mouth_level=rng.uniform(0.50, 0.58),
            mouth_size=rng.uniform(0.25, 0.31),
            lips=rng.uniform(0.62, 0.82),
            has_glasses=bool(rng.random() < 0.1),
            has_beard=bool(rng.random() < 0.12),
            light=(rng.normal(0, 22), rng.normal(-8, 14)),
        )


def draw_face(person: Person, expression: Expression) -> NDArray[np.uint8]:
    """Return the face, uint8 (192, 192)."""
    pen = _Pen(person.backdrop)
    _draw_head(pen, person)
    _draw_light(pen, person)
    _draw_hair(pen, person)
    _draw_nose(pen, person, expression)
    _draw_cheeks(pen, person, expression)
    if person.has_beard:
        _draw_beard(pen, person)
    _draw_mouth(pen, person, expression)
    for side in _SIDES:
        _draw_eye(pen, person, expression, side)
        _draw_brow(pen, person, expression, side)
    if person.has_glasses:
        _draw_glasses(pen, person)
    return pen.picture


class _Pen:
    """A picture and the strokes on it."""

    def __init__(self, tone: float) -> None:
        self.picture = np.full((_SIDE, _SIDE), _as_tone(tone), np.uint8)

    def fill(self, outline: Points, tone: float) -> None:
        """Fill the inside of a closed line."""
        cv2.fillPoly(self.picture, [_to_pixels(outline)], _as_tone(tone), cv2.LINE_AA, _FRACTION_BITS)

    def stroke(self, line: Points, tone: float, width: float) -> None:
        """Draw along a line; `width` in the units of places."""
        thickness = max(1, round(width * _SIDE / 2))
        cv2.polylines(self.picture, [_to_pixels(line)], False, _as_tone(tone), thickness, cv2.LINE_AA, _FRACTION_BITS)

    def mask(self, outline: Points) -> NDArray[np.uint8]:
        """Return 1 inside a closed line and 0 outside."""
        inside = np.zeros_like(self.picture)
        cv2.fillPoly(inside, [_to_pixels(outline)], 1, cv2.LINE_8, _FRACTION_BITS)
        return inside


def _draw_head(pen: _Pen, person: Person) -> None:
    if person.hair_style == 3:  # long hair falls behind the face
        pen.fill(_oval(0, -0.05, person.head_width + 0.2, 1.15), person.hair)
    pen.fill(_box(0, 0.9, 0.34, 0.4), person.skin * 0.72)
    for side in _SIDES:
        pen.fill(_oval(side * person.head_width, 0.0, 0.1, 0.2), person.skin * 0.86)
    pen.fill(_head_outline(person), person.skin)


def _draw_light(pen: _Pen, person: Person) -> None:
    """Shade the head as a ball lit from one side."""
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    shade = person.light[0] * x + person.light[1] * y - 26 * np.clip(x**2 + y**2 - 0.15, 0, 1)
    lit = pen.picture + shade * pen.mask(_head_outline(person))
    pen.picture[:] = np.clip(lit, 0, 255).astype(np.uint8)


def _draw_hair(pen: _Pen, person: Person) -> None:
    """Style 0 is bald, 1 short, 2 a fringe, 3 long, 4 parted at the side."""
    heights = {1: (-0.72, -0.78, -0.72), 2: (-0.5, -0.56, -0.5), 3: (-0.5, -0.85, -0.5), 4: (-0.8, -0.74, -0.42)}
    if person.hair_style not in heights:
        return
    left, middle, right = heights[person.hair_style]
    width = person.head_width + 0.05
    hairline = _curve((-width, left + 0.15), (0, 2 * middle - (left + right) / 2 - 0.1), (width, right + 0.15))
    pen.fill(np.concatenate([hairline, [[width, -1.2], [-width, -1.2]]]), person.hair)


def _draw_nose(pen: _Pen, person: Person, expression: Expression) -> None:
    tip = person.eye_level + person.nose_length - 0.03 * expression.nose_wrinkle
    shadow = person.skin * 0.72
    pen.stroke(_curve((0.06, person.eye_level + 0.05), (0.05, tip - 0.1), (0.11, tip)), person.skin * 0.85, 0.03)
    pen.stroke(_curve((-0.1, tip), (0, tip + 0.08), (0.1, tip)), shadow, 0.035)
    for side in _SIDES:
        pen.fill(_oval(side * 0.06, tip + 0.02, 0.025, 0.015), person.skin * 0.45)
        for place in (0.0, 0.07, 0.14) if expression.nose_wrinkle > 0.3 else ():
            start, end = (side * 0.04, person.eye_level + place), (side * 0.13, person.eye_level + place - 0.05)
            pen.stroke(np.array([start, end]), person.skin * (1 - 0.35 * min(1.0, expression.nose_wrinkle)), 0.022)


def _draw_cheeks(pen: _Pen, person: Person, expression: Expression) -> None:
    """The folds from the nose to the corners of the mouth."""
    depth = max(expression.cheeks, 0.8 * expression.nose_wrinkle)
    if depth < 0.2:
        return
    top, low = person.eye_level + person.nose_length, person.mouth_level
    for side in _SIDES:
        fold = _curve((side * 0.15, top - 0.02), (side * 0.3, top + 0.05), (side * 0.4, low - 0.02))
        pen.stroke(fold, person.skin * (1 - 0.3 * min(1.0, depth)), 0.03)


def _draw_beard(pen: _Pen, person: Person) -> None:
    outline = _head_outline(person)
    lower = outline[outline[:, 1] > person.mouth_level - 0.2]
    inner = _oval(0, person.mouth_level - 0.02, 0.38, 0.2)
    tone = 0.45 * person.skin + 0.55 * min(person.hair, person.skin * 0.7)
    bare = pen.picture.copy()
    pen.fill(lower[np.argsort(np.arctan2(lower[:, 1], lower[:, 0]))], tone)
    inside = pen.mask(inner).astype(bool)
    pen.picture[inside] = bare[inside]


def _draw_mouth(pen: _Pen, person: Person, expression: Expression) -> None:
    half = person.mouth_size * np.clip(1 + 0.45 * expression.mouth_width, 0.45, 1.6)
    opening = 0.34 * max(0.0, expression.mouth_opening)
    corner = person.mouth_level - 0.13 * expression.smile
    upper = person.mouth_level + 0.06 * expression.smile - 0.45 * opening - 0.09 * expression.lip_raise
    lower = max(upper + 0.012, person.mouth_level + 0.06 * expression.smile + 0.75 * opening)
    left, right = (-half, corner), (half, corner)
    top, bottom = (_curve(left, (0, 2 * middle - corner), right) for middle in (upper, lower))
    lip = person.skin * person.lips
    thickness = 0.075
    pen.fill(np.concatenate([top - [0, thickness * 0.8], bottom[::-1] + [0, thickness]]), lip)
    inside = np.concatenate([top, bottom[::-1]])
    pen.fill(inside, 28)
    if opening > 0.04:
        teeth = np.concatenate([top, top[::-1] + [0, min(0.085, 0.6 * (lower - upper))]])
        seen = (pen.mask(teeth) & pen.mask(inside)).astype(bool)
        pen.picture[seen] = _as_tone(max(person.skin, 190) + 20)
    pen.stroke(top, person.skin * 0.35, 0.025)


def _draw_eye(pen: _Pen, person: Person, expression: Expression, side: int) -> None:
    x, y, half = side * person.eye_distance, person.eye_level, person.eye_size
    opening = half * np.clip(0.52 + 0.34 * expression.eye_opening, 0.08, 1.0)
    droop = 0.02 - 0.03 * min(0.0, expression.brow_frown)  # grief pulls the outer corner down
    inner, outer = (x - side * half, y + 0.01), (x + side * half, y + droop - 0.02)
    upper = _curve(inner, (x, y - 2 * opening), outer)
    lower = _curve(inner, (x, y + 1.3 * opening - 0.06 * max(0.0, expression.cheeks)), outer)
    socket = _oval(x, y - 0.02, half * 1.25, half * 1.0)
    pen.fill(socket, 0.88 * person.skin)
    almond = np.concatenate([upper, lower[::-1]])
    pen.fill(almond, min(250, person.skin * 0.4 + 150))
    inside = pen.mask(almond).astype(bool)
    eyeball = _Pen(0)
    eyeball.picture[:] = pen.picture
    eyeball.fill(_oval(x, y - 0.01, 0.078, 0.078), 55)
    eyeball.fill(_oval(x + 0.02, y - 0.035, 0.02, 0.02), 235)
    pen.picture[inside] = eyeball.picture[inside]
    pen.stroke(upper, min(40.0, person.skin * 0.4), 0.035)
    pen.stroke(lower, person.skin * 0.62, 0.018)


def _draw_brow(pen: _Pen, person: Person, expression: Expression, side: int) -> None:
    lift = 0.1 * expression.brow_raise
    inner_y = person.eye_level - 0.235 - lift + 0.1 * expression.brow_frown
    outer_y = person.eye_level - 0.215 - lift * 0.8 - 0.06 * expression.brow_frown
    arch = 0.07 + 0.05 * max(0.0, expression.brow_raise) - 0.04 * abs(expression.brow_frown)
    inner, outer = (side * (person.eye_distance - 0.2), inner_y), (side * (person.eye_distance + 0.2), outer_y)
    middle = (side * (person.eye_distance + 0.03), (inner_y + outer_y) / 2 - arch)
    line = _curve(inner, middle, outer)
    taper = np.linspace(1, 0.35, len(line))[:, None] * [0, person.brow_width / 2 + 0.012]
    pen.fill(np.concatenate([line - taper, (line + taper)[::-1]]), min(person.hair, person.skin * 0.5))
    if expression.brow_frown > 0.4:
        furrow = np.array([[side * 0.05, inner_y - 0.1], [side * 0.04, inner_y + 0.04]])
        pen.stroke(furrow, person.skin * (1 - 0.35 * min(1.0, expression.brow_frown)), 0.025)


def _draw_glasses(pen: _Pen, person: Person) -> None:
    for side in _SIDES:
        rim = _oval(side * person.eye_distance, person.eye_level + 0.02, 0.235, 0.2)
        pen.stroke(np.concatenate([rim, rim[:1]]), 35, 0.03)
    bridge = _curve((-0.1, person.eye_level), (0, person.eye_level - 0.05), (0.1, person.eye_level))
    pen.stroke(bridge, 35, 0.03)


def _head_outline(person: Person) -> Points:
    """An oval whose lower half narrows to the chin."""
    outline = _oval(0, 0, 1, 1)
    chin = np.clip(outline[:, 1], 0, 1)
    outline[:, 0] *= person.head_width * (1 - (1 - person.jaw) * chin)
    outline[:, 1] = outline[:, 1] * 1.02 - 0.06
    return outline


def _oval(x: float, y: float, half_width: float, half_height: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + half_width * np.cos(angles), y + half_height * np.sin(angles)], axis=1)


def _box(x: float, y: float, half_width: float, half_height: float) -> Points:
    return np.array([(x + i * half_width, y + j * half_height) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def _curve(start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]) -> Points:
    """A quadratic Bezier curve; it passes half way between `control` and the middle of its ends."""
    t = np.linspace(0, 1, 16)[:, None]
    return (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(control) + t**2 * np.array(end)


def _to_pixels(points: Points) -> NDArray[np.int32]:
    return np.rint((points + 1) * _SIDE / 2 * 2**_FRACTION_BITS).astype(np.int32)


def _as_tone(tone: float) -> int:
    return int(min(255, max(0, tone)))
