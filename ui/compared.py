"""Figures that lay runs beside each other, each row of the table of results in a colour of its own in all of them.

Bars and curves are Plotly figures, since one looks into them; the legend and the matrices are HTML, which follows the
theme by itself. Nothing here calls Streamlit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from emotion_core.comparison import Figure, RunGroup, Statistic
from emotion_core.emotions import EMOTIONS
from ui.charts import FONT, GRID, MUTED, matrix_cells, short
from ui.label_places import Point, place_labels

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure as Plot

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6239")
"""Colours of rows that are compared, in order."""

MOST_COMPARED: Final = len(COLOURS)
"""Rows that are drawn at once: as many as there are colours to tell them apart."""

MOST_MATRICES: Final = 4
MOST_CURVES: Final = 5
"""Seeds of one row whose curves are drawn."""

CURVE_TITLES: Final = {"val_accuracy": "Validation accuracy", "val_loss": "Validation loss"}
COST_TITLES: Final[dict[Figure, str]] = {"seconds": "Training time", "parameters": "Parameters"}
SCORE_TITLES: Final[dict[Figure, str]] = {"val_accuracy": "Validation accuracy", "test_accuracy": "Test accuracy"}


@dataclass(frozen=True)
class Compared:
    """A row of the table as figures show it: with a name that no other has, in its colour."""

    group: RunGroup
    name: str
    colour: str

    @property
    def label(self) -> str:
        """The name as text of a Plotly figure, which renders a little HTML."""
        return escape(short(self.name))


def legend(rows: Sequence[Compared]) -> str:
    """Name the colours, as HTML for a line above figures."""
    names = "".join(f'<span style="white-space:nowrap">{_named(row)}</span>' for row in rows)
    return f'<div style="display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;font-size:1.05rem">{names}</div>'


def _named(row: Compared) -> str:
    dot = f'<span style="color:{row.colour};font-size:1.3em;line-height:1">&#9679;</span>'
    return f"{dot}&nbsp;{escape(short(row.name))}"


# --- curves --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """One run's history, a row per epoch, in the colour of its row of the table, and the epoch that is kept."""

    name: str
    colour: str
    history: "pd.DataFrame"
    kept: int | None


def compared_curves(
    curves: Sequence[Curve],
    metric: Literal["val_accuracy", "val_loss"],
    *,
    training: bool = False,
    log_loss: bool = False,
) -> "Plot":
    """Lay a column of several histories over each other, a line per run with a dot at the epoch that is kept.

    Args:
        curves: The runs.
        metric: What is drawn.
        training: Whether the same on the training faces is drawn too, fainter.
        log_loss: Whether the loss has a logarithmic scale.
    """
    from plotly.graph_objects import Figure, Scatter  # slow to import

    is_share = metric == "val_accuracy"
    number = "%{y:.1%}" if is_share else "%{y:.3f}"
    figure = Figure()
    for curve in curves:
        name, epochs = escape(short(curve.name)), curve.history["epoch"]
        if training:
            figure.add_trace(
                Scatter(
                    x=epochs,
                    y=curve.history[metric.removeprefix("val_")],
                    name=f"{name}, training",
                    mode="lines",
                    opacity=0.55,
                    line={"color": curve.colour, "width": 1.5, "dash": "dot"},
                    hovertemplate=number,
                )
            )
        figure.add_trace(
            Scatter(
                x=epochs,
                y=curve.history[metric],
                name=name,
                mode="lines+markers",
                line={"color": curve.colour, "width": 2.5},
                marker={"size": _dot_sizes(curve), "opacity": 1},
                hovertemplate=number,
            )
        )
    figure.update_layout(_LAYOUT | {"height": 380, "hovermode": "x unified"})
    figure.update_layout(title_text=CURVE_TITLES[metric])
    figure.update_xaxes(title_text="Epoch", tickformat="d", nticks=9, showgrid=False)
    figure.update_yaxes(tickformat=".0%" if is_share else None)
    if log_loss and not is_share:
        figure.update_yaxes(type="log", tickvals=_LOSS_TICKS, ticktext=[f"{value:g}" for value in _LOSS_TICKS])
    return figure


_LOSS_TICKS: Final = [factor * 10.0**power for power in range(-3, 4) for factor in (1, 2, 5)]


def _dot_sizes(curve: Curve) -> list[int]:
    """Return the size of each epoch's dot: large for the epoch that is kept."""
    return [12 if epoch == curve.kept else 0 for epoch in curve.history["epoch"]]


# --- scores by emotion ---------------------------------------------------------------------------------------------


def recall_bars(recalls: Sequence[tuple[Compared, Mapping[str, Statistic]]]) -> "Plot":
    """Draw the recall of each emotion as a bar per row, with the standard deviation over seeds."""
    from plotly.graph_objects import Bar, Figure  # slow to import

    figure = Figure(
        [
            Bar(
                x=list(EMOTIONS),
                y=[recall[name].mean for name in EMOTIONS],
                error_y={
                    "array": [recall[name].deviation or 0 for name in EMOTIONS],
                    "visible": any(known.deviation for known in recall.values()),
                    "thickness": 1.2,
                    "width": 3,
                },
                name=row.label,
                marker={"color": row.colour},
                hovertemplate="%{y:.1%}",
            )
            for row, recall in recalls
        ]
    )
    figure.update_layout(_LAYOUT | {"height": 430, "hovermode": "x unified", "barmode": "group", "bargap": 0.22})
    figure.update_layout(title_text="Recall: the share of an emotion's faces that was found")
    figure.update_xaxes(tickfont_size=15)
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    return figure


