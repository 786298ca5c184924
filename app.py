"""The dashboard's entry: page settings, the list of pages, run the chosen one."""

import streamlit as st

from emotion_core import __version__

st.set_page_config(page_title="Facial emotions", page_icon="ui/icon.svg", layout="wide")

EXPLORE = "pages/explore_data.py"


def home() -> None:
    """Open Explore: it cannot be the default page itself, whose own address would not work."""
    st.switch_page(EXPLORE, query_params=st.query_params.to_dict())


page = st.navigation(
    {
        "": [st.Page(home, default=True, visibility="hidden")],
        "Data": [
            st.Page(EXPLORE, title="Explore", url_path="explore", icon=":material/bar_chart:"),
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
st.sidebar.caption(f"Facial emotions {__version__}. Everything stays on this computer.")
page.run()
