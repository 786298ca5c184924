"""Pieces of page that several pages share: headers, badges, errors, charts, faces."""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.errors import EmotionError
from emotion_core.runs import State
from emotion_core.units import KILOBYTE, MEGABYTE
from ui import presenter
from ui.charts import CALM

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure
    from streamlit.delta_generator import DeltaGenerator

STATE_COLOURS: Final[dict[State, str]] = {
    State.QUEUED: "#7F7F7F",
    State.RUNNING: "#0072B2",
    State.STOPPING: "#E69F00",
    State.STOPPED: "#E69F00",
    State.FINISHED: "#009E73",
    State.FAILED: "#D55E00",
    State.INTERRUPTED: "#D55E00",
    State.DAMAGED: "#D55E00",
}
"""Colours of states in tables."""

_INK: Final[dict[str | None, str]] = {"light": "#151827", "dark": "#F0F2F8"}
"""The theme's text colours, for figures that cannot follow it by themselves."""

_BADGES: Final[dict[State, tuple[Any, str, str]]] = {
    State.QUEUED: ("gray", ":material/schedule:", "Waiting for its turn."),
    State.RUNNING: ("blue", ":material/play_arrow:", "Being trained."),
    State.STOPPING: ("orange", ":material/pending:", "Asked to stop; finishing the current batch."),
    State.STOPPED: ("orange", ":material/stop_circle:", "Ended early by request."),
    State.FINISHED: ("green", ":material/check:", "Ran to its end."),
    State.FAILED: ("red", ":material/error:", "Ended with an error."),
    State.INTERRUPTED: ("red", ":material/power_off:", "Its process ended unexpectedly."),
    State.DAMAGED: ("red", ":material/broken_image:", "Its folder cannot be read."),
}


# --- words ---------------------------------------------------------------------------------------------------------


def page_header(title: str, sentence: str) -> None:
    """Show a page's title and the one sentence that says what it is for."""
    st.title(title, anchor=False)
    st.markdown(f":gray[{sentence}]")


def columns(weights: Sequence[int], key: str, *, narrowest: int, **look: Any) -> "Sequence[DeltaGenerator]":
    """Return columns side by side, or below each other where one would be too narrow for what it holds.

    Args:
        weights: How wide they are in relation to each other.
        key: Names them on the page.
        narrowest: Width in rem, which grows with the letters of the presenter's view.
        look: What else `st.columns` takes.
    """
    with st.container(key=f"columns-{key}"):
        here = f".st-key-columns-{key} > * > [data-testid=stHorizontalBlock] > [data-testid=stColumn]"
        st.html(f"<style>{here} {{min-width: min(100%, {narrowest}rem)}}</style>")
        return st.columns(weights, **{"gap": "large", **look})


def heading(words: str, key: str, help: str | None = None) -> "DeltaGenerator":
    """Show a heading and return the line that it begins, in which more may stand at the right.

    Headings side by side are of one height, whatever stands beside their words.
    """
    line = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"heading-{key}"
    )
    line.subheader(words, anchor=False, width="content", help=help)
    words_place = f".st-key-heading-{key} > [data-testid=stElementContainer]:first-child"
    line.html(f"<style>{words_place} {{min-height: 2.5rem; align-content: center}}</style>", width="content")
    return line


def go_to(page: str, **parameters: str) -> NoReturn:
    """Open a page, such as `pages/train_models.py`, with such parameters in the URL.

    NOTE: without any, Streamlit refuses to leave a page whose URL holds the value of a widget.
    """
    st.switch_page(page, query_params=parameters)


def empty_state(message: str, *, page: str | None = None, action: str = "", icon: str = ":material/inbox:") -> None:
    """Say what is missing and lead to the page that makes it."""
    with st.container(border=True, horizontal_alignment="center", gap="small", key="empty-state"):
        st.space("small")
        st.markdown(f"#### {icon}", text_alignment="center")
        st.markdown(message, text_alignment="center")
        if page and st.button(action or "Open", type="primary", key="empty-state-action"):
            go_to(page)
        st.space("small")


def state_badge(state: State) -> None:
    """Show a run's state as a coloured badge with its meaning as help."""
    colour, icon, meaning = _BADGES[state]
    st.badge(state.capitalize(), icon=icon, color=colour, help=meaning)