def matrices(confusions: Sequence[tuple[Compared, Sequence[Sequence[int]]]]) -> str:
    """Set confusion matrices side by side, each cell the share of its true emotion."""
    cells = "".join(_matrix(row, confusion) for row, confusion in confusions)
    grid = "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(420px,100%),1fr));gap:1.6rem 2.2rem"
    return f'<div style="{grid}">{cells}</div>'


def _matrix(row: Compared, confusion: Sequence[Sequence[int]]) -> str:
    heads = "".join(f'<th style="{_HEAD};text-align:center" title="{name}">{name[:3]}</th>' for name in EMOTIONS)
    lines = "".join(
        f'<tr><th style="{_HEAD};text-align:right;padding-right:.5rem">{name}</th>'
        f"{matrix_cells(name, counts, height=36)}</tr>"
        for name, counts in zip(EMOTIONS, confusion, strict=True)
    )
    return (
        f'<figure style="margin:0;max-width:640px"><figcaption style="font-weight:600;padding-bottom:.3rem">'
        f"{_named(row)}</figcaption>"
        '<table style="width:100%;border-collapse:separate;border-spacing:2px;table-layout:fixed;border:none;'
        'font-variant-numeric:tabular-nums">'
        f'<tr><th style="{_HEAD};width:4.6rem;text-align:right;padding-right:.5rem;opacity:.7">True &darr;</th>{heads}'
        f"</tr>{lines}</table></figure>"
    )


_HEAD: Final = "border:none;font-weight:500;font-size:.88rem;padding:.1rem 0"


# --- cost ----------------------------------------------------------------------------------------------------------


def cost_scatter(rows: Sequence[Compared], cost: Figure, score: Figure) -> "Plot":
    """Draw cost against accuracy, a point per row at its means, with the standard deviation over seeds.

    Rows without the cost or the score are left out; those that learnt from drawn faces have open diamonds. The first
    rows have their names beside them before others do; all have them in the hover.
    """
    from plotly.graph_objects import Figure as Plot  # slow to import
    from plotly.graph_objects import Scatter

    known = ((row, row.group.mean(cost), row.group.statistic(score)) for row in rows)
    drawn = [(row, x, y) for row, x, y in known if x and y]
    across, up = _axis([log10(x) for _, x, _ in drawn], 0.12), _axis([y.mean for _, _, y in drawn], 0.08)
    places = place_labels([Point(across.share(log10(x)), up.share(y.mean), short(row.name)) for row, x, y in drawn])
    names, colours = [row.label for row, _, _ in drawn], [row.colour for row, _, _ in drawn]
    figure = Plot(
        Scatter(
            x=[x for _, x, _ in drawn],
            y=[y.mean for _, _, y in drawn],
            error_y={
                "array": [y.deviation or 0 for _, _, y in drawn],
                "visible": any(y.deviation for _, _, y in drawn),
                "color": MUTED,
                "thickness": 1,
                "width": 0,
            },
            mode="markers+text",
            text=[f"&nbsp;{name}&nbsp;" if place else "" for name, place in zip(names, places, strict=True)],
            customdata=names,
            textposition=[place or "top center" for place in places],
            textfont={"size": 14},
            cliponaxis=False,
            marker={
                "size": 14,
                "color": colours,
                "symbol": ["diamond-open" if row.group.is_drawn else "circle" for row, _, _ in drawn],
                "line": {"width": 2, "color": colours},
                "opacity": 1,
            },
            hovertemplate="%{customdata}<br>%{y:.1%}, "
            + ("%{x:,.0f} s" if cost == "seconds" else "%{x:,} parameters")
            + "<extra></extra>",
        )
    )
    figure.update_layout(_LAYOUT | {"height": 520})
    figure.update_layout(title_text=f"{SCORE_TITLES[score]} by {COST_TITLES[cost].lower()}")
    ticks = _SECOND_TICKS if cost == "seconds" else _PARAMETER_TICKS
    figure.update_xaxes(type="log", title_text=COST_TITLES[cost], range=across)
    figure.update_xaxes(tickvals=list(ticks), ticktext=list(ticks.values()))
    figure.update_yaxes(tickformat=".0%", range=up)
    return figure


class _Axis(NamedTuple):
    """Where an axis begins and ends."""

    start: float
    end: float

    def share(self, value: float) -> float:
        return (value - self.start) / (self.end - self.start)


def _axis(values: Sequence[float], room: float) -> _Axis:
    """Return an axis that holds the values with some room, as a share of their span, at both ends."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    margin = room * ((most - least) or 1)
    return _Axis(least - margin, most + margin)


_SECOND_TICKS: Final = {
    1: "1 s", 3: "3 s", 10: "10 s", 30: "30 s", 60: "1 min", 120: "2 min", 300: "5 min", 600: "10 min", 1_800: "30 min",
    3_600: "1 h", 10_800: "3 h", 36_000: "10 h", 86_400: "1 day", 259_200: "3 days", 864_000: "10 days",
}  # fmt: skip
_PARAMETER_TICKS: Final = {
    10**3: "1,000", 10**4: "10,000", 10**5: "100,000", 10**6: "1 million", 10**7: "10 million", 10**8: "100 million",
}  # fmt: skip

_LAYOUT: Final[dict[str, Any]] = {
    "margin": {"l": 8, "r": 8, "t": 48, "b": 8},
    "font": {"family": FONT, "size": 15},
    "title": {"font": {"size": 18, "weight": 600}, "x": 0, "xref": "paper"},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "hoverlabel": {"bgcolor": "#FFFFFF", "font": {"color": "#151827", "size": 14}},
    "showlegend": False,
    "xaxis": {"title": {"standoff": 8, "font": {"size": 15}}, "showgrid": False, "zeroline": False, "automargin": True},
    "yaxis": {"gridcolor": GRID, "ticklabelstandoff": 8, "zeroline": False, "nticks": 6, "automargin": True},
}
"""Plotly layout of all figures here."""
