"""Boxes and labels drawn on pictures."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emotion_core.boxes import Box
from emotion_core.emotions import EMOTION_COLOURS
from emotion_core.faces import ClassifiedFace

PERSON_COLOURS: Final = ("#FFFFFF", "#FFE45C", "#7DF5C8", "#FF9CE0", "#9CC4FF", "#FFB48A")
"""Of the boxes of people who are followed, by number: light, so that they show on any video beside the emotions'."""

UNSURE_COLOUR: Final = "#4A4F60"

Colour = tuple[int, int, int]

_SHADOW: Final[Colour] = (16, 18, 26)


def person_colour(number: int) -> str:
    """Return the colour of a person who is followed; they repeat after six."""
    return PERSON_COLOURS[number % len(PERSON_COLOURS)]


def draw_faces(image: NDArray[np.uint8], faces: Sequence[ClassifiedFace]) -> NDArray[np.uint8]:
    """Return a copy of a picture, uint8 (h, w, 3) RGB, with a box and a label for each face in its emotion's colour."""
    drawn = image.copy()
    for face in faces:
        colour = EMOTION_COLOURS[face.emotion]
        draw_box(drawn, face.box, colour)
        draw_label(drawn, face.box, f"{face.emotion} {face.confidence:.0%}", colour)
    return drawn


def draw_box(image: NDArray[np.uint8], box: Box, colour: str) -> None:
    """Draw a box on a picture, uint8 (h, w, 3) RGB, and a thin shadow inside that sets it off from light ground."""
    line = _line(image)
    _rectangle(image, box, 0, _rgb(colour), line)
    _rectangle(image, box, line, _SHADOW, 1)


def draw_label(image: NDArray[np.uint8], box: Box, text: str, colour: str) -> None:
    """Write on a picture, uint8 (h, w, 3) RGB: on a strip above the box, or inside it where there is no room above."""
    strip = _strip(text, _rgb(colour), 9 * _line(image))[: image.shape[0], : image.shape[1]]
    height, width = strip.shape[:2]
    left = max(0, min(box.x, image.shape[1] - width))
    top = max(0, min(box.y - height if box.y >= height else box.y, image.shape[0] - height))
    image[top : top + height, left : left + width] = strip


def _rectangle(image: NDArray[np.uint8], box: Box, inset: int, colour: Colour, line: int) -> None:
    first = (box.x + inset, box.y + inset)
    last = (box.x + box.width - 1 - inset, box.y + box.height - 1 - inset)
    cv2.rectangle(image, first, last, colour, line)


@lru_cache(maxsize=1_024)
def _strip(text: str, colour: Colour, size: int) -> NDArray[np.uint8]:
    """Return text on a colour, uint8 (h, w, 3)."""
    font = ImageFont.load_default(size)
    padding = size // 3
    strip = Image.new("RGB", (round(font.getlength(text)) + 2 * padding, size + 2 * padding), colour)
    ink = "black" if _is_light(colour) else "white"
    ImageDraw.Draw(strip).text((padding, strip.height / 2), text, ink, font, anchor="lm")
    return np.array(strip)


def _line(image: NDArray[np.uint8]) -> int:
    """Return how thick lines are in a picture of this size."""
    return max(2, int(max(image.shape)) // 300)


def _rgb(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _is_light(colour: Colour) -> bool:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140
