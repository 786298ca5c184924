"""Pieces of page that several pages share: headers, pickers, faces, badges, errors.

What a picker chose stands in the URL, so a reload or a shared link opens the same thing, and in the session, so the
next page opens with it too.
"""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.config import SAMPLE, Data, RunConfig
from emotion_core.errors import EmotionError, ModelUnavailable
from emotion_core.runs import Run, RunSummary, State
from emotion_core.settings import data_folder
from ui import cache, presenter, tables
from ui.charts import CALM

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure
    from streamlit.delta_generator import DeltaGenerator

    from emotion_core.dataset import Dataset

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


def heading(words: str, key: str) -> "DeltaGenerator":
    """Show a heading and return the line that it begins, in which more may stand at the right.

    Headings side by side are of one height, whatever stands beside their words.
    """
    line = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"heading-{key}"
    )
    line.subheader(words, anchor=False, width="content")
    line.html(f"<style>.st-key-heading-{key} {{min-height: 2.5rem}}</style>", width="content")
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
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024))} kB"


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


# --- pickers -------------------------------------------------------------------------------------------------------


def pick_run(key: str, *, with_model: bool = True) -> Run | None:
    """Let the person choose a saved run, at first the best; None, said on the page, where there is none. Kept as ?run=.

    Args:
        key: Key of the widget.
        with_model: Offer only runs that can classify, otherwise every run.
    """
    lines = {line.id: line for line in cache.runs().summaries() if line.has_model or not with_model}
    if not lines:
        empty_state(
            "There is no trained model yet. Train one first; the linear baseline takes a minute."
            if with_model
            else "There is no run yet.",
            page="pages/train_models.py",
            action="Train a model",
        )
        return None
    _warn_of_unknown_run(lines)
    _follow_url("run", key, lines, _best_run_id(lines))
    st.selectbox("Run", list(lines), key=key, format_func=tables.run_labels(list(lines.values())).__getitem__)
    return cache.runs().find(_keep_picked("run", key))


def pick_dataset(key: str, *, to_predict: bool = False) -> "Dataset | None":
    """Let the person choose a data set; None, said on the page, where it cannot be read. Kept in the URL as ?data=.

    Offered are the files of the data folder, the drawn sample, a path on this machine and an upload.

    Args:
        key: Key of the widget.
        to_predict: Offer files without labels first and remember the choice apart; otherwise those that can train.
    """
    from emotion_core.dataset import find_datasets, may_train

    memory = "data_to_predict" if to_predict else "data"
    found = sorted(find_datasets(data_folder()), key=may_train, reverse=not to_predict)
    sources = {path.name: str(path) for path in found}
    asked = st.query_params.get("data") or kept(memory)
    if asked and asked not in (*sources, SAMPLE):
        sources[asked] = asked
    options = [*sources, SAMPLE]
    _follow_url("data", key, options, options[0], memory)
    choice, more = st.columns([4, 1], vertical_alignment="bottom")
    choice.selectbox("Data set", options, key=key, format_func=lambda source: Data(source=source).name)
    with more.popover("Add data", icon=":material/add:", width="stretch"):
        _add_data(key)
    if refused := st.session_state.pop(f"{key}-refused", ""):
        st.error(plain(refused), icon=":material/error:")
    source = _keep_picked("data", key, memory)
    dataset = _read(sources.get(source, source))
    if dataset is not None and dataset.is_drawn:
        drawn_badge()
    return dataset


def choose_dataset(config: RunConfig) -> bool:
    """Have the picker open with the data set of a run; say whether it is still there, and change nothing if not."""
    from emotion_core.origins import find_sources

    source = next(iter(find_sources(config)), None)
    if source is None:
        return False
    path = Path(source)
    st.query_params["data"] = path.name if path.parent == data_folder() else source
    if config.data.drop_incomplete:
        st.session_state.setdefault("incomplete_rows_dropped", set()).add(source)
    return True


