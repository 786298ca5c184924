"""Run: everything that is known about one run, and what can be done with it."""

import streamlit as st

from emotion_core.runs import Run, RunSummary, State, summarise
from ui import cache, manage, pickers, widgets
from ui.run_header import show_header, show_notes, show_outcome
from ui.run_scores import show_scores, show_sources
from ui.run_sections import show_sections


def show_run(run: Run, line: RunSummary) -> None:
    """Show a run whose folder can be read."""
    status, evaluation = run.status(), run.evaluation()
    show_outcome(run, line)
    show_notes(run.about())
    if run.config.data.is_misaligned:
        st.info(
            "This run's faces and labels were shuffled separately on purpose, as the coursework's notebook did by "
            "mistake: the labels below do not belong to the faces.",
            icon=":material/shuffle:",
        )
    if evaluation is not None:
        show_scores(evaluation, line)
        show_sources(evaluation, line)
    show_sections(run, line, status, evaluation)


def show_damaged(run: Run, line: RunSummary) -> None:
    """Say what is damaged, and show what can still be read."""
    st.error(
        f"{widgets.plain(line.reason)} The rest of its folder is shown below; a run beyond repair can be deleted.",
        icon=":material/broken_image:",
    )
    show_notes(run.about())
    show_sections(run, line, None, None)


title, picker = widgets.columns([2, 3], "title", narrowest=13, gap="small", vertical_alignment="bottom")
with title:
    widgets.page_header("Run", "Everything about one run.")
manage.follow_up()
with picker if cache.runs().all() else st.container():
    chosen = pickers.pick_run(manage.PICKER, with_model=False)
if chosen is None:
    st.stop()
summary = summarise(chosen)
with widgets.friendly_errors():
    show_header(chosen, summary)
    if summary.state is State.DAMAGED:
        show_damaged(chosen, summary)
    else:
        show_run(chosen, summary)
