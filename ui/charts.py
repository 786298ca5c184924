"""Figures from plain data: emotions in their own colours, on a clear background, with text in the theme's own colour.

Bars and the matrix are HTML, which follows the theme by itself and is there at once; curves that one looks into are
Plotly figures, and those that move (`ui.curves`) Vega-Lite descriptions. Nothing here calls Streamlit.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

ACCENT: Final = "#6476E6"
"""The theme's own colour, in a shade that reads on light and dark."""

MUTED: Final = "#8A90A6"
SERIES_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
"""Colours of runs that share a figure, in order; past the last they begin again."""

CURVE_TITLES: Final = {"val_accuracy": "Validation accuracy", "val_loss": "Validation loss"}
LONGEST_NAME: Final = 36

_GRID: Final = "rgba(128, 134, 156, 0.25)"
_LONGEST_BAR: Final = 68
"""Share of the width in percent, so that a label fits behind the longest bar."""

CALM: Final[dict[str, Any]] = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 13,
        "gridColor": _GRID,
        "domain": False,
        "ticks": False,
        "labelPadding": 8,
        "titleFontWeight": "normal",
        "titleFontSize": 13,
    },
    "axisX": {"grid": False},
    "legend": {"labelFontSize": 13, "symbolStrokeWidth": 3, "labelLimit": 320},
    "title": {"font": '"Source Sans", sans-serif', "fontSize": 16, "fontWeight": 600, "anchor": "start", "offset": 12},
}
"""Vega-Lite settings for every curve; colours of text are left to the theme."""


# --- bars ----------------------------------------------------------------------------------------------------------


def class_counts(parts: Mapping[str, Mapping[str, int]]) -> str:
    """Faces per emotion as one labelled bar, its parts (such as Training) side by side, each fainter than the last."""
    totals = {name: sum(part[name] for part in parts.values()) for name in EMOTIONS}
    every = max(1, sum(totals.values()))
    return _bars(
        {name: {title: part[name] for title, part in parts.items()} for name in EMOTIONS},
        {name: f"<b>{count:,}</b> &nbsp;{count / every:.1%}" for name, count in totals.items()},
        "{:,.0f}",
    )


def class_weights(weights: Mapping[str, float]) -> str:
    """Weight of each emotion in the loss."""
    labels = {name: f"<b>{weight:.2f}</b>" for name, weight in weights.items()}
    return _bars({name: {"Weight": weight} for name, weight in weights.items()}, labels, "{:.2f}")


def _bars(values: Mapping[str, Mapping[str, float]], labels: Mapping[str, str], number: str) -> str:
    """Draw a row per emotion: its name, the parts of its bar, the label behind them."""
    longest = max(sum(parts.values()) for parts in values.values()) or 1
    rows = "".join(
        f'<div style="display:flex;align-items:center;height:34px">'
        f'<div style="width:5.2rem;flex:none">{name}</div>'
        f"{_parts(name, parts, _LONGEST_BAR / longest, number)}"
        f'<div style="padding-left:.6rem;white-space:nowrap">{labels[name]}</div></div>'
        for name, parts in values.items()
    )
    return f'<div style="font-variant-numeric:tabular-nums">{rows}</div>'


def _parts(name: str, parts: Mapping[str, float], percent: float, number: str) -> str:
    return "".join(
        f'<div title="{name}, {title}: {number.format(value)}" style="width:{value * percent:.3f}%;height:22px;'
        f'flex:none;background:{EMOTION_COLOURS[name]};opacity:{0.45**place:.3f}"></div>'
        for place, (title, value) in enumerate(parts.items())
    )


# --- confusion matrix ----------------------------------------------------------------------------------------------


