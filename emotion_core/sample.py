"""Faces drawn by code: the data set for someone who has none yet.

Who is drawn and how strongly the emotion shows vary, and so do pose, light, sharpness and noise; a weak expression
looks much like another emotion's, so the classes overlap as they do in photographs. Every draw follows from one seed.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.drawing.face import draw_face
from emotion_core.drawing.person import Expression, Person
from emotion_core.emotions import EMOTIONS, IMAGE_SIZE

SAMPLE_VERSION: Final = 2
"""Changes whenever the drawn faces do."""

_COUNTS: Final = {"Angry": 487, "Disgust": 53, "Fear": 500, "Happy": 880, "Sad": 589, "Surprise": 386, "Neutral": 605}
"""Images of each emotion: 3,500 in FER-2013's proportions."""

_SEED: Final = 2013
_VARIATION: Final = 0.14

_EXPRESSIONS: Final = {
    "Angry": Expression(brow_raise=-0.7, brow_frown=1.1, eye_opening=-0.2, smile=-0.5, mouth_width=-0.2),
    "Disgust": Expression(
        brow_raise=-0.5, brow_frown=0.6, eye_opening=-0.7, smile=-0.5, lip_raise=0.9, nose_wrinkle=1.0
    ),
    "Fear": Expression(
        brow_raise=0.8, brow_frown=-0.9, eye_opening=0.9, smile=-0.4, mouth_opening=0.4, mouth_width=0.3
    ),
    "Happy": Expression(eye_opening=-0.3, smile=1.1, mouth_opening=0.35, mouth_width=0.4, cheeks=0.9),
    "Sad": Expression(brow_raise=0.1, brow_frown=-1.0, eye_opening=-0.6, smile=-1.0, mouth_width=-0.2),
    "Surprise": Expression(brow_raise=1.3, eye_opening=1.0, mouth_opening=1.0, mouth_width=-0.8),
    "Neutral": Expression(),
}


def draw_sample() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw the sample.

    Returns:
        images: uint8 (3500, 48, 48), 0-255.
        labels: uint8 (3500,), 0-6, in FER-2013's proportions and in mixed order.
    """
    labels = np.repeat(np.arange(len(EMOTIONS), dtype=np.uint8), [_COUNTS[name] for name in EMOTIONS])
    np.random.default_rng(_SEED).shuffle(labels)
    images = np.stack([_draw_one(EMOTIONS[label], number) for number, label in enumerate(labels)])
    return images, labels


def _draw_one(emotion: str, number: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([_SEED, number])
    strength = rng.uniform(0.25, 1.1)
    face = draw_face(Person.invent(rng), _EXPRESSIONS[emotion].shown(strength, rng, _VARIATION))
    return _photograph(face, rng)


def _photograph(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the drawn face as a small camera sees it: tilted, off-centre, not quite sharp, and grainy."""
    side = len(face)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 5), rng.uniform(1.03, 1.17))
    matrix[:, 2] += rng.normal(0, 0.018 * side, 2)
    tilted = cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(tilted, (0, 0), rng.uniform(0.5, 2.5))
    small = cv2.resize(blurred, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
    lit = (small - 128) * rng.uniform(0.75, 1.2) + 128 + rng.normal(0, 12)
    grainy: NDArray[np.float64] = lit + rng.normal(0, rng.uniform(1, 8), lit.shape)
    return np.clip(grainy, 0, 255).astype(np.uint8)
