"""Whether the files of a data set have changed since they were read.

A folder may hold tens of thousands of pictures, and each is looked at, since one that takes another's place leaves no
trace on its folder. So all sessions share one look, and the next one waits.
"""

import threading
import time
from pathlib import Path
from typing import Final

import streamlit as st

from emotion_core.errors import EmotionError

REST: Final = 10
"""A folder is looked through again when so many times as long has passed as the last look took."""


def stamp_of(source: str) -> int:
    """Return what changes when a file does, or any picture in a folder at any depth; 0 where there is neither."""
    try:
        path = Path(source).expanduser()
        if not path.is_file():
            return _look(str(path)).stamp()
        status = path.stat()
        return hash((status.st_size, status.st_mtime_ns))
    except (EmotionError, OSError, ValueError, RuntimeError):  # an address may name anything, also no path at all
        return 0


class _Look:
    """What was seen of the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stamp, self._next = 0, -float("inf")

    def stamp(self) -> int:
        """Return what changes when a picture does, as of the last look; raises BadInput where one may not look."""
        from emotion_core.readers.image_folder import picture_states

        with self._lock:
            begun = time.monotonic()
            if begun >= self._next:
                self._stamp = hash(tuple(picture_states(self._folder)))
                ended = time.monotonic()
                self._next = ended + REST * (ended - begun)
            return self._stamp


@st.cache_resource(max_entries=16, show_spinner=False)
def _look(folder: str) -> _Look:
    return _Look(Path(folder))
