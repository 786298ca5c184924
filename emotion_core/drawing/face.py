"""One drawn face: the strokes that show a person and an expression."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.drawing.pen import SIDE, Pen, Points, as_tone, band, box, curve, oval
from emotion_core.drawing.person import Expression, Person

_SIDES: Final = (-1, 1)
_Y, _X = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
_ROUNDING = 26 * np.clip(_X**2 + _Y**2 - 0.15, 0, 1)


def draw_face(person: Person, expression: Expression) -> NDArray[np.uint8]:
    """Return the face, uint8 (144, 144): three times as large as the sample's."""
    pen = Pen(person.backdrop)
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


def _draw_head(pen: Pen, person: Person) -> None:
    if person.has_long_hair:
        pen.fill(oval(0, 0.1, person.head_width + 0.16, 1.15), person.hair)
    pen.fill(box(0, 0.9, 0.34, 0.4), person.skin * 0.72)
    for side in _SIDES:
        pen.fill(oval(side * person.head_width, 0.0, 0.1, 0.2), person.skin * 0.86)
    pen.fill(_head_outline(person), person.skin)


def _draw_light(pen: Pen, person: Person) -> None:
    """Shade the head as a ball lit from one side."""
    shade = person.light[0] * _X + person.light[1] * _Y - _ROUNDING
    lit = pen.picture + shade * pen.mask(_head_outline(person))
    pen.picture[:] = np.clip(lit, 0, 255).astype(np.uint8)


def _draw_hair(pen: Pen, person: Person) -> None:
    """Cover the skull above a hairline, given at the left temple, the middle and the right temple."""
    if person.hairline is None:
        return
    left, middle, right = person.hairline
    skull = pen.mask(oval(0, -0.16, person.head_width + 0.07, 0.95)).astype(bool)
    hairline = (left + right) / 2 + (right - left) / 2 * _X + (middle - (left + right) / 2) * (1 - _X**2 / 0.6)
    pen.picture[skull & (hairline > _Y)] = as_tone(person.hair)


def _draw_nose(pen: Pen, person: Person, expression: Expression) -> None:
    tip = person.eye_level + person.nose_length - 0.03 * expression.nose_wrinkle
    shadow = person.skin * 0.72
    pen.stroke(curve((0.06, person.eye_level + 0.05), (0.05, tip - 0.1), (0.11, tip)), person.skin * 0.85, 0.03)
    pen.stroke(curve((-0.1, tip), (0, tip + 0.08), (0.1, tip)), shadow, 0.035)
    for side in _SIDES:
        pen.fill(oval(side * 0.06, tip + 0.02, 0.025, 0.015), person.skin * 0.45)
        for place in (0.0, 0.07, 0.14) if expression.nose_wrinkle > 0.3 else ():
            start, end = (side * 0.04, person.eye_level + place), (side * 0.13, person.eye_level + place - 0.05)
            pen.stroke(np.array([start, end]), person.skin * (1 - 0.35 * min(1.0, expression.nose_wrinkle)), 0.022)


def _draw_cheeks(pen: Pen, person: Person, expression: Expression) -> None:
    """The folds from the nose to the corners of the mouth."""
    depth = max(expression.cheeks, 0.8 * expression.nose_wrinkle)
    if depth < 0.2:
        return
    top, low = person.eye_level + person.nose_length, person.mouth_level
    for side in _SIDES:
        fold = curve((side * 0.15, top - 0.02), (side * 0.3, top + 0.05), (side * 0.4, low - 0.02))
        pen.stroke(fold, person.skin * (1 - 0.3 * min(1.0, depth)), 0.03)


def _draw_beard(pen: Pen, person: Person) -> None:
    """Darken the jaw and the upper lip."""
    beard = pen.mask(_head_outline(person)).astype(bool)
    beard &= person.mouth_level - 0.16 - 0.5 * (_X**2 - 0.1) < _Y
    beard &= ~pen.mask(oval(0, person.mouth_level + 0.03, 0.24, 0.08)).astype(bool)
    tone = min(person.hair, 0.6 * person.skin)
    pen.picture[beard] = (0.5 * pen.picture[beard] + 0.5 * tone).astype(np.uint8)


