"""Sizes in bytes, as systems count memory: 1 GB is 2**30 bytes everywhere in this project."""

from typing import Final

KILOBYTE: Final = 2**10
MEGABYTE: Final = 2**20
GIGABYTE: Final = 2**30
