"""What exact resume needs, saved after each whole epoch: one file an epoch, the last two kept.

Each file is written under a temporary name, brought to the disk and renamed, so that it is there whole or not at
all; the one before it goes only afterwards. Files hold plain numbers and JSON, nothing that could run code, and
every part carries a checksum, so that damage is noticed and the file before is taken.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.files import replacing

KEPT: Final = 2

_STATE: Final = "state"
_NAMES: Final = "arrays"
"""The arrays are named within the state, whose bytes have a checksum: the zip's own list of them has none."""

_NAME: Final = re.compile(r"epoch-(\d{6})\.npz")


@dataclass(frozen=True)
class Checkpoint:
    """A trainer after a whole epoch: its arrays by name, the rest of its state as plain data."""

    epoch: int
    arrays: Mapping[str, NDArray[Any]]
    state: Mapping[str, Any]


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint and let go of all but the last two; raises OSError, with those kept, where it cannot."""
        self._folder.mkdir(exist_ok=True)
        contents = {_STATE: checkpoint.state, _NAMES: sorted(checkpoint.arrays)}
        state = np.frombuffer(json.dumps(contents).encode(), np.uint8)
        with replacing(self._path(checkpoint.epoch)) as temporary:
            np.savez(temporary, **{_STATE: state}, **checkpoint.arrays)  # type: ignore[arg-type]
        self.keep(KEPT)

    def latest(self) -> Checkpoint | None:
        """Return the last checkpoint that can be read, None where there is none."""
        readable = (_load(self._path(epoch), epoch) for epoch in self.epochs())
        return next((checkpoint for checkpoint in readable if checkpoint), None)

    def epochs(self) -> list[int]:
        """Return the epochs that have a checkpoint, the last one first; whether it can be read is not looked at."""
        names = (_NAME.fullmatch(path.name) for path in self._folder.glob("epoch-*.npz"))
        return sorted((int(name[1]) for name in names if name), reverse=True)

    def keep(self, count: int) -> None:
        """Let go of all but the last ones."""
        for epoch in self.epochs()[count:]:
            self._path(epoch).unlink(missing_ok=True)

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch:06}.npz"


def _load(path: Path, epoch: int) -> Checkpoint | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        contents = json.loads(arrays.pop(_STATE).tobytes())
        if _NAMES not in contents:  # written before names were noted
            return Checkpoint(epoch, arrays, contents)
        if sorted(arrays) != contents[_NAMES]:
            raise ValueError("parts of it are missing")
        return Checkpoint(epoch, arrays, contents[_STATE])
    except Exception as error:  # damaged bytes make zipfile, zlib, NumPy and json raise errors of many kinds
        print(f"The checkpoint {path.name} cannot be read ({error}).", flush=True)
        return None
