"""Explore: how many faces of each emotion a data set holds, what that implies, and what they look like."""

from typing import TYPE_CHECKING

import streamlit as st

from emotion_core.emotions import EMOTIONS
from ui import cache, charts, widgets

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset
    from emotion_core.overview import Overview

FACES_SHOWN, COLUMNS = 30, 10
POLICIES = {"balanced": "Balanced", "square_root": "Square root", "none": "None"}


def show_numbers(dataset: "Dataset", overview: "Overview") -> None:
    """Show size and imbalance at a glance."""
    with st.grid(4, min_column_width=180):
        look = {"delta_color": "off", "delta_arrow": "off", "border": True, "height": "stretch"}
        training = sum(overview.training.values())
        st.metric("Faces", f"{len(dataset):,}", f"{training:,} train", **look)
        for label, name in (("Largest class", overview.largest), ("Smallest class", overview.smallest)):
            st.metric(label, name, f"{overview.share(name):.1%} of faces", **look)
        ratio = dataset.imbalance_ratio()
        st.metric(
            "Imbalance",
            "a class is empty" if ratio is None else f"{ratio:.1f} : 1",
            f"{overview.largest} to {overview.smallest}",
            **look,
        )


def show_counts(overview: "Overview") -> None:
    """Show the faces of each emotion, split as the coursework split them."""
    st.subheader("Faces by emotion", anchor=False)
    parts = {"Training": overview.training, "Validation": overview.validation, "Held back": overview.held_back}
    st.html(charts.class_counts(parts))
    training, validation, held_back = (sum(part.values()) for part in parts.values())
    rest = f" Faintest: {held_back:,} that the file's Usage column holds back." if held_back else ""
    st.caption(f"Solid: {training:,} that train. Faint: the first {validation:,}, which only validate.{rest}")


def show_weights(overview: "Overview") -> None:
    """Show how much each emotion counts in the loss under a policy."""
    title, choice = st.columns([2, 3], vertical_alignment="center")
    title.subheader("Class weights", anchor=False)
    with choice, st.container(horizontal_alignment="right"):
        policy = st.segmented_control(
            "Policy", list(POLICIES), format_func=POLICIES.get, default="balanced", required=True, key="policy",
            label_visibility="collapsed",
        )  # fmt: skip
    st.html(charts.class_weights(overview.weights[policy]))
    st.caption("How much one training face counts in the loss.")


def show_gallery(dataset: "Dataset") -> None:
    """Show faces of a chosen emotion, and others on demand."""
    st.subheader("Faces", anchor=False)
    emotion = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if dataset.labels is not None:
            emotion = st.pills(
                "Emotion", EMOTIONS, default=EMOTIONS[0], key="emotion", required=True, label_visibility="collapsed"
            )
        page = st.session_state.setdefault("gallery_page", 0)
        st.button("Other faces", icon=":material/refresh:", on_click=turn_page)
    rows = cache.rows_of(dataset, emotion, page, FACES_SHOWN)
    if len(rows):
        widgets.show_faces(dataset.images[rows], [f"id {dataset.ids[row]}" for row in rows], COLUMNS)
    else:
        st.caption(f"There is no {emotion} face in this data set.")


def turn_page() -> None:
    """Show the next faces."""
    st.session_state["gallery_page"] += 1


widgets.page_header("Explore", "What is in the data, and how evenly.")
faces = widgets.pick_dataset("explored-data")
if faces is None:
    st.stop()
if faces.labels is None:
    st.metric("Faces", f"{len(faces):,}", border=True, width=240)
    st.caption("These faces have no labels: the data is for predicting, not for training.")
else:
    with widgets.friendly_errors():
        summary = cache.overview(faces)
    show_numbers(faces, summary)
    left, right = st.columns(2, gap="large")
    with left:
        show_counts(summary)
    with right:
        show_weights(summary)
show_gallery(faces)
