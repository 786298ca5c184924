"""How the faces of each emotion look on average, and what brightness and contrast tell of an emotion.

The URL names the view of the mean faces (`?mean_faces=Difference`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.face_statistics import (
    BINS,
    MOST_CONTRAST,
    WHITE,
    ClassStatistics,
    EmotionsCompared,
    FaceStatistics,
    class_statistics,
    compare_emotions,
    density,
    difference_picture,
    differences,
    picture,
)
from emotion_core.units import counted
from ui.charts import MUTED, dotted
from ui.face_images import data_url
from ui.widgets import friendly_errors, heading

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

EVERY: Final = "All faces"

LITTLE: Final = 0.1
"""Up to this share of variance explained, a measure tells next to nothing of an emotion."""

_MEAN, _VARIATION, _DIFFERENCE = "Mean", "Variation", "Difference"

_Maps = Mapping[str, NDArray[np.float64]]


@st.fragment
@friendly_errors()
def show_class_faces(dataset: "Dataset") -> None:
    """Show the mean face of each emotion, and how bright and contrasty its faces are; of all faces without labels."""
    if not len(dataset):
        return
    statistics = _statistics(dataset.fingerprint, dataset)
    show_mean_faces(statistics)
    show_light(statistics)


@st.cache_resource(max_entries=8, show_spinner=False)
def _statistics(fingerprint: str, _dataset: "Dataset") -> ClassStatistics:
    return class_statistics(_dataset)


# --- mean faces ----------------------------------------------------------------------------------------------------


def show_mean_faces(statistics: ClassStatistics) -> None:
    """Show the mean faces, how much they vary, or how they differ from the mean of all, as the person chooses."""
    views = [_MEAN, _VARIATION, _DIFFERENCE] if len(statistics.by_emotion) > 1 else [_MEAN, _VARIATION]
    with heading("The mean face", "mean-face"):
        view = st.segmented_control(
            "View",
            views,
            default=_MEAN,
            required=True,
            key="mean_faces",
            label_visibility="collapsed",
            bind="query-params",
        )
    groups = _groups(statistics)
    match view:
        case "Variation":
            _show_variation({name: found.deviation for name, found in groups.items()}, groups)
        case "Difference":
            _show_differences(differences(statistics), groups)
        case _:
            _show_means({name: found.mean for name, found in groups.items()}, groups)


def _groups(statistics: ClassStatistics) -> Mapping[str, FaceStatistics]:
    return statistics.by_emotion or {EVERY: statistics.every}


def _show_means(means: _Maps, groups: Mapping[str, FaceStatistics]) -> None:
    lowest, highest = _range(means)
    _show_tiles({name: picture(mean, lowest, highest) for name, mean in means.items()}, groups)
    st.caption(
        "Each pixel is its mean over the faces. What stays sharp is common to most of them. Greys "
        f"from {lowest:.0f} to {highest:.0f} are stretched from black to white."
    )


def _show_variation(deviations: _Maps, groups: Mapping[str, FaceStatistics]) -> None:
    lowest, highest = _range(deviations)
    _show_tiles({name: picture(deviation, lowest, highest) for name, deviation in deviations.items()}, groups)
    st.caption(
        "The brighter a pixel, the more the faces differ there: standard deviations from "
        f"{lowest:.0f} (black) to {highest:.0f} grey levels (white)."
    )


def _show_differences(found: _Maps, groups: Mapping[str, FaceStatistics]) -> None:
    full = max(float(np.abs(difference).max()) for difference in found.values()) / 2
    _show_tiles({name: difference_picture(difference, full) for name, difference in found.items()}, groups)
    st.caption(
        "Compared with the mean of all faces, ignoring overall brightness: orange is brighter, blue darker, in full "
        f"colour from {full:.0f} grey levels up. {_who_stands_out(found)}"
    )


def _who_stands_out(found: _Maps) -> str:
    sizes = {name: float(np.square(difference).mean()) for name, difference in found.items()}
    most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    if np.isclose(sizes[most], sizes[least]):  # as two emotions with equally many faces always do
        return "All stand out equally."
    return f"{most} stands out most, {least} least."


def _range(maps: _Maps) -> tuple[float, float]:
    return min(float(values.min()) for values in maps.values()), max(float(values.max()) for values in maps.values())


def _show_tiles(pictures: Mapping[str, NDArray[np.uint8]], groups: Mapping[str, FaceStatistics]) -> None:
    """Show a picture per emotion in a row; an emotion without faces keeps its place."""
    names = EMOTIONS if EVERY not in groups else (EVERY,)
    cells = "".join(_tile(name, pictures.get(name), len(groups[name]) if name in groups else 0) for name in names)
    columns = f"repeat(auto-fill,minmax(max(84px,calc(100% / {len(EMOTIONS)} - 12px)),1fr))"  # all in a row if they fit
    st.html(f'<div style="display:grid;grid-template-columns:{columns};gap:12px">{cells}</div>')


def _tile(name: str, image: NDArray[np.uint8] | None, count: int) -> str:
    look = "width:100%;aspect-ratio:1;display:block;border-radius:6px"
    drawn = (
        f'<div style="{look};border:1px dashed {MUTED};box-sizing:border-box"></div>'
        if image is None
        else f'<img alt="{name}, average of {counted(count, "face")}" src="{data_url(image)}" '
        f'style="{look};image-rendering:pixelated">'
    )
    words = counted(count, "face") if count else "no faces"
    title = dotted(name, 600) if name in EMOTION_COLOURS else f'<span style="font-weight:600">{name}</span>'
    return (
        f'<figure style="margin:0;line-height:1.35;white-space:nowrap">{drawn}<figcaption style="margin-top:.4rem">'
        f'{title}<div style="font-size:.85rem;opacity:.7">{words}</div></figcaption></figure>'
    )


# --- brightness and contrast ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """A measure of a face: how it is called, what it is, its highest value, and what both ends of its scale mean."""

    title: str
    meaning: str
    highest: float
    ends: tuple[str, str]


BRIGHTNESS: Final = Measure("Brightness", "mean grey level of a face", WHITE, ("black", "white"))
CONTRAST: Final = Measure("Contrast", "standard deviation of its grey levels", MOST_CONTRAST, ("flat", "harsh"))


def show_light(statistics: ClassStatistics) -> None:
    """Show how brightness and contrast are distributed in each emotion, and say what that teaches."""
    groups = _groups(statistics)
    brightness = {name: found.brightness for name, found in groups.items()}
    contrast = {name: found.contrast for name, found in groups.items()}
    for place, measure, values in zip(
        st.columns(2, gap="large"), (BRIGHTNESS, CONTRAST), (brightness, contrast), strict=True
    ):
        with place:
            st.html(ridges(measure, values))
    if len(groups) > 1:
        st.markdown(lesson(compare_emotions(brightness), compare_emotions(contrast)))


def lesson(brightness: EmotionsCompared, contrast: EmotionsCompared) -> str:
    """Say whether light gives an emotion away."""
    tells_little = max(brightness.explained, contrast.explained) <= LITTLE
    verdict = (
        "light alone says almost nothing about emotion" if tells_little else "light alone says something about emotion"
    )
    means = (
        f"{brightness.highest} is brightest on average and {brightness.lowest} darkest, "
        f"{counted(round(brightness.gap), 'grey level')} apart"
        if brightness.gap
        else "All emotions are equally bright on average"
    )
    return (
        f"{means}, while faces of the same emotion differ by {brightness.spread:.0f}. Emotion explains "
        f"{brightness.explained:.1%} of the variance in brightness and {contrast.explained:.1%} of that in contrast: "
        f"{verdict}."
    )


def ridges(measure: Measure, values: Mapping[str, NDArray[np.float64]]) -> str:
    """Draw the distribution of a measure as a hill per emotion, as HTML that follows the theme.

    A line in each hill is the mean of the emotion, with its number to the right; where there are several emotions, a
    dashed one is the mean of all faces.

    Args:
        measure: What is drawn.
        values: Of each emotion its faces' values, (n,), n at least 1.
    """
    hills = {name: density(found, measure.highest) for name, found in values.items()}
    peak = max(hill.max() for hill in hills.values())
    rows = "".join(_ridge(name, hills[name] / peak, values[name], measure.highest) for name in values)
    meaning = measure.meaning + ("; dashed: all faces" if len(values) > 1 else "")
    low, high = measure.ends
    return (
        f'<figure style="margin:0;font-variant-numeric:tabular-nums" aria-label="{measure.title} by emotion">'
        f'<figcaption style="margin-bottom:1.1rem"><span style="font-size:1.15rem;font-weight:600">{measure.title}'
        f'</span> <span style="opacity:.7">{meaning}</span></figcaption>'
        f'<div style="position:relative;padding-top:14px">{rows}<div style="position:absolute;top:0;bottom:0;{_PLOT}">'
        f"{_mean_of_all(values, measure.highest) if len(values) > 1 else ''}</div></div>"
        f'<div style="position:relative;height:2.4rem"><div style="position:absolute;{_PLOT}">'
        f'<div style="height:10px;border-radius:3px;{_strip(measure)}"></div>'
        '<div style="display:flex;justify-content:space-between;font-size:.9rem;opacity:.75">'
        f"<span>0 {low}</span><span>{measure.highest:.0f} {high}</span></div></div></div></figure>"
    )


def _mean_of_all(values: Mapping[str, NDArray[np.float64]], highest: float) -> str:
    mean = float(np.concatenate(list(values.values())).mean())
    dashes = f"left:{100 * mean / highest:.2f}%;border-left:2px dashed currentColor;opacity:.45"
    return f'<div style="position:absolute;top:0;bottom:0;{dashes}"></div>'


_PLOT: Final = "left:5.6rem;right:3.4rem"
"""Where hills stand between the names and the numbers."""

_ROW: Final = 38
_HILL: Final = 52
"""Heights in pixels of a row and of the highest hill, which reaches into the row above."""


def _ridge(name: str, heights: NDArray[np.float64], values: NDArray[np.float64], highest: float) -> str:
    """Draw the row of an emotion; `heights` of its hill are shares of the highest hill of all."""
    colour, mean = EMOTION_COLOURS.get(name, MUTED), float(values.mean())
    middles = (np.arange(BINS) + 0.5) / BINS
    outline = ",".join(f"{100 * x:.2f}% {100 * (1 - y):.1f}%" for x, y in zip(middles, heights, strict=True))
    height = _HILL * float(np.interp(mean / highest, middles, heights))
    place = f"left:0;right:0;bottom:0;height:{_HILL}px"
    hill = (
        f'<div style="position:absolute;{place};background:{colour};opacity:.85;'
        f'clip-path:polygon(0% 100%,{outline},100% 100%)"></div>'
        f'<div style="position:absolute;left:{100 * mean / highest:.2f}%;bottom:0;height:{height:.1f}px;'
        'border-left:3px solid currentColor;margin-left:-1.5px"></div>'
    )
    words = f"{name}: mean {mean:.0f}, standard deviation {values.std():.0f}"
    return (
        f'<div title="{words}" style="position:relative;height:{_ROW}px;display:flex;justify-content:space-between;'
        f'align-items:flex-end;line-height:1.2"><div>{name}</div>'
        f'<div style="position:absolute;top:0;bottom:0;{_PLOT};border-bottom:1px solid {MUTED}55">{hill}</div>'
        f'<div style="font-weight:600">{mean:.0f}</div></div>'
    )


def _strip(measure: Measure) -> str:
    """Return how the scale looks: brightness as itself."""
    ramp = "#000000,#FFFFFF" if measure is BRIGHTNESS else f"{MUTED}22,{MUTED}"
    return f"background:linear-gradient(to right,{ramp});background-clip:padding-box;border:1px solid {MUTED}88"
