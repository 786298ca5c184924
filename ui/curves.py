"""Curves of a run that is still learning: points and chart descriptions (Vega-Lite), no st.*.

The descriptions never change while a run goes on, only the points do, so that the browser moves the lines in place
instead of drawing the chart anew, and keeps what a person zoomed into.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import CnnModel, DenseModel, RunConfig
from ui.charts import ACCENT, MUTED, heading_with_legend

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS: Final = 400
"""Points drawn per line; more would be closer together than pixels."""

FEW_EPOCHS: Final = 30
"""Up to so many epochs each has a dot."""

SERIES: Final = {"": "Training", "val_": "Validation"}
"""Names on screen by the prefix of the history's columns."""

ZOOM: Final = "zoom"
"""The name of the chart's selection that the wheel and the mouse change."""

_COLOURS: Final = dict(zip(SERIES.values(), (MUTED, ACCENT), strict=True))

_COLUMNS: Final = ("x", "epoch", "value", "measured", "series", "part")

_MILLISECONDS: Final = 1_000.0


def how_measured(config: RunConfig) -> str:
    """Say in what a run's curves differ from its scores and from each other; empty where in nothing."""
    views = 2 ** (config.prediction.flip_average + config.prediction.closer_average)
    penalised = isinstance(config.model, DenseModel) and config.model.is_penalised
    averaged = config.training.weight_average is not None
    apart = _of_the_training_loss_alone(config)
    changed = config.augmentation.enabled or config.training.mixup > 0
    parts = config.model.blocks if isinstance(config.model, CnnModel) else (config.model,)
    dropped = any(getattr(part, "dropout", 0) > 0 for part in parts)
    facts = {
        f"The scores average over {views} views of each face, the curves show the face alone.": views > 1,
        "Training is measured with the weights as they move, validation with their average.": averaged,
        "The loss includes the penalty on the weights, so it begins high.": penalised,
        f"Do not compare the two losses: training loss alone is measured with {', '.join(apart)}.": apart,
        "Training accuracy is measured on changed faces, so it may lie below validation.": changed,
        "Training accuracy is measured with dropout, so it may lie below validation.": dropped and not changed,
    }
    return " ".join(sentence for sentence, is_so in facts.items() if is_so)


def _of_the_training_loss_alone(config: RunConfig) -> list[str]:
    """Name what training loss is measured with and validation loss is not; in linear models nothing is."""
    training = config.training
    facts = {
        "label smoothing": training.label_smoothing > 0,
        "mixup": training.mixup > 0,
        "teachers": bool(training.teachers),
        "class weights": training.class_weights != "none",
    }
    return [name for name, is_on in facts.items() if is_on and config.model.family != "linear"]


class Axis(StrEnum):
    """What lies along a chart."""

    EPOCH = "Epoch"
    STEP = "Step"
    TIME = "Time"


@dataclass(frozen=True)
class CurveView:
    """How curves are drawn.

    Attributes:
        axis: Epochs, batches learnt from, or time spent computing.
        log_loss: Whether the loss has a logarithmic scale.
        smoothing: Weight of the past in the moving average, 0 (none) to below 1.
    """

    axis: Axis = Axis.EPOCH
    log_loss: bool = False
    smoothing: float = 0.0


PLAIN: Final = CurveView()


# --- points --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Points:
    """Points of one part of a chart, each array (n,)."""

    part: str
    series: str
    x: NDArray[np.float64]
    epoch: NDArray[np.float64]
    value: NDArray[np.float64]
    measured: NDArray[np.float64]

    def at(self, places: NDArray[Any]) -> "_Points":
        columns = (self.x, self.epoch, self.value, self.measured)
        return _Points(self.part, self.series, *(column[places] for column in columns))


def curve_points(
    history: "pd.DataFrame",
    progress: "pd.DataFrame",
    metric: str,
    batches: int,
    best_epoch: int | None,
    view: CurveView = PLAIN,
) -> "pd.DataFrame":
    """Return the points of a live chart of `loss` or `accuracy`.

    Columns: x (epochs, batches, or milliseconds of computing), epoch, value, measured (the value before smoothing),
    series, and part: `epoch` for the lines, `raw` for what was measured where they are smoothed, `dot` for their dots
    while there are few, `within` for the running mean inside the epoch in hand (where the number of its batches is
    known), `best` for `best_epoch`.
    """
    import pandas as pd

    above = 0.0 if view.log_loss and metric == "loss" else -np.inf
    parts = [
        *_epoch_points(history, metric, batches, best_epoch, view),
        _within(history, progress, metric, batches, view),
    ]
    drawn = [part.at(np.isfinite(part.value) & (part.value > above)) for part in parts]
    drawn = [part.at(spaced(part.value)) for part in drawn]
    table = {name: np.concatenate([getattr(part, name) for part in drawn]) for name in _COLUMNS[:4]}
    names = {name: [text for part in drawn for text in [getattr(part, name)] * len(part.x)] for name in _COLUMNS[4:]}
    return pd.DataFrame(table | names)