def _draw_mouth(pen: Pen, person: Person, expression: Expression) -> None:
    half = person.mouth_size * np.clip(1 + 0.45 * expression.mouth_width, 0.5, 1.5)
    opening = 0.32 * max(0.0, expression.mouth_opening)
    corner = person.mouth_level - 0.11 * expression.smile
    closed = person.mouth_level + 0.06 * expression.smile
    upper = closed - 0.45 * opening - 0.09 * expression.lip_raise
    lower = max(upper + 0.01, closed + 0.75 * opening)
    roundness = min(1.0, 0.8 * opening / half)
    top, bottom = (_lip(half, corner, middle, roundness) for middle in (upper, lower))
    inside = band(top, bottom)
    pen.fill(band(top - np.array([0, 0.05]), bottom + np.array([0, 0.075])), person.skin * person.lips)
    pen.fill(inside, 28)
    if opening > 0.04:
        teeth = band(top, top + np.array([0, min(0.09, 0.5 * (lower - upper))]))
        seen = (pen.mask(teeth) & pen.mask(inside)).astype(bool)
        pen.picture[seen] = as_tone(max(person.skin, 190) + 20)
    pen.stroke(top, person.skin * 0.35, 0.03)


def _draw_eye(pen: Pen, person: Person, expression: Expression, side: int) -> None:
    x, y, half = side * person.eye_distance, person.eye_level, person.eye_size
    opening = half * np.clip(0.52 + 0.34 * expression.eye_opening, 0.08, 1.0)
    droop = 0.02 - 0.03 * min(0.0, expression.brow_frown)  # grief pulls the outer corner down
    inner, outer = (x - side * half, y + 0.01), (x + side * half, y + droop - 0.02)
    upper = curve(inner, (x, y - 2 * opening), outer)
    lower = curve(inner, (x, y + 1.3 * opening - 0.06 * max(0.0, expression.cheeks)), outer)
    socket = oval(x, y - 0.02, half * 1.25, half * 1.0)
    pen.fill(socket, 0.88 * person.skin)
    almond = band(upper, lower)
    pen.fill(almond, min(250, person.skin * 0.4 + 150))
    inside = pen.mask(almond).astype(bool)
    eyeball = Pen(0)
    eyeball.picture[:] = pen.picture
    eyeball.fill(oval(x, y - 0.01, 0.078, 0.078), 55)
    eyeball.fill(oval(x + 0.02, y - 0.035, 0.02, 0.02), 235)
    pen.picture[inside] = eyeball.picture[inside]
    pen.stroke(upper, min(40.0, person.skin * 0.4), 0.035)
    pen.stroke(lower, person.skin * 0.62, 0.018)


def _draw_brow(pen: Pen, person: Person, expression: Expression, side: int) -> None:
    lift = 0.1 * expression.brow_raise
    inner_y = person.eye_level - 0.235 - lift + 0.1 * expression.brow_frown
    outer_y = person.eye_level - 0.215 - lift * 0.8 - 0.06 * expression.brow_frown
    arch = 0.07 + 0.05 * max(0.0, expression.brow_raise) - 0.04 * abs(expression.brow_frown)
    inner, outer = (side * (person.eye_distance - 0.2), inner_y), (side * (person.eye_distance + 0.2), outer_y)
    middle = (side * (person.eye_distance + 0.03), (inner_y + outer_y) / 2 - arch)
    line = curve(inner, middle, outer)
    taper = np.linspace(1, 0.35, len(line))[:, None] * [0, person.brow_width / 2 + 0.012]
    pen.fill(band(line - taper, line + taper), min(person.hair, person.skin * 0.5))
    if expression.brow_frown > 0.4:
        furrow = np.array([[side * 0.05, inner_y - 0.1], [side * 0.04, inner_y + 0.04]])
        pen.stroke(furrow, person.skin * (1 - 0.35 * min(1.0, expression.brow_frown)), 0.025)


def _draw_glasses(pen: Pen, person: Person) -> None:
    for side in _SIDES:
        rim = oval(side * person.eye_distance, person.eye_level + 0.02, 0.235, 0.2)
        pen.stroke(np.concatenate([rim, rim[:1]]), 35, 0.03)
    bridge = curve((-0.1, person.eye_level), (0, person.eye_level - 0.05), (0.1, person.eye_level))
    pen.stroke(bridge, 35, 0.03)


def _head_outline(person: Person) -> Points:
    """An oval whose lower half narrows to the chin."""
    outline = oval(0, 0, 1, 1)
    chin = np.clip(outline[:, 1], 0, 1)
    outline[:, 0] *= person.head_width * (1 - (1 - person.jaw) * chin)
    outline[:, 1] = outline[:, 1] * 1.02 - 0.06
    return outline


def _lip(half_width: float, corner: float, middle: float, roundness: float) -> Points:
    """The edge of a lip: a parabola at roundness 0, half an ellipse at 1."""
    x = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 17))
    rise = np.clip(1 - x**2, 0, 1) ** (1 - roundness / 2)
    return np.stack([half_width * x, corner + (middle - corner) * rise], axis=1)
