"""Data sets that the app itself put into the folder of data: uploads and cleaned copies.

Beside each lies a hidden note, by which it is told from what a person put there, whatever its name. None is ever shown
before someone has chosen it, since it is one person's choice and not everybody's; and the app may remove it again.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from threading import RLock
from typing import Final

from emotion_core.dataset import forget_parsed, load_dataset
from emotion_core.errors import BadInput
from emotion_core.files import replacing, write_text
from emotion_core.runs import Runs

_LONGEST_PART: Final = 40
"""Characters kept of a name before its first dot, and of what follows: systems take 255 bytes in all."""

_one_at_a_time: Final = RLock()
"""A class may upload the same file at once: it is written by one, and its note is that of the file that stays."""


def name_of_copy(name: str, digest: str) -> str:
    """Return what a copy is called, which tells its content; a long name is cut short.

    Args:
        name: What it is a copy of, with its suffixes, such as `faces.csv.gz`.
        digest: SHA-256 of the content, in hexadecimal.
    """
    stem, dot, suffixes = PurePath(name).name.partition(".")
    return f"{stem[:_LONGEST_PART]}-{digest[:8]}{dot}{suffixes[-_LONGEST_PART:]}"


def is_kept_copy(path: Path) -> bool:
    """Whether a data set is one that the app put there, as it was then."""
    try:
        return _note(path).read_text(encoding="utf-8") == _state(path)
    except (OSError, ValueError):  # mostly there is no note
        return False


@contextmanager
def keeping(path: Path) -> Iterator[Path]:
    """Yield a temporary path as `replacing` does; what then lies at `path` is a copy that the app put there."""
    with _one_at_a_time, replacing(path) as temporary:
        yield temporary
        write_text(_note(path), _state(temporary))


def keep_copy(content: bytes | memoryview, name: str, folder: Path) -> Path:
    """Save a data set that someone brought and return its path; the same content is kept once.

    Args:
        content: The file.
        name: What the person calls it.
        folder: The folder of data; made where it is missing.

    Raises:
        BadInput: It is no data set, which is then not kept, or it cannot be saved.
    """
    path = folder / name_of_copy(name, hashlib.sha256(content).hexdigest())
    with _one_at_a_time:
        if is_new := not path.exists():
            _write(content, name, path)
    try:
        load_dataset(path, drop_incomplete=True)
    except Exception as error:
        if is_new:  # one that was kept before may be what runs have learnt from
            _unlink(path)
        if isinstance(error, BadInput):
            raise BadInput(str(error).replace(path.name, name)) from error
        raise
    return path


def remove_kept_copy(path: Path, runs: Runs) -> None:
    """Remove a copy for good, with what was kept of it to read it faster.

    Raises:
        BadInput: The app did not put it there, a run that is not over learns from it, or its folder refuses.
    """
    if path.exists() and not is_kept_copy(path):
        raise BadInput(f"{path.name} was not added in the app, so it is not removed here.")
    learning = [line for line in runs.in_hand() if line.data == path.name]
    if learning:
        raise BadInput(f"{path.name} is in use: {learning[0].name} learns from it. Stop that run first.")
    try:
        _unlink(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be removed: {error.strerror}.") from error
    forget_parsed(path)


def _write(content: bytes | memoryview, name: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with keeping(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{name} cannot be saved in {path.parent}: {error.strerror or error}.") from error


def _unlink(path: Path) -> None:
    """Remove a copy, then its note: one that is left without could not be removed in the app."""
    path.unlink(missing_ok=True)
    _note(path).unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.kept")


def _state(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
