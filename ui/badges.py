"""Badges: a run's state, drawn faces, and what a person typed."""

from typing import Any, Final

import streamlit as st

from emotion_core.runs import State
from ui.widgets import plain

STATE_COLOURS: Final[dict[State, str]] = {
    State.QUEUED: "#7F7F7F",
    State.RUNNING: "#0072B2",
    State.STOPPING: "#E69F00",
    State.STOPPED: "#E69F00",
    State.FINISHED: "#009E73",
    State.FAILED: "#D55E00",
    State.INTERRUPTED: "#D55E00",
    State.DAMAGED: "#D55E00",
}
"""Colours of states in tables."""

_BADGES: Final[dict[State, tuple[Any, str, str]]] = {
    State.QUEUED: ("gray", ":material/schedule:", "Waiting for its turn."),
    State.RUNNING: ("blue", ":material/play_arrow:", "Being trained."),
    State.STOPPING: ("orange", ":material/pending:", "Asked to stop; finishing the current batch."),
    State.STOPPED: ("orange", ":material/stop_circle:", "Ended early by request."),
    State.FINISHED: ("green", ":material/check:", "Ran to its end."),
    State.FAILED: ("red", ":material/error:", "Ended with an error."),
    State.INTERRUPTED: ("red", ":material/power_off:", "Its process ended unexpectedly."),
    State.DAMAGED: ("red", ":material/broken_image:", "Its folder cannot be read."),
}


def state_badge(state: State) -> None:
    """Show a run's state as a coloured badge with its meaning as help."""
    colour, icon, meaning = _BADGES[state]
    st.badge(state.capitalize(), icon=icon, color=colour, help=meaning)


def drawn_badge() -> None:
    """Say that faces were drawn by code, wherever such data or what was learnt from it shows."""
    st.badge("Drawn faces", icon=":material/draw:", color="violet", help="Faces drawn by code, not photographs.")


def typed_badge(text: str, icon: str, color: Any = "gray") -> None:
    """Show text that a person typed as a badge, which escapes square brackets by itself."""
    st.badge(plain(text).replace(r"\[", "[").replace(r"\]", "]"), icon=icon, color=color)
