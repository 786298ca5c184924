"""Pieces of page that several pages share: headers, columns, empty states, and text that is shown as it is."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import streamlit as st

from emotion_core.errors import EmotionError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


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


def show_log(lines: str, height: int) -> None:
    """Show what a run printed in so many pixels: its end, which is news, unless one scrolls up."""
    with st.container(height=height, border=False, autoscroll=True):
        st.code(lines, language=None, wrap_lines=True)


def plain(text: str) -> str:
    """Return text that a person typed, or that came from outside, so that Markdown shows it as it is, in one line.

    NOTE: icons, emoji, arrows and addresses are found in what the escapes leave, so an invisible joint parts those.
    """
    return _MARKUP.sub(r"\\\1", _FOUND_LATER.sub("\u2060", " ".join(text.split())))


_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+.!|$~:=&-])")

_FOUND_LATER: Final = re.compile(
    r"(?<=:)(?=[\w+/-]+:)|(?<=\w)(?=://)|(?<=www)(?=\.)|(?<=\S)(?=@\w)|(?<=[<>~-])(?=[>=-])", re.IGNORECASE
)
"""Where `:material/home:`, `https://`, `www.`, `a@b` and `->` are taken apart."""


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Show what the library refuses as its one sentence and end the page there, instead of a traceback."""
    try:
        yield
    except EmotionError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
