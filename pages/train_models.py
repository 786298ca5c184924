"""Train: choose data and a starting point, change what one likes, queue it, and watch it learn."""

import streamlit as st

from ui import cache
from ui.brought import is_newly_brought
from ui.choices import keep, kept
from ui.clones import clone_anew, family_of_clone, leave_clone
from ui.launch import NEW, VIEW, WATCH, asked_view, forgetting_clicks
from ui.live import live_view
from ui.new_run import show_new_run
from ui.starts import chosen_preset, take_preset
from ui.widgets import page_header


def choose_view() -> str:
    """Let the person switch between the form and the live view; open with the URL's, else with what there is to say."""
    if named := newly_named_view():
        st.session_state["train.view"] = named
    if asked := asked_view():
        st.session_state["train.view"] = asked
        if asked == NEW:
            clone_anew()
    if is_newly_brought():
        st.session_state["train.view"] = NEW
        leave_linear()
    st.session_state.setdefault("train.view", WATCH if is_something_to_watch() else NEW)
    view: str = st.segmented_control(
        "View", (NEW, WATCH), key="train.view", required=True, label_visibility="collapsed"
    )
    keep(VIEW, view)
    return view


def newly_named_view() -> str:
    """Return the view that the URL names as the page opens, or anew since; else an empty text."""
    named = st.query_params.get(VIEW, "")
    is_new = "train.view" not in st.session_state or named != kept(VIEW)
    return named if is_new and named in (NEW, WATCH) else ""


def leave_linear() -> None:
    """Go from a linear model, which takes no augmentation, to a small network, whose runs show what it is worth."""
    if (family_of_clone() or chosen_preset().config.model.family) == "linear":
        leave_clone()
        take_preset("cnn-small")


def is_something_to_watch() -> bool:
    is_form_asked_for = "clone" in st.query_params or "preset" in st.query_params
    return "run" in st.query_params or (not is_form_asked_for and bool(cache.runs().in_hand()))


page_header("Train", "Choose data and a starting point, change what you like, and watch it learn.")
with forgetting_clicks():
    if choose_view() == NEW:
        show_new_run()
    else:
        live_view()
