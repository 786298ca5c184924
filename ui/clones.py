"""A run whose settings the Train form begins with: which one is asked for, and what came of it.

The URL names the run, so that a link or a reload opens the same; the session remembers it for the next visit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import RunConfig, with_settings
from emotion_core.errors import EmotionError
from emotion_core.grid import without_seed
from emotion_core.runs import Run
from ui import brought, cache
from ui.choices import forget, keep, kept
from ui.pickers import choose_dataset
from ui.starts import Start
from ui.widgets import plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_CLONE: Final = "clone"
_OPENED: Final = "train.cloned"


@dataclass(frozen=True)
class _Opened:
    """The clone that is open, and whether the data that its run learnt from is still there."""

    id: str
    with_data: bool


def find_cloned() -> Run | None:
    """Return the run that is to be cloned; None, said on the page where one was asked for, if there is none.

    The first time, the data picker that follows opens with the run's data.
    """
    asked = _asked()
    if not asked:
        forget(_CLONE)
        return None
    try:
        run = cache.runs().find(asked)
        _open(run)
    except EmotionError as error:
        st.warning(plain(str(error)), icon=":material/link_off:")
        forget(_CLONE)
        return None
    return run


def family_of_clone() -> str | None:
    """Return the family of the run that is to be cloned; None where there is none."""
    asked = _asked()
    try:
        return cache.runs().find(asked).config.model.family if asked else None
    except EmotionError:
        return None


def show_cloned(run: Run, dataset: "Dataset | None") -> Start:
    """Say whose settings the form has and why its data may be others, offer the presets, and return the settings."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/content_copy: Settings of **{plain(run.name)}**", width="content")
        st.button("Back to the presets", key="leave-clone", icon=":material/arrow_back:", on_click=leave_clone)
    if dataset is not None:
        _warn_of_other_faces(run.config, dataset)
    settings = with_settings(run.config, {"data_fingerprint": "", "name": without_seed(run.config.name)})
    return Start(settings, _key(run))


def _warn_of_other_faces(config: RunConfig, dataset: "Dataset") -> None:
    """Say why the faces are not those that the run learnt from, unless a person chose others."""
    from emotion_core.origins import learnt_from

    opened: _Opened = st.session_state[_OPENED]
    if learnt_from(config, dataset):
        return
    if not opened.with_data:
        st.warning(
            f"Its data set is gone: {plain(config.data.source)}. The new run learns from the one chosen above.",
            icon=":material/link_off:",
        )
    elif dataset.name == config.data.name:
        st.warning(
            f"**{plain(dataset.name)}** holds other faces than when it was trained, so the new run's scores cannot be "
            "compared with its own.",
            icon=":material/difference:",
        )


def clone_anew() -> None:
    """Have the form open with a run's own settings again, whatever was changed when it was cloned before."""
    st.session_state.pop(_OPENED, None)


def leave_clone() -> None:
    """Go back to the presets."""
    forget(_CLONE)
    clone_anew()


def _asked() -> str:
    """Return the id of the run to clone that the URL names, or the session where the URL names no preset."""
    remembered = "" if "preset" in st.query_params else kept(_CLONE)
    return str(st.query_params.get(_CLONE, "") or remembered)


def _open(run: Run) -> None:
    """Open the form with the run's own settings, once; from then on what is changed there holds."""
    config = run.config  # each time, so that one that can no longer be read is told of here
    opened: _Opened | None = st.session_state.get(_OPENED)
    if opened is None or opened.id != run.id:
        for key in [key for key in st.session_state if str(key).startswith(f"{_key(run)}.")]:
            del st.session_state[key]
        with_data = choose_dataset(config)
        brought.decline(_key(run))
        st.session_state[_OPENED] = _Opened(run.id, with_data)
    keep(_CLONE, run.id)


def _key(run: Run) -> str:
    """Return the key of the form that begins with a run's settings."""
    return f"clone-{run.id}"
