"""The live view of a run: refreshed in place while anything is in hand, still once all is over.

All it shows is read from the run's folder at each refresh, so every tab shows the same and a reload changes nothing.
"""

from collections.abc import Sequence

import streamlit as st

from emotion_core.diagnosis import FEWEST_EPOCHS, diagnose_run
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, RunSummary, State, Status, WayOn, way_on
from emotion_core.units import GIGABYTE
from emotion_core.watch import Watch, as_duration, runs_before, watch
from ui import cache
from ui.attempts import attempt
from ui.badges import state_badge
from ui.charts import CALM
from ui.curves import (
    ZOOM,
    Axis,
    CurveView,
    curve_chart,
    curve_heading,
    curve_points,
    how_measured,
    rate_chart,
    rate_points,
)
from ui.fields import label_of
from ui.figures import show_curves
from ui.live_queue import keep_engine_awake, short_name, show_computing, show_queue
from ui.presenter import enlarged, scale
from ui.run_actions import RESUME, show_actions
from ui.tables import seed_untold
from ui.widgets import empty_state, friendly_errors, plain, show_log

REFRESH_SECONDS = 1.5
LOOK_SECONDS = 5.0
"""How often a view that is still looks whether someone has started a run."""

LOG_LINES = 40

_METRICS = ("loss", "accuracy")

_QUIET = "<style>[data-testid=stStatusWidget] {display: none}</style>"
"""Hides Streamlit's own sign of a refresh, whose button is called Stop like ours and stops nothing."""


def live_view() -> None:
    """Show the run that the URL names, else the one that computes, else the latest, with the queue beside it."""
    st.html(_QUIET)
    cache.list_anew()
    moving = bool(cache.runs().in_hand(cache.lines()))
    st.fragment(_refresh, run_every=REFRESH_SECONDS if moving else LOOK_SECONDS)(moving)


@friendly_errors()
def _refresh(moving: bool) -> None:
    lines = cache.lines()
    hand = cache.runs().in_hand(lines)
    if moving != bool(hand):
        st.rerun()  # another pace of refreshes
    if any(line.state is State.QUEUED for line in hand):
        keep_engine_awake(str(cache.runs().folder))
    line = _find(st.query_params.get("run"), lines, hand)
    if line is None:
        return
    _offer_interrupted(lines, line.id)
    show_computing(hand, line.id)
    _show_run(line, hand)


def _find(chosen: str | None, lines: Sequence[RunSummary], hand: Sequence[RunSummary]) -> RunSummary | None:
    """Return the run to show; None, said on the page, where there is none."""
    if chosen:
        try:
            chosen = cache.runs().find(chosen).id
        except EmotionError as error:
            st.warning(plain(str(error)), icon=":material/link_off:")
    named = [line for line in lines if line.id == chosen]
    if named:
        return named[0]
    if hand or lines:
        return hand[0] if hand else lines[0]
    empty_state("Nothing has been trained here yet. Choose New run above; the linear baseline takes a minute.")
    return None


def _offer_interrupted(lines: Sequence[RunSummary], shown: str) -> None:
    """Offer to go on with all runs that were cut off, unless a person ended them or does not want to."""
    declined: set[str] = st.session_state.setdefault("live.declined", set())
    cut_off = [line for line in reversed(lines) if line.state is State.INTERRUPTED and line.id not in declined]
    runs = [run for run in map(cache.runs().run_of, cut_off) if _can_go_on(run)]
    if not runs or [run.id for run in runs] == [shown]:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="interrupted"):
        were = "runs were" if len(runs) > 1 else "run was"
        st.markdown(f":material/power_off: {len(runs)} {were} interrupted.", width="stretch")
        st.button(
            "Resume all" if len(runs) > 1 else "Resume it",
            key="resume-all",
            icon=RESUME.icon,
            help="Each continues from its last checkpoint, or from the start if it has none.",
            on_click=attempt,
            args=(RESUME.name, *runs),
        )
        names = [run.id for run in runs]
        st.button("Not now", key="resume-none", type="tertiary", on_click=declined.update, args=(names,))


def _can_go_on(run: Run) -> bool:
    return not run.kill_requested() and way_on(run, State.INTERRUPTED) is not WayOn.NONE


def _show_run(line: RunSummary, hand: Sequence[RunSummary]) -> None:
    run = cache.runs().run_of(line)
    seen = watch(run, runs_before(run, hand), line.state)
    facts = plain(_facts(run, seen.status))
    # There is more to do with a run that is over, so its facts stand below.
    title, controls = st.columns([1, 2] if seen.state.is_over else [3, 2], vertical_alignment="center")
    with title, st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(short_name(line), anchor=False, width="content")
        state_badge(seen.state)
        if not seen.state.is_over:
            st.caption(facts, width="content")
    with controls, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show_queue(hand, run.id)
        show_actions(run, seen)
    _show_phase(seen, facts)
    _show_numbers(seen)
    _show_curves(run, seen)
    _show_log(run, seen)


def _facts(run: Run, status: Status) -> str:
    facts = [f"{status.parameters:,} parameters"] if status.parameters else []
    facts += [f"{label_of(status.backend)} on {status.device}"] if status.backend else []
    return " · ".join([run.config.data.name, *seed_untold(run.name, run.config.training.seed), *facts])


def _show_phase(seen: Watch, facts: str) -> None:
    if not seen.state.is_over:
        st.progress(seen.epoch_fraction, text=f"{plain(seen.phase)}{_moment(seen)}")
    elif seen.state in (State.FAILED, State.INTERRUPTED):
        st.error(plain(seen.phase), icon=":material/error:")
        st.caption(facts)
    else:
        st.markdown(f"{plain(seen.phase)} :gray[{facts}]")


