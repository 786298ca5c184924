"""What a person does with a saved run: name it, go on with it, copy it, carry it to another machine, delete it."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.config import MOST_EPOCHS
from emotion_core.errors import EmotionError
from emotion_core.runs import Run, RunSummary, State, WayOn, way_on
from emotion_core.runs.about import LONGEST_NAME, LONGEST_NOTES, LONGEST_TAG, MOST_TAGS, About
from emotion_core.units import MEGABYTE
from ui import cache, launch
from ui.choices import forget
from ui.run_actions import ask_for_epochs
from ui.widgets import go_to, plain

TRAIN, INSPECT = "pages/train_models.py", "pages/inspect_run.py"
CLASSIFY, KAGGLE = "pages/classify_faces.py", "pages/predict_kaggle.py"

PICKER: Final = "run-inspected"
"""Key of the Run page's picker."""

_NOTICE, _TO_WATCH, _REFUSED = "run-notice", "run-to-watch", "run-about-refused"
_IMPORTED, _IMPORT_REFUSED = "run-imported", "run-import-refused"
"""Where the session keeps what the next look at the page has to say or to do."""


@dataclass(frozen=True)
class Action:
    """Something that can be done with a run."""

    label: str
    icon: str
    act: Callable[[Run], None]


def follow_up() -> None:
    """Say what became of what a person chose, or go on to where it leads. Comes first on a page."""
    if run_id := st.session_state.pop(_TO_WATCH, ""):
        _go_to_train(launch.WATCH, run=run_id)
    if notice := st.session_state.pop(_NOTICE, ""):
        st.toast(plain(notice))


# --- choosing ------------------------------------------------------------------------------------------------------


def offer_actions(run: Run, line: RunSummary) -> None:
    """Offer the one next step as a button, and everything else in a menu beside it."""
    first, *others = possible_actions(run, line)
    # NOTE: the keys name the run, lest a click reach another one that has taken its place on the page meanwhile.
    with st.container(horizontal=True, horizontal_alignment="right"):
        kind = "secondary" if first in (EDIT, DELETE) else "primary"
        if st.button(first.label, type=kind, icon=first.icon, key=f"next-step-{first.label}-{run.id}"):
            first.act(run)
        if others:
            chosen = st.menu_button(
                "More", [f"{action.icon} {action.label}" for action in others], key=f"more-{run.id}"
            )
            for action in others:
                if chosen == f"{action.icon} {action.label}":
                    action.act(run)


def possible_actions(run: Run, line: RunSummary) -> list[Action]:
    """Return what can be done with a run as it stands, the one next step first."""
    if line.state is State.DAMAGED:
        return [DELETE]
    if not line.state.is_over:
        return [WATCH, EDIT, CLONE]
    use = [USE, PREDICT] if line.has_model else []
    return [*use[:1], *_ways_on(run, line), *use[1:], EDIT, CLONE, DELETE]


def _ways_on(run: Run, line: RunSummary) -> list[Action]:
    """Return how its training can go on: where its last whole epoch was saved, or where there is nothing to lose."""
    match way_on(run, line.state):
        case WayOn.RESUME:
            return [RESUME]
        case WayOn.LENGTHEN:
            return [TRAIN_LONGER] if line.epoch < MOST_EPOCHS else []
        case WayOn.START_AGAIN:
            return [START_AGAIN]
        case _:
            return []


def _go_to_train(view: str, **query: str) -> None:
    launch.open_view(view)
    go_to(TRAIN, **query)


def _watch(run: Run) -> None:
    _go_to_train(launch.WATCH, run=run.id)


def _clone(run: Run) -> None:
    _go_to_train(launch.NEW, clone=run.id)


def _classify(run: Run) -> None:
    go_to(CLASSIFY, run=run.id)


def _predict(run: Run) -> None:
    go_to(KAGGLE, run=run.id)


def _resume(run: Run, epochs: int | None = None) -> None:
    """Queue the run to go on, and watch it; a sentence is shown where it cannot."""
    try:
        cache.engine().resume(run, epochs)
    except EmotionError as error:
        st.session_state[_NOTICE] = str(error)
    else:
        st.session_state[_TO_WATCH] = run.id
    st.rerun()