def confusion_matrix(confusion: Sequence[Sequence[int]]) -> str:
    """True emotions down, predicted across; shade and text are shares of the true class, counts stand in the hover."""
    heads = "".join(f'<th style="{_HEAD};text-align:center">{name}</th>' for name in EMOTIONS)
    rows = "".join(
        f'<tr><th style="{_HEAD};text-align:right;padding-right:.7rem">{name}</th>{_cells(name, counts)}</tr>'
        for name, counts in zip(EMOTIONS, confusion, strict=True)
    )
    return (
        '<table style="width:100%;border-collapse:separate;border-spacing:3px;table-layout:fixed;border:none;'
        'font-variant-numeric:tabular-nums">'
        f'<caption style="caption-side:top;text-align:right;padding:0 0 .3rem">Predicted &rarr;</caption>'
        f'<tr><th style="{_HEAD};text-align:right;padding-right:.7rem;opacity:.7">True &darr;</th>{heads}</tr>'
        f"{rows}</table>"
    )


_HEAD: Final = "border:none;font-weight:500;font-size:.9rem;padding:.15rem 0"


def _cells(true: str, counts: Sequence[int]) -> str:
    shares = [count / max(1, sum(counts)) for count in counts]
    return "".join(
        f'<td title="True {true}, predicted {predicted}: {count:,} faces, {share:.1%}" style="border:none;height:46px;'
        f"text-align:center;border-radius:4px;padding:0;background:rgba(100,118,230,{0.06 + 0.94 * share:.3f});"
        f'font-weight:{600 if true == predicted else 400}">{share:.0%}</td>'
        for predicted, count, share in zip(EMOTIONS, counts, shares, strict=True)
    )


# --- curves --------------------------------------------------------------------------------------------------------


def compared_curves(histories: Mapping[str, "pd.DataFrame"], metric: str, ink: str) -> "Figure":
    """Lay a column of several runs' histories over each other, a line per run with a dot at its best epoch.

    Args:
        histories: A row per epoch, by the runs' names.
        metric: `val_accuracy` or `val_loss`.
        ink: Colour of text.
    """
    from plotly.graph_objects import Figure, Scatter  # slow to import

    is_share = metric == "val_accuracy"
    figure = Figure(
        [
            Scatter(
                x=history["epoch"],
                y=history[metric],
                name=escape(short(name)),
                mode="lines+markers",
                line={"color": SERIES_COLOURS[place % len(SERIES_COLOURS)], "width": 2.5},
                marker={"size": _dot_sizes(history), "opacity": 1},
                hovertemplate="%{y:.1%}" if is_share else "%{y:.3f}",
            )
            for place, (name, history) in enumerate(histories.items())
        ]
    )
    figure.update_layout(_COMPARISON)
    figure.update_layout(title_text=CURVE_TITLES[metric], font_color=ink)
    figure.update_yaxes(tickformat=".0%" if is_share else None)
    return figure


def _dot_sizes(history: "pd.DataFrame") -> list[int]:
    """Return the size of each epoch's dot: large for the epoch that is kept."""
    return [11 if is_best else 3 for is_best in history["val_loss"] == history["val_loss"].min()]


_COMPARISON: Final[dict[str, Any]] = {
    "height": 370,
    "margin": {"l": 8, "r": 8, "t": 44, "b": 8},
    "font": {"family": '"Source Sans", sans-serif', "size": 13},
    "title": {"font": {"size": 16, "weight": 600}, "x": 0, "xref": "paper"},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "hovermode": "x unified",
    "hoverlabel": {"bgcolor": "#FFFFFF", "font": {"color": "#151827"}},
    "showlegend": True,
    "legend": {"orientation": "h", "yanchor": "top", "y": -0.18, "x": 0},
    "xaxis": {
        "title": {"text": "Epoch", "standoff": 8, "font": {"size": 13}},
        "showgrid": False,
        "zeroline": False,
        "tickformat": "d",
        "nticks": 9,
    },
    "yaxis": {"gridcolor": _GRID, "ticklabelstandoff": 8, "zeroline": False, "nticks": 6, "automargin": True},
}
"""Plotly layout of figures that compare runs."""


def short(name: str) -> str:
    """Fit a run's name into a legend."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
