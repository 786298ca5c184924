"""What the pages' look needs beyond the theme in `.streamlit/config.toml`."""

from typing import Final

import streamlit as st

from ui.charts import DEEP_ACCENT

_LEGIBLE_BUTTONS: Final = f"""[data-testid^="stBaseButton-primary"] {{
background-color: light-dark(#3D4FB5, {DEEP_ACCENT}); border-color: light-dark(#3D4FB5, {DEEP_ACCENT})}}"""
"""Streamlit writes white on the theme's primary colour, which in the dark is light enough to be read as text."""

_TITLE_AT_THE_TOP: Final = """[data-testid="stMainBlockContainer"] {padding-top: 3.75rem}
[data-testid="stMainBlockContainer"] h1 {padding-top: 0}"""
"""The title follows at once on Streamlit's bar, 3.75 rem high: on a small screen the room is needed below."""


_FIGURES_IN_INK: Final = """.js-plotly-plot text:not(.hoverlayer *) {fill: currentColor !important}
.js-plotly-plot .barlayer .yerror {stroke: currentColor !important}"""
"""Plotly takes no colour that follows the theme. What it says where one points has a ground of its own."""

_WHOLE_LABELS: Final = """[data-testid="stCheckbox"] [data-testid="stMarkdownContainer"],
[data-testid="stCheckbox"] p {white-space: normal}"""
"""Streamlit cuts the label of a switch that has a help beside it where there is little room."""


def dress_page() -> None:
    """Put the style into the page."""
    st.html(f"<style>{_LEGIBLE_BUTTONS}\n{_TITLE_AT_THE_TOP}\n{_FIGURES_IN_INK}\n{_WHOLE_LABELS}</style>")
