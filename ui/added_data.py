"""Data that a person adds in the app, and takes away again."""

from pathlib import Path

import streamlit as st

from emotion_core.errors import EmotionError
from emotion_core.settings import data_folder
from ui import cache
from ui.choices import forget, kept
from ui.widgets import friendly_errors, plain


def offer_to_add(key: str) -> None:
    """Offer a path and an upload; what is chosen becomes the value of the picker with this key."""
    with st.popover("Add data", icon=":material/add:"):
        st.text_input(
            "Path on this computer",
            key=f"{key}-path",
            placeholder="/home/me/fer2013.csv",
            help="A CSV, a CSV in .gz or .zip, or a folder with one sub-folder of images per emotion.",
            on_change=_choose_path,
            args=(key,),
        )
        st.file_uploader(
            "Or upload", type=["csv", "gz", "zip"], key=f"{key}-upload", on_change=_choose_upload, args=(key,)
        )


def offer_to_remove(key: str, path: Path) -> None:
    """Offer to remove a data set, where it was added in the app; a file that a person put there stays."""
    from emotion_core.kept_copies import is_kept_copy

    if is_kept_copy(path) and st.button("Remove", icon=":material/delete:", key=f"{key}-remove-{path.name}"):
        _confirm_removal(key, path)


def show_refusal(key: str) -> None:
    """Say why what a person wanted to add or remove could not be."""
    if refused := st.session_state.pop(_refused(key), ""):
        st.error(plain(refused), icon=":material/error:")


@st.dialog("Remove this data set?")
@friendly_errors()
def _confirm_removal(key: str, path: Path) -> None:
    """Ask once more, and say what is lost with it."""
    st.markdown(f"**{plain(path.name)}** is deleted from {plain(str(path.parent))}. This cannot be undone.")
    if learnt := sum(line.data == path.name for line in cache.runs().summaries()):
        runs = "One run" if learnt == 1 else f"{learnt:,} runs"
        st.markdown(f"{runs} learnt from it: scores stay, but its faces cannot be shown and training cannot go on.")
    st.button("Remove for good", type="primary", key="remove-for-good", on_click=_remove, args=(key, path))


def _remove(key: str, path: Path) -> None:
    try:
        cache.remove_data(path)
    except EmotionError as error:
        st.session_state[_refused(key)] = str(error)
    else:
        for memory in ("data", "data_to_predict"):
            if kept(memory) == path.name:
                forget("data", memory)
    st.rerun()


def _choose_path(key: str) -> None:
    typed = st.session_state[f"{key}-path"].strip().strip("\"'")  # Windows copies a path in quotes
    st.session_state[f"{key}-path"] = ""  # so that the same path can be entered again
    if typed:
        st.query_params["data"] = typed


def _choose_upload(key: str) -> None:
    from emotion_core.kept_copies import keep_copy

    upload = st.session_state[f"{key}-upload"]
    if upload is None:
        return
    try:
        st.query_params["data"] = keep_copy(upload.getbuffer(), upload.name, data_folder()).name
    except EmotionError as error:
        st.session_state[_refused(key)] = str(error)


def _refused(key: str) -> str:
    return f"{key}-refused"
