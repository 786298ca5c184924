"""The lock on a run's folder that says whether some process computes the run.

A trainer holds it for as long as it lives, and the kernel frees it however the trainer ends. So it is believed where a
process id is not: those are given anew.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from emotion_core.errors import EmotionError


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder; raises EmotionError where another process does."""
    lock = FileLock(_path(folder))
    try:
        lock.acquire(timeout=2, poll_interval=0.02)
    except Timeout as error:
        raise EmotionError(f"Run {folder.name} is being computed by another process.") from error
    try:
        yield
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether some process holds the lock of a run's folder; False where nobody can tell."""
    if sys.platform == "win32":
        return _cannot_be_taken(folder)
    import fcntl

    try:
        with _path(folder).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, so that whoever else looks is not taken for it
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except OSError:  # a disk that knows no such locks
        return _cannot_be_taken(folder)
    return False


def _cannot_be_taken(folder: Path) -> bool:
    """Whether the lock stays out of reach for longer than a look at it takes."""
    if not folder.is_dir():
        return False  # looking must not bring a deleted run's folder back
    try:
        with FileLock(_path(folder)).acquire(timeout=0.008, poll_interval=0.001):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _path(folder: Path) -> Path:
    return folder / "lock"
