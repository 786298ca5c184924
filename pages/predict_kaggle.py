import streamlit as st

from emotion_core.dataset import Dataset
from emotion_core.runs import Run
from ui import cache, predictions, widgets
from ui.predictions import Prediction


def predict(run: Run, dataset: Dataset) -> None:
    """Classify every face while a bar shows how far it is."""
    with widgets.friendly_errors():
        classifier = cache.classifier(run.id)
    bar = st.progress(0.0, text=f"0 of {len(dataset):,} faces")

    def show(done: int, total: int) -> None:
        bar.progress(done / total, text=f"{done:,} of {total:,} faces")

    probabilities = classifier.probabilities(dataset.images, show)
    bar.empty()
    predictions.keep(Prediction(run.id, dataset.fingerprint, probabilities))


def show_result(dataset: Dataset, prediction: Prediction) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.download_button(
            "Download CSV",
            prediction.csv(dataset),
            f"{prediction.run_id}_predictions.csv",
            "text/csv",
            key="download-predictions",
            icon=":material/download:",
            on_click="ignore",
        )
        st.markdown(f":gray[{len(dataset):,} rows, header `id,predicted class`]")
    preview, balance = st.columns([3, 2], gap="large")
    with preview:
        st.subheader("First rows", anchor=False)
        predictions.show_preview(dataset, prediction)
    with balance:
        st.subheader("Predicted classes", anchor=False)
        predictions.show_balance(prediction)
        show_score(dataset, prediction)


def show_score(dataset: Dataset, prediction: Prediction) -> None:
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
        st.caption("This file has no labels; Kaggle will tell the score, or add the labels here.")
        return
    accuracy, macro_f1 = st.columns(2)
    accuracy.metric("Accuracy", f"{scores.accuracy:.1%}")
    macro_f1.metric(
        "Macro-F1", f"{scores.macro_f1:.3f}", help="Mean of the seven classes' F1; rare ones count as much."
    )


widgets.page_header("Kaggle", "Let a saved model label a test file, and download the labels in Kaggle's format.")
model_column, data_column = st.columns(2, gap="large")
with model_column:
    run = widgets.pick_run("kaggle-run")
if run is None:
    st.stop()
with data_column:
    dataset = widgets.pick_dataset("kaggle-data")
if dataset is None:
    st.stop()
if st.button("Predict", type="primary", key="predict", icon=":material/play_arrow:"):
    predict(run, dataset)
if prediction := predictions.kept(run, dataset):
    show_result(dataset, prediction)
else:
    st.caption(f"{len(dataset):,} faces wait for the model {run.name}.")
