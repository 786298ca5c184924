"""The dashboard's entry: page settings, the list of pages, run the chosen one."""

import json
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from emotion_core import __version__
from ui import cache
from ui.history import make_one_step_a_page
from ui.look import dress_page
from ui.presenter import offer_presenter_view
from ui.tour import show_tour
from ui.widgets import friendly_errors

st.set_page_config(page_title="Facial emotions", page_icon="ui/icon.svg", layout="wide")
dress_page()


def leave_old_page_mode() -> None:
    """Show our navigation, and open the page anew if it is the first that a fresh server serves, and not the home page.

    NOTE: Streamlit runs a server's first script in its old multipage mode because there is a folder `pages/`. It then
    lists the files of that folder, which `config.toml` hides; it takes the page out of the address and says in a
    dialog that there is no such page. `st.navigation` below would end that mode, too, but maybe not before the page
    is opened anew.
    """
    st.set_option("client.showSidebarNavigation", True)
    was_old, PagesManager.uses_pages_directory = PagesManager.uses_pages_directory, False
    path = urlsplit(st.context.url or "").path
    if was_old and path.strip("/"):
        address = json.dumps(path).replace("<", "\\u003c")
        st.html(
            f"<script>location.replace(location.origin + {address} + location.search)</script>",
            unsafe_allow_javascript=True,
        )


leave_old_page_mode()
cache.wake_engine()
page = st.navigation(
    {
        "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
        "Data": [
            st.Page("pages/explore_data.py", title="Explore", url_path="explore", icon=":material/bar_chart:"),
            st.Page("pages/preview_augmentation.py", title="Augment", url_path="augment", icon=":material/transform:"),
        ],
        "Models": [
            st.Page("pages/train_models.py", title="Train", url_path="train", icon=":material/play_circle:"),
            st.Page("pages/compare_runs.py", title="Results", url_path="results", icon=":material/leaderboard:"),
            st.Page("pages/inspect_run.py", title="Run", url_path="run", icon=":material/search_insights:"),
        ],
        "Use": [
            st.Page("pages/classify_faces.py", title="Classify", url_path="classify", icon=":material/face:"),
            st.Page("pages/predict_kaggle.py", title="Kaggle", url_path="kaggle", icon=":material/upload_file:"),
        ],
    }
)
with st.sidebar:
    offer_presenter_view()
    st.caption(f"Facial emotions {__version__}. Nothing leaves the computer that runs it.")
    make_one_step_a_page()
show_tour()
with friendly_errors():  # what a page does not say itself, such as that the folder of runs cannot be read
    page.run()
