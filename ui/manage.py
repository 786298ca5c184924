"""The dialogs about a saved run, in which it is given more epochs, named and deleted, and what follows from them."""

from typing import Final

import streamlit as st

from emotion_core.config import LONGEST_NAME, MOST_EPOCHS
from emotion_core.errors import EmotionError
from emotion_core.runs import Run
from emotion_core.runs.about import LONGEST_NOTES, LONGEST_TAG, MOST_TAGS, About
from emotion_core.units import counted
from ui import cache, launch
from ui.choices import forget
from ui.widgets import friendly_errors, plain

PICKER: Final = "run-inspected"
"""Key of the Run page's picker."""

_NOTICE, _TO_WATCH, _REFUSED = "run-notice", "run-to-watch", "run-about-refused"
"""Where the session keeps what the next look at the page has to say or to do."""


def follow_up() -> None:
    """Say what became of what a person chose, or go on to where it leads. Comes first on a page."""
    if run_id := st.session_state.pop(_TO_WATCH, ""):
        launch.go_to_train(launch.WATCH, run=run_id)
    if notice := st.session_state.pop(_NOTICE, ""):
        st.toast(plain(notice))


def say_next(notice: str) -> None:
    """Have the next look at the page say something in passing."""
    st.session_state[_NOTICE] = notice


def resume(run: Run, epochs: int | None = None) -> None:
    """Queue the run to go on, and watch it; a sentence is shown where it cannot."""
    try:
        cache.engine().resume(run, epochs)
    except EmotionError as error:
        say_next(str(error))
    else:
        st.session_state[_TO_WATCH] = run.id
    st.rerun()


@st.dialog("Train longer")
@friendly_errors()
def train_longer(run: Run) -> None:
    """Ask for the number of epochs in all."""
    done, planned = run.status().epoch, run.status().epochs
    st.markdown(f"Training continues after {counted(done, 'epoch')}, with the same settings.")
    ask_for_epochs(done, planned, key="epochs-in-all")
    st.button(
        "Continue", type="primary", icon=":material/play_circle:", key="train-longer", on_click=_lengthen, args=(run,)
    )


def ask_for_epochs(done: int, planned: int, key: str) -> None:
    """Ask how many epochs a run shall have in all; suggest those it was to have, or else as many again."""
    suggested = planned if planned > done else min(MOST_EPOCHS, 2 * done)
    st.number_input("Total epochs", done + 1, MOST_EPOCHS, suggested, key=key)


def _lengthen(run: Run) -> None:
    resume(run, int(st.session_state["epochs-in-all"]))


@st.dialog("Name, notes and tags")
@friendly_errors()
def edit(run: Run) -> None:
    """Let a person write about the run."""
    about = run.about()
    known = sorted({tag for line in cache.runs().summaries() for tag in line.tags})
    st.text_input("Name", about.name, max_chars=LONGEST_NAME, placeholder=run.submitted_name, key="about-name")
    st.text_area("Notes", about.notes, max_chars=LONGEST_NOTES, height=180, key="about-notes")
    st.multiselect(
        "Tags",
        known,
        list(about.tags),
        accept_new_options=True,
        max_selections=MOST_TAGS,
        placeholder="Choose, or type a new one",
        help=f"Words to find and group runs by, up to {LONGEST_TAG} characters each.",
        key="about-tags",
    )
    st.button("Save", type="primary", key="save-about", on_click=_save, args=(run,))
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(plain(refused), icon=":material/error:")


def _save(run: Run) -> None:
    """Keep what was written; where that cannot be, the dialog stays open and says why."""
    typed = st.session_state
    try:
        run.write_about(About.as_typed(typed["about-name"], typed["about-notes"], typed["about-tags"]))
    except EmotionError as error:
        st.session_state[_REFUSED] = str(error)
    except FileNotFoundError:
        say_next("This run has been deleted meanwhile.")
        forget("run")
        cache.list_anew()
        st.rerun()
    except OSError as error:
        st.session_state[_REFUSED] = f"The folder of this run cannot be written to: {error.strerror}."
    else:
        cache.list_anew()
        st.session_state.pop(PICKER, None)  # or the browser goes on showing the old name
        st.rerun()  # all of the page, not only the dialog


@st.dialog("Delete this run?")
@friendly_errors()
def confirm_deletion(run: Run) -> None:
    """Ask once more, then remove the run for good."""
    st.markdown(f"**{plain(_name_of(run))}** and its model are removed from the disk. This cannot be undone.")
    needing = [plain(line.name) for line in cache.runs().in_need_of(run)]
    if needing:
        names = ", ".join(f"**{name}**" for name in needing)
        st.warning(f"It is needed to train {names}; it can be deleted once that is over.", icon=":material/link:")
    st.button(
        "Delete for good",
        type="primary",
        key="delete-for-good",
        disabled=bool(needing),
        on_click=_delete,
        args=(run,),
    )


def _delete(run: Run) -> None:
    """Remove the run; the page then says so and shows another of those that are left."""
    name = _name_of(run)
    try:
        cache.engine().delete(run)
    except EmotionError as error:
        say_next(str(error))
    else:
        say_next(f"{name} is deleted.")
        forget("run")
        cache.list_anew()
    st.rerun()


def _name_of(run: Run) -> str:
    try:
        return run.name
    except EmotionError:
        return run.id
