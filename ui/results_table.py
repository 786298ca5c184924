"""The table of the page of results, and how its differences are to be read."""

from typing import Any, Final

import streamlit as st

from emotion_core.comparison import Order, RunGroup, Verdict, difference, in_order
from emotion_core.runs import State
from ui import presenter, tables
from ui.badges import drawn_badge
from ui.choices import forget, keep, kept, newly_asked
from ui.results_columns import COLUMNS, open_column
from ui.results_view import View
from ui.widgets import go_to, plain

ROOM: Final = 700
"""Pixels that the table has beside the names of runs in a window of 1440."""

MOST_ROWS: Final = 15
"""Rows of the table that are seen without scrolling it."""

ROW_HEIGHT: Final = 38

_TOOLBAR_BELOW: Final = """<style>
.st-key-results-rows [data-testid="stElementToolbar"] {top: auto !important; bottom: -2.4rem !important}
</style>"""
"""Above the table it would cover the switches there, and take their clicks."""


def show_table(view: View) -> list[RunGroup]:
    """Show the rows and return the ticked ones; a filter hides ticked rows without unticking them."""
    if newly_asked("runs") is not None:
        _draw_anew()
    asked = set(st.query_params.get("runs", kept("runs")).split(","))
    # NOTE: rows are chosen by position, so a click on rows that have changed since must not reach those in their place.
    key = f"results-{_untickings()}-{hash(tuple(row.key for row in view.rows))}"
    place = st.container(key="results-rows")
    place.html(_TOOLBAR_BELOW)
    event: Any = place.dataframe(
        tables.on_screen(tables.runs_table(view.rows, view.baseline)).assign(Open="Open"),
        key=key,
        hide_index=True,
        height=_height(len(view.rows)),
        row_height=_row_height(),
        column_order=["Open", "Run", *(view.columns or usual_columns(view))],
        column_config=presenter.widened(COLUMNS) | {"Open": open_column(f"open-{key}")},
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={
            "selection": {"rows": [place for place, row in enumerate(view.rows) if _is_ticked(row, asked)]}
        },
        placeholder="",
        alt="Saved runs with their scores",
    )
    if clicked := st.session_state[f"open-{key}"]:
        go_to("pages/inspect_run.py", run=view.rows[clicked.row].best.id)
    ticked = {view.rows[place].key for place in event.selection.rows if place < len(view.rows)}
    hidden = {row.key for row in view.every if _is_ticked(row, asked)} - {row.key for row in view.rows}
    chosen = [row for row in _by_accuracy(view) if row.key in ticked | hidden]
    keep("runs", ",".join(line.id for row in chosen for line in row.lines))
    return chosen


def untick_all() -> None:
    """Let go of every ticked row, also of those that a filter hides."""
    forget("runs")
    _draw_anew()


def _draw_anew() -> None:
    """Have the table begin with what is asked for: the browser keeps what is ticked in a table of the same key."""
    st.session_state[_UNTICKINGS] = _untickings() + 1


def _untickings() -> int:
    return int(st.session_state.get(_UNTICKINGS, 0))


_UNTICKINGS: Final = "results-untickings"


def _by_accuracy(view: View) -> list[RunGroup]:
    return in_order(view.every, Order.VALIDATION)


def _is_ticked(row: RunGroup, asked: set[str]) -> bool:
    return any(line.id in asked for line in row.lines)


def _height(rows: int) -> int:
    return _row_height() * (1 + min(rows, MOST_ROWS))


def _row_height() -> int:
    return presenter.pixels(ROW_HEIGHT)


def usual_columns(view: View) -> list[str]:
    """Return the columns that tell most about these rows and fit beside each other, in their order on screen."""
    room, fitting = ROOM / presenter.scale(), set()
    for names in (names for names, is_worth_it in _by_worth(view) if is_worth_it):
        width = sum(COLUMNS[name]["width"] for name in names)
        if width <= room and fitting.isdisjoint(names):
            room -= width
            fitting.update(names)
    return [name for name in COLUMNS if name in fitting]


def _by_worth(view: View) -> list[tuple[tuple[str, ...], bool]]:
    """Return columns that belong together by what they are worth, and whether they say anything about these rows."""
    rows, pinned = view.rows, view.baseline is not None
    states = {row.state for row in rows}
    tested = any(row.mean("test_accuracy") is not None for row in rows)
    reported = any(row.reported for row in rows) and not pinned
    return [
        (("Runs", "Validation accuracy", "Validation deviation"), view.grouped),
        (("Seeds", "Validation accuracy"), not view.grouped),
        (("Against the baseline", "Standing"), pinned),
        (("State",), not states <= {State.FINISHED, State.STOPPED}),
        (("Epochs",), State.STOPPED in states),
        (("Coursework validation", "Against the coursework"), reported),
        (("Test accuracy", "Test deviation"), tested and view.grouped),
        (("Test accuracy",), tested and not view.grouped),
        (("Coursework test", "Test against the coursework"), tested and reported),
        (("Data",), len({row.newest.data for row in rows}) > 1),
        (("Tags",), any(row.tags for row in rows)),
        (("State",), State.STOPPED in states),
        *(((name,), True) for name in ("Macro-F1", "Time", "Parameters", "Epochs", "Kept epoch")),
    ]


def show_reading(view: View) -> None:
    """Say in sentences what the rows are, and how differences to the baseline are to be read."""
    drawn = [row.is_drawn for row in view.rows]
    if all(drawn):
        drawn_badge()
    elif any(drawn):
        st.caption(":material/draw: Some of these rows learnt from drawn faces, which are easier than real ones.")
    if view.baseline is None:
        return
    names = tables.row_names(view.every)
    for verdict, sentence in _READINGS.items():
        said = [
            plain(names[row.key])
            for row in view.rows
            if (found := difference(row, view.baseline)) and found.verdict is verdict
        ]
        if said:
            if verdict is Verdict.ONE_SEED and not view.grouped:
                sentence = _SINGLE_RUNS
            more = f" and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
            st.caption(f"{sentence} {', '.join(said[:_MOST_NAMED])}{more}.")


_MOST_NAMED: Final = 6
_SINGLE_RUNS: Final = ":material/help: **Single runs: spread unknown**; *Group seeds* shows that of several:"
_READINGS: Final = {
    Verdict.WITHIN: ":material/warning: **Within the spread of seeds**, so it could be chance:",
    Verdict.ONE_SEED: ":material/help: **One seed: spread unknown**; train more seeds to know:",
    Verdict.OTHER_FACES: ":material/compare: **Scored on other data**, which cannot be compared:",
}
