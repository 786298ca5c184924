"""The presenter's switch: everything larger, so that it is legible from the back of a room.

Streamlit and our own HTML measure letters by the page's font size, so that a larger one enlarges them. Charts and
columns of tables measure in pixels: they are enlarged on their way to the page.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_KEY: Final = "presenter"
_SCALE: Final = 1.3

_LARGER: Final = f"""<style>
html {{font-size: {16 * _SCALE}px !important}}
[data-testid="stMainBlockContainer"] {{padding-left: 2rem; padding-right: 2rem}}
</style>"""

_IN_PIXELS: Final = ("fontSize", "FontSize", "strokeWidth", "height", "symbolSize")
"""Ends of the names of Vega-Lite's settings that are lengths in pixels."""


def offer_presenter_view() -> None:
    """Show the switch, which the URL remembers."""
    is_on = st.toggle(
        "Presenter view",
        key=_KEY,
        bind="query-params",
        help="Everything larger, to be readable from the back of a room.",
    )
    if is_on:
        st.html(_LARGER)


def scale() -> float:
    """Return by how much what is measured in pixels is to be enlarged."""
    return _SCALE if st.session_state.get(_KEY) else 1.0


def pixels(length: int) -> int:
    """Return a length in pixels as the switch says."""
    return round(length * scale())


def enlarged(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite description with letters, lines and height as large as the room needs them."""
    factor = scale()
    return dict(chart) if factor == 1.0 else _enlarged(chart, factor)


def enlarged_figure(figure: "Figure") -> "Figure":
    """Return a Plotly figure with larger letters; each that it gives no size keeps its proportion to the others."""
    factor = scale()
    return figure if factor == 1.0 else type(figure)(_with_larger_fonts(figure.to_plotly_json(), factor))


def widened(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns of a table as wide as larger letters need them."""
    return {
        name: column | {"width": pixels(column["width"])} if isinstance(column.get("width"), int) else column
        for name, column in columns.items()
    }


def _enlarged(part: Any, factor: float, name: str = "") -> Any:
    if isinstance(part, Mapping):
        return {key: _enlarged(value, factor, key) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_enlarged(each, factor) for each in part]
    is_length = name.endswith(_IN_PIXELS) and isinstance(part, int | float)
    return part * factor if is_length else part


def _with_larger_fonts(part: Any, factor: float, name: str = "") -> Any:
    if isinstance(part, list | tuple):
        return [_with_larger_fonts(each, factor) for each in part]
    if not isinstance(part, Mapping):
        return part
    if name.endswith("font") and "size" in part:
        return {**part, "size": part["size"] * factor}
    return {key: _with_larger_fonts(value, factor, key) for key, value in part.items()}
