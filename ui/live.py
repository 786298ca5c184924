"""The live view of a run: refreshed in place while anything is in hand, still once all is over.

All it shows is read from the run's folder at each refresh, so every tab shows the same and a reload changes nothing.
"""

import time
from collections.abc import Callable

import streamlit as st

from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.runs import Run, State, Status
from emotion_core.watch import Watch, as_duration, runs_in_hand, watch
from ui import cache
from ui.curves import curve_chart, curve_heading, curve_points, rate_chart, rate_points
from ui.fields import label_of
from ui.widgets import empty_state, show_curves, state_badge

REFRESH_SECONDS = 1.5
GRACE_SECONDS = 30
"""How long a run may take to stop, which includes saving its model, before ending it at once is offered."""

LOG_LINES = 40

_METRICS = ("loss", "accuracy")

_QUIET = "<style>[data-testid=stStatusWidget] {display: none}</style>"
"""Hides Streamlit's own sign of a refresh, whose button is called Stop like ours and stops nothing."""


def live_view() -> None:
    """Show the run that the URL names, else the newest in hand, else the latest, with the queue above it."""
    st.html(_QUIET)
    moving = bool(runs_in_hand(cache.runs()))
    st.fragment(_refresh, run_every=REFRESH_SECONDS if moving else None)(moving)


def _refresh(moving: bool) -> None:
    hand = runs_in_hand(cache.runs())
    if moving and not hand:
        st.rerun()  # the last run in hand has just ended: no more refreshes
    run = _find(st.query_params.get("run"), hand)
    if run is None:
        return
    if hand and [run.id] != [other.id for other in hand]:
        _show_queue(hand, run)
    try:
        _show_run(run, _queued_before(run, hand))
    except DamagedRun as error:
        st.error(str(error), icon=":material/broken_image:")


def _find(chosen: str | None, hand: list[Run]) -> Run | None:
    """Return the run to show; None, said on the page, where there is none."""
    try:
        if chosen:
            return cache.runs().find(chosen)
    except EmotionError as error:
        st.warning(str(error), icon=":material/link_off:")
    every = cache.runs().all()
    if hand or every:
        return hand[-1] if hand else every[-1]
    empty_state("Nothing has been trained here yet. Choose New run above; the linear baseline takes a minute.")
    return None


def _queued_before(run: Run, hand: list[Run]) -> int:
    ids = [other.id for other in hand]
    return ids.index(run.id) if run.id in ids else 0


def _show_queue(hand: list[Run], shown: Run) -> None:
    """Offer the runs in hand, in the order in which they are computed."""
    with st.container(horizontal=True, vertical_alignment="center", key="queue"):
        st.caption("In hand, in order", width="content")
        for place, run in enumerate(hand, start=1):
            computing = run.state() is not State.QUEUED
            st.button(
                f"{place}. {run.name}",
                key=f"queue-{run.id}",
                icon=":material/play_arrow:" if computing else ":material/schedule:",
                help="Computing now." if computing else "Waits for its turn.",
                disabled=run.id == shown.id,
                on_click=_choose,
                args=(run,),
            )


def _choose(run: Run) -> None:
    st.query_params["run"] = run.id


def _show_run(run: Run, queued_before: int) -> None:
    status, seen = run.status(), watch(run, queued_before)
    title, controls = st.columns([2, 1], vertical_alignment="center")
    with title, st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.name, anchor=False, width="content")
        state_badge(seen.state)
        st.caption(_facts(run, status), width="content")
    with controls:
        _show_controls(run, seen)
    _show_phase(seen)
    _show_numbers(status, seen)
    _show_curves(seen, batches=0 if seen.state.is_over else status.batches)
    _show_details(run, seen)


def _facts(run: Run, status: Status) -> str:
    facts = [f"{status.parameters:,} parameters"] if status.parameters else []
    facts += [f"{label_of(status.backend)} on {status.device}"] if status.backend else []
    return " · ".join([f"seed {run.config.training.seed}", *facts])


