"""Figures of the Augment page as HTML, which follows the theme by itself. Nothing here calls Streamlit."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS, IMAGE_SIZE
from emotion_core.variants import Effect, PixelSummary
from ui.charts import ACCENT, TRACK, dotted

_LINE: Final = "1px solid rgba(128, 134, 156, 0.45)"
_SHARP: Final = "width:100%;display:block;image-rendering:pixelated;border-radius:4px"
_SMALL: Final = "font-size:.85rem;opacity:.75;line-height:1.3"
_FIGURES: Final = "font-variant-numeric:tabular-nums"

PATCH: Final = slice(17, 21), slice(12, 16)
"""Rows and columns of the pixels that are written as numbers: about where an eye is."""

_FEW_STRIPS: Final = 5

_GOLDEN: Final = 0.618
"""Dots whose heights differ by this share of the track, over and over, never lie in a pattern."""


# --- each transform ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strip:
    """Variants by one transform: its name, how far it is set, and each variant's address and number."""

    name: str
    setting: str
    pictures: Sequence[str]
    numbers: Sequence[str]


def strips(rows: Sequence[Strip]) -> str:
    """Return a line for each transform: what it is called, and its variants with what was drawn for each.

    A name stands above its variants while there are few lines, so that the faces are larger, else beside them.
    """
    few = len(rows) <= _FEW_STRIPS
    lines = "".join(_strip(row, *(("1fr", "row") if few else ("6.4rem 1fr", "column"))) for row in rows)
    return f'<div style="display:flex;flex-direction:column;gap:.7rem;{_FIGURES}">{lines}</div>'


def _strip(strip: Strip, parts: str, direction: str) -> str:
    faces = "".join(
        f'<figure style="margin:0"><img alt="{escape(strip.name)}, {escape(number)}" src="{picture}" style="{_SHARP}">'
        f'<figcaption style="{_SMALL};text-align:center;white-space:nowrap">{escape(number)}</figcaption></figure>'
        for picture, number in zip(strip.pictures, strip.numbers, strict=True)
    )
    return (
        f'<div style="display:grid;grid-template-columns:{parts};gap:.3rem .8rem;align-items:center">'
        f'<div style="line-height:1.25;display:flex;flex-direction:{direction};gap:0 .5rem;align-items:baseline">'
        f'<span style="font-weight:600">{escape(strip.name)}</span>'
        f'<span style="{_SMALL}">{escape(strip.setting)}</span></div>'
        f'<div style="display:grid;grid-template-columns:repeat({len(strip.pictures)},minmax(0,1fr));gap:8px">{faces}'
        "</div></div>"
    )


# --- what is drawn -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """A histogram with its name, its range, what the numbers are, and what stands below its axis, from the left."""

    name: str
    range: str
    means: str
    counts: Sequence[int]
    ends: Sequence[str]


def cards(histograms: Sequence[Card]) -> str:
    """Return histograms side by side, three in a row, each as high as its fullest bin."""
    grid = f"display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:1.2rem 1.6rem;{_FIGURES}"
    return f'<div style="{grid}">{"".join(map(_card, histograms))}</div>'


def _card(card: Card) -> str:
    return (
        f'<div><div style="font-weight:600;line-height:1.3">{escape(card.name)}</div>'
        f'<div style="{_SMALL}">{escape(card.range)}<br>{escape(card.means)}</div>'
        f"{histogram(card.counts, card.ends, f'{card.name}: {card.range}')}</div>"
    )


def histogram(counts: Sequence[int], ends: Sequence[str], alt: str, height: int = 60) -> str:
    """Return bars so high as `height` pixels for the fullest bin; two of them stand apart, each over its own word."""
    fullest, apart = max(1, *counts), len(counts) == 2
    bars = "".join(
        f'<div style="flex:1;height:{100 * count / fullest:.1f}%;background:{ACCENT}"></div>' for count in counts
    )
    marks = "".join(f"<span>{escape(end)}</span>" for end in ends)
    return (
        f'<div role="img" aria-label="{escape(alt)}" style="display:flex;align-items:flex-end;height:{height}px;'
        f'gap:{"22%" if apart else 0};padding:0 {"11%" if apart else 0};border-bottom:{_LINE}">{bars}</div>'
        f'<div style="display:flex;justify-content:space-{"around" if apart else "between"};{_SMALL};'
        f'margin-top:.15rem">{marks}</div>'
    )


# --- what the network receives -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Stage:
    """A face on its way to the network.

    Attributes:
        title: What it is.
        detail: Its type and shape.
        picture: Its address.
        values: The numbers of the PATCH, as text.
        summary: Of all its pixels.
        ends: What lies at both ends of the histogram.
        digits: After the point, of values; mean and deviation have one more.
    """

    title: str
    detail: str
    picture: str
    values: Sequence[Sequence[str]]
    summary: PixelSummary
    ends: tuple[str, str]
    digits: int


def stages(way: Sequence[Stage]) -> str:
    """Return the stages side by side: the picture, some of its pixels as numbers, and how all of them are spread."""
    columns = f"repeat({len(way)},minmax(0,1fr))"
    cells = "".join(f'<div style="min-width:0">{_stage(stage)}</div>' for stage in way)
    return f'<div style="display:grid;grid-template-columns:{columns};gap:1.5rem;{_FIGURES}">{cells}</div>'


