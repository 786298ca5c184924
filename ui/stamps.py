"""Whether the files of a data set have changed since they were read.

A folder may hold tens of thousands of pictures, and each is looked at, since one that takes another's place leaves no
trace on its folder. So all sessions share one look, and the next one waits.
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import streamlit as st

REST: Final = 10
"""A folder is looked through again when so many times as long has passed as the last look took."""


def stamp_of(source: str) -> int:
    """Return what changes when a file does, or any file in a folder at any depth; 0 where there is neither."""
    try:
        path = Path(source).expanduser()
        return hash(_of_file(path.stat())) if path.is_file() else _look(str(path)).stamp()
    except (OSError, ValueError, RuntimeError):  # an address may name anything, also what could be no path
        return 0


class _Look:
    """What was seen of the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stamp, self._next = 0, -float("inf")

    def stamp(self) -> int:
        """Return what changes when a file does, as of the last look; raises OSError where one may not look."""
        with self._lock:
            begun = time.monotonic()
            if begun >= self._next:
                self._stamp = hash(tuple(_of_each(self._folder)))
                ended = time.monotonic()
                self._next = ended + REST * (ended - begun)
            return self._stamp


@st.cache_resource(max_entries=16, show_spinner=False)
def _look(folder: str) -> _Look:
    return _Look(Path(folder))


def _of_each(folder: Path) -> Iterator[tuple[int, int]]:
    from emotion_core.readers.image_folder import visible_folders

    for place, _ in visible_folders(folder):
        with os.scandir(place) as entries:
            yield from (_of_file(entry.stat(follow_symlinks=not _is_broken(entry))) for entry in entries)


def _is_broken(entry: "os.DirEntry[str]") -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)


def _of_file(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