def _read(source: str) -> "Dataset | None":
    """Read a data set; where only incomplete rows are in the way, ask whether to leave them out."""
    agreed = st.session_state.setdefault("incomplete_rows_dropped", set())
    try:
        return cache.dataset(source, drop_incomplete=source in agreed)
    except EmotionError as error:
        st.error(plain(str(error)), icon=":material/error:")
    with suppress(EmotionError):
        cache.dataset(source, drop_incomplete=True)
        st.button("Leave such rows out", icon=":material/filter_alt:", on_click=agreed.add, args=(source,))
    return None


def _add_data(key: str) -> None:
    """Offer a path and an upload; what is chosen becomes the picker's value."""
    st.text_input(
        "Path on this computer",
        key=f"{key}-path",
        placeholder="/home/me/fer2013.csv",
        help="A CSV, a CSV in .gz or .zip, or a folder with one sub-folder of images per emotion.",
        on_change=_choose_path,
        args=(key,),
    )
    st.file_uploader("Or upload", type=["csv", "gz", "zip"], key=f"{key}-upload", on_change=_choose_upload, args=(key,))


def _choose_path(key: str) -> None:
    if path := st.session_state[f"{key}-path"].strip():
        st.query_params["data"] = path


def _choose_upload(key: str) -> None:
    upload = st.session_state[f"{key}-upload"]
    if upload is None:
        return
    try:
        st.query_params["data"] = cache.keep_upload(upload, upload.name).name
    except EmotionError as error:
        st.session_state[f"{key}-refused"] = str(error)


def _best_run_id(lines: dict[str, RunSummary]) -> str:
    from emotion_core.classifier import best_run

    try:
        best = best_run(cache.runs()).id
    except ModelUnavailable:
        best = ""
    return best if best in lines else next(iter(lines))


def _warn_of_unknown_run(lines: dict[str, RunSummary]) -> None:
    asked = st.query_params.get("run")
    if asked and asked not in lines:
        shown = plain(repr(asked[:80]))
        st.warning(f"There is no usable run {shown} here; choose one of those below.", icon=":material/link_off:")


def _follow_url(
    parameter: str, key: str, options: Sequence[str] | dict[str, Any], default: str, memory: str = ""
) -> None:
    """Give a picker the value of the URL where that is new, else keep its own, else the session's, else the default."""
    asked = newly_asked(parameter, memory)
    if asked in options:
        st.session_state[key] = asked
    elif st.session_state.get(key) not in options:
        remembered = kept(memory or parameter)
        st.session_state[key] = remembered if remembered in options else default


def _keep_picked(parameter: str, key: str, memory: str = "") -> str:
    """Put a picker's value into the URL and the session, and return it."""
    value: str = st.session_state[key]
    keep(parameter, value, memory)
    return value


def keep(parameter: str, value: str, memory: str = "") -> None:
    """Put a choice into the URL and the session, where another parameter's name may be its memory."""
    st.session_state[_memory(memory or parameter)] = value
    remember(parameter, value)


def kept(parameter: str) -> str:
    """Return the session's choice; empty where there is none."""
    return str(st.session_state.get(_memory(parameter), ""))


def newly_asked(parameter: str, memory: str = "") -> str | None:
    """Return what the URL asks for, where that is not what the session remembers; else None."""
    asked = st.query_params.get(parameter)
    return None if asked == kept(memory or parameter) else asked


def forget(parameter: str) -> None:
    """Take a choice out of the URL and the session, because what was chosen is gone."""
    st.session_state.pop(_memory(parameter), None)
    remember(parameter, "")


def remember(parameter: str, value: str) -> None:
    """Put a choice into the URL alone, where a reload or a shared link finds it; an empty one leaves the URL."""
    if value and st.query_params.get(parameter) != value:
        st.query_params[parameter] = value
    elif not value and parameter in st.query_params:
        del st.query_params[parameter]


def _memory(parameter: str) -> str:
    """Return the session's key of a choice."""
    return f"chosen_{parameter}"
