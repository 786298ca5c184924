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
        return f"has {len(numbers):,} pixels; expected {NUM_PIXELS:,} ({IMAGE_SIZE} x {IMAGE_SIZE})"
    for place, number in enumerate(numbers, 1):
        if not (number.isdigit() and len(number) <= 3 and int(number) <= 255):
            return f"has {quote(number)} as pixel {place:,}; expected a whole number from 0 to 255"
    return None


def _parse_plain(faces: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """As `parse_pixels`, but with nothing but spaces between the numbers."""
    text = np.frombuffer(b" ".join(faces) + b" ", np.uint8)
    digits = text - np.uint8(ord("0"))  # wraps around, so that everything but a digit ends above 9
    is_digit = digits < 10
    if np.count_nonzero(is_digit) + np.count_nonzero(text == ord(" ")) != len(text):
        return None
    is_last = is_digit[:-1] > is_digit[1:]
    if not _all_have_every_pixel(faces, is_last):
        return None
    values = _read_numbers(digits, is_digit)
    if values is None:
        return None
    return values.take(np.flatnonzero(is_last)).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _all_have_every_pixel(faces: Sequence[bytes], is_last: NDArray[np.bool_]) -> bool:
    start = 0
    for face in faces:
        if np.count_nonzero(is_last[start : start + len(face)]) != NUM_PIXELS:
            return False
        start += len(face) + 1
    return True


def _read_numbers(digits: NDArray[np.uint8], is_digit: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """Return at the last digit of each number its value, or None where one is above 255 or has over three digits."""
    is_third = is_digit[:-2] & is_digit[1:-1] & is_digit[2:]  # [i]: at i + 2 stands a third digit, or a later one
    if (is_third[1:] & is_digit[:-3]).any():
        return None
    ones = digits * is_digit.view(np.uint8)
    hundreds = ones[:-2] * is_third.view(np.uint8)
    if hundreds.max(initial=0) > 2:
        return None
    hundreds *= np.uint8(100)
    values = ones.copy()
    values[1:] += ones[:-1] * np.uint8(10)
    values[2:] += hundreds
    return None if (values[2:] < hundreds).any() else values  # above 255 the sum has wrapped around
