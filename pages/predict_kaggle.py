"""Kaggle: a test file in, its predictions out."""

import streamlit as st

from emotion_core.dataset import Dataset
from emotion_core.runs import Run
from ui import cache, predictions, widgets
from ui.predictions import Prediction


def predict(run: Run, dataset: Dataset) -> None:
    """Classify every face while a bar shows how far it is, then show the result."""
    with widgets.friendly_errors():
        classifier = cache.classifier(run.id)
    bar = st.progress(0.0, text=f"0 of {len(dataset):,} faces")

    def show(done: int, total: int) -> None:
        bar.progress(done / total, text=f"{done:,} of {total:,} faces")

    probabilities = classifier.probabilities(dataset.images, show)
    predictions.keep(Prediction(run.id, dataset.fingerprint, probabilities))
    st.rerun()


def offer_download(dataset: Dataset, prediction: Prediction) -> None:
    st.download_button(
        "Download CSV",
        prediction.csv(dataset),
        f"{prediction.run_id}_predictions.csv",
        "text/csv",
        key="download-predictions",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def show_result(run: Run, dataset: Dataset, prediction: Prediction) -> None:
    st.caption(f"{len(dataset):,} rows under the header `id,predicted class`.")
    preview, balance = st.columns([3, 2], gap="large")
    with preview:
        st.subheader("First rows", anchor=False)
        predictions.show_preview(dataset, prediction)
    with balance:
        st.subheader("Predicted classes", anchor=False)
        predictions.show_balance(prediction)
        show_score(run, dataset, prediction)


def show_score(run: Run, dataset: Dataset, prediction: Prediction) -> None:
    st.subheader("Score", anchor=False)
    labels = st.file_uploader(
        "Labels, if you have them",
        type=["csv", "gz", "zip"],
        key="kaggle-labels",
        help="A file with the columns id and emotion. Kaggle keeps its own until you submit.",
    )
    with widgets.friendly_errors():
        scores = predictions.score(dataset, prediction, labels)
    if scores is None:
        st.caption("This file has no labels. Kaggle tells the score; or add the labels here.")
        return
    accuracy, macro_f1 = st.columns(2)
    accuracy.metric("Accuracy", f"{scores.accuracy:.1%}")
    macro_f1.metric(
        "Macro-F1", f"{scores.macro_f1:.3f}", help="Mean of the seven classes' F1; rare ones count as much."
    )
    if predictions.was_learnt_from(run, dataset):
        st.caption(f"This model learnt from {widgets.plain(dataset.name)} itself, so the score flatters it.")


widgets.page_header("Kaggle", "Let a saved model label a test file, and download the labels in Kaggle's format.")
run = widgets.pick_run("kaggle-run")
dataset = widgets.pick_dataset("kaggle-data", to_predict=True) if run else None
if run is None or dataset is None:
    st.stop()
prediction = predictions.kept(run, dataset)
with st.container(horizontal=True):
    asked = st.button(
        "Predict again" if prediction else "Predict",
        type="secondary" if prediction else "primary",
        key="predict",
        icon=":material/play_arrow:",
    )
    if prediction and not asked:
        offer_download(dataset, prediction)
if asked:
    predict(run, dataset)
elif prediction:
    show_result(run, dataset, prediction)
else:
    st.caption(f"{len(dataset):,} faces, none of them predicted yet.")
