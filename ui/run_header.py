"""The top of the Run page: what the run is, how it stands, how it ended, and what people noted."""

import streamlit as st

from emotion_core.runs import About, Run, RunSummary, State, WayOn, way_on
from emotion_core.watch import watch
from ui import badges, charts, run_actions, widgets


def show_header(run: Run, line: RunSummary) -> None:
    """Show what the run is, how it stands, and where to go from here."""
    title, actions = st.columns([5, 3], vertical_alignment="center")
    with title, st.container(gap="xsmall"):
        st.subheader(widgets.plain(line.name), anchor=False)
        with st.container(horizontal=True, gap="small"):
            badges.state_badge(line.state)
            if line.state is not State.DAMAGED:
                _show_origin(run, line)
    with actions:
        run_actions.offer_actions(run, line)


def _show_origin(run: Run, line: RunSummary) -> None:
    if run.config.data.is_drawn:
        badges.drawn_badge()
    else:
        data = charts.short(run.config.data.name)
        badges.typed_badge(data, ":material/database:")
    badges.typed_badge(line.preset, ":material/tune:")
    st.badge(f"Seed {line.seed}", icon=":material/casino:", color="gray")
    for tag in line.tags:
        badges.typed_badge(tag, ":material/label:", "primary")


def show_outcome(run: Run, line: RunSummary) -> None:
    """Say why a run ended that did not simply finish, and what else there is to know of it."""
    sentence = widgets.plain(watch(run).phase)
    if line.state in (State.FAILED, State.INTERRUPTED):
        st.error(sentence, icon=":material/error:")
    elif line.reason:
        st.info(sentence, icon=":material/info:")
    if line.has_model or not line.state.is_over:
        return
    if line.state in (State.FAILED, State.INTERRUPTED):
        if way_on(run, line.state) is not WayOn.NONE:
            st.info("It can classify faces once its training is taken up again and ends.", icon=":material/hourglass:")
    elif run.keras_path.exists():
        _wait_for_model(run)
    elif line.state is State.FINISHED:
        _offer_to_train_anew(run)


def _offer_to_train_anew(run: Run) -> None:
    """Say that a run has scores but no model, and lead to one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            "This run came without its weights: to classify faces with it, train it again.",
            icon=":material/weight:",
        )
        if st.button("Train it again", icon=run_actions.CLONE.icon, key=f"train-anew-{run.id}"):
            run_actions.do(run_actions.CLONE, run)


@st.fragment(run_every=5)
@widgets.friendly_errors()
def _wait_for_model(run: Run) -> None:
    """Say that the run cannot classify yet, offer to change that, and show the page anew once it can."""
    from emotion_core.archive import is_being_prepared, prepare, why_not_prepared

    if run.onnx_path.exists():
        st.rerun()
    if is_being_prepared(run):
        st.info(
            "This run's model is not ready to classify yet. It is being prepared, which takes about a minute.",
            icon=":material/hourglass:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if failure := why_not_prepared(run):
            st.warning(f"This run's model could not be prepared: {widgets.plain(failure)}", icon=":material/warning:")
        else:
            st.info(
                "This run's model is not ready to classify. Preparing it takes about a minute and needs TensorFlow.",
                icon=":material/hourglass:",
            )
        if st.button("Prepare it", icon=":material/build:", key=f"prepare-{run.id}"):
            prepare(run)
            st.rerun()


def show_notes(about: About) -> None:
    """Show the notes as they were typed, line by line."""
    if about.notes:
        with st.container(border=True):
            st.text(about.notes, width="stretch")
