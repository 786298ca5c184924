"""What a person takes away from a data set's health: the findings as a table, and a copy without what is wrong."""

from dataclasses import fields
from pathlib import PurePath
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.cleaned import cleaned_path, save_cleaned
from emotion_core.dataset import Dataset
from emotion_core.errors import EmotionError
from emotion_core.health import Cleaning, Health
from emotion_core.settings import data_folder
from ui.widgets import plain

_LEFT_OUT: Final = {
    "drop_blank": ("Blank faces", "Faces of a single brightness."),
    "merge_exact": ("Exact repeats", "Of faces with the same pixels and label, the first is kept."),
    "merge_near": ("Near repeats", "Of nearly identical faces with the same label, the first is kept."),
    "drop_contradictory": ("Pictures under two labels", "All copies of a picture whose exact copies have different "
                           "labels; near copies too, if near repeats are left out."),
    "drop_doubted": ("Doubted labels", "Validation faces whose label the model doubts; it judged no others."),
}  # fmt: skip
"""What each field of `Cleaning` is called, and what it does."""


def offer_cleaned_copy(dataset: Dataset, health: Health) -> None:
    """Let the person choose what a copy goes without, save it, and open it; offer the findings as a table."""
    st.subheader("A cleaned copy", anchor=False)
    if dataset.is_drawn:
        st.caption("The sample is drawn by code, so there is no file to clean. The findings can be downloaded.")
        _offer_table(dataset, health)
        return
    rows = health.rows_to_keep(_choose_cleaning(health))
    gone = len(dataset) - len(rows)
    st.markdown(f"**{len(rows):,}** of {len(dataset):,} faces are kept, {gone:,} left out.")
    st.caption(
        "A file to predict for Kaggle needs all its rows; a cleaned copy is only for viewing."
        if dataset.labels is None
        else "The first rows of a file are for validation, so the copy has different validation faces: do not compare "
        "its scores with the original's."
    )
    path = cleaned_path(dataset, rows, data_folder())
    with st.container(horizontal=True, vertical_alignment="center"):
        place = st.empty()
        _offer_table(dataset, health)
    if not path.exists() and place.button(
        "Save a cleaned copy",
        type="primary",
        icon=":material/save:",
        key="save-cleaned",
        disabled=not 0 < gone < len(dataset),
    ):
        _save(dataset, rows)
    if path.exists():
        if place.button("Open the cleaned copy", type="primary", icon=":material/folder_open:", key="open-cleaned"):
            st.query_params["data"] = path.name
            st.rerun()
        st.success(f"The copy is saved as {plain(str(path))}.", icon=":material/check:")


def _choose_cleaning(health: Health) -> Cleaning:
    """Let the person choose what is left out; what this data set cannot have is not offered."""
    missing = set()
    if health.labels is None:
        missing.add("drop_contradictory")
    if health.doubts is None:
        missing.add("drop_doubted")
    chosen = dict.fromkeys(missing, False)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("Leave out", width="content")
        for field in fields(Cleaning):
            if field.name not in missing:
                label, meaning = _LEFT_OUT[field.name]
                chosen[field.name] = st.toggle(
                    label, bool(field.default), key=f"cleaning-{field.name}", help=meaning, persist_state="session"
                )
    return Cleaning(**chosen)


def _save(dataset: Dataset, rows: NDArray[np.int64]) -> None:
    """Write the copy into the data folder while a bar shows how far it is."""
    folder, text = data_folder(), f"Writing {len(rows):,} faces..."
    bar = st.progress(0.0, text=text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_cleaned(dataset, rows, cleaned_path(dataset, rows, folder), lambda share: bar.progress(share, text=text))
    except EmotionError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except OSError as error:
        st.error(f"{plain(str(folder))} cannot be written to: {error.strerror}.", icon=":material/error:")
    bar.empty()


def _offer_table(dataset: Dataset, health: Health) -> None:
    st.download_button(
        "Download the findings",
        lambda: health.table().to_csv(index=False),
        f"{PurePath(dataset.name).name.partition('.')[0]}-findings.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download-findings",
        help="A line for each face of each finding: its row, id, group and label, and what the model suggests.",
    )
