"""Kaggle: a test file in, its predictions out."""

from collections.abc import Sequence

import streamlit as st

from emotion_core.dataset import Dataset
from emotion_core.runs import Run
from emotion_core.submission import HEADERS, Style, say_left_out
from emotion_core.units import counted
from ui import badges, charts, pickers, predictions, widgets
from ui.class_balance import show_balance, training_balance
from ui.predictions import EveryPrediction, FilePrediction


def offer_download(dataset: Dataset, prediction: FilePrediction, style: Style) -> None:
    st.download_button(
        "Download CSV",
        prediction.csv(dataset, style),
        prediction.file_name,
        "text/csv",
        key="download-predictions",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def offer_zip(dataset: Dataset, every: EveryPrediction, style: Style) -> None:
    st.download_button(
        f"Download {counted(len(every.labels), 'CSV')}",
        lambda: every.zip(dataset, style),
        every.file_name,
        "application/zip",
        key="download-every-run",
        icon=":material/folder_zip:",
        on_click="ignore",
    )


def mark_drawn(runs: Sequence[Run]) -> None:
    if any(run.config.data.is_drawn for run in runs):
        badges.drawn_badge()


def show_result(runs: Sequence[Run], dataset: Dataset, prediction: FilePrediction, style: Style) -> None:
    header = ",".join(HEADERS[style.header])
    st.caption(f"`{prediction.file_name}`: {counted(len(dataset), 'row')} under the header `{header}`.")
    if left_out := say_left_out(len(dataset.problems)):
        st.warning(left_out, icon=":material/warning:")
    preview, balance = widgets.columns([1, 1], "result", narrowest=18)
    with preview:
        st.subheader("First rows", anchor=False)
        predictions.show_preview(dataset, prediction, style)
    with balance:
        st.subheader("Class balance", anchor=False)
        training = training_balance(runs)
        show_balance(prediction.labels, training)
        if training is None:
            st.caption("Its training faces were not found on this machine, so their balance is not shown.")
    show_score(runs, dataset, prediction)


def show_score(runs: Sequence[Run], dataset: Dataset, prediction: FilePrediction) -> None:
    figures, matrix = widgets.columns([1, 1], "score", narrowest=18)
    with figures:
        st.subheader("Score", anchor=False)
        labels = st.file_uploader(
            "Labels, if you have them",
            type=["csv", "gz", "zip"],
            key=f"kaggle-labels-{dataset.fingerprint[:8]}",  # those of another file are none of this one
            help="A file with the columns id and emotion. Kaggle keeps its own until you submit.",
        )
        with widgets.friendly_errors():
            scores = predictions.score(dataset, prediction, labels)
        if scores is None:
            st.caption("This file has no labels. Kaggle gives the score, or add the labels here.")
            return
        accuracy, macro_f1 = st.columns(2)
        accuracy.metric("Accuracy", f"{scores.accuracy:.1%}")
        macro_f1.metric(
            "Macro-F1", f"{scores.macro_f1:.3f}", help="Mean F1 of the seven classes, all weighted equally."
        )
        (low, high), (lowest, highest) = scores.accuracy_interval(), scores.macro_f1_interval()
        st.caption(
            f"95% confidence intervals: accuracy {100 * low:.1f} to {high:.1%}, macro-F1 {lowest:.3f} to {highest:.3f}."
        )
        mark_drawn(runs)
        if predictions.was_learnt_from(runs, dataset):
            st.caption(f"This model learnt from {widgets.plain(dataset.name)} itself, so the score flatters it.")
    with matrix:
        st.subheader("Confusion matrix", anchor=False)
        st.html(charts.confusion_matrix(scores.confusion))


widgets.page_header("Kaggle", "Let a saved model label a test file, and download the labels in Kaggle's format.")
runs = predictions.choose_runs()
if not runs:
    st.stop()
with widgets.friendly_errors():
    mark_drawn(runs)
dataset = pickers.pick_dataset("kaggle-data", to_predict=True)
if dataset is None:
    st.stop()
prediction, every = predictions.kept(runs, dataset), predictions.kept_of_every_run(dataset)
buttons, style_place = widgets.columns([3, 2], "predict", narrowest=18, gap="small", vertical_alignment="bottom")
with style_place:
    style = predictions.choose_style()
with buttons.container(horizontal=True):
    asked = st.button(
        "Predict again" if prediction else "Predict",
        type="secondary" if prediction else "primary",
        key=f"predict-{'-'.join(run.id for run in runs)}",  # a click for a run that is gone is no click for another
        icon=":material/play_arrow:",
    )
    if prediction and not asked:
        offer_download(dataset, prediction, style)
    asked_of_every_run = False
    if every and every.labels:
        offer_zip(dataset, every, style)
    else:
        asked_of_every_run = st.button(
            "Every run's CSV",
            key="every-run",
            icon=":material/library_books:",
            help="Predict this file with every saved run that has a model; download one CSV for each, in one zip.",
        )
for run_id, reason in every.refused.items() if every else ():
    name = widgets.plain(predictions.name_of(run_id))
    st.warning(f"{name} is not in the zip: {widgets.plain(reason)}", icon=":material/warning:")
if asked:
    predictions.predict(runs, dataset)
    st.rerun()
elif asked_of_every_run:
    predictions.predict_with_every_run(dataset)
    st.rerun()
elif prediction:
    show_result(runs, dataset, prediction, style)
else:
    st.caption(f"{len(dataset):,} faces, none predicted yet.")
    predictions.show_faces(dataset)
