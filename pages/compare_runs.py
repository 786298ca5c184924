"""Results: every saved run in one table, grouped over seeds, and chosen ones beside each other."""

import streamlit as st

from ui import cache, carrying, tables, widgets
from ui.results_table import show_reading, show_table
from ui.results_view import View, choose_view
from ui.side_by_side import compare


def offer_files(view: View) -> None:
    """Offer the table as a file, and to take in a run from elsewhere."""
    with st.container(horizontal=True):
        st.download_button(
            "Download the table",
            lambda: tables.as_csv(tables.runs_table(view.every, view.baseline)),
            "results.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="download-table",
            help="Every row and column, unrounded.",
        )
        carrying.offer_import()


widgets.page_header("Results", "Every saved run, scored on the faces it never learnt from.")
summaries = cache.runs().summaries()
if not summaries:
    widgets.empty_state(
        "No saved runs yet. Train a model and it appears here.",
        page="pages/train_models.py",
        action="Train a model",
        icon=":material/leaderboard:",
    )
    carrying.offer_import()
    st.stop()
shown = choose_view(summaries)
if shown.rows:
    ticked = show_table(shown)
    show_reading(shown)
    offer_files(shown)
    compare(shown, ticked)
else:
    st.info("No run matches. Loosen the search or the filter.", icon=":material/filter_alt_off:")
    offer_files(shown)
