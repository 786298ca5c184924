"""Files that a crash leaves whole: the old content or the new, never half of either."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

REPLACE_SECONDS: Final = 2.0
"""How long a file may be in a reader's hands on Windows."""

READ_SECONDS: Final = 0.3
"""How long Windows may refuse to open a file because another one is about to take its place."""

_LONGEST_STEM: Final = 40


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path` in one step.

    The temporary name keeps the suffix of `path`, since some writers choose their format by it. The folder must be
    there: one that was deleted while a run computed does not come back.
    """
    # NOTE: not by `tempfile`: on Windows it tries name after name for hours where the folder may not be written to.
    temporary = path.with_name(f".{path.stem[:_LONGEST_STEM]}-{secrets.token_hex(4)}{path.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        _flush_to_disk(temporary)
        insist(lambda: os.replace(temporary, path))
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_bytes(path: Path) -> bytes:
    """Read a file that another process may be replacing at this moment."""
    return insist(path.read_bytes, READ_SECONDS)


def rename_folder(folder: Path, target: Path) -> Path:
    """Rename a folder and return where it is now."""
    return insist(lambda: folder.rename(target))


def insist(act: Callable[[], T], seconds: float = REPLACE_SECONDS) -> T:
    """Do what Windows refuses while another program has a file open, again and again for a while."""
    deadline = time.monotonic() + (seconds if os.name == "nt" else 0)
    while True:
        try:
            return act()
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.01)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
