"""The presenter's switch enlarges what measures in pixels, and nothing while it is off."""

import plotly.graph_objects as go
import pytest
import streamlit as st
from conftest import PROJECT, checked, figures
from streamlit.testing.v1 import AppTest

from ui import presenter
from ui.results_columns import COLUMNS

CHART = {
    "height": 200,
    "mark": {"type": "line", "strokeWidth": 2},
    "layer": [{"axis": {"labelFontSize": 10, "grid": 1}}],
}


@pytest.fixture
def switched_on(monkeypatch):
    monkeypatch.setattr(st, "session_state", {"presenter": True})


def test_nothing_changes_while_the_switch_is_off(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    figure = go.Figure(layout={"font": {"size": 15}})
    assert presenter.enlarged(CHART) == CHART
    assert presenter.enlarged_figure(figure) is figure
    assert presenter.widened(COLUMNS) == COLUMNS
    assert presenter.pixels(38) == 38


def test_letters_lines_and_height_of_a_chart_grow(switched_on):
    chart = presenter.enlarged(CHART)
    assert (chart["height"], chart["mark"]["strokeWidth"]) == (260, 2.6)
    assert chart["layer"] == [{"axis": {"labelFontSize": 13, "grid": 1}}]
    assert CHART["height"] == 200


def test_every_letter_of_a_figure_grows(switched_on):
    figure = go.Figure(
        go.Scatter(x=[1], y=[1], marker={"size": 10}, textfont={"size": 10}), layout={"font": {"size": 20}}
    )
    figure.update_xaxes(tickfont_size=10)
    larger = presenter.enlarged_figure(figure)
    assert larger.layout.font.size == 26
    assert larger.layout.xaxis.tickfont.size == larger.data[0].textfont.size == 13
    assert larger.data[0].marker.size == 10


def test_columns_of_tables_grow(switched_on):
    wider = presenter.widened(COLUMNS)
    assert wider["Run"]["width"] == round(1.3 * COLUMNS["Run"]["width"])


def test_the_address_switches_it_on(runs_folder):
    page = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    page.query_params["presenter"] = "true"
    assert "font-size: 20.8px" in figures(checked(page.run()))
    without = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    assert "font-size: 20.8px" not in figures(checked(without.run()))
