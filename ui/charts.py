"""Figures from plain data: emotions in their own colours, clear backgrounds, text in the colours of the theme.

Nothing here calls Streamlit. Text and grid colours are left to the theme that the page applies, so every figure sits
well on light and dark.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

ACCENT: Final = "#6476E6"
"""The theme's own colour, in a shade that reads on light and dark."""

MUTED: Final = "#8A90A6"
SERIES_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
"""Colours of runs that share a figure, in order; past the last they begin again."""

_GRID: Final = "rgba(128, 134, 156, 0.22)"
_CLEAR: Final = "rgba(0, 0, 0, 0)"
_WHITE_TEXT_FROM: Final = 0.62
"""Share from which a cell of the confusion matrix is dark enough for white text on either theme."""

CURVE_TITLES: Final = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "val_loss": "Validation loss",
    "val_accuracy": "Validation accuracy",
}


def class_counts(parts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Faces per emotion as one labelled bar, its parts (such as Training) side by side, each fainter than the last."""
    totals = {name: sum(part[name] for part in parts.values()) for name in EMOTIONS}
    every = max(1, sum(totals.values()))
    bars = [_emotion_bars(part, name, 0.45**place) for place, (name, part) in enumerate(parts.items())]
    labels = {name: f"{count:,} · {count / every:.1%}" for name, count in totals.items()}
    figure = go.Figure([*bars, _end_labels(totals, labels)])
    figure.update_layout(barmode="stack")
    return _emotion_axis(figure, longest=max(totals.values()))


def class_weights(weights: Mapping[str, float]) -> go.Figure:
    """Weight of each emotion in the loss, beside a line at 1, where nothing changes."""
    figure = go.Figure(
        [
            _emotion_bars(weights, "Weight", 1.0, hover="%{x:.2f}"),
            _end_labels(weights, {name: f"{weight:.2f}" for name, weight in weights.items()}),
        ]
    )
    figure.add_vline(x=1, line={"color": MUTED, "width": 1, "dash": "dot"})
    return _emotion_axis(figure, longest=max(weights.values()))


def probabilities(shares: Mapping[str, float]) -> go.Figure:
    """Probability of each emotion for one face, as seven labelled bars."""
    figure = go.Figure(
        [
            _emotion_bars(shares, "Probability", 1.0, hover="%{x:.1%}"),
            _end_labels(shares, {name: f"{share:.0%}" for name, share in shares.items()}),
        ]
    )
    return _emotion_axis(figure, longest=1.0)


def learning_curves(history: "pd.DataFrame", metric: str, best_epoch: int | None = None) -> go.Figure:
    """One run's `loss` or `accuracy` by epoch, on training and on validation rows, with the kept epoch marked."""
    lines = (("Training", metric, MUTED), ("Validation", f"val_{metric}", ACCENT))
    figure = go.Figure([_curve(history, column, name, colour) for name, column, colour in lines])
    ends = {name: history[column].iloc[-1] for name, column, _ in lines}
    for name, _, colour in lines:
        figure.add_trace(_line_end(history, name, ends[name], colour, above=ends[name] >= max(ends.values())))
    kept = history[history["epoch"] == best_epoch]
    figure.add_scatter(
        x=kept["epoch"],
        y=kept[f"val_{metric}"],
        mode="markers",
        marker={"size": 11, "color": ACCENT, "line": {"color": "white", "width": 2}},
        hovertemplate="Kept epoch<extra></extra>",
    )
    figure.update_layout(showlegend=False)
    return _epoch_axes(figure, metric, len(history))


def compared_curves(histories: Mapping[str, "pd.DataFrame"], metric: str) -> go.Figure:
    """One column of the histories (see CURVE_TITLES) of several runs by epoch; keys are the runs' names."""
    figure = go.Figure(
        [
            _curve(history, metric, _short(name), SERIES_COLOURS[index % len(SERIES_COLOURS)])
            for index, (name, history) in enumerate(histories.items())
        ]
    )
    legend = {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0, "title": None, "font": {"size": 13}}
    figure.update_layout(legend=legend)
    return _epoch_axes(figure, metric, max((len(history) for history in histories.values()), default=0))


def confusion_matrix(confusion: Sequence[Sequence[int]]) -> go.Figure:
    """True emotions down, predicted across; shade and text are shares of the true class, counts stand in the hover."""
    shares = [[count / max(1, sum(row)) for count in row] for row in confusion]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=EMOTIONS,
            y=EMOTIONS,
            customdata=confusion,
            zmin=0,
            zmax=1,
            colorscale=[[0, "rgba(61, 79, 181, 0.04)"], [1, "rgba(61, 79, 181, 1)"]],
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="True %{y}, predicted %{x}<br>%{customdata:,} faces, %{z:.1%}<extra></extra>",
        )
    )
    figure.add_trace(_cell_text(shares, dark_cells=False))
    figure.add_trace(_cell_text(shares, dark_cells=True))
    figure.update_xaxes(side="top", title="Predicted", showgrid=False, ticks="")
    figure.update_yaxes(autorange="reversed", title="True", showgrid=False, ticks="")
    return _calm(figure, height=470, left=80, top=60)