def _show_numbers(seen: Watch) -> None:
    accuracy = "–" if seen.val_accuracy is None else f"{seen.val_accuracy:.1%}"
    speed = seen.images_per_second
    with st.grid(4):
        st.metric("Epoch", f"{seen.epoch:,} of {seen.epochs:,}", border=True)
        st.metric("Validation accuracy", accuracy, border=True, help=_of_which_epoch(seen))
        st.metric(
            "Images per second",
            "–" if speed is None else f"{speed:,.0f}",
            border=True,
            help="Training images only, without validation.",
        )
        _show_time(seen)


def _of_which_epoch(seen: Watch) -> str:
    if not seen.best_epoch:
        return "Of the best epoch, once there is one."
    why = "which is kept" if seen.is_scored else "the lowest validation loss so far"
    return f"Of epoch {seen.best_epoch:,}, {why}."


def _show_time(seen: Watch) -> None:
    if seen.state.is_over:
        took = "–" if seen.seconds is None else as_duration(seen.seconds)
        st.metric("Took", took, border=True, help="Total computing time, over all sessions.")
    else:
        left = "–" if seen.seconds_left is None else as_duration(seen.seconds_left)
        st.metric("Time left", left, border=True, help="At most: early stopping may end the run sooner.")


def _moment(seen: Watch) -> str:
    """Return what is worth knowing of this moment: the learning rate and what the trainer takes of the machine."""
    if seen.state is State.QUEUED:
        return ""
    status, rates = seen.status, seen.history["learning_rate"].dropna()
    facts = [f"Learning rate {rates.iloc[-1]:.3g}"] if len(rates) else []
    facts += [f"Memory {_gigabytes(status.memory)} GB"] if status.memory else []
    if status.gpu_use is not None:
        facts.append(f"GPU busy {status.gpu_use:.0%}")
    if status.gpu_memory is not None and status.gpu_memory_total:
        facts.append(f"GPU memory {_gigabytes(status.gpu_memory)} of {_gigabytes(status.gpu_memory_total)} GB")
    return f" :gray[{' · '.join(facts)}]" if facts else ""


def _gigabytes(size: int) -> str:
    return f"{size / GIGABYTE:,.1f}"


def _show_curves(run: Run, seen: Watch) -> None:
    """Show loss and accuracy, what they say, and the learning rate."""
    if not len(seen.history) and not len(seen.progress):
        with st.container(border=True, height=280, horizontal_alignment="center", vertical_alignment="center"):
            st.caption("Curves appear with the first images.", width="content")
        return
    charts = st.container()  # above what draws them otherwise: on a projector, the room sees curves without scrolling
    view, batches = _choose_view(), seen.status.batches
    for column, metric in zip(charts.columns(2), _METRICS, strict=True):
        points = curve_points(seen.history, seen.progress, metric, batches, seen.best_epoch, view)
        with column.container(border=True, gap="xsmall"):
            st.html(curve_heading(metric))
            # NOTE: a chart that tells its selection to the server keeps its zoom while its data change. Its key makes
            # another view, or another run, another chart with a zoom of its own.
            st.vega_lite_chart(
                points,
                enlarged(curve_chart(metric, view) | {"config": CALM}),
                theme=None,
                key=f"live-{metric}-{run.id}-{view.axis}-{view.log_loss}-{scale()}",
                on_select="rerun",
                selection_mode=ZOOM,
                alt=f"{metric.capitalize()} by {view.axis.lower()}, live",
            )
    _show_diagnosis(run, seen)
    _show_rates(seen, view.axis)


def _choose_view() -> CurveView:
    """Ask how the curves are drawn; what was chosen outlives a look at another page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="live-view"):
        axis = st.segmented_control(
            "Horizontal axis",
            list(Axis),
            default=Axis.EPOCH,
            required=True,
            key="live.axis",
            label_visibility="collapsed",
            persist_state="session",
        )
        log_loss = st.toggle(
            "Log axis", key="live.log", help="A logarithmic axis for the loss.", persist_state="session"
        )
        smoothing = _choose_smoothing()
        st.caption("Scroll to zoom, drag to move, double-click to show all.", width="content")
    return CurveView(axis or Axis.EPOCH, log_loss, smoothing)  # a browser under load once had none chosen


def _choose_smoothing() -> float:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.markdown("Smoothing", help="Weight of the past in a moving average; 0 shows the raw values.")
        smoothing: float = st.slider(
            "Smoothing",
            0.0,
            0.95,
            step=0.05,
            key="live.smoothing",
            width=170,
            label_visibility="collapsed",
            persist_state="session",
        )
    return smoothing


def _show_diagnosis(run: Run, seen: Watch) -> None:
    if diagnosis := diagnose_run(run, seen.history):
        st.markdown(f":material/lightbulb: {diagnosis.sentence}")
    elif len(seen.history) < FEWEST_EPOCHS:
        st.caption("It is too early to say anything about these curves.")
    else:
        st.caption("Nothing stands out in these curves.")
    if facts := how_measured(run.config):
        st.caption(facts)


def _show_rates(seen: Watch, axis: Axis) -> None:
    rates = rate_points(seen.history, seen.status.batches, axis)
    if len(rates):
        with st.expander("Learning rate", key="live-rate-section"):
            show_curves(rates, rate_chart(axis), key="live-rate", alt=f"Learning rate by {axis.lower()}, live")


def _show_log(run: Run, seen: Watch) -> None:
    with st.expander("Log", key="live-log-section", expanded=seen.state in (State.FAILED, State.INTERRUPTED)):
        show_log(run.log_tail(LOG_LINES) or "Nothing printed yet.", height=260)
