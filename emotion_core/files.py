"""Files that a crash leaves whole: the old content or the new, never half of either."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

REPLACE_SECONDS: Final = 2.0
"""How long a file may be in a reader's hands on Windows."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path` in one step.

    The temporary name keeps the suffix of `path`, since some writers choose their format by it. The folder must be
    there: one that was deleted while a run computed does not come back.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        _grant_usual_permissions(temporary)
        _flush_to_disk(temporary)
        _take_place(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _take_place(temporary: Path, path: Path) -> None:
    """Rename; Windows refuses that while someone reads the old file, so there it is tried for a moment."""
    deadline = time.monotonic() + (REPLACE_SECONDS if os.name == "nt" else 0)
    while True:
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.01)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _grant_usual_permissions(path: Path) -> None:
    """Undo the owner-only mode of `mkstemp`: another account's app may read these folders."""
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        path.chmod(0o666 & ~mask)
