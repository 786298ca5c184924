"""The library behind Streamlit's caches: what every session of the server shares."""

import hashlib
import io
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import streamlit as st

from emotion_core import settings
from emotion_core.config import SAMPLE
from emotion_core.files import replacing
from emotion_core.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

    from emotion_core.classifier import Classifier
    from emotion_core.dataset import Dataset
    from emotion_core.engine import LocalEngine


def runs() -> Runs:
    """Return the folder of saved runs."""
    return Runs(settings.runs_folder())


def history(run_id: str) -> "pd.DataFrame":
    """Return a run's curves: a row per epoch done."""
    return runs().find(run_id).history()


def engine() -> "LocalEngine":
    """Return the engine that computes runs in the background."""
    from emotion_core.engine import LocalEngine

    return LocalEngine(runs())


def dataset(source: str, drop_incomplete: bool = False) -> "Dataset":
    """Return a data set, read once and again only when its file has changed; raises BadInput."""
    return _dataset(source, drop_incomplete, _stamp(Path(source)) if source != SAMPLE else ())


def classifier(run_id: str, mtime: float | None = None) -> "Classifier":
    """Return the saved model of a run, loaded once; raises ModelUnavailable. `mtime` is looked up where not given."""
    return _classifier(str(runs().folder), run_id, _model_time(run_id) if mtime is None else mtime)


def keep_upload(upload: io.BytesIO, name: str) -> Path:
    """Save an uploaded data set in the data folder, where later runs find it, and return its path.

    The name carries a digest of the content: the same upload is kept once, a different one of that name beside it.
    """
    content = upload.getbuffer()
    stem, dot, suffixes = PurePath(name).name.partition(".")
    path = settings.data_folder() / f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}{dot}{suffixes}"
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return path


@st.cache_resource(max_entries=4, show_spinner="Reading the faces...")
def _dataset(source: str, drop_incomplete: bool, stamp: tuple[int, ...]) -> "Dataset":
    from emotion_core.dataset import load_dataset

    return load_dataset(source, drop_incomplete=drop_incomplete)


@st.cache_resource(max_entries=8, show_spinner="Loading the model...")
def _classifier(folder: str, run_id: str, mtime: float) -> "Classifier":
    from emotion_core.classifier import load_classifier

    return load_classifier(Runs(Path(folder)).find(run_id))


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does; nothing where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_size, status.st_mtime_ns)


def _model_time(run_id: str) -> float:
    run = runs().find(run_id)
    return max((path.stat().st_mtime for path in (run.onnx_path, run.linear_path) if path.exists()), default=0.0)
