"""The figures of a run in one line, large enough for the back of a room. Nothing here calls Streamlit."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_EDGE: Final = "1px solid rgba(128, 134, 156, 0.35)"


@dataclass(frozen=True)
class Headline:
    """A figure with its name above and a note below."""

    name: str
    figure: str
    note: str


def strip(headlines: Sequence[Headline]) -> str:
    """Return HTML that shows figures side by side, each as wide as it is, in further lines where there is no room."""
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.8rem 1.2rem;'
        f'border:{_EDGE};border-radius:8px;padding:.75rem 1rem;font-variant-numeric:tabular-nums">'
        f"{''.join(map(_column, headlines))}</div>"
    )


def in_short(number: int) -> str:
    """Write a number as 912, 16.1 k or 7.26 M."""
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * size:  # what is nearly a million is not 1000 k
            return f"{number / size:.3g} {letter}"
    return str(number)


def _column(headline: Headline) -> str:
    return (
        '<div style="flex:1 0 auto;display:flex;flex-direction:column;justify-content:flex-end">'
        f'<div style="font-size:.85rem;line-height:1.2;opacity:.8">{escape(headline.name)}</div>'
        f'<div style="font-size:1.75rem;font-weight:600;line-height:1.3;white-space:nowrap">'
        f"{escape(headline.figure)}</div>"
        f'<div style="font-size:.85rem;line-height:1.2;opacity:.7">{escape(headline.note)}</div></div>'
    )