def rate_points(history: "pd.DataFrame", batches: int = 0, axis: Axis = Axis.EPOCH) -> "pd.DataFrame":
    """Return x, epoch and learning rate; empty where the model has none."""
    rates = history.assign(x=_ends(history, axis, batches))[["x", "epoch", "learning_rate"]].dropna()
    return rates.iloc[spaced(rates["learning_rate"].to_numpy(float))]


def spaced(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the places, in order, of about MAX_POINTS of the values that draw the same line as all of them.

    Of each stretch the lowest and the highest are taken, so that no spike is lost, and the last value of all. Stretches
    begin at the first value and double in length as values are added, so that a growing line does not flicker.
    """
    count = len(values)
    if count <= MAX_POINTS:
        return np.arange(count)
    length = 2
    while 2 * count > MAX_POINTS * length:
        length *= 2
    stretches = np.pad(values, (0, -count % length), mode="edge").reshape(-1, length)
    starts = length * np.arange(len(stretches))
    places = [starts + stretches.argmin(axis=1), starts + stretches.argmax(axis=1), [0, count - 1]]
    return np.unique(np.minimum(np.concatenate(places), count - 1))


def smoothed(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return the exponential moving average, in which the value `k` places back counts `weight ** k`."""
    import pandas as pd

    return pd.Series(values).ewm(alpha=1 - weight).mean().to_numpy() if weight else values


def _epoch_points(
    history: "pd.DataFrame", metric: str, batches: int, best_epoch: int | None, view: CurveView
) -> Iterator[_Points]:
    """Yield what is drawn of whole epochs, those behind first."""
    epochs, ends = history["epoch"].to_numpy(float), _ends(history, view.axis, batches)
    for prefix, series in SERIES.items():
        measured = history[prefix + metric].to_numpy(float)
        if view.smoothing:
            yield _Points("raw", series, ends, epochs, measured, measured)
        line = _Points("epoch", series, ends, epochs, smoothed(measured, view.smoothing), measured)
        yield line
        if len(epochs) <= FEW_EPOCHS:
            yield _Points("dot", series, ends, epochs, line.value, measured)
        if prefix:
            yield _Points("best", series, ends, epochs, measured, measured).at(epochs == best_epoch)


def _within(history: "pd.DataFrame", progress: "pd.DataFrame", metric: str, batches: int, view: CurveView) -> _Points:
    """Return the running mean inside the epoch in hand."""
    last_epoch = history["epoch"].max() if len(history) else 0
    rows = progress[(progress["epoch"] > last_epoch) & (batches > 0)]
    epoch, done = rows["epoch"].to_numpy(float), rows["batch"].to_numpy(float)
    match view.axis:
        case Axis.EPOCH:
            x = epoch - 1 + done / max(1, batches)
        case Axis.STEP:
            x = (epoch - 1) * batches + done
        case Axis.TIME:
            x = (history["seconds"].sum() + rows["seconds"].to_numpy(float)) * _MILLISECONDS
    value = rows[metric].to_numpy(float)
    return _Points("within", SERIES[""], x, epoch, value, value)


def _ends(history: "pd.DataFrame", axis: Axis, batches: int) -> NDArray[np.float64]:
    """Return where each epoch ends along the axis."""
    if axis is Axis.TIME:
        return history["seconds"].to_numpy(float).cumsum() * _MILLISECONDS
    return history["epoch"].to_numpy(float) * (batches if axis is Axis.STEP else 1)


# --- descriptions --------------------------------------------------------------------------------------------------


def curve_chart(metric: str, view: CurveView = PLAIN) -> dict[str, Any]:
    """Describe the live chart of `loss` or `accuracy` for the points of `curve_points`.

    The wheel and the mouse change its selection ZOOM.
    """
    number = ".1%" if metric == "accuracy" else ".3f"
    scale = {"domain": list(_COLOURS), "range": list(_COLOURS.values())}
    tooltip = [
        {"field": "series", "title": "Faces"},
        {"field": "epoch", "title": "Epoch", "format": ",d"},
        {"field": "measured", "title": metric.capitalize(), "format": number},
    ]
    return {
        "height": 250,
        "params": [{"name": ZOOM, "select": {"type": "interval"}, "bind": "scales", "views": ["lines"]}],
        "encoding": {
            "x": _axis(view.axis),
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": _ROOM
                | ({"type": "log", "nice": False} if view.log_loss and metric == "loss" else {"zero": False}),
                "axis": {"format": "~%" if metric == "accuracy" else "~r", "tickCount": 5},
            },
            "color": {"field": "series", "type": "nominal", "scale": scale, "legend": None},
        },
        "layer": [
            _layer("raw", {"type": "line", "strokeWidth": 1.5, "opacity": 0.3, "clip": True}),
            _layer("within", {"type": "line", "strokeWidth": 2, "strokeDash": [2, 3], "opacity": 0.9, "clip": True}),
            _layer("epoch", {"type": "line", "strokeWidth": 2.5, "clip": True}) | {"name": "lines"},
            _layer("dot", {"type": "point", "filled": True, "size": 45, "opacity": 1, "clip": True}),
            _layer(
                "best", {"type": "point", "filled": True, "size": 150, "opacity": 1, "stroke": "white", "clip": True}
            ),
            _layer("epoch", {"type": "point", "size": 160, "opacity": 0, "filled": True, "clip": True})
            | {"encoding": {"tooltip": tooltip}},
        ],
    }


