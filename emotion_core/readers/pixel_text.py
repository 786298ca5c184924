"""Pixels written as decimal numbers, read many faces at a time by arithmetic on the bytes."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import IMAGE_SIZE
from emotion_core.readers.csv_lines import quote

NUM_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE


def parse_pixels(faces: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """Return uint8 (n, 48, 48) from n texts of 2,304 numbers 0-255, or None where `find_fault` tells of one.

    Any white space separates numbers, and a number has one to three digits.
    """
    images = _parse_plain(faces)
    return images if images is not None else _parse_plain([b" ".join(face.split()) for face in faces])


def find_fault(face: bytes) -> str | None:
    """Say what is wrong with a face's pixels, or return None where nothing is."""
    numbers = face.split()
    if len(numbers) != NUM_PIXELS:
        return (
            f"has {len(numbers):,} pixels; expected {NUM_PIXELS:,} ({IMAGE_SIZE} x {IMAGE_SIZE}), with spaces between"
        )
    for place, number in enumerate(numbers, 1):
        if not (number.isdigit() and len(number) <= 3 and int(number) <= 255):
            return f"has {quote(number)} as pixel {place:,}; expected a whole number from 0 to 255"
    return None


def _parse_plain(faces: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """As `parse_pixels`, but with one space between numbers and nothing else.

    Looks up the three bytes before each space, so that most arithmetic is on one item a number, not on each byte.
    """
    text = np.frombuffer(b"   " + b" ".join(faces) + b" ", np.uint8)
    starts = np.flatnonzero(text[3:] == ord(" "))  # places of the third byte before each space
    if len(starts) != len(faces) * NUM_PIXELS or not _faces_end_at(starts, faces):
        return None
    hundreds, tens, ones = (text[place:].take(starts) - np.uint8(ord("0")) for place in range(3))
    has_tens = tens < 10  # whatever is not a digit has wrapped around to more
    has_hundreds = has_tens & (hundreds < 10)
    num_digits = len(starts) + np.count_nonzero(has_tens) + np.count_nonzero(has_hundreds)
    if ones.max() > 9 or num_digits + len(starts) != len(text) - 3:
        return None  # something else than digits, or a number of more than three of them
    hundreds *= has_hundreds.view(np.uint8)
    if hundreds.max() > 2:
        return None
    hundreds *= np.uint8(100)
    values: NDArray[np.uint8] = ones + tens * np.uint8(10) * has_tens.view(np.uint8) + hundreds
    if (values < hundreds).any():  # above 255 the sum has wrapped around
        return None
    return values.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _faces_end_at(starts: NDArray[np.int64], faces: Sequence[bytes]) -> bool:
    """Whether each face's last number is its 2,304th."""
    ends = np.cumsum([len(face) + 1 for face in faces]) - 1
    return np.array_equal(starts[NUM_PIXELS - 1 :: NUM_PIXELS], ends)