def _stage(stage: Stage) -> str:
    summary, digits = stage.summary, stage.digits
    facts = {
        "Range": f"{summary.lowest:.{digits}f}\u2013{summary.highest:.{digits}f}",
        "Mean": f"{summary.mean:.{digits + 1}f}",
        "Spread": f"{summary.deviation:.{digits + 1}f}",
    }
    lines = "".join(f'<span style="opacity:.75">{name}</span><span>{value}</span>' for name, value in facts.items())
    return (
        f'<div style="font-weight:600;line-height:1.3">{stage.title}</div>'
        f'<div style="{_SMALL};margin-bottom:.4rem">{stage.detail}</div>'
        f"{_marked(stage)}{_numbers(stage.values)}"
        f"{histogram(summary.counts.tolist(), stage.ends, f'Pixel values: {stage.title}', 52)}"
        f'<div style="display:grid;grid-template-columns:max-content 1fr;gap:.05rem .6rem;font-size:.88rem;'
        f'margin-top:.4rem">{lines}</div>'
    )


def _marked(stage: Stage) -> str:
    """Return a picture with a frame around the pixels that are written as numbers."""
    rows, columns = PATCH
    pixel = 100 / IMAGE_SIZE
    place = (
        f"top:{rows.start * pixel:.2f}%;left:{columns.start * pixel:.2f}%;"
        f"width:{(columns.stop - columns.start) * pixel:.2f}%;height:{(rows.stop - rows.start) * pixel:.2f}%"
    )
    return (
        f'<div style="position:relative"><img alt="{stage.title}" src="{stage.picture}" style="{_SHARP}">'
        f'<div style="position:absolute;{place};outline:2px solid {ACCENT};outline-offset:1px"></div></div>'
    )


def _numbers(values: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<span>{value}</span>" for row in values for value in row)
    return (
        f'<div style="display:grid;grid-template-columns:repeat({len(values[0])},1fr);text-align:center;'
        f"font-size:.78rem;line-height:1.5;margin:.6rem 0;padding:.25rem 0;border-radius:4px;"
        f'border:2px solid {ACCENT}">{cells}</div>'
    )


# --- the effect on a model -----------------------------------------------------------------------------------------


def spread(effect: Effect) -> str:
    """Return a track for each emotion: a bar for the face itself, a dot for each variant, and their mean."""
    means = effect.variants.mean(axis=0)
    rows = "".join(
        f"<div>{emotion}</div>{_track(emotion, effect.original[label], effect.variants[:, label])}"
        f'<div style="text-align:right">{effect.original[label]:.0%}</div>'
        f'<div style="text-align:right;font-weight:600">{means[label]:.0%}</div>'
        for label, emotion in enumerate(EMOTIONS)
    )
    heads = "".join(
        f'<div style="{_SMALL};text-align:{side}">{head}</div>'
        for head, side in (("", "left"), ("", "left"), ("Face", "right"), ("Variants", "right"))
    )
    return (
        '<div style="display:grid;grid-template-columns:max-content 1fr max-content max-content;gap:.35rem .9rem;'
        f'align-items:center;{_FIGURES}">{heads}{rows}</div>'
    )


def _track(emotion: str, share: np.float32, shares: NDArray[np.float32]) -> str:
    """Draw all dots as one background: so many elements would be slow to lay out."""
    colour = EMOTION_COLOURS[emotion]
    dots = ",".join(
        f"radial-gradient(circle at calc(5px + (100% - 10px)*{value:.3f}) {18 + 64 * (_GOLDEN * place % 1):.0f}%,"
        f"{colour} 3px,transparent 3.6px)"
        for place, value in enumerate(shares.tolist())
    )
    alt = f"{emotion}: {share:.0%} for the face, {shares.min():.0%} to {shares.max():.0%} for its variants"
    return (
        f'<div role="img" aria-label="{alt}" style="position:relative;height:27px;border-radius:4px;'
        f'background:{TRACK}"><div style="width:{share:.1%};height:100%;border-radius:4px;background:{colour};'
        f'opacity:.4"></div><div style="position:absolute;inset:0 -5px;opacity:.85;background:{dots}"></div></div>'
    )


def sentence(effect: Effect, true: str | None) -> str:
    """Say how many variants keep the answer, and what the others become."""
    every = len(effect.variants)
    kept = f"<b>{effect.kept} of {every}</b> variants keep <b>{effect.answer}</b>"
    if effect.becomes:
        (emotion, count), *others = effect.becomes.items()
        become = f"{count} {'becomes' if count == 1 else 'become'} {emotion}"
        kept += "; " + ", ".join([become, *(f"{count} {emotion}" for emotion, count in others)])
    label = "" if true is None else " That is its label." if true == effect.answer else f" Its label is {true}."
    return f'<div style="font-size:1.2rem;line-height:1.4">{kept}.{label}</div>'


def renamed(effect: Effect, pictures: Sequence[str], most: int) -> str:
    """Return the variants that get another answer, the surest first, at most so many, with what they are taken for.

    Args:
        effect: What the model says.
        pictures: Address of each variant.
        most: How many are shown.
    """
    figures = "".join(_renamed(effect.variants[place], pictures[place]) for place in effect.changed[:most])
    return (
        f'<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(84px,1fr));gap:10px">{figures}</div>'
    )


def _renamed(probabilities: NDArray[np.float32], picture: str) -> str:
    emotion = EMOTIONS[int(probabilities.argmax())]
    return (
        f'<figure style="margin:0"><img alt="A variant taken for {emotion}" src="{picture}" style="{_SHARP}">'
        f'<figcaption style="font-size:.85rem;white-space:nowrap;margin-top:.15rem;{_FIGURES}">'
        f"{dotted(emotion, 400)} {probabilities.max():.0%}</figcaption></figure>"
    )
