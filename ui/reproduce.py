"""Reproducing the coursework: a dialog that queues its whole table, and says first what that takes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import RunConfig
from emotion_core.models.counts import count_parameters
from emotion_core.reproduction import Entry, settings_of_data, table_of
from emotion_core.units import counted
from ui import cache
from ui.expected import expected_time, say_time
from ui.launch import forgetting_clicks, launch_button, show_refusal, submit
from ui.widgets import friendly_errors, plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_BUTTON: Final = "reproduce"
_OPEN: Final = "train.reproducing"

_COLUMNS: Final = (10, 4, 4, 5, 5)
_HEADINGS: Final = ("Preset", "Parameters", "Runs", "Each", "Together")

_TIGHT: Final = """<style>
.st-key-table-rows {gap: 0}
.st-key-table-rows [data-testid="stHorizontalBlock"] {min-height: 1.9rem}
.st-key-table-rows [data-testid="stColumn"]:not(:first-child) p
    {text-align: right; font-size: .875rem; font-variant-numeric: tabular-nums}
@media (max-width: 640px) {
    .st-key-table-rows [data-testid="stHorizontalBlock"] {flex-wrap: nowrap}
    .st-key-table-rows [data-testid="stColumn"] {min-width: 0}
    .st-key-table-rows [data-testid="stColumn"]:nth-child(even) {display: none}
}
</style>"""
"""Rows as close as a table's, figures to the right; a narrow screen has the presets, their runs and the time of all."""


def offer_reproduction(dataset: "Dataset") -> None:
    """Offer to queue the coursework's table, to learn from a data set."""
    if _BUTTON not in st.session_state:  # Streamlit forgets a button that was not on the page: the form was left
        _close()
    st.button(
        "Reproduce the coursework",
        key=_BUTTON,
        icon=":material/checklist:",
        disabled=dataset.labels is None,
        on_click=_open,
    )
    if st.session_state.get(_OPEN):
        st.dialog("Reproduce the coursework", width="medium", on_dismiss=_close)(_show)(dataset)


def _close() -> None:
    st.session_state[_OPEN] = False


def _open() -> None:
    st.session_state[_OPEN] = True


def _show(dataset: "Dataset") -> None:
    with forgetting_clicks(), friendly_errors():  # the data may be too small to be split
        _ask(dataset)


def _ask(dataset: "Dataset") -> None:
    """Ask which presets are to be trained, say how long that takes, and queue their runs."""
    lines = cache.runs().summaries()
    entries = table_of((), settings_of_data(dataset), lines)
    st.markdown(
        "Queues every configuration of the coursework's table, each with its seeds, to train on "
        f"**{plain(dataset.name)}** ({counted(len(dataset), 'face')})."
    )
    if dataset.is_drawn:
        st.warning(
            "These faces are drawn. The results cannot be compared with the coursework's figures.",
            icon=":material/draw:",
        )
    again = _ask_again(entries)
    configs = _ask_presets(entries, dataset, again=again)
    in_hand = len(cache.runs().in_hand(lines))
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Queue {counted(len(configs), 'run')}" if configs else "Queue"
        clicked = launch_button(label, key="reproduce-queue", shown=dataset.fingerprint, disabled=not configs)
        st.caption(_say_total(configs, dataset, in_hand) if configs else "Nothing is chosen.", width="stretch")
    show_refusal()
    if clicked:
        submit(configs)


def _ask_again(entries: Iterable[Entry]) -> bool:
    """Say how many runs are there already, and ask whether to train them again; False where there are none."""
    there = sum(len(entry.configs) - len(entry.missing) for entry in entries)
    if not there:
        return False
    return st.toggle(
        f"Train existing runs again ({counted(there, 'run')})",
        key="reproduce-again",
        help="Otherwise runs with the same settings, data and seed that are finished, queued or running are left out.",
    )


def _ask_presets(entries: Iterable[Entry], dataset: "Dataset", *, again: bool) -> tuple[RunConfig, ...]:
    """Show the table and return the runs of the presets that are ticked."""
    st.html(_TIGHT)
    with st.container(key="table-rows"):
        for column, heading in zip(st.columns(_COLUMNS), _HEADINGS, strict=True):
            column.caption(heading)
        return tuple(config for entry in entries for config in _ask_preset(entry, dataset, again=again))


def _ask_preset(entry: Entry, dataset: "Dataset", *, again: bool) -> tuple[RunConfig, ...]:
    """Show a preset's row, and return the runs that it adds."""
    configs = entry.configs if again else entry.missing
    name, parameters, runs, each, together = st.columns(_COLUMNS, vertical_alignment="center")
    title = entry.preset.title
    ticked = name.checkbox(title, value=True, key=f"reproduce-{entry.preset.name}", disabled=not configs)
    parameters.markdown(f"{count_parameters(entry.preset.config.model):,}")
    if not configs:
        runs.markdown(":gray[already there]")
        return ()
    part = "" if len(configs) == len(entry.configs) else f" of {len(entry.configs)}"
    runs.markdown(f"{len(configs)}{part}")
    each.markdown(str(expected_time(configs[:1], dataset) or "not measured yet"))
    together.markdown(str(expected_time(configs, dataset) or "not measured yet"))
    return configs if ticked else ()


def _say_total(configs: tuple[RunConfig, ...], dataset: "Dataset", in_hand: int) -> str:
    total = f"{say_time(configs, dataset)} in all on this machine, one after the other"
    return f"{total}, after the {in_hand} in progress" if in_hand else total
