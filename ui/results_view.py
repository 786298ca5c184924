"""What the page of results shows: which runs, in which order, beside which baseline.

What is chosen stands in the URL, so that a reload or a link opens the same comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import streamlit as st

from emotion_core.comparison import Filter, Order, RunGroup, group_runs, in_order, single_runs
from emotion_core.runs import RunSummary
from ui import presenter, tables
from ui.choices import follow, keep
from ui.fields import label_of
from ui.results_columns import COLUMNS

IN_URL: Final[Literal["query-params"]] = "query-params"
BASELINE_KEY: Final = "results-baseline"


@dataclass(frozen=True)
class View:
    """What the page shows.

    Attributes:
        every: All rows there are.
        rows: Those that the filters leave, in order.
        baseline: What the others are compared with, if anything.
        grouped: Whether a row is a group over seeds, else a single run.
        columns: The columns that were asked for; empty for the usual ones.
    """

    every: list[RunGroup]
    rows: list[RunGroup]
    baseline: RunGroup | None
    grouped: bool
    columns: list[str]


def choose_view(lines: Sequence[RunSummary]) -> View:
    """Show the line of controls above the table and return what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            key="search",
            placeholder="Name, tag or note",
            icon=":material/search:",
            width=presenter.pixels(160),
            bind=IN_URL,
        )
        chosen = _choose_filter(lines, text)
        order = st.selectbox("Sort by", list(Order), key="sort", width=presenter.pixels(170), bind=IN_URL)
        over_seeds = group_runs(lines)
        baseline = _choose_baseline(over_seeds)
        columns = _choose_columns()
        grouped = st.toggle(
            "Group seeds",
            value=True,
            key="grouped",
            bind=IN_URL,
            help="Runs that differ only in seed, name and device share one row: their mean and standard deviation.",
        )
    every = over_seeds if grouped else single_runs(lines)
    return View(every, in_order(chosen.of(every), order), baseline, grouped, columns)


def _choose_filter(lines: Sequence[RunSummary], text: str) -> Filter:
    def offer(label: str, key: str, values: Sequence[str], say: Any = str) -> frozenset[str]:
        options = list(dict.fromkeys(value for value in values if value))
        return frozenset(st.multiselect(label, options, key=key, format_func=say, placeholder="Any", bind=IN_URL))

    with st.popover("Filter", icon=":material/filter_alt:"):
        return Filter(
            text,
            families=offer("Kind of model", "family", sorted(line.family for line in lines), label_of),
            presets=offer("Preset", "from-preset", sorted(line.preset for line in lines)),
            states=offer("State", "state", sorted(line.state for line in lines), str.capitalize),
            data=offer("Data", "learnt-from", sorted(line.data for line in lines)),
            tags=offer("Tag", "tag", sorted(tag for line in lines for tag in line.tags)),
        )


def _choose_baseline(groups: Sequence[RunGroup]) -> RunGroup | None:
    """Let a person pin a group; an address may name any of its runs instead of its key."""
    scored = {group.key: group for group in in_order(groups, Order.VALIDATION) if group.counted}
    _write_out_the_key(scored)
    follow("baseline", BASELINE_KEY, ["", *scored], "")
    names = {"": "None"} | tables.row_names(list(scored.values()))
    key = st.selectbox(
        "Baseline",
        list(names),
        key=BASELINE_KEY,
        format_func=names.__getitem__,
        width=presenter.pixels(205),
        help="Every other row then says by how many points it differs, and whether that could be the seeds.",
    )
    keep("baseline", key)
    return scored.get(key)


def _write_out_the_key(scored: Mapping[str, RunGroup]) -> None:
    """Put the key of a group into the URL where that holds a run of it."""
    asked = st.query_params.get("baseline")
    known = (key for key, group in scored.items() if any(line.id == asked for line in group.lines))
    if asked not in scored and (key := next(known, "")):
        st.query_params["baseline"] = key


def _choose_columns() -> list[str]:
    with st.popover("Columns", icon=":material/view_column:"):
        return st.multiselect(
            "Columns",
            [name for name in COLUMNS if name != "Run"],
            key="columns",
            placeholder="The usual ones",
            bind=IN_URL,
            help="Shown in the order chosen. Empty: the usual ones.",
        )
