"""What a person may do with a run: stop it, go on with it, take its settings into the form."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import MOST_EPOCHS
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, State, WayOn, way_on
from emotion_core.watch import Watch
from ui import cache
from ui.launch import NEW, open_view
from ui.widgets import go_to, plain

if TYPE_CHECKING:
    from emotion_core.engine import Engine

GRACE_SECONDS: Final = 30
"""How long a run may take to stop, which includes saving its model, before ending it at once is offered."""

DOUBLE_CLICK_SECONDS: Final = 0.7

_ACTIONS: Final[dict[str, "Callable[[Engine, Run], object]"]] = {
    "stop": lambda engine, run: engine.stop(run),
    "end": lambda engine, run: engine.kill(run),
    "earlier": lambda engine, run: engine.move(run, -1),
    "later": lambda engine, run: engine.move(run, 1),
    "resume": lambda engine, run: engine.resume(run),
    "longer": lambda engine, run: engine.resume(run, epochs=st.session_state[_epochs_key(run)]),
}


def attempt(action: str, *runs: Run) -> None:
    """Do to runs what a button says; what the engine refuses is said in passing.

    The second click of a double click often lands on the button that has just taken the first one's place. It is not
    meant, so an action directly after another one is ignored.
    """
    asked, now = (action, [run.id for run in runs]), time.monotonic()
    last, at = st.session_state.get("live.last_action", (asked, now))
    if last != asked and now - at < DOUBLE_CLICK_SECONDS:
        return
    st.session_state["live.last_action"] = asked, now
    for run in runs:
        try:
            _ACTIONS[action](cache.engine(), run)
        except EmotionError as error:
            st.toast(plain(str(error)), icon=":material/error:")
    cache.list_anew()


def show_actions(run: Run, seen: Watch) -> None:
    """Offer what can be done with a run in its state."""
    match seen.state:
        case State.QUEUED:
            _offer("stop", run, "Cancel", ":material/close:", "Takes it out of the queue. It can be resumed later.")
        case State.RUNNING:
            what = "Ends it after the current batch and keeps the whole epochs. It can be resumed later."
            _offer("stop", run, "Stop", ":material/stop_circle:", what)
        case State.STOPPING:
            _offer_end(run)
        case _:
            _offer_way_on(run, seen)
    if seen.state.is_over:
        _offer_links(run)


def resumption(run: Run) -> str:
    """Say where a run goes on once it is resumed."""
    epochs = run.checkpoints.epochs()
    return f"Continues after epoch {epochs[0]:,}." if epochs else "Starts from the first epoch: none was saved."


def _offer(action: str, run: Run, label: str, icon: str, what: str, kind: str = "secondary") -> None:
    st.button(label, key=f"{action}-of-{run.id}", icon=icon, help=what, type=kind, on_click=attempt, args=(action, run))


def _offer_end(run: Run) -> None:
    """Offer to end a run that has had time to stop and has not."""
    if time.time() - (run.stop_requested_at() or time.time()) < GRACE_SECONDS:
        what = "It ends after the current batch; the kept epoch, once a whole one is done, is evaluated and saved."
        st.button("Stopping", key="stopping", icon=":material/pending:", help=what, disabled=True)
    else:
        what = "Ends its process without waiting; anything not yet saved is lost."
        _offer("end", run, "End at once", ":material/dangerous:", what)


def _offer_way_on(run: Run, seen: Watch) -> None:
    match way_on(run, seen.state):
        case WayOn.RESUME:
            _offer("resume", run, "Resume", ":material/resume:", resumption(run), kind="primary")
        case WayOn.START_AGAIN:
            _offer("resume", run, "Start again", ":material/restart_alt:", resumption(run), kind="primary")
        case WayOn.LENGTHEN if seen.epoch < MOST_EPOCHS:
            _offer_longer(run, seen)


def _offer_longer(run: Run, seen: Watch) -> None:
    """Offer more epochs to a finished run that has kept what it needs to go on."""
    with st.popover("Train longer", icon=":material/more_time:", key="longer-section"):
        ask_for_epochs(seen.epoch, seen.epochs, key=_epochs_key(run))
        _offer("longer", run, "Continue", ":material/play_arrow:", resumption(run), kind="primary")


def _epochs_key(run: Run) -> str:
    return f"live.longer-{run.id}"


def ask_for_epochs(done: int, planned: int, key: str) -> None:
    """Ask how many epochs a run shall have in all; suggest those it was to have, or else as many again."""
    suggested = planned if planned > done else min(MOST_EPOCHS, 2 * done)
    st.number_input("Total epochs", done + 1, MOST_EPOCHS, suggested, key=key)


def _offer_links(run: Run) -> None:
    # NOTE: the keys name the run, lest a click reach another one that has taken its place on the page meanwhile.
    what = "Opens the form with its settings."
    if st.button("Clone", key=f"clone-of-{run.id}", icon=":material/content_copy:", help=what):
        open_view(NEW)
        st.query_params["clone"] = run.id
        st.rerun()
    if st.button("Look closer", key=f"look-closer-at-{run.id}", icon=":material/search_insights:"):
        go_to("pages/inspect_run.py", run=run.id)
    if st.button("Results", key="open-results", icon=":material/leaderboard:"):
        go_to("pages/compare_runs.py")
