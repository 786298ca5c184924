"""Sizes in bytes, as systems count memory: 1 GB is 2**30 bytes everywhere in this project. Numbers of things."""

from typing import Final

KILOBYTE: Final = 2**10
MEGABYTE: Final = 2**20
GIGABYTE: Final = 2**30


def counted(number: int, noun: str) -> str:
    """Write how many there are of something: `1 face`, `2,900 faces`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