# --- asking --------------------------------------------------------------------------------------------------------


@st.dialog("Train longer")
def _train_longer(run: Run) -> None:
    """Ask for the number of epochs in all."""
    done, planned = run.status().epoch, run.status().epochs
    st.markdown(f"{done:,} epochs are done. Training continues after the last one, with the same settings.")
    ask_for_epochs(done, planned, key="epochs-in-all")
    st.button(
        "Continue", type="primary", icon=":material/play_circle:", key="train-longer", on_click=_lengthen, args=(run,)
    )


def _lengthen(run: Run) -> None:
    _resume(run, int(st.session_state["epochs-in-all"]))


@st.dialog("Name, notes and tags")
def _edit(run: Run) -> None:
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
    except OSError as error:
        st.session_state[_REFUSED] = f"The folder of this run cannot be written to: {error.strerror}."
    else:
        cache.list_anew()
        st.session_state.pop(PICKER, None)  # or the browser goes on showing the old name
        st.rerun()  # all of the page, not only the dialog


@st.dialog("Delete this run?")
def _confirm_deletion(run: Run) -> None:
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
        st.session_state[_NOTICE] = str(error)
    else:
        st.session_state[_NOTICE] = f"{name} is deleted."
        forget("run")
        cache.list_anew()
    st.rerun()


def _name_of(run: Run) -> str:
    try:
        return run.name
    except EmotionError:
        return run.id


WATCH = Action("Watch it train", ":material/monitoring:", _watch)
USE = Action("Classify faces", ":material/face:", _classify)
PREDICT = Action("Predict for Kaggle", ":material/upload_file:", _predict)
RESUME = Action("Resume", ":material/resume:", _resume)
START_AGAIN = Action("Start again", ":material/restart_alt:", _resume)
TRAIN_LONGER = Action("Train longer", ":material/more_time:", _train_longer)
EDIT = Action("Name, notes and tags", ":material/edit:", _edit)
CLONE = Action("Clone", ":material/content_copy:", _clone)
DELETE = Action("Delete", ":material/delete:", _confirm_deletion)


# --- carrying ------------------------------------------------------------------------------------------------------


def offer_export(run: Run) -> None:
    """Offer the run as one zip, which is made when it is asked for."""
    from emotion_core.archive import loses_model

    lost = (
        "Its model does not travel with it, as it came with the app as a serving copy only"
        if loses_model(run)
        else "Checkpoints stay here, so it cannot be resumed there"
    )
    st.download_button(
        "All as one zip",
        lambda: _zipped(run),
        f"{run.id}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        key="export",
        help=f"Another machine can import it on its Results page. {lost}.",
    )


def _zipped(run: Run) -> bytes:
    from emotion_core.archive import pack

    content = io.BytesIO()
    pack(run, content)
    return content.getvalue()


def offer_import() -> None:
    """Offer to add a run that was downloaded elsewhere, and lead to it once it is there."""
    from emotion_core.archive import MAX_ARCHIVE_BYTES

    if run_id := st.session_state.pop(_IMPORTED, ""):
        st.session_state[_NOTICE] = "The run is imported."
        go_to(INSPECT, run=run_id)
    with st.popover("Import a run", icon=":material/upload:"):
        st.file_uploader(
            "Zip of a run",
            type="zip",
            max_upload_size=MAX_ARCHIVE_BYTES // MEGABYTE,
            key="import",
            on_change=_take_in,
            help="As downloaded from the Run page. It is checked file by file, and nothing in it is ever executed.",
        )
        if refused := st.session_state.get(_IMPORT_REFUSED, ""):
            st.error(plain(refused), icon=":material/error:")


def _take_in() -> None:
    from emotion_core.archive import unpack

    upload: UploadedFile | None = st.session_state["import"]
    st.session_state[_IMPORT_REFUSED] = ""
    if upload is None:
        return
    try:
        st.session_state[_IMPORTED] = unpack(upload, cache.runs()).id
        cache.list_anew()
    except EmotionError as error:
        st.session_state[_IMPORT_REFUSED] = str(error)
