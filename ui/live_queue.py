"""The runs in hand: those that compute now, and the queue behind them, in which runs can be moved and cancelled."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import streamlit as st

from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.runs import RunSummary, State
from emotion_core.units import counted
from ui import cache
from ui.attempts import attempt
from ui.charts import short
from ui.run_actions import CANCEL
from ui.tables import seed_untold
from ui.widgets import plain

_LONGEST_LABEL: Final = 48
"""Characters of a run's name on its button, which has more room than a card."""

ROWS: Final = 30
"""Waiting runs to a page."""

_ROW_HEIGHT: Final = 36
_MOST_HEIGHT: Final = 450
"""Twelve rows and a half, so that one sees that there are more."""

_WIDTH: Final = 560

WAKE_SECONDS: Final = 5

_TIGHT: Final = """<style>
.st-key-queue-rows {gap: 0}
.st-key-queue-rows button {min-height: 2.25rem; padding-top: 0; padding-bottom: 0}
.st-key-queue-rows [class*="st-key-queue-"] button > div {justify-content: flex-start; width: 100%}
</style>"""


@st.cache_data(ttl=WAKE_SECONDS, show_spinner=False)
def keep_engine_awake(folder: str) -> None:
    """Have a worker started, unless one lives, for the runs that wait in a folder; now and then is enough."""
    with suppress(EmotionError):  # a button says so when someone uses the engine
        cache.engine().wake()


def show_computing(hand: Sequence[RunSummary], shown: str) -> None:
    """Lead to each run that computes now, one a slot, unless it is the one that is shown."""
    computing = [line for line in hand if line.state is not State.QUEUED]
    if all(line.id == shown for line in computing):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="computing"):
        st.caption("Computing now", width="content")
        for line in computing:
            st.button(
                f"{short_name(line)} · {_epoch(line)}{_slot(line) if len(computing) > 1 else ''}",
                key=f"queue-{line.id}",
                icon=":material/play_arrow:",
                disabled=line.id == shown,
                on_click=choose,
                args=(line.id,),
            )


def show_queue(hand: Sequence[RunSummary], shown: str) -> None:
    """Offer the runs that wait, in order, each to be looked at, moved and cancelled. A closed list costs nothing."""
    waiting = [line for line in hand if line.state is State.QUEUED]
    if not waiting:
        return
    # NOTE: a popover whose label changes is another one, and closed: the number of runs stands beside it.
    st.caption(f"{len(waiting)} waiting", width="content")
    panel = st.popover("Queue", key="live-queue", icon=":material/format_list_numbered:", on_change="rerun")
    if not panel.open:
        return
    with panel, st.container(width=_WIDTH):
        st.html(_TIGHT)
        page = _choose_page(len(waiting))
        rows = waiting[ROWS * (page - 1) : ROWS * page]
        with st.container(height=min(_ROW_HEIGHT * len(rows) + 2, _MOST_HEIGHT), border=False, key="queue-rows"):
            for place, line in enumerate(rows, start=ROWS * (page - 1) + 1):
                _show_row(line, place, last=place == len(waiting), shown=line.id == shown)


def choose(run_id: str) -> None:
    """Show a run."""
    st.query_params["run"] = run_id


def short_name(line: RunSummary) -> str:
    """Return a run's name, cut where it is long, so that Markdown shows it as it was typed."""
    return plain(short(line.name, _LONGEST_LABEL))


def _choose_page(count: int) -> int:
    pages = -(-count // ROWS)
    return st.pagination(pages, key="live-queue-page") if pages > 1 else 1


def _show_row(line: RunSummary, place: int, *, last: bool, shown: bool) -> None:
    run = cache.runs().run_of(line)
    facts = " · ".join([counted(line.epochs, "epoch"), *seed_untold(line.name, line.seed)])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"row-{line.id}"):
        st.button(
            f"{place}. {short_name(line)} :gray[· {facts}]",
            key=f"queue-{line.id}",
            type="tertiary",
            width="stretch",
            disabled=shown,
            on_click=choose,
            args=(line.id,),
        )
        for action, icon, what, disabled in (
            ("earlier", ":material/arrow_upward:", "Earlier", place == 1),
            ("later", ":material/arrow_downward:", "Later", last),
            (CANCEL.name, CANCEL.icon, CANCEL.label, False),
        ):
            st.button(
                "",
                key=f"{action}-{line.id}",
                icon=icon,
                help=what,
                type="tertiary",
                disabled=disabled,
                on_click=attempt,
                args=(action, run),
            )


def _epoch(line: RunSummary) -> str:
    return f"epoch {line.epoch_in_hand:,} of {line.epochs:,}"


def _slot(line: RunSummary) -> str:
    """Return the slot that a run computes in, such as ` · GPU 0`."""
    with suppress(DamagedRun):
        slot = cache.runs().run_of(line).status().slot
        return f" · {slot.upper().replace('-', ' ')}" if slot else ""
    return ""
