"""Runs on their way to another machine and from there: one zip out, one checked zip in."""

import io
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.errors import EmotionError
from emotion_core.runs import Run
from emotion_core.units import MEGABYTE
from ui import cache
from ui.manage import say_next
from ui.widgets import go_to, plain

_IMPORTED: Final = "run-imported"
_IMPORT_REFUSED: Final = "run-import-refused"
"""Where the session keeps what became of an upload."""


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
        say_next("The run is imported.")
        go_to("pages/inspect_run.py", run=run_id)
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
