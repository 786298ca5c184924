"""Who is drawn, and what the face shows."""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

_HAIRLINES: Final = (
    None,
    (-0.35, -0.72, -0.35),
    (-0.45, -0.60, -0.45),
    (-0.25, -0.80, -0.25),
    (-0.70, -0.66, -0.30),
    (-0.30, -0.66, -0.70),
    (-0.52, -0.50, -0.52),
)
"""Heights at the left temple, the middle and the right temple; None is bald."""


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
    """What a face looks like whatever it feels.

    Skin, hair and backdrop are tones, 0-255; places, lengths and widths are in the units of `drawing.pen`.

    Attributes:
        hairline: Heights at the left temple, the middle and the right temple; None is bald.
        jaw: Share of its width that the head has left at the chin.
        lips: Their tone, as a share of the skin's.
        light: How much lighter the face becomes to the right and downwards, in tones a unit.
    """

    skin: float
    hair: float
    hairline: tuple[float, float, float] | None
    has_long_hair: bool
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
        skin = rng.uniform(95, 215)
        return cls(
            skin=skin,
            hair=min(rng.choice([25, 45, 80, 140, 200]) + rng.normal(0, 8), skin + 25),
            hairline=_HAIRLINES[rng.integers(len(_HAIRLINES))],
            has_long_hair=bool(rng.random() < 0.35),
            backdrop=rng.uniform(20, 235),
            head_width=rng.uniform(0.68, 0.80),
            jaw=rng.uniform(0.72, 0.95),
            eye_distance=rng.uniform(0.30, 0.36),
            eye_size=rng.uniform(0.145, 0.175),
            eye_level=rng.uniform(-0.19, -0.14),
            brow_width=rng.uniform(0.035, 0.07),
            nose_length=rng.uniform(0.32, 0.40),
            mouth_level=rng.uniform(0.51, 0.56),
            mouth_size=rng.uniform(0.25, 0.31),
            lips=rng.uniform(0.62, 0.82),
            has_glasses=bool(rng.random() < 0.1),
            has_beard=bool(rng.random() < 0.08),
            light=(rng.normal(0, 22), rng.normal(-8, 14)),
        )
