"""Figures from plain data: emotions in their own colours, on a clear background, with text in the theme's own colour.

Bars and the matrix are HTML, which follows the theme by itself and is there at once; curves are Vega-Lite
descriptions with the points they show. Nothing here calls Streamlit.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

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


def compared_points(histories: Mapping[str, "pd.DataFrame"], metric: str) -> "pd.DataFrame":
    """Return run, epoch and value of a column of several runs' histories; keys are the runs' names."""
    import pandas as pd

    return pd.concat(
        [
            pd.DataFrame({"run": short(name), "epoch": history["epoch"], "value": history[metric]})
            for name, history in histories.items()
        ],
        ignore_index=True,
    )


def compared_curves(names: Sequence[str], metric: str) -> dict[str, Any]:
    """Describe the chart of `compared_points`: a line per run, with a legend in the order of `names`."""
    runs = [short(name) for name in names]
    colours = [SERIES_COLOURS[place % len(SERIES_COLOURS)] for place in range(len(runs))]
    number = ".1%" if metric == "val_accuracy" else ".3f"
    return {
        "height": 280,
        "title": CURVE_TITLES[metric],
        "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 28}},
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "title": "Epoch",
                "scale": {"nice": False},
                "axis": {"format": "d", "tickMinStep": 1},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False},
                "axis": {"format": ".0%" if metric == "val_accuracy" else "~r", "tickCount": 5},
            },
            "color": {
                "field": "run",
                "type": "nominal",
                "scale": {"domain": runs, "range": colours},
                "legend": {"orient": "bottom", "title": None, "columns": 2},
            },
            "tooltip": [
                {"field": "run", "title": "Run"},
                {"field": "epoch", "title": "Epoch"},
                {"field": "value", "title": CURVE_TITLES[metric], "format": number},
            ],
        },
    }


def short(name: str) -> str:
    """Fit a run's name into a legend."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
