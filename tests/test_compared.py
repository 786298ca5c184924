"""Figures of rows beside each other: plain data in, HTML or a figure out."""

import re

import pandas as pd
import pytest

from emotion_core.comparison import RunGroup, Statistic, group_runs
from emotion_core.config import SAMPLE_NAME
from emotion_core.emotions import EMOTIONS
from emotion_core.runs import RunSummary, State
from ui import charts, compared
from ui.compared import Compared, Curve


def group(key: str, *accuracies: float, **more: object) -> RunGroup:
    values = {"name": key, "state": State.FINISHED, "settings": key, "data": "faces.csv", "macro_f1": 0.5} | more
    lines = [
        RunSummary(id=f"{key}{seed}", seed=seed, val_accuracy=accuracy, **values)
        for seed, accuracy in enumerate(accuracies)
    ]
    return group_runs(lines)[0]


def row(name: str = "First", colour: str = "#0072B2", *accuracies: float, **more: object) -> Compared:
    return Compared(group(name, *(accuracies or (0.4,)), **more), name, colour)


def curve(name: str, *values: float, colour: str = "#0072B2", kept: int | None = None) -> Curve:
    columns = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), values)
    return Curve(name, colour, pd.DataFrame({"epoch": range(1, len(values) + 1)} | columns), kept)


def test_the_legend_names_every_row_in_its_colour_and_shows_markup_as_it_is():
    html = compared.legend([row("First", "#0072B2"), row("<b>", "#D55E00")])
    assert re.findall(r"color:(#\w+)", html) == ["#0072B2", "#D55E00"]
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_curves_hold_every_epoch_of_every_run_in_the_colour_of_its_row():
    figure = compared.compared_curves([curve("first", 0.1, 0.2), curve("second", 0.3, colour="#D55E00")], "val_loss")
    assert [(line.name, list(line.x), list(line.y), line.line.color) for line in figure.data] == [
        ("first", [1, 2], [0.1, 0.2], "#0072B2"),
        ("second", [1], [0.3], "#D55E00"),
    ]


def test_training_is_drawn_fainter_where_it_is_asked_for():
    figure = compared.compared_curves([curve("run", 0.1, 0.2)], "val_accuracy", training=True)
    training, validation = figure.data
    assert training.name == "run, training"
    assert training.opacity < 1 == (validation.opacity or 1)
    assert training.line.width < validation.line.width


@pytest.mark.parametrize(("metric", "scale"), [("val_accuracy", None), ("val_loss", "log")])
def test_only_a_loss_has_a_logarithmic_scale(metric: str, scale: str | None):
    assert compared.compared_curves([curve("run", 0.1)], metric, log_loss=True).layout.yaxis.type == scale


def test_the_epoch_that_is_kept_has_the_dot():
    kept, none = compared.compared_curves(
        [curve("run", 0.3, 0.1, 0.2, kept=3), curve("other", 0.3, 0.1)], "val_accuracy"
    ).data
    assert kept.marker.size[2] > kept.marker.size[0] == kept.marker.size[1] == 0
    assert set(none.marker.size) == {0}


def test_a_long_name_is_cut_and_markup_in_it_is_shown_as_it_is():
    long, markup = compared.compared_curves([curve("x" * 99, 1), curve("<b>", 1)], "val_loss").data
    assert len(long.name) == charts.LONGEST_LABEL
    assert markup.name == "&lt;b&gt;"


@pytest.mark.parametrize(("metric", "ticks"), [("val_accuracy", ".0%"), ("val_loss", None)])
def test_accuracy_is_read_in_percent_and_loss_is_not(metric: str, ticks: str | None):
    assert compared.compared_curves([curve("run", 0.1)], metric).layout.yaxis.tickformat == ticks


def test_recall_has_a_bar_per_row_and_emotion_with_its_deviation():
    recall = {name: Statistic(2, place / 10, 0.05) for place, name in enumerate(EMOTIONS)}
    alone = {name: Statistic(1, 0.5) for name in EMOTIONS}
    first, second = compared.recall_bars([(row(), recall), (row("<i>", "#D55E00"), alone)]).data
    assert list(first.y) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert set(first.error_y.array) == {0.05}
    assert (first.marker.color, second.marker.color) == ("#0072B2", "#D55E00")
    assert second.error_y.visible is False
    assert second.name == "&lt;i&gt;"


def test_matrices_are_shares_of_the_true_class_under_the_name_of_their_row():
    confusion = [[0] * 7 for _ in EMOTIONS]
    confusion[3] = [0, 0, 10, 30, 0, 0, 0]
    html = compared.matrices([(row("First"), confusion), (row("<b>"), confusion)])
    assert html.count("<table") == 2
    assert html.count("True Happy, predicted Happy: 30 faces, 75.0%") == 2
    assert "&lt;b&gt;" in html
    shades = [float(shade) for shade in re.findall(r"230,([\d.]+)\)", html)][21:28]
    assert shades[3] > shades[2] > shades[0] > 0


def test_cost_has_a_point_per_row_that_has_both_figures():
    rows = [
        row("First", "#0072B2", 0.4, 0.5, seconds=10.0, parameters=100),
        row("Unscored", "#D55E00", macro_f1=None, seconds=10.0),
        row("Drawn", "#009E73", 0.6, seconds=100.0, data=SAMPLE_NAME),
    ]
    (points,) = compared.cost_scatter(rows, "seconds", "val_accuracy").data
    assert list(points.x) == [10.0, 100.0]
    assert list(points.y) == pytest.approx([0.45, 0.6])
    assert list(points.error_y.array) == pytest.approx([0.0707107, 0])
    assert list(points.marker.symbol) == ["circle", "diamond-open"]
    assert list(points.text) == ["&nbsp;First&nbsp;", "&nbsp;Drawn&nbsp;"]


def test_names_that_would_cover_each_other_are_left_to_the_hover():
    rows = [row(f"A rather long name {number}", "#0072B2", 0.4, seconds=10.0) for number in range(12)]
    (points,) = compared.cost_scatter(rows, "seconds", "val_accuracy").data
    shown = [text for text in points.text if text]
    assert 0 < len(shown) < len(rows)
    assert len(points.customdata) == len(rows)


def test_a_figure_of_no_points_is_drawn():
    assert list(compared.cost_scatter([], "parameters", "test_accuracy").data[0].x) == []
