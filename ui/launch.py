"""The button that queues runs, which however fast it is clicked queues them once."""

import time
from typing import Final

import streamlit as st

from emotion_core.config import RunConfig
from ui import cache
from ui.widgets import friendly_errors

WATCH: Final = "Watch"
"""What the Train page calls its live view."""

SAME_CLICK_SECONDS: Final = 2.0


def launch_button(label: str, *, key: str, disabled: bool) -> bool:
    """Show the button and say whether it was clicked; it rests while what it was clicked for is done."""
    clicked: bool = st.session_state.get("train.clicked") == key
    st.button(
        label,
        key=key,
        type="primary",
        icon=":material/play_circle:",
        disabled=disabled or clicked,
        on_click=_note_click,
        args=(key,),
    )
    if clicked:
        forget_click()
    return clicked


def forget_click() -> None:
    """Let no click wait for a button: the second of a double click may come when the page has moved on."""
    st.session_state["train.clicked"] = ""


def submit(configs: tuple[RunConfig, ...]) -> None:
    """Queue the runs, unless a second click of the same moment asks for the same again, and go to watch the first.

    None may be left to queue on the second click: then the first one's are watched.
    """
    last = st.session_state.setdefault("train.last_submission", {})
    # NOTE: a second click may interrupt this script at any call of Streamlit, so none stands between the two lines.
    if configs and (last.get("configs") != configs or time.monotonic() - last["at"] > SAME_CLICK_SECONDS):
        with friendly_errors():
            last |= {"configs": configs, "run": cache.engine().submit_all(configs)[0].id, "at": time.monotonic()}
    st.session_state["train.go_to"] = WATCH
    st.query_params["run"] = last["run"]
    st.rerun()


def _note_click(key: str) -> None:
    st.session_state["train.clicked"] = key