def _emotion_bars(values: Mapping[str, float], name: str, opacity: float, hover: str = "%{x:,}") -> go.Bar:
    return go.Bar(
        x=[values[emotion] for emotion in EMOTIONS],
        y=EMOTIONS,
        name=name,
        orientation="h",
        marker={"color": [EMOTION_COLOURS[emotion] for emotion in EMOTIONS], "opacity": opacity, "line": {"width": 0}},
        hovertemplate=f"%{{y}}<br>{name}: {hover}<extra></extra>",
    )


def _end_labels(values: Mapping[str, float], texts: Mapping[str, str]) -> go.Scatter:
    return go.Scatter(
        x=[values[emotion] for emotion in EMOTIONS],
        y=EMOTIONS,
        text=[f" {texts[emotion]}" for emotion in EMOTIONS],
        mode="text",
        textposition="middle right",
        hoverinfo="skip",
        cliponaxis=False,
    )


def _emotion_axis(figure: go.Figure, longest: float) -> go.Figure:
    figure.update_xaxes(visible=False, range=[0, longest * 1.3 or 1])
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", title=None)
    figure.update_layout(showlegend=False, bargap=0.28)
    return _calm(figure, height=300, left=80)


def _curve(history: "pd.DataFrame", column: str, name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=history["epoch"],
        y=history[column],
        name=name,
        mode="lines+markers" if len(history) < 3 else "lines",
        line={"color": colour, "width": 2.5},
        marker={"size": 7},
        hovertemplate=f"{name}: %{{y:{_hover_format(column)}}}<extra></extra>",
    )


def _line_end(history: "pd.DataFrame", name: str, value: float, colour: str, *, above: bool) -> go.Scatter:
    """Write a line's name at its last point instead of into a legend, above or below it so that two never meet."""
    return go.Scatter(
        x=[history["epoch"].iloc[-1]],
        y=[value],
        text=[f" {name}"],
        mode="text",
        textposition="top right" if above else "bottom right",
        textfont={"color": colour, "size": 14},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _epoch_axes(figure: go.Figure, metric: str, epochs: int) -> go.Figure:
    figure.update_xaxes(title=None, showgrid=False, tickformat="d", dtick=1 if epochs <= 12 else None)
    figure.update_yaxes(title=None, tickformat=".0%" if "accuracy" in metric else "~r", nticks=6, zeroline=False)
    title = {"text": f"{CURVE_TITLES[metric]} by epoch", "x": 0, "xanchor": "left"}
    figure.update_layout(title=title, hovermode="x unified")
    return _calm(figure, height=330, top=64, right=84)


def _cell_text(shares: Sequence[Sequence[float]], *, dark_cells: bool) -> go.Scatter:
    cells = [
        (predicted, true, share)
        for true, row in zip(EMOTIONS, shares, strict=True)
        for predicted, share in zip(EMOTIONS, row, strict=True)
        if (share >= _WHITE_TEXT_FROM) == dark_cells
    ]
    return go.Scatter(
        x=[predicted for predicted, _, _ in cells],
        y=[true for _, true, _ in cells],
        text=[f"{share:.0%}" for _, _, share in cells],
        mode="text",
        textfont={"size": 15, **({"color": "white"} if dark_cells else {})},
        hoverinfo="skip",
        showlegend=False,
    )


def _short(name: str) -> str:
    """Fit a run's name into a legend; Plotly reads mark-up in names, which a person's text is not."""
    return escape(name if len(name) <= 36 else f"{name[:35]}…", quote=False)


def _hover_format(column: str) -> str:
    return ".1%" if "accuracy" in column else ".3f"


def _calm(figure: go.Figure, *, height: int, left: int = 48, right: int = 16, top: int = 12) -> go.Figure:
    """Give a figure the look of the app: clear background, faint grid, room for its labels, no dragging."""
    figure.update_layout(
        height=height,
        margin={"l": left, "r": right, "t": top, "b": 40},
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        font={"size": 14},
        dragmode=False,
        hoverlabel={"font": {"size": 14}},
    )
    figure.update_xaxes(gridcolor=_GRID, linecolor=_GRID, fixedrange=True, tickfont={"size": 14})
    figure.update_yaxes(gridcolor=_GRID, linecolor=_GRID, fixedrange=True, tickfont={"size": 14})
    return figure
