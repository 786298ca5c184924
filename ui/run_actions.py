"""What a person may do with a run, and how it is offered: in Watch as buttons, on the Run page as one and a menu."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import streamlit as st

from emotion_core.config import MOST_EPOCHS
from emotion_core.runs import Run, RunSummary, State, WayOn, way_on
from emotion_core.watch import Watch
from ui import launch, manage
from ui.attempts import attempt, epochs_key
from ui.widgets import go_to

GRACE_SECONDS: Final = 30
"""How long a run may take to stop, which includes saving its model, before ending it at once is offered."""


@dataclass(frozen=True)
class Action:
    """Something that can be done with a run.

    Attributes:
        name: What it is called in keys and, where the engine does it, in `attempts`.
        label: What its button says.
        icon: What its button shows.
        help: What is to be known of it; empty where the label says all.
    """

    name: str
    label: str
    icon: str
    help: str = ""


CANCEL: Final = Action("stop", "Cancel", ":material/close:", "Takes it out of the queue. It can be resumed later.")
STOP: Final = Action(
    "stop",
    "Stop",
    ":material/stop_circle:",
    "Ends it after the current batch and keeps the whole epochs. It can be resumed later.",
)
END: Final = Action(
    "end",
    "End at once",
    ":material/dangerous:",
    "Ends its process without waiting; anything not yet saved is lost.",
)
WATCH: Final = Action("watch", "Watch it train", ":material/monitoring:")
RESUME: Final = Action("resume", "Resume", ":material/resume:")
START_AGAIN: Final = Action("resume", "Start again", ":material/restart_alt:")
TRAIN_LONGER: Final = Action("longer", "Train longer", ":material/more_time:")
CLASSIFY: Final = Action("classify", "Classify faces", ":material/face:")
PREDICT: Final = Action("predict", "Predict for Kaggle", ":material/upload_file:")
EDIT: Final = Action("edit", "Name, notes and tags", ":material/edit:")
CLONE: Final = Action("clone", "Clone", ":material/content_copy:", "Opens the form with its settings.")
INSPECT: Final = Action("inspect", "Look closer", ":material/search_insights:")
RESULTS: Final = Action("results", "Results", ":material/leaderboard:")
DELETE: Final = Action("delete", "Delete", ":material/delete:")

_DOINGS: Final[dict[Action, Callable[[Run], None]]] = {
    WATCH: lambda run: launch.go_to_train(launch.WATCH, run=run.id),
    RESUME: manage.resume,
    START_AGAIN: manage.resume,
    TRAIN_LONGER: manage.train_longer,
    CLASSIFY: lambda run: go_to("pages/classify_faces.py", run=run.id),
    PREDICT: lambda run: go_to("pages/predict_kaggle.py", run=run.id),
    EDIT: manage.edit,
    CLONE: lambda run: launch.go_to_train(launch.NEW, clone=run.id),
    INSPECT: lambda run: go_to("pages/inspect_run.py", run=run.id),
    RESULTS: lambda _: go_to("pages/compare_runs.py"),
    DELETE: manage.confirm_deletion,
}
"""What opens a dialog or leads elsewhere; all the rest is asked of the engine in place."""


def do(action: Action, run: Run) -> None:
    """Open the dialog of an action, or go where it leads."""
    _DOINGS[action](run)


def possible_actions(run: Run, line: RunSummary) -> list[Action]:
    """Return what can be done with a run on its page, as it stands, the one next step first."""
    if line.state is State.DAMAGED:
        return [DELETE]
    if not line.state.is_over:
        return [WATCH, EDIT, CLONE]
    use = [CLASSIFY, PREDICT] if line.has_model else []
    return [*use[:1], *_ways_on(run, line.state, line.epoch), *use[1:], EDIT, CLONE, DELETE]


def _ways_on(run: Run, state: State, epoch: int) -> list[Action]:
    """Return how its training can go on: where its last whole epoch was saved, or where there is nothing to lose."""
    match way_on(run, state):
        case WayOn.RESUME:
            return [RESUME]
        case WayOn.START_AGAIN:
            return [START_AGAIN]
        case WayOn.LENGTHEN if epoch < MOST_EPOCHS:
            return [TRAIN_LONGER]
        case _:
            return []


# --- on the Run page -----------------------------------------------------------------------------------------------


def offer_actions(run: Run, line: RunSummary) -> None:
    """Offer the one next step as a button, and everything else in a menu beside it."""
    first, *others = possible_actions(run, line)
    with st.container(horizontal=True, horizontal_alignment="right"):
        kind: Any = "secondary" if first in (EDIT, DELETE) else "primary"
        if st.button(first.label, type=kind, icon=first.icon, key=f"next-step-{_key(first, run)}"):
            do(first, run)
        if others:
            entries = {f"{action.icon} {action.label}": action for action in others}
            chosen = st.menu_button("More", list(entries), key=f"more-{run.id}")
            if chosen in entries:
                do(entries[chosen], run)


# --- in Watch ------------------------------------------------------------------------------------------------------


def show_actions(run: Run, seen: Watch) -> None:
    """Offer what can be done with a run in its state."""
    match seen.state:
        case State.QUEUED:
            _offer(CANCEL, run)
        case State.RUNNING:
            _offer(STOP, run)
        case State.STOPPING:
            _offer_end(run)
        case state:
            for action in _ways_on(run, state, seen.epoch):
                _offer_way_on(action, run, seen)
    if seen.state.is_over:
        for action in (CLONE, INSPECT, RESULTS):
            if st.button(**_look(action, run)):
                do(action, run)


def _offer(action: Action, run: Run, **look: Any) -> None:
    """Offer what the engine does, after which the run is shown as it then stands."""
    st.button(**(_look(action, run) | look), on_click=attempt, args=(action.name, run))


def _offer_end(run: Run) -> None:
    """Offer to end a run that has had time to stop and has not."""
    if time.time() - (run.stop_requested_at() or time.time()) < GRACE_SECONDS:
        what = "It ends after the current batch; the kept epoch, once a whole one is done, is evaluated and saved."
        st.button("Stopping", key="stopping", icon=":material/pending:", help=what, disabled=True)
    else:
        _offer(END, run)


def _offer_way_on(action: Action, run: Run, seen: Watch) -> None:
    offer = partial(_offer, action, run, help=resumption(run), type="primary")
    if action is not TRAIN_LONGER:
        offer()
        return
    with st.popover(action.label, icon=action.icon, key="longer-section"):
        manage.ask_for_epochs(seen.epoch, seen.epochs, key=epochs_key(run))
        offer(label="Continue", icon=":material/play_circle:")


def resumption(run: Run) -> str:
    """Say where a run goes on once it is resumed."""
    epochs = run.checkpoints.epochs()
    return f"Continues after epoch {epochs[0]:,}." if epochs else "Starts from the first epoch: none was saved."


def _look(action: Action, run: Run) -> dict[str, Any]:
    """Return what a button needs to show an action."""
    return {"label": action.label, "key": _key(action, run), "icon": action.icon, "help": action.help or None}


def _key(action: Action, run: Run) -> str:
    """Return a key that names the run, lest a click reach another one that has taken its place on the page."""
    return f"{action.name}-of-{run.id}"
