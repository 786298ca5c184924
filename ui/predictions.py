"""A test file's predictions on a page: by one run, several on average, or each; kept over reruns, shown, scored.

The URL names the runs that are averaged with the chosen one (`?with=`) and how the file is written (`?header=`,
`?labels=`).
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import Evaluation, evaluate
from emotion_core.origins import learnt_from, sources_of_knowledge
from emotion_core.readers.label_file import Answers, read_labels
from emotion_core.runs import RunSummary
from emotion_core.submission import HEADERS, Style, file_name, score_predictions, submission_csv, submissions_zip
from ui import cache, choices, face_images, pickers, tables, widgets

if TYPE_CHECKING:
    from emotion_core.runs import Run

_PREVIEWED: Final = 100
"""Rows shown with their faces."""

_AT_A_GLANCE: Final = 24
"""Faces shown before anything is predicted."""

Model = tuple[str, float]
"""A run's id, and when its model was written: training that goes on replaces it."""

_OTHERS: Final = "average-with"
_NUMBERS, _NAMES = "Numbers", "Names"


@dataclass(frozen=True)
class FilePrediction:
    """What a run, or several on average, made of a data set.

    Attributes:
        models: The model of the run, and of those that it was averaged with.
        fingerprint: Digest of the data set.
        day: When it was predicted.
        probabilities: float32 (n, 7), in the order of the file.
    """

    models: tuple[Model, ...]
    fingerprint: str
    day: date
    probabilities: NDArray[np.float32]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The most probable emotion of each face, (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def file_name(self) -> str:
        """What the file is called, by date and by what the run is called now."""
        (run_id, _), *others = self.models
        return file_name(f"ensemble-{len(self.models)}" if others else name_of(run_id), self.day)

    def csv(self, dataset: Dataset, style: Style) -> str:
        """Return the file to hand in."""
        return submission_csv(dataset.ids, self.labels, style)


@dataclass(frozen=True)
class EveryPrediction:
    """What each saved run made of a data set.

    Attributes:
        models: Those of all runs that were asked.
        fingerprint: Digest of the data set.
        day: When it was predicted.
        labels: Id of a run and its labels, uint8 (n,), in the order of the file.
        refused: Id of a run whose model could not be used, and why.
    """

    models: tuple[Model, ...]
    fingerprint: str
    day: date
    labels: dict[str, NDArray[np.uint8]]
    refused: dict[str, str]

    @property
    def file_name(self) -> str:
        """What the zip is called, by date."""
        return file_name("every-run", self.day, ".zip")

    def zip(self, dataset: Dataset, style: Style) -> bytes:
        """Return one CSV for each run in one zip."""
        names = tables.distinct_names(lines_with_model())
        labels = {names.get(run_id, run_id): labels for run_id, labels in self.labels.items()}
        return submissions_zip(dataset.ids, labels, self.day, style)


# --- choices -------------------------------------------------------------------------------------------------------


def choose_runs() -> "list[Run]":
    """Let the person choose a run, and others to average it with; none, said on the page, where there is none."""
    lines = lines_with_model()
    places = widgets.columns([1] * (2 if lines else 1), "kaggle-runs", narrowest=22, gap="small")
    with places[0]:
        run = pickers.pick_run("kaggle-run")
    if run is None:
        return []
    with places[-1]:
        return [run, *map(cache.runs().find, _choose_others(run, lines))]


def lines_with_model() -> list[RunSummary]:
    """Return a line for each saved run that can predict, newest first."""
    return [line for line in cache.runs().summaries() if line.has_model]


def name_of(run_id: str) -> str:
    """Return the name by which a run is told from the others that can predict; its id where it is gone."""
    return tables.distinct_names(lines_with_model()).get(run_id, run_id)


def choose_style() -> Style:
    """Let the person choose how the file is written."""
    first_line, answers = st.columns(2)
    header = first_line.selectbox(
        "Header",
        list(HEADERS),
        format_func=lambda name: ",".join(HEADERS[name]),
        key="header",
        bind="query-params",
        persist_state="session",
    )
    written = answers.selectbox(
        "Labels",
        [_NUMBERS, _NAMES],
        key="labels",
        bind="query-params",
        persist_state="session",
        help="Numbers go from 0 (Angry) to 6 (Neutral). Kaggle expects numbers.",
    )
    return Style(header, names=written == _NAMES)


def _choose_others(run: "Run", lines: Sequence[RunSummary]) -> list[str]:
    """Let the person choose runs to average with, and keep them in the URL and the session."""
    names = tables.distinct_names(lines)
    options = [run_id for run_id in names if run_id != run.id]
    _follow_url(options)
    others = st.multiselect(
        "Average with",
        options,
        key=_OTHERS,
        format_func=names.__getitem__,
        disabled=not options,
        placeholder="Other runs, if you like" if options else "There is no other run yet",
        help="The mean of the runs' probabilities, equally weighted, is often better than any single run.",
    )
    choices.keep("with", ",".join(others))
    return others


def _follow_url(options: Sequence[str]) -> None:
    """Give the list the value of the URL where that is new, else keep its own, else the session's."""
    asked = choices.newly_asked("with")
    wanted = st.session_state.get(_OTHERS, choices.kept("with").split(",")) if asked is None else asked.split(",")
    st.session_state[_OTHERS] = [run_id for run_id in wanted if run_id in options]


# --- predictions that are kept -------------------------------------------------------------------------------------


def predict(runs: "Sequence[Run]", dataset: Dataset) -> None:
    """Let a run, or several on average, predict while a bar shows how far they are, and remember what they say."""
    from emotion_core.ensemble import Ensemble

    models = _models(runs)  # before they are asked: one may be trained further meanwhile, or deleted
    with widgets.friendly_errors():
        classifier = Ensemble([cache.classifier(run.id) for run in runs])
    bar = st.progress(0.0, text=f"0 of {len(dataset):,} faces")
    probabilities = classifier.probabilities(
        dataset.images, lambda done, total: bar.progress(done / total, text=f"{done:,} of {total:,} faces")
    )
    st.session_state["prediction"] = FilePrediction(models, dataset.fingerprint, date.today(), probabilities)


def kept(runs: "Sequence[Run]", dataset: Dataset) -> FilePrediction | None:
    """Return the session's prediction if it is that of these runs for these faces."""
    prediction: FilePrediction | None = st.session_state.get("prediction")
    if prediction and (prediction.models, prediction.fingerprint) == (_models(runs), dataset.fingerprint):
        return prediction
    return None


def predict_with_every_run(dataset: Dataset) -> None:
    """Let every saved run predict while a bar shows how far they are, and remember what they say."""
    from emotion_core.ensemble import ask_each

    runs = [cache.runs().run_of(line) for line in lines_with_model()]
    models = _models(runs)  # before they are asked
    bar = st.progress(0.0, text=f"0 of {len(runs)} runs")
    answers = ask_each(
        runs,
        dataset.images,
        lambda done, total: bar.progress(done / total, text=f"{done // len(dataset)} of {len(runs)} runs"),
    )
    st.session_state["every-prediction"] = EveryPrediction(
        models, dataset.fingerprint, date.today(), answers.labels, answers.refused
    )


def kept_of_every_run(dataset: Dataset) -> EveryPrediction | None:
    """Return the session's predictions by every run, if they are of these faces and of the models that are here now."""
    every: EveryPrediction | None = st.session_state.get("every-prediction")
    if every is None or every.fingerprint != dataset.fingerprint:
        return None
    models = _models(map(cache.runs().run_of, lines_with_model()))
    return every if set(every.models) == set(models) else None


def _models(runs: "Iterable[Run]") -> tuple[Model, ...]:
    return tuple((run.id, cache.model_time(run)) for run in runs)


# --- what is shown -------------------------------------------------------------------------------------------------


def show_faces(dataset: Dataset) -> None:
    """Show the first faces of a test file, as they are before anything is predicted."""
    face_images.show_faces(dataset.images[:_AT_A_GLANCE], columns=12)


def show_preview(dataset: Dataset, prediction: FilePrediction, style: Style) -> None:
    """Show the first rows with their faces, each as the file has it."""
    shown = slice(0, _PREVIEWED)
    names = [EMOTIONS[label] for label in prediction.labels[shown]]
    identity, answer = HEADERS[style.header]
    columns = {
        "Face": [face_images.data_url(face) for face in dataset.images[shown]],
        identity: dataset.ids[shown],
        answer: names if style.names else prediction.labels[shown],
        "Name": names,
        "Confidence": 100 * prediction.probabilities[shown].max(axis=1),
    }
    st.dataframe(
        pd.DataFrame(columns).drop(columns="Name" if style.names else []),
        hide_index=True,
        row_height=56,
        height=370,
        column_config={
            "Face": st.column_config.ImageColumn(width=70),
            "Confidence": st.column_config.ProgressColumn(format="%.0f%%", min_value=0, max_value=100, width=120),
        },
    )


# --- score ---------------------------------------------------------------------------------------------------------


def score(dataset: Dataset, prediction: FilePrediction, labels: UploadedFile | None) -> Evaluation | None:
    """Score against the labels that were handed in, else against the data set's own; None where there are none.

    Raises BadInput where the file is unusable or lacks an answer.
    """
    if labels is not None:
        return score_predictions(dataset.ids, prediction.probabilities, *_read_upload(labels))
    if dataset.labels is not None:
        return evaluate(dataset.labels, prediction.probabilities)
    return None


def was_learnt_from(runs: "Sequence[Run]", dataset: Dataset) -> bool:
    """Whether any of the runs, or what it began with or was taught by, was trained on this very data set."""
    sources = (source for run in runs for source in sources_of_knowledge(run, cache.runs()))
    return any(learnt_from(source.config, dataset) for source in sources)


def _read_upload(upload: UploadedFile) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PurePath(upload.name).name
        path.write_bytes(upload.getbuffer())
        return read_labels(path)
