"""Curves of a run that is still learning: points and chart descriptions (Vega-Lite), no st.*.

The descriptions never change while a run goes on, only the points do, so that the browser moves the lines in place
instead of drawing the chart anew.
"""

from typing import TYPE_CHECKING, Any, Final

from ui.charts import ACCENT, MUTED

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS: Final = 400
"""Epochs drawn per line; more would be closer together than pixels."""

FEW_EPOCHS: Final = 30
"""Up to so many epochs each has a dot."""

SERIES: Final = {"": "Training", "val_": "Validation"}
"""Names on screen by the prefix of the history's columns."""

_COLOURS: Final = {"domain": list(SERIES.values()), "range": [MUTED, ACCENT]}


def curve_points(
    history: "pd.DataFrame", progress: "pd.DataFrame", metric: str, batches: int, best_epoch: int | None
) -> "pd.DataFrame":
    """Return the points of a live chart of `loss` or `accuracy`.

    Columns: epoch, value, series, and part: `epoch` for the lines, `dot` for their dots while there are few, `within`
    for the running mean inside the epoch in hand (where the number of its batches is known), `best` for the best epoch.
    """
    import pandas as pd

    drawn = thinned(history)
    parts = [_points(drawn, prefix + metric, name, "epoch") for prefix, name in SERIES.items()]
    if len(history) <= FEW_EPOCHS:
        parts += [part.assign(part="dot") for part in parts]
    parts.append(_points(history[history["epoch"] == best_epoch], f"val_{metric}", SERIES["val_"], "best"))
    if batches:
        within = progress.assign(epoch=progress["epoch"] - 1 + progress["batch"] / batches)
        last_epoch = history["epoch"].max() if len(history) else 0
        parts.append(_points(within[within["epoch"] > last_epoch], metric, SERIES[""], "within"))
    return pd.concat(parts, ignore_index=True)


def rate_points(history: "pd.DataFrame") -> "pd.DataFrame":
    """Return epoch and learning rate; empty where the model has none."""
    return thinned(history)[["epoch", "learning_rate"]].dropna()


def thinned(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return at most MAX_POINTS rows, evenly spaced, the last always among them."""
    step = -(-len(rows) // MAX_POINTS) or 1
    return rows.iloc[::-1].iloc[::step].iloc[::-1]


def curve_chart(metric: str) -> dict[str, Any]:
    """Describe the live chart of `loss` or `accuracy` for the points of `curve_points`."""
    number = ".1%" if metric == "accuracy" else ".3f"
    tooltip = [
        {"field": "series", "title": "Faces"},
        {"field": "epoch", "title": "Epoch", "format": "d"},
        {"field": "value", "title": metric.capitalize(), "format": number},
    ]
    return {
        "height": 250,
        "encoding": {
            "x": _epoch_axis(),
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": False},
                "axis": {"format": "~%" if metric == "accuracy" else "~r", "tickCount": 5},
            },
            "color": {"field": "series", "type": "nominal", "scale": _COLOURS, "legend": None},
        },
        "layer": [
            _layer("within", {"type": "line", "strokeWidth": 2, "strokeDash": [2, 3], "opacity": 0.9}),
            _layer("epoch", {"type": "line", "strokeWidth": 2.5}),
            _layer("dot", {"type": "point", "filled": True, "size": 45, "opacity": 1}),
            _layer("best", {"type": "point", "filled": True, "size": 150, "opacity": 1, "stroke": "white"}),
            _layer("epoch", {"type": "point", "size": 160, "opacity": 0, "filled": True})
            | {"encoding": {"tooltip": tooltip}},
        ],
    }


def curve_heading(metric: str) -> str:
    """Return the chart's title and its legend, as HTML for a line above it."""
    legend = "".join(
        f'<span style="color:{colour};margin-left:1.2rem">&#9679; {name}</span>'
        for name, colour in zip(_COLOURS["domain"], _COLOURS["range"], strict=True)
    )
    return f"<strong>{metric.capitalize()}</strong>{legend}"


def rate_chart() -> dict[str, Any]:
    """Describe the live chart of the learning rate for the points of `rate_points`."""
    return {
        "height": 150,
        "mark": {"type": "line", "strokeWidth": 2.5, "color": ACCENT, "point": {"color": ACCENT, "size": 25}},
        "encoding": {
            "x": _epoch_axis(),
            "y": {
                "field": "learning_rate",
                "type": "quantitative",
                "title": None,
                "scale": {"type": "log"},
                "axis": {"format": ".0e", "tickCount": 4},
            },
            "tooltip": [
                {"field": "epoch", "title": "Epoch", "format": "d"},
                {"field": "learning_rate", "title": "Learning rate", "format": ".3e"},
            ],
        },
    }


def _points(rows: "pd.DataFrame", column: str, series: str, part: str) -> "pd.DataFrame":
    import pandas as pd

    points = pd.DataFrame({"epoch": rows["epoch"], "value": rows[column]}, dtype=float)
    return points.dropna().assign(series=series, part=part)


def _layer(part: str, mark: dict[str, Any]) -> dict[str, Any]:
    return {"transform": [{"filter": f"datum.part == '{part}'"}], "mark": mark}


def _epoch_axis() -> dict[str, Any]:
    return {
        "field": "epoch",
        "type": "quantitative",
        "title": "Epoch",
        "scale": {"domain": {"unionWith": [0, 1]}, "nice": False},
        "axis": {"labelExpr": "datum.value % 1 == 0 ? format(datum.value, ',d') : ''", "grid": False},
    }
