"""The faces of a data set, page by page, each of which can be enlarged."""

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from emotion_core.emotions import EMOTIONS
from emotion_core.errors import EmotionError
from emotion_core.face_statistics import MOST_CONTRAST, WHITE
from emotion_core.overview import count_pages, rows_of
from ui import cache
from ui.charts import dotted
from ui.face_grid import show_face_grid
from ui.face_images import data_url
from ui.faces import emotion_bars
from ui.widgets import friendly_errors, plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_PER_PAGE: Final = 36
_ALL: Final = "All"
_PAGE, _EMOTION = "gallery_page", "emotion"


@st.fragment
@friendly_errors()
def show_gallery(dataset: "Dataset") -> None:
    """Show the faces of a chosen emotion; a click enlarges one."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        emotion = _choose_emotion(dataset)
        place = st.container(horizontal=True, vertical_alignment="center", width="content")
    pages = count_pages(dataset, emotion, _PER_PAGE)
    page = st.session_state[_PAGE] = max(0, min(st.session_state.get(_PAGE, 0), pages - 1))
    rows = rows_of(dataset, emotion, page, _PER_PAGE)
    if not len(rows):
        st.caption(f"There is no {emotion} face in this data set.")
        return
    with place:
        st.button("Previous", icon=":material/chevron_left:", on_click=_turn, args=(-1,), disabled=page == 0)
        st.markdown(f"Page {page + 1:,} of {pages:,}")
        st.button("Next", icon=":material/chevron_right:", on_click=_turn, args=(1,), disabled=page + 1 >= pages)
    show_face_grid(
        dataset.images[rows],
        [f"id {dataset.ids[row]}" for row in rows],
        rows.tolist(),
        lambda row: enlarge(dataset, row),
        key="gallery",
    )


def _choose_emotion(dataset: "Dataset") -> str | None:
    if dataset.labels is None:
        return None
    chosen = st.pills(
        "Emotion",
        [_ALL, *EMOTIONS],
        default=EMOTIONS[0],
        key=_EMOTION,
        required=True,
        on_change=_open_first,
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    return None if chosen == _ALL else chosen


def _turn(step: int) -> None:
    st.session_state[_PAGE] += step


def _open_first() -> None:
    st.session_state[_PAGE] = 0


@st.dialog("One face", width="medium")
@friendly_errors()
def enlarge(dataset: "Dataset", row: int) -> None:
    """Show one face large, what is known of it, and what the best model reads in it."""
    face = dataset.images[row]
    label = "" if dataset.labels is None else EMOTIONS[dataset.labels[row]]
    picture, words = st.columns(2, gap="medium")
    with picture:
        name = escape(f"Face with id {dataset.ids[row]}{', ' * bool(label)}{label}")
        st.html(
            f'<img alt="{name}" src="{data_url(face)}" '
            'style="width:100%;display:block;image-rendering:pixelated;border-radius:8px">'
        )
        st.caption(
            f"id {plain(str(dataset.ids[row]))} · brightness {face.mean():.0f} of {WHITE} · "
            f"contrast {face.std():.0f} of {MOST_CONTRAST:.0f}"
        )
    with words:
        if label:
            st.html(f'<div style="font-size:1.1rem">Labelled {dotted(label, 650)}</div>')
        _show_reading(face[np.newaxis])


def _show_reading(face: np.ndarray) -> None:
    from emotion_core.classifier import best_line

    line = best_line(cache.lines())
    if line is None:
        st.caption("Once a model is trained, its reading of the face appears here.")
        return
    try:
        shares = cache.classifier(line.id).probabilities(face)[0]
    except EmotionError as error:
        st.caption(plain(str(error)))
        return
    st.html(emotion_bars(shares.tolist(), [f"{share:.0%}" for share in shares]))
    st.caption(f"As the model *{plain(line.name)}* reads it.")
