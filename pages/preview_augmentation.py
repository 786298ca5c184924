"""Augment: one face beside the variants of it that training would see, and what they do to a model's answer."""

from typing import TYPE_CHECKING

import streamlit as st

from emotion_core.emotions import EMOTIONS
from ui import augmentation, choices, pickers, presenter, transforms, widgets
from ui.brought import bring

if TYPE_CHECKING:
    from emotion_core.config import Augmentation
    from emotion_core.dataset import Dataset


def offer_settings(settings: "Augmentation") -> None:
    """Offer ready-made settings, other draws by those on screen, and to train with them."""
    ready_made, actions = st.columns(2, vertical_alignment="bottom")
    with ready_made:
        transforms.offer_ready_made(settings)
    with actions, st.container(horizontal=True, horizontal_alignment="right"):
        augmentation.offer_new_variants(settings)
        if st.button("Use in a run", type="primary", icon=":material/play_circle:"):
            bring(settings)
            widgets.go_to("pages/train_models.py")


def choose_face(dataset: "Dataset") -> int:
    """Let the person find a face by number, by emotion, or one after the other; return its row."""
    asked = choices.newly_asked("face") or str(st.session_state.get("augment-face", choices.kept("face")))
    number = int(asked) if asked.isdecimal() and len(asked) < 10 else 1
    st.session_state["augment-face"] = min(max(1, number), len(dataset))
    place = st.container()
    with st.grid(3, min_column_width=presenter.pixels(120), vertical_alignment="bottom"):
        st.number_input("Face", 1, len(dataset), key="augment-face", help="The first face in the data is 1.")
        if dataset.labels is not None:
            st.selectbox(
                "Emotion", EMOTIONS, index=None, placeholder="Any", key="augment-emotion",
                on_change=choose_emotion, args=(dataset,),
            )  # fmt: skip
        st.button("Next face", icon=":material/skip_next:", on_click=next_face, args=(dataset,), width="stretch")
    choices.keep("face", str(st.session_state["augment-face"]))
    row = st.session_state["augment-face"] - 1
    with place:
        augmentation.show_original(dataset, row)
    return row


def next_face(dataset: "Dataset") -> None:
    """Go to the next face of the chosen emotion, or of any."""
    from emotion_core.overview import row_after

    row = st.session_state["augment-face"] - 1
    st.session_state["augment-face"] = row_after(dataset, row, st.session_state.get("augment-emotion")) + 1


def choose_emotion(dataset: "Dataset") -> None:
    """Go to a face of the emotion that was chosen; stay where none was, or where it has no face."""
    emotion = st.session_state["augment-emotion"]
    if emotion is None:
        return
    if dataset.counts()[emotion]:
        next_face(dataset)
    else:
        st.session_state["augment-emotion"] = None
        st.toast(f"There is no face labelled {emotion} here.")


def show(dataset: "Dataset") -> None:
    """Show the controls beside the face and its variants."""
    settings = transforms.current_settings()
    offer_settings(settings)
    controls, stage = st.columns([31, 71], gap="large")
    with controls:
        transforms.show_controls()
    with stage:
        view = augmentation.choose_view()
        original, variants = widgets.columns([1, 3], "variants", narrowest=8, gap="medium")
        with original:
            row = choose_face(dataset)
        with variants:
            augmentation.show_view(view, dataset, row, settings)


widgets.page_header("Augment", "Random changes that make each training face new in every epoch.")
faces = pickers.pick_dataset("augmented-data")
if faces is None:
    st.stop()
show(faces)
