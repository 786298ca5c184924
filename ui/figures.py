"""Charts on the page, in the look of the app and as large as the presenter's view has them."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import presenter
from ui.charts import CALM

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure


def show_curves(points: "pd.DataFrame", chart: dict[str, Any], *, key: str, alt: str) -> None:
    """Show a Vega-Lite chart in the look of the app, its text in the theme's own colour."""
    st.vega_lite_chart(points, presenter.enlarged(chart | {"config": CALM}), theme=None, key=key, alt=alt)


def show_figure(figure: "Figure", *, key: str, alt: str) -> None:
    """Show a Plotly figure across the width of its place; it can be zoomed by dragging."""
    st.plotly_chart(presenter.enlarged_figure(figure), theme=None, key=key, alt=alt, config={"displayModeBar": False})
