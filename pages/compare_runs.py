"""Results: every saved run in one table, and the curves of chosen runs over each other."""

from collections.abc import Sequence

import streamlit as st

from emotion_core.runs import RunSummary, State
from ui import cache, charts, manage, tables, widgets

CURVES_AT_FIRST = 3
SHOWN = (
    "Open", "Run", "Tags", "State", "Validation accuracy", "Macro-F1", "Training accuracy", "Best epoch", "Data",
    "Parameters", "Time", "Epochs", "Preset", "Seed", "Submitted", "Note",
)  # fmt: skip


def choose_runs(lines: Sequence[RunSummary]) -> list[RunSummary]:
    """Show the table and return the ticked runs; what is ticked stands in the URL and the session."""
    table = tables.runs_table(lines)
    asked = st.query_params.get("runs", st.session_state.get("chosen_runs", "")).split(",")
    event = st.dataframe(
        tables.on_screen(table).assign(Open="Open"),
        key=f"results-{hash(tuple(table['Id']))}",  # rows are chosen by position, so a new run makes a new table
        hide_index=True,
        column_order=[name for name in SHOWN if name != "Tags" or any(line.tags for line in lines)],
        column_config=columns(),
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [row for row, line in enumerate(lines) if line.id in asked]}},
        placeholder="",
        alt="Saved runs with their scores",
    )
    if clicked := st.session_state["open-run"]:
        st.switch_page("pages/inspect_run.py", query_params={"run": lines[clicked.row].id})
    ticked = [lines[row] for row in event.selection.rows if row < len(lines)]
    st.session_state["chosen_runs"] = ",".join(line.id for line in ticked)
    widgets.remember("runs", st.session_state["chosen_runs"])
    return ticked


def columns() -> dict[str, object]:
    """Say how each column of the table is written."""
    config = st.column_config
    return {
        "Validation accuracy": config.NumberColumn("Validation", format="%.1f%%", help="Accuracy at the best epoch."),
        "Training accuracy": config.NumberColumn("Training", format="%.1f%%", help="Accuracy at the best epoch."),
        "Run": config.TextColumn(width="medium"),
        "Tags": config.ListColumn(),
        "State": config.MultiselectColumn(
            options=[state.capitalize() for state in State], color=list(widgets.STATE_COLOURS.values())
        ),
        "Macro-F1": config.NumberColumn(format="%.3f", help="Mean F1 over the seven emotions, rare ones as heavy."),
        "Best epoch": config.NumberColumn(help="The epoch of lowest validation loss; the scores are its own."),
        "Parameters": config.NumberColumn(format="localized"),
        "Time": config.NumberColumn(format="compact", help="Hours, minutes and seconds of training."),
        "Submitted": config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
        "Open": config.ButtonColumn("", key="open-run", type="tertiary"),
    }


def show_curves(ticked: Sequence[RunSummary], lines: Sequence[RunSummary]) -> None:
    """Lay the validation curves of the ticked runs over each other, else of the best ones."""
    st.subheader("Validation curves", anchor=False)
    chosen = ticked or best_of(lines)
    names = tables.distinct_names(chosen)
    histories = {names[line.id]: cache.history(line.id) for line in chosen if line.state is not State.DAMAGED}
    histories = {name: history for name, history in histories.items() if len(history)}
    if not histories:
        st.caption("None of these runs has finished an epoch yet.")
        return
    shown = "The ticked runs" if ticked else "The best runs so far; tick rows of the table to compare others"
    st.caption(f"{shown}. A dot marks each run's best epoch.")
    left, right = st.columns(2, gap="large")
    for place, metric in ((left, "val_accuracy"), (right, "val_loss")):
        with place:
            figure = charts.compared_curves(histories, metric, widgets.ink())
            widgets.show_figure(figure, key=metric, alt=f"{charts.CURVE_TITLES[metric]} by epoch")


def best_of(lines: Sequence[RunSummary]) -> list[RunSummary]:
    """Return the runs of highest validation accuracy."""
    scored = [line for line in lines if line.val_accuracy is not None]
    return sorted(scored, key=lambda line: line.val_accuracy or 0, reverse=True)[:CURVES_AT_FIRST]


widgets.page_header("Results", "Every saved run, scored on the faces it never learnt from.")
summaries = cache.runs().summaries()
if not summaries:
    widgets.empty_state(
        "No run is saved yet. Train a model and it appears here.",
        page="pages/train_models.py",
        action="Train a model",
        icon=":material/leaderboard:",
    )
    manage.offer_import()
    st.stop()
ticked_runs = choose_runs(summaries)
with st.container(horizontal=True):
    st.download_button(
        "Download the table",
        tables.as_csv(tables.runs_table(summaries)),
        "runs.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    manage.offer_import()
show_curves(ticked_runs, summaries)
