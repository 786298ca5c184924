"""What the readers of files hand on: faces a block at a time, so that no file is ever whole in memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """A row without pixels. `row` is its line in the file as a person counts: the header is line 1."""

    row: int
    message: str


@dataclass(frozen=True)
class Block:
    """Some consecutive faces: images uint8 (n, 48, 48), labels uint8 (n,) and usage where the file has them."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    ids: list[str]
    usage: list[str] | None
    problems: tuple[Problem, ...] = ()
