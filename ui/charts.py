"""Figures from plain data: emotions in their own colours, on a clear background, with text in the theme's own colour.

Bars and the matrix are HTML, which follows the theme by itself and is there at once. Figures that one looks into are
Plotly's (`ui.compared`), and curves that move Vega-Lite descriptions (`ui.curves`). Nothing here calls Streamlit.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.units import counted

ACCENT: Final = "#6476E6"
"""The theme's own colour, in a shade that reads on light and dark."""

DEEP_ACCENT: Final = "#5566DD"
"""The same where white text stands on it."""

MUTED: Final = "#8A90A6"

INK: Final = "currentColor"
"""The colour of the text around a chart, in which its own is drawn: a theme may be switched while one looks."""

TRACK: Final = "rgba(128, 134, 156, 0.2)"
"""What lies behind a bar that could be longer."""

LONGEST_LABEL: Final = 36
"""Characters of a name in a legend or on a card."""

GRID: Final = "rgba(128, 134, 156, 0.25)"

FONT: Final = '"Source Sans", sans-serif'
"""Streamlit's own, for charts that do not take it from the page."""

EMOTION_SCALE: Final = {"domain": list(EMOTIONS), "range": [EMOTION_COLOURS[name] for name in EMOTIONS]}
"""Vega-Lite's scale that gives each emotion its colour."""

SIDE_BY_SIDE: Final = 380
"""Width in pixels that a chart of bars needs, for one beside another; where there is less, it stands below."""

CALM: Final[dict[str, Any]] = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 13,
        "gridColor": GRID,
        "domain": False,
        "ticks": False,
        "labelPadding": 8,
        "titleFontWeight": "normal",
        "titleFontSize": 13,
    },
    "axisX": {"grid": False},
    "legend": {"labelFontSize": 13, "symbolStrokeWidth": 3, "labelLimit": 320},
    "title": {"font": FONT, "fontSize": 16, "fontWeight": 600, "anchor": "start", "offset": 12},
}
"""Vega-Lite settings for every curve; colours of text are left to the theme."""


def axis_text(size: int) -> dict[str, Any]:
    """Return Vega-Lite settings for an axis with letters of a size in pixels, in the colour of the text around it."""
    return {"labelFontSize": size, "titleFontSize": size, "labelColor": INK, "titleColor": INK}


# --- bars ----------------------------------------------------------------------------------------------------------


def class_counts(parts: Mapping[str, Mapping[str, int]]) -> str:
    """Faces per emotion as one labelled bar, its parts (such as Training) side by side, each fainter than the last."""
    totals = {name: sum(part[name] for part in parts.values()) for name in EMOTIONS}
    every = max(1, sum(totals.values()))
    return _bars(
        {name: {title: part[name] for title, part in parts.items()} for name in EMOTIONS},
        {name: f"<b>{count:,}</b> &nbsp;{count / every:.1%}" for name, count in totals.items()},
        "{:,.0f}",
        label_room="8em",
    )


def class_weights(weights: Mapping[str, float], largest: float) -> str:
    """Weight of each emotion in the loss, to the scale on which `largest` has the longest bar."""
    labels = {name: f"<b>{weight:.2f}</b>" for name, weight in weights.items()}
    return _bars(
        {name: {"Weight": weight} for name, weight in weights.items()},
        labels,
        "{:.2f}",
        label_room="4em",
        largest=largest,
    )


def shares(title: str, parts: Mapping[str, float]) -> str:
    """One bar of emotions' shares of a whole: percentages below where a share is wide enough, names in the hover."""
    pieces = "".join(
        f'<div title="{name}: {share:.1%}" style="width:{share:.3%};background:{EMOTION_COLOURS[name]};height:44px;'
        f'margin-right:1px;overflow:hidden"></div>'
        for name, share in parts.items()
    )
    look = "text-align:center;font-size:.9rem"
    numbers = "".join(
        f'<div style="width:{share:.3%};{look}">{f"{share:.0%}" if share > 0.03 else ""}</div>'
        for share in parts.values()
    )
    return (
        f'<div role="img" aria-label="{title}: {_spoken(parts)}" style="font-variant-numeric:tabular-nums">'
        f'<div style="font-weight:600;margin-bottom:.2rem">{title}</div>'
        f'<div style="display:flex;border-radius:5px;overflow:hidden">{pieces}</div>'
        f'<div style="display:flex">{numbers}</div></div>'
    )


def bar_on_track(share: float, colour: str, height: str) -> str:
    """One bar on its track, of which it covers a share, 0-1."""
    return (
        f'<div style="flex:1;height:{height};border-radius:4px;background:{TRACK}">'
        f'<div style="width:{share:.1%};height:100%;border-radius:4px;background:{colour}"></div></div>'
    )


def _spoken(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in parts.items())


def _bars(
    values: Mapping[str, Mapping[str, float]],
    labels: Mapping[str, str],
    number: str,
    *,
    label_room: str,
    largest: float | None = None,
) -> str:
    """Draw a row per emotion: its name, the parts of its bar, the label behind them.

    Args:
        values: The parts of each emotion's bar by their titles.
        labels: HTML.
        number: How a value is written in the hover.
        label_room: Width that is left for the label behind the longest bar.
        largest: Value of the longest bar, if not the largest of these.
    """
    longest = largest or max(sum(parts.values()) for parts in values.values()) or 1
    rows = "".join(
        f'<div style="display:flex;align-items:center;height:34px">'
        f'<div style="width:5.2rem;flex:none">{name}</div>'
        '<div style="flex:1;min-width:0;display:flex;align-items:center">'
        f"{_parts(name, parts, longest, number, label_room)}"
        f'<div style="padding-left:.6rem;white-space:nowrap">{labels[name]}</div></div></div>'
        for name, parts in values.items()
    )
    return f'<div style="font-variant-numeric:tabular-nums">{rows}</div>'


