"""The library behind Streamlit's caches: what every session of the server shares."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from emotion_core import settings
from emotion_core.config import SAMPLE
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, Runs, RunSummary, summarise
from ui.stamps import stamp_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emotion_core.attention import AttentionReader
    from emotion_core.classifier import Classifier
    from emotion_core.config import Augmentation, RunConfig
    from emotion_core.dataset import Dataset
    from emotion_core.detection import Detector
    from emotion_core.engine import Engine
    from emotion_core.imbalance import PoliciesCompared
    from emotion_core.neighbours import TrainingFaces
    from emotion_core.overview import Overview


LIST_SECONDS = 3


def runs() -> Runs:
    """Return the folder of saved runs."""
    return Runs(settings.runs_folder())


def lines() -> list[RunSummary]:
    """Return a line per run, newest first: those in hand as they are now, all others as of LIST_SECONDS ago at most.

    So any number of tabs that watch a run share one look at the whole folder.
    """
    folder = runs()
    return [line if line.state.is_over else summarise(folder.run_of(line)) for line in _listed(str(folder.folder))]


def list_anew() -> None:
    """Have `lines` look at the whole folder next time, because something was done to a run."""
    _listed.clear()


def engine() -> "Engine":
    """Return the engine that computes runs in the background."""
    from emotion_core.engine import LocalEngine

    return LocalEngine(runs())


@st.cache_resource(show_spinner=False)
def wake_engine() -> None:
    """Take up, once in a server's life, the runs that a crash or a restart of the machine left waiting."""
    with suppress(EmotionError):  # a page says so when someone uses the engine
        engine().wake()


def dataset(source: str, drop_incomplete: bool = False) -> "Dataset":
    """Return a data set, read once and again only when its file has changed; raises BadInput."""
    return _dataset(source, drop_incomplete, stamp_of(source) if source != SAMPLE else 0)


def overview(dataset: "Dataset") -> "Overview":
    """Return counts and class weights of a labelled data set, worked out once; raises BadInput."""
    return _overview(dataset.fingerprint, dataset)


def policies_compared(dataset: "Dataset", emotion: str) -> "list[PoliciesCompared]":
    """Return what class weights did to saved runs that learnt from a data set, as of a few seconds ago at most."""
    return _policies_compared(str(runs().folder), dataset.fingerprint, emotion, dataset)


def variants(dataset: "Dataset", row: int, settings: "Augmentation", count: int, seed: int) -> "NDArray[np.uint8]":
    """Return variants of one face, uint8 (count, 48, 48), drawn by the function that training uses."""
    import numpy as np

    from emotion_core.augment import augment

    return augment(dataset.images[[row] * count], settings, np.random.default_rng(seed))


def classifier(run_id: str) -> "Classifier":
    """Return the saved model of a run, loaded once; raises ModelUnavailable."""
    return _classifier(str(runs().folder), run_id, model_time(runs().find(run_id)))


def attention(run_id: str) -> "AttentionReader | None":
    """Return the reader of a network's attention, None where it has none; raises ModelUnavailable."""
    return _attention(str(runs().folder), run_id, model_time(runs().find(run_id)))


def model_time(run: Run) -> float:
    """Return when the model of a run was written, in seconds since 1970; 0 where it has none."""
    return max((path.stat().st_mtime for path in (run.onnx_path, run.linear_path) if path.exists()), default=0.0)


def training_faces(config: "RunConfig", dataset: "Dataset") -> "TrainingFaces":
    """Return the faces of a data set that a run learnt from, ready to be searched; raises BadInput."""
    return _training_faces(
        dataset.fingerprint, config.data.split.model_dump_json(), config.training.seed, config, dataset
    )


def detector(name: str, smallest: float | None) -> "Detector":
    """Return a detector for still pictures, shared by all sessions; raises ModelUnavailable."""
    return _detector(name, smallest)


def remove_data(path: Path) -> None:
    """Remove a data set that was added in the app, and let go of its faces; raises BadInput."""
    from emotion_core.kept_copies import remove_kept_copy

    _dataset.clear()  # what is mapped into memory stays on the disk
    remove_kept_copy(path, runs())


@st.cache_resource(ttl=LIST_SECONDS, max_entries=4, show_spinner=False)
def _listed(folder: str) -> list[RunSummary]:
    return Runs(Path(folder)).summaries()


@st.cache_resource(max_entries=4, show_spinner="Reading the faces...")
def _dataset(source: str, drop_incomplete: bool, stamp: int) -> "Dataset":
    from emotion_core.dataset import load_dataset

    return load_dataset(source, drop_incomplete=drop_incomplete)


@st.cache_resource(max_entries=16, show_spinner=False)
def _overview(fingerprint: str, _dataset: "Dataset") -> "Overview":
    from emotion_core.overview import look_over

    return look_over(_dataset)


@st.cache_data(ttl=LIST_SECONDS, max_entries=16, show_spinner=False)
def _policies_compared(folder: str, fingerprint: str, emotion: str, _dataset: "Dataset") -> "list[PoliciesCompared]":
    from emotion_core.imbalance import compare_policies

    return compare_policies(Runs(Path(folder)), _dataset, emotion)


@st.cache_resource(max_entries=48, show_spinner="Loading the model...")
def _classifier(folder: str, run_id: str, mtime: float) -> "Classifier":
    from emotion_core.classifier import load_classifier

    return load_classifier(Runs(Path(folder)).find(run_id))


@st.cache_resource(max_entries=8, show_spinner=False)
def _attention(folder: str, run_id: str, mtime: float) -> "AttentionReader | None":
    from emotion_core.attention import load_attention

    return load_attention(Runs(Path(folder)).find(run_id))


@st.cache_resource(max_entries=2, show_spinner="Looking through the training faces...")
def _training_faces(
    fingerprint: str, split: str, seed: int, _config: "RunConfig", _dataset: "Dataset"
) -> "TrainingFaces":
    from emotion_core.neighbours import TrainingFaces

    return TrainingFaces(_dataset, _config)


@st.cache_resource(max_entries=8, show_spinner=False)
def _detector(name: str, smallest: float | None) -> "Detector":
    from emotion_core.detection import open_detector

    return open_detector(name, smallest)