def curve_heading(metric: str) -> str:
    """Return the chart's title and its legend, as HTML for a line above it."""
    return heading_with_legend(metric.capitalize(), _COLOURS, "&#9679;")


def rate_chart(axis: Axis = Axis.EPOCH) -> dict[str, Any]:
    """Describe the live chart of the learning rate for the points of `rate_points`."""
    return {
        "height": 150,
        "mark": {"type": "line", "strokeWidth": 2.5, "color": ACCENT, "point": {"color": ACCENT, "size": 25}},
        "encoding": {
            "x": _axis(axis),
            "y": {
                "field": "learning_rate",
                "type": "quantitative",
                "title": None,
                "scale": {"type": "log"},
                "axis": {"format": ".0e", "tickCount": 4},
            },
            "tooltip": [
                {"field": "epoch", "title": "Epoch", "format": ",d"},
                {"field": "learning_rate", "title": "Learning rate", "format": ".3e"},
            ],
        },
    }


def _layer(part: str, mark: dict[str, Any]) -> dict[str, Any]:
    """Describe how points of a part are drawn; to readers aloud the chart's own words say more than each point."""
    return {"transform": [{"filter": f"datum.part == '{part}'"}], "mark": mark | {"aria": False}}


def _axis(axis: Axis) -> dict[str, Any]:
    channel = {"field": "x", "title": str(axis)}
    if axis is Axis.TIME:
        scale = _ROOM | {"type": "utc", "nice": False}
        return channel | {
            "type": "temporal",
            "scale": scale,
            "axis": {"labelExpr": _DURATION, "tickCount": 6, "grid": False},
        }
    scale = _ROOM | {"domain": {"unionWith": [0, 1]}, "nice": False}
    return channel | {"type": "quantitative", "scale": scale, "axis": {"labelExpr": _WHOLE, "grid": False}}


_ROOM: Final = {"padding": 8}
"""Pixels around the lines, so that dots at the edge are whole."""

_WHOLE: Final = "datum.value % 1 == 0 ? format(datum.value, ',d') : ''"

_HOURS, _MINUTES, _SECONDS = (f"floor(datum.value / {unit})" for unit in ("36e5", "6e4", "1e3"))
_DURATION: Final = (
    "datum.value % 1e3 ? '' : datum.value == 0 ? '0' : "
    f"({_HOURS} ? {_HOURS} + ' h ' : '') + ({_MINUTES} % 60 ? {_MINUTES} % 60 + ' min ' : '') + "
    f"({_SECONDS} % 60 ? {_SECONDS} % 60 + ' s' : '')"
)
"""Writes milliseconds as `1 h 15 min`; moments between whole seconds have no label."""