def _parts(name: str, parts: Mapping[str, float], longest: float, number: str, label_room: str) -> str:
    return "".join(
        f'<div title="{name}, {title}: {number.format(value)}" '
        f'style="width:calc({value / longest:.5f} * (100% - {label_room}));height:22px;'
        f'flex:none;background:{EMOTION_COLOURS[name]};opacity:{0.45**place:.3f}"></div>'
        for place, (title, value) in enumerate(parts.items())
    )


# --- confusion matrix ----------------------------------------------------------------------------------------------


def confusion_matrix(confusion: Sequence[Sequence[int]], *, as_counts: bool = False) -> str:
    """True emotions down, predicted across; shade is the share of the true class, text that share or the count.

    The cells that hold faces name themselves in `data-cell`, such as `Fear-Sad`, for whoever makes them answer clicks.
    """
    heads = "".join(
        f'<th scope="col" title="{name}" style="{_HEAD};text-align:center">{_shortened(name)}</th>' for name in EMOTIONS
    )
    rows = "".join(
        f'<tr><th scope="row" style="{_HEAD};text-align:right;padding-right:.5rem">{name}</th>'
        f"{matrix_cells(name, counts, as_counts=as_counts)}</tr>"
        for name, counts in zip(EMOTIONS, confusion, strict=True)
    )
    return (
        f'{_SHORT_WHERE_NARROW}<div style="container-type:inline-size"><table style="width:100%;table-layout:fixed;'
        'border-collapse:separate;border-spacing:3px;border:none;font-variant-numeric:tabular-nums">'
        f'<tr><th class="matrix-corner" style="{_HEAD};text-align:right;padding-right:.5rem;opacity:.7;'
        f'line-height:1.25">Predicted &rarr;<br>True &darr;</th>{heads}</tr>{rows}</table></div>'
    )


_SHORT_WHERE_NARROW: Final = """<style>.matrix-corner {width: 5.6rem}
@container (max-width: 31rem) {
.matrix-corner {width: 4.8rem; font-size: .75rem !important}
.matrix-rest {display: none}}</style>"""
"""Heads of columns keep their size, so that the room can read them, and lose their ends where there is no place."""


def _shortened(word: str) -> str:
    return f'{word[:3]}<span class="matrix-rest">{word[3:]}</span>'


def cell_name(true: str, predicted: str) -> str:
    """Return what a cell of the confusion matrix is called in the page and in the address."""
    return f"{true}-{predicted}"


def cell_of(name: str) -> tuple[int, int] | None:
    """Return the true and the predicted label of a cell by its name; None for what names no cell."""
    parts = name.split("-")
    return (EMOTIONS.index(parts[0]), EMOTIONS.index(parts[1])) if len(parts) == 2 and {*parts} <= {*EMOTIONS} else None


_HEAD: Final = "border:none;font-weight:500;font-size:.9rem;padding:.15rem 0;white-space:nowrap"


def matrix_cells(true: str, counts: Sequence[int], *, as_counts: bool = False, height: int = 42) -> str:
    """Return the cells of one line of a confusion matrix, `height` pixels high."""
    look = f"border:none;height:{height}px;text-align:center;border-radius:4px;padding:0"
    shares = [count / max(1, sum(counts)) for count in counts]
    return "".join(
        f"<td {_named(true, predicted) if count else ''}"
        f'title="True {true}, predicted {predicted}: {counted(count, "face")}, {share:.1%}" '
        f'style="{look};background:rgba(100,118,230,{0.06 + 0.77 * share:.3f});'
        f'font-weight:{600 if true == predicted else 400}">{f"{count:,}" if as_counts else f"{share:.0%}"}</td>'
        for predicted, count, share in zip(EMOTIONS, counts, shares, strict=True)
    )


def _named(true: str, predicted: str) -> str:
    return f'data-cell="{cell_name(true, predicted)}" '


def heading_with_legend(title: str, colours: Mapping[str, str], mark: str) -> str:
    """Return a chart's title and its legend, as HTML for a line above it; a mark never parts from its name.

    Args:
        title: The title.
        colours: Name and colour of each thing that is drawn.
        mark: HTML of the sign that shows the colour.
    """
    legend = " ".join(
        f'<span style="margin-left:1.2rem;white-space:nowrap"><span style="color:{colour}">{mark}</span> {name}</span>'
        for name, colour in colours.items()
    )
    return f"<strong>{title}</strong> {legend}"


def dotted(emotion: str, weight: int) -> str:
    """Return the name of an emotion behind a dot in its colour; `weight` is that of its letters."""
    dot = f"width:.6rem;height:.6rem;border-radius:50%;display:inline-block;background:{EMOTION_COLOURS[emotion]}"
    return f'<span style="{dot}"></span> <span style="font-weight:{weight}">{emotion}</span>'


def short(name: str, longest: int = LONGEST_LABEL) -> str:
    """Cut a name that has more characters than there is room for."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
