"""The guided tour: four steps that lead a newcomer through the main job, each on the page where it is done."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui.choices import put_in_url
from ui.widgets import go_to

_STEP: Final = "tour"
"""In the session and in the URL: the number of the step that is open, from 1."""


@dataclass(frozen=True)
class Step:
    """One step of the tour: its page, its icon, what it is called, what to do there and what it shows."""

    page: str
    icon: str
    title: str
    words: str


STEPS: Final = (
    Step(
        "pages/explore_data.py",
        ":material/bar_chart:",
        "Look at the data",
        "See how uneven the emotions are, and what always answering the most common one would score.",
    ),
    Step(
        "pages/train_models.py",
        ":material/play_circle:",
        "Train a model",
        "Choose a preset and press **Train**. It learns in the background while you watch its curves.",
    ),
    Step(
        "pages/compare_runs.py",
        ":material/leaderboard:",
        "Compare the runs",
        "Sort them, tick two and lay their curves and mistakes side by side.",
    ),
    Step(
        "pages/classify_faces.py",
        ":material/face:",
        "Let it read a face",
        "Give it a picture or the webcam, then see what its answer depends on.",
    ),
)


def offer_tour() -> None:
    """Show the four steps, each a way to its page, and offer to be led through them."""
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("Four steps", anchor=False, width="content")
            if st.button("Take the tour", icon=":material/tour:", key="tour-start"):
                _go_to(1)
        for number, step in enumerate(STEPS, start=1):
            st.page_link(step.page, label=f"**{number}. {step.title}**", icon=step.icon)
            st.caption(step.words)


def show_tour() -> None:
    """Show the step of the tour that is open, if one is, above the page."""
    number = _open_step()
    if number is None:
        return
    step, is_last = STEPS[number - 1], number == len(STEPS)
    with st.container(border=True, key="tour-banner"):
        words, buttons = st.columns([5, 3], vertical_alignment="center")
    words.markdown(f":blue-badge[:material/tour: {number} of {len(STEPS)}] **{step.title}.** {step.words}")
    with buttons, st.container(horizontal=True, horizontal_alignment="right"):
        if number > 1 and st.button("Back", key="tour-back"):
            _go_to(number - 1)
        if not is_last and st.button("Next step", type="primary", key="tour-next"):
            _go_to(number + 1)
        st.button("Done" if is_last else "End the tour", key="tour-end", on_click=_end)


def _open_step() -> int | None:
    """Return the step that the session, or after a reload the URL, says is open; the URL then says it too."""
    number = st.session_state.get(_STEP, st.query_params.get(_STEP, ""))
    if str(number) not in map(str, range(1, len(STEPS) + 1)):
        return None
    st.session_state[_STEP] = int(number)
    put_in_url(_STEP, str(number))
    return int(number)


def _go_to(number: int) -> None:
    st.session_state[_STEP] = number
    go_to(STEPS[number - 1].page)


def _end() -> None:
    st.session_state[_STEP] = 0
    put_in_url(_STEP, "")
