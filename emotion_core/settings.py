"""Where things are kept and how large an input may be. Each folder can be moved by an environment variable."""

import os
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from emotion_core.units import MEGABYTE

PROJECT: Final = Path(__file__).resolve().parent.parent

MAX_UPLOAD_BYTES: Final = 1_000 * MEGABYTE
"""Largest CSV that the app accepts; `.streamlit/config.toml` says the same in megabytes."""

MAX_IMAGE_PIXELS: Final = 50_000_000
"""Largest picture that is decoded, by the size its header states."""


def runs_folder() -> Path:
    """Folder of saved runs: `EMOTION_RUNS`, else `trained/` of this project."""
    return _folder("EMOTION_RUNS", PROJECT / "trained")


def data_folder() -> Path:
    """Folder whose CSVs the app offers first: `EMOTION_DATA`, else `data/` of this project."""
    return _folder("EMOTION_DATA", PROJECT / "data")


def cache_folder() -> Path:
    """Folder of parsed data sets, safe to delete: `EMOTION_CACHE`, else the user's cache folder."""
    return _folder("EMOTION_CACHE", user_cache_path("facial-emotion-dashboard", appauthor=False))


def detector_folder() -> Path:
    """Folder of face detectors that were fetched: `EMOTION_DETECTORS`, else in the folder of parsed data sets."""
    return _folder("EMOTION_DETECTORS", cache_folder() / "detectors")


def _folder(variable: str, default: Path) -> Path:
    value = os.environ.get(variable)
    return Path(value).expanduser().resolve() if value else default