def drawn_badge() -> None:
    """Say that faces were drawn by code, wherever such data or what was learnt from it shows."""
    st.badge("Drawn faces", icon=":material/draw:", color="violet", help="Faces drawn by code, not photographs.")


def plain(text: str) -> str:
    """Return text that a person typed, or that came from outside, so that Markdown shows it as it is, in one line.

    NOTE: icons, emoji, arrows and addresses are found in what the escapes leave, so an invisible joint parts those.
    """
    return _MARKUP.sub(r"\\\1", _FOUND_LATER.sub("\u2060", " ".join(text.split())))


def typed_badge(text: str, icon: str, color: Any = "gray") -> None:
    """Show text that a person typed as a badge, which escapes square brackets by itself."""
    st.badge(plain(text).replace(r"\[", "[").replace(r"\]", "]"), icon=icon, color=color)


_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+.!|$~:=&-])")

_FOUND_LATER: Final = re.compile(
    r"(?<=:)(?=[\w+/-]+:)|(?<=\w)(?=://)|(?<=www)(?=\.)|(?<=\S)(?=@\w)|(?<=[<>~-])(?=[>=-])", re.IGNORECASE
)
"""Where `:material/home:`, `https://`, `www.`, `a@b` and `->` are taken apart."""


@contextmanager
def friendly_errors(place: "DeltaGenerator | None" = None) -> Iterator[None]:
    """Show what the library refuses as its one sentence and end the page there, instead of a traceback."""
    try:
        yield
    except EmotionError as error:
        (place or st).error(plain(str(error)), icon=":material/error:")
        st.stop()


# --- charts and files ----------------------------------------------------------------------------------------------


def show_curves(points: "pd.DataFrame", chart: dict[str, Any], *, key: str, alt: str) -> None:
    """Show a Vega-Lite chart in the look of the app, its text in the theme's own colour."""
    st.vega_lite_chart(points, presenter.enlarged(chart | {"config": CALM}), theme=None, key=key, alt=alt)


def show_figure(figure: "Figure", *, key: str, alt: str) -> None:
    """Show a Plotly figure across the width of its place; it can be zoomed by dragging."""
    st.plotly_chart(presenter.enlarged_figure(figure), theme=None, key=key, alt=alt, config={"displayModeBar": False})


def ink() -> str:
    """Return the colour of text in the theme that the visitor sees."""
    return _INK.get(st.context.theme.type, _INK["light"])


def offer_files(paths: Sequence[Path]) -> None:
    """Offer each file for download with its size; a file is read only when it is asked for."""
    with st.container(horizontal=True):
        for path in paths:
            st.download_button(
                f"{path.name} ({_size(path.stat().st_size)})",
                path.read_bytes,
                path.name,
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{path.name}",
            )


def _size(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, round(size / KILOBYTE))} kB"


# --- faces ---------------------------------------------------------------------------------------------------------


def show_faces(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str] | None = None,
    columns: int = 8,
    *,
    width: int | None = None,
) -> None:
    """Show faces in a grid, each pixel enlarged to a sharp square.

    Args:
        images: n of uint8 (height, width), or with 3 colours last.
        captions: One line under each face, or none.
        columns: Faces side by side.
        width: Width of the whole grid in pixels, else that of the page.
    """
    captions = [""] * len(images) if captions is None else captions
    cells = "".join(_figure(image, caption) for image, caption in zip(images, captions, strict=True))
    limit = f"max-width:{width}px;" if width else ""
    grid = f"display:grid;grid-template-columns:repeat({columns},minmax(0,1fr));gap:10px;{limit}"
    st.html(f'<div style="{grid}">{cells}</div>')


def _figure(image: NDArray[np.uint8], caption: str) -> str:
    text = escape(caption)
    below = f'<figcaption style="font-size:.8rem;opacity:.75;text-align:center">{text}</figcaption>' if caption else ""
    return (
        f'<figure style="margin:0"><img alt="{text or "face"}" src="{data_url(image)}" '
        f'style="width:100%;display:block;image-rendering:pixelated;border-radius:4px">{below}</figure>'
    )


def data_url(image: NDArray[np.uint8]) -> str:
    """Return a small picture, uint8 (h, w) or RGB (h, w, 3), as a PNG, in which every pixel is as it is."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def photo_url(image: NDArray[np.uint8], quality: int = 85) -> str:
    """Return a photograph, uint8 (h, w) or RGB (h, w, 3), as a JPEG: a tenth of the PNG's bytes."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
