"""What a button asks of the engine for a run: done once, and what the engine refuses is said in passing."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.errors import EmotionError
from emotion_core.runs import Run
from ui import cache
from ui.widgets import plain

if TYPE_CHECKING:
    from emotion_core.engine import Engine

DOUBLE_CLICK_SECONDS: Final = 0.7

_REQUESTS: Final[dict[str, "Callable[[Engine, Run], object]"]] = {
    "stop": lambda engine, run: engine.stop(run),
    "end": lambda engine, run: engine.kill(run),
    "earlier": lambda engine, run: engine.move(run, -1),
    "later": lambda engine, run: engine.move(run, 1),
    "resume": lambda engine, run: engine.resume(run),
    "longer": lambda engine, run: engine.resume(run, epochs=st.session_state[epochs_key(run)]),
}


def attempt(request: str, *runs: Run) -> None:
    """Do to runs what a button says; what the engine refuses is said in passing.

    The second click of a double click often lands on the button that has just taken the first one's place. It is not
    meant, so an action directly after another one is ignored.
    """
    asked, now = (request, [run.id for run in runs]), time.monotonic()
    last, at = st.session_state.get("live.last_action", (asked, now))
    if last != asked and now - at < DOUBLE_CLICK_SECONDS:
        return
    st.session_state["live.last_action"] = asked, now
    for run in runs:
        try:
            _REQUESTS[request](cache.engine(), run)
        except EmotionError as error:
            st.toast(plain(str(error)), icon=":material/error:")
    cache.list_anew()


def epochs_key(run: Run) -> str:
    """Return the key under which the session holds how many epochs a run shall have in all."""
    return f"live.longer-{run.id}"