def _show_phase(seen: Watch) -> None:
    if not seen.state.is_over:
        st.progress(seen.epoch_fraction, text=seen.phase)
    elif seen.state in (State.FAILED, State.INTERRUPTED):
        st.error(seen.phase, icon=":material/error:")
    else:
        st.markdown(seen.phase)


def _show_numbers(status: Status, seen: Watch) -> None:
    accuracy = "–" if seen.val_accuracy is None else f"{seen.val_accuracy:.1%}"
    speed = "–" if status.images_per_second is None else f"{status.images_per_second:,.0f}"
    with st.grid(4):
        st.metric("Epoch", f"{seen.epoch:,} of {seen.epochs:,}", border=True)
        st.metric("Validation accuracy", accuracy, border=True, help=_of_which_epoch(seen))
        st.metric("Images per second", speed, border=True, help="Training images, validation left out.")
        _show_time(status, seen)


def _of_which_epoch(seen: Watch) -> str:
    if not seen.best_epoch:
        return "Of the best epoch, once there is one."
    why = "which is kept" if seen.state.is_over else "the lowest validation loss so far"
    return f"Of epoch {seen.best_epoch:,}, {why}."


def _show_time(status: Status, seen: Watch) -> None:
    if seen.state.is_over:
        took = status.finished - status.started if status.started and status.finished else None
        st.metric("Took", "–" if took is None else as_duration(took), border=True)
    else:
        left = "–" if seen.seconds_left is None else as_duration(seen.seconds_left)
        st.metric("Time left", left, border=True, help="At most: early stopping may end the run sooner.")


def _show_curves(seen: Watch, batches: int) -> None:
    if not len(seen.history) and not len(seen.progress):
        with st.container(border=True, height=280, horizontal_alignment="center", vertical_alignment="center"):
            st.caption("The curves begin with the first images.", width="content")
        return
    for column, metric in zip(st.columns(2), _METRICS, strict=True):
        points = curve_points(seen.history, seen.progress, metric, batches, seen.best_epoch)
        with column.container(border=True, gap="xsmall"):
            st.html(curve_heading(metric))
            alt = f"{metric.capitalize()} by epoch, live"
            show_curves(points, curve_chart(metric), key=f"live-{metric}", alt=alt)


def _show_details(run: Run, seen: Watch) -> None:
    rates = rate_points(seen.history)
    if len(rates):
        with st.expander("Learning rate", key="live-rate-section"):
            show_curves(rates, rate_chart(), key="live-rate", alt="Learning rate by epoch, live")
    with st.expander("Log", key="live-log-section", expanded=seen.state in (State.FAILED, State.INTERRUPTED)):
        st.code(run.log_tail(LOG_LINES) or "Nothing printed yet.", language=None, wrap_lines=True, height=260)


def _show_controls(run: Run, seen: Watch) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if seen.state.is_over:
            _show_links(run)
        elif seen.state is State.STOPPING:
            _offer_end(run)
        else:
            st.button(
                "Stop",
                key="stop",
                icon=":material/stop_circle:",
                help="Ends it after the batch in hand and keeps what it has learnt.",
                on_click=_try,
                args=(cache.engine().stop, run),
            )


def _show_links(run: Run) -> None:
    if st.button("Look closer", key="open-run", icon=":material/search_insights:"):
        st.switch_page("pages/inspect_run.py", query_params={"run": run.id})
    if st.button("All results", key="open-results", icon=":material/leaderboard:"):
        st.switch_page("pages/compare_runs.py")


def _offer_end(run: Run) -> None:
    """Offer to end a run that has had time to stop and has not."""
    patient = time.time() - (run.stop_requested_at() or time.time()) < GRACE_SECONDS
    st.button(
        "Stopping" if patient else "End at once",
        key="stopping" if patient else "end",
        icon=":material/pending:" if patient else ":material/dangerous:",
        help="Ends its process without waiting; what it has not saved yet is lost.",
        disabled=patient,
        on_click=_try,
        args=(cache.engine().kill, run),
    )


def _try(action: Callable[[Run], None], run: Run) -> None:
    try:
        action(run)
    except EmotionError as error:
        st.toast(str(error), icon=":material/error:")
