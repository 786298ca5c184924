"""Rows of the table of results beside each other: curves, scores by emotion, cost, settings."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import streamlit as st

from emotion_core.comparison import (
    Figure,
    RunGroup,
    added_confusion,
    best_of_each_family,
    differing_settings,
    recalls,
)
from emotion_core.config import RunConfig
from emotion_core.errors import DamagedRun
from emotion_core.evaluation import RunEvaluation
from ui import cache, compared, tables
from ui.charts import MUTED
from ui.compared import Compared, Curve
from ui.figures import show_figure
from ui.results_table import untick_all
from ui.results_view import IN_URL, View
from ui.widgets import plain

SECTIONS: Final = ("Curves", "Recall by emotion", "Confusion", "Cost", "Settings")


def compare(view: View, ticked: Sequence[RunGroup]) -> None:
    """Show the ticked rows beside each other, else the best of each kind of model."""
    st.subheader("Side by side", anchor=False)
    chosen = list(ticked) or best_of_each_family(view.rows)
    rows = _in_colours(view, chosen[: compared.MOST_COMPARED])
    section = st.segmented_control(
        "Compare",
        SECTIONS,
        default=SECTIONS[0],
        required=True,
        key="compare",
        label_visibility="collapsed",
        bind=IN_URL,
    )
    _say_what_is_compared(view, ticked, rows)
    if not rows:
        return
    match section or SECTIONS[0]:  # an address with `?compare=` chooses none
        case "Curves":
            _show_curves(rows)
        case "Recall by emotion":
            _show_recalls(rows)
        case "Confusion":
            _show_confusion(rows)
        case "Cost":
            _show_cost(view, rows)
        case _:
            _show_settings(rows)


def _in_colours(view: View, chosen: Sequence[RunGroup]) -> list[Compared]:
    names = tables.row_names(view.every)
    return [Compared(row, names[row.key], colour) for row, colour in zip(chosen, compared.COLOURS, strict=False)]


def _say_what_is_compared(view: View, ticked: Sequence[RunGroup], rows: Sequence[Compared]) -> None:
    if not ticked:
        best = "The best of each kind of model. " if rows else "Nothing is scored yet. "
        st.caption(f"{best}Tick rows of the table to compare those instead.")
        return
    shown = {row.key for row in view.rows}
    hidden = sum(row.key not in shown for row in ticked)
    most = f"shown are the {len(rows)} with the highest validation accuracy; more could not be told apart"
    facts = [
        f"{len(ticked)} ticked",
        f"{hidden} of them hidden by the filter" if hidden else "",
        most if len(ticked) > len(rows) else "",
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("; ".join(filter(None, facts)) + ".", width="content")
        st.button("Untick all", key="untick-all", type="tertiary", icon=":material/deselect:", on_click=untick_all)


def _show_curves(rows: Sequence[Compared]) -> None:
    with st.container(horizontal=True):
        with_training = st.toggle("Training too, dotted", key="training", bind=IN_URL)
        log_loss = st.toggle("Log axis", key="log-loss", help="A logarithmic axis for the loss.", bind=IN_URL)
    curves = [curve for row in rows for curve in _curves_of(row)]
    if not curves:
        st.caption("None of these runs has finished an epoch yet.")
        return
    st.html(compared.legend(rows))
    for place, metric in zip(st.columns(2, gap="large"), ("val_accuracy", "val_loss"), strict=True):
        with place:
            figure = compared.compared_curves(curves, metric, training=with_training, log_loss=log_loss)
            show_figure(figure, key=f"compared-{metric}", alt=f"{compared.CURVE_TITLES[metric]} by epoch")
    several = any(len(row.group.lines) > compared.MOST_CURVES for row in rows)
    most = f" Up to {compared.MOST_CURVES} seeds of each row are drawn." if several else ""
    st.caption(
        f"A line is a run; seeds share a colour. A dot marks the epoch that is kept, or the best so far.{most} Curves "
        "are of the face alone, without averages over views, and losses include penalties on the weights."
    )


def _curves_of(row: Compared) -> list[Curve]:
    counted = {line.id for line in row.group.counted}
    lines = sorted(row.group.lines, key=lambda line: line.id not in counted)[: compared.MOST_CURVES]
    curves = []
    for line in lines:
        history = cache.runs().run_of(line).history()
        if len(history):
            name = f"{row.name} (seed {line.seed})" if len(lines) > 1 else row.name
            curves.append(Curve(name, row.colour, history, line.best_epoch))
    return curves


def _show_recalls(rows: Sequence[Compared]) -> None:
    found = [(row, recalls(scores)) for row in rows if (scores := _evaluations(row))]
    if not found:
        st.caption("None of these runs is scored yet.")
        return
    st.html(compared.legend([row for row, _ in found]))
    figure = compared.recall_bars(found)
    show_figure(figure, key="recall", alt="Recall of each emotion")
    if any(len(row.group.counted) > 1 for row, _ in found):
        st.caption("Bars are means over seeds; the thin line is the standard deviation.")


def _show_confusion(rows: Sequence[Compared]) -> None:
    scored = [(row, added_confusion(scores)) for row in rows if (scores := _evaluations(row))]
    if not scored:
        st.caption("None of these runs is scored yet.")
        return
    st.html(compared.matrices(scored[: compared.MOST_MATRICES]))
    more = len(scored) - compared.MOST_MATRICES
    left_out = f" There is no room for {more} more; tick fewer rows." if more > 0 else ""
    st.caption(f"Each row is a true emotion, each column the predicted one; seeds are added up.{left_out}")


def _show_cost(view: View, rows: Sequence[Compared]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        cost = _choose_figure("Cost", "cost", compared.COST_TITLES)
        score = _choose_figure("Score", "score", compared.SCORE_TITLES)
        only_these = st.toggle("Only these", key="only-these", bind=IN_URL)
    colours = {row.group.key: row for row in rows}
    names = tables.row_names(view.every)
    others = [] if only_these else [row for row in view.rows if row.counted and row.key not in colours]
    points = [*rows, *(Compared(row, names[row.key], MUTED) for row in others)]
    if not any(point.group.mean(score) is not None for point in points):
        st.caption(f"None of these runs has a {compared.SCORE_TITLES[score].lower()} yet.")
        return
    show_figure(compared.cost_scatter(points, cost, score), key="cost-figure", alt="Cost against accuracy")
    drawn = " Open diamonds: trained on drawn faces." if any(point.group.is_drawn for point in points) else ""
    time = " Each time is that of the machine on which the run was trained." if cost == "seconds" else ""
    st.caption(f"Up and to the left is better: higher score, lower cost. A point is a row's mean.{time}{drawn}")


def _choose_figure(label: str, key: str, titles: dict[Figure, str]) -> Figure:
    first = next(iter(titles))
    chosen = st.segmented_control(
        label,
        list(titles),
        format_func=titles.__getitem__,
        default=first,
        required=True,
        key=key,
        label_visibility="collapsed",
        bind=IN_URL,
    )
    return chosen or first


def _show_settings(rows: Sequence[Compared]) -> None:
    known = [(row, config) for row in rows if (config := _config_of(row))]
    if len(known) < 2:
        st.caption("Tick two or more rows to see how their settings differ.")
        return
    differing = differing_settings([config for _, config in known], [row.group.seeds for row, _ in known])
    if not differing:
        st.caption("These runs have the same settings.")
        return
    run_names = tables.distinct_names(cache.lines())
    table = tables.settings_table(differing, [row.name for row, _ in known], run_names)
    st.table(table.map(plain).rename(columns=plain), border="horizontal", alt="Settings that differ")
    st.caption("Only what differs is shown. A dash: the model has no such setting.")


def _evaluations(row: Compared) -> list[RunEvaluation]:
    found = []
    for line in row.group.counted:
        with suppress(DamagedRun):  # since its line was made
            found.append(cache.runs().run_of(line).evaluation())
    return [scores for scores in found if scores is not None]


def _config_of(row: Compared) -> RunConfig | None:
    with suppress(DamagedRun):
        return cache.runs().run_of(row.group.best).config
    return None
