"""A test file's predictions on a page: kept over reruns, previewed, counted, scored."""

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.evaluation import Evaluation, evaluate
from emotion_core.readers.label_file import Answers, read_labels
from emotion_core.submission import score_predictions, submission_csv
from ui.faces import emotion_bars
from ui.widgets import data_url

if TYPE_CHECKING:
    from emotion_core.runs import Run

_PREVIEWED: Final = 100
"""Rows shown with their faces."""


@dataclass(frozen=True)
class Prediction:
    """What a run made of a data set: probabilities float32 (n, 7), in the order of the file."""

    run_id: str
    fingerprint: str
    probabilities: NDArray[np.float32]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The most probable emotion of each face, (n,)."""
        return self.probabilities.argmax(axis=1)

    def csv(self, dataset: Dataset) -> str:
        """Return the competition's file."""
        return submission_csv(dataset.ids, self.labels)


def keep(prediction: Prediction) -> None:
    """Remember the session's newest prediction."""
    st.session_state["prediction"] = prediction


def kept(run: "Run", dataset: Dataset) -> Prediction | None:
    """Return the session's prediction if it is that of this run for these faces."""
    prediction: Prediction | None = st.session_state.get("prediction")
    if prediction and (prediction.run_id, prediction.fingerprint) == (run.id, dataset.fingerprint):
        return prediction
    return None


def show_preview(dataset: Dataset, prediction: Prediction) -> None:
    """Show the first rows with their faces."""
    shown = slice(0, _PREVIEWED)
    rows = pd.DataFrame(
        {
            "Face": [data_url(face) for face in dataset.images[shown]],
            "id": dataset.ids[shown],
            "predicted class": prediction.labels[shown],
            "Emotion": [EMOTIONS[label] for label in prediction.labels[shown]],
            "Confidence": prediction.probabilities[shown].max(axis=1),
        }
    )
    st.dataframe(
        rows,
        hide_index=True,
        row_height=56,
        height=480,
        column_config={
            "Face": st.column_config.ImageColumn(width=70),
            "Confidence": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
        },
    )


def show_balance(prediction: Prediction) -> None:
    """Show how many faces were given each emotion."""
    counts = np.bincount(prediction.labels, minlength=NUM_EMOTIONS)
    shares = counts / max(1, len(prediction.labels))
    texts = [f"{count:,} · {share:.1%}" for count, share in zip(counts, shares, strict=True)]
    st.html(emotion_bars((shares / max(shares.max(), 1e-9)).tolist(), texts))


def score(dataset: Dataset, prediction: Prediction, labels: UploadedFile | None) -> Evaluation | None:
    """Score against the labels that were handed in, else against the data set's own; None where there are none.

    Raises BadInput where the file is unusable or lacks an answer.
    """
    if labels is not None:
        return score_predictions(dataset.ids, prediction.probabilities, *_read_upload(labels))
    if dataset.labels is not None:
        return evaluate(dataset.labels, prediction.probabilities)
    return None


def was_learnt_from(run: "Run", dataset: Dataset) -> bool:
    """Whether a run was trained on this very data set, as far as its name tells."""
    source = run.config.data.source
    return source == dataset.source or PurePath(source).name == dataset.name


def _read_upload(upload: UploadedFile) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PurePath(upload.name).name
        path.write_bytes(upload.getbuffer())
        return read_labels(path)
