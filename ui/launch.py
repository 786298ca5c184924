"""The button that queues runs, which however fast it is clicked queues them once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import streamlit as st

from emotion_core.config import RunConfig
from emotion_core.errors import EmotionError
from ui import cache
from ui.choices import forget
from ui.widgets import go_to, plain

NEW: Final = "New run"
WATCH: Final = "Watch"
"""The views of the Train page: its form, and what computes."""

VIEW: Final = "show"
"""What the URL calls the view. Not `view`: that is bound to a widget of Explore, and still is while the page opens."""

SAME_CLICK_SECONDS: Final = 2.0

_CLICKED: Final = "train.clicked"
"""Where the session holds the button that was clicked, and for what: until the page has run once."""

_REFUSED: Final = "train.refused"
_GO_TO: Final = "train.go_to"


def go_to_train(view: str, **parameters: str) -> NoReturn:
    """Open the Train page with one of its views, and with such parameters in the URL."""
    st.session_state[_GO_TO] = view
    go_to("pages/train_models.py", **parameters)


def asked_view() -> str:
    """Return, once, the view that the Train page is to come up with; empty where none was asked for."""
    return str(st.session_state.pop(_GO_TO, ""))


@contextmanager
def forgetting_clicks() -> Iterator[None]:
    """Let a click end with this run of the page, whether or not what it was meant for came up in it.

    Else it would wait for its button: until the data can be read again, or for the second click of a double click,
    which may come when the page has moved on.
    """
    try:
        yield
    finally:
        st.session_state[_CLICKED] = None


def launch_button(label: str, *, key: str, shown: str, disabled: bool) -> bool:
    """Show the button and say whether it was clicked; it rests while what it was clicked for is done.

    Args:
        label: What it says.
        key: Names it on the page.
        shown: Names what it would train, as the person sees it: a click for something else is not for this,
            which is said in passing.
        disabled: Whether it cannot be clicked.
    """
    noted: tuple[str, str] | None = st.session_state.get(_CLICKED)
    clicked = noted == (key, shown)
    st.button(
        label,
        key=key,
        type="primary",
        icon=":material/play_circle:",
        disabled=disabled or clicked,
        on_click=_note_click,
        args=(key, shown),
    )
    if noted and noted[0] == key and not clicked:
        st.toast("Nothing was queued: what you clicked for has changed meanwhile.", icon=":material/info:")
    return clicked


def submit(configs: tuple[RunConfig, ...]) -> None:
    """Queue the runs, unless a second click of the same moment asks for the same again, and go to watch the first.

    None may be left to queue on the second click: then the first one's are watched, or what computes where another tab
    has queued them. What the engine refuses is said by `show_refusal` when the page comes again.
    """
    last = st.session_state.setdefault("train.last_submission", {})
    is_same_click = bool(last) and time.monotonic() - last["at"] <= SAME_CLICK_SECONDS
    # NOTE: a second click may interrupt this script at any call of Streamlit, so none stands between the two lines.
    if configs and not (is_same_click and last["configs"] == configs):
        try:
            last |= {"configs": configs, "run": cache.engine().submit_all(configs)[0].id, "at": time.monotonic()}
        except EmotionError as error:
            st.session_state[_REFUSED] = str(error)
            st.rerun()  # with a button that can be pressed again
    st.session_state[_GO_TO] = WATCH
    if configs or is_same_click:
        st.query_params.update({VIEW: WATCH, "run": last["run"]})  # at once, as one step of the browser's history
    else:
        forget("run")
    st.rerun()


def show_refusal() -> None:
    """Say, once, why what was asked for last was not queued."""
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(plain(refused), icon=":material/error:")


def _note_click(key: str, shown: str) -> None:
    st.session_state[_CLICKED] = key, shown
