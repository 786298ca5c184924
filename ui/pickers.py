"""The pickers of a run and of a data set, which several pages share.

What was picked is kept as a choice (`choices`).
"""

import os
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import SAMPLE, Data, RunConfig
from emotion_core.errors import EmotionError, ModelUnavailable
from emotion_core.runs import Run, RunSummary
from emotion_core.settings import data_folder
from ui import cache, tables
from ui.added_data import offer_to_add, offer_to_remove, show_refusal
from ui.badges import drawn_badge
from ui.choices import follow, keep, kept
from ui.stamps import stamp_of
from ui.widgets import empty_state, plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_AGREED: Final = "incomplete_rows_dropped"
"""Where the session holds which data sets may lose rows, each with its stamp of then."""


def pick_run(key: str, *, with_model: bool = True) -> Run | None:
    """Let the person choose a saved run, at first the best; None, said on the page, where there is none. Kept as ?run=.

    Args:
        key: Key of the widget.
        with_model: Offer only runs that can classify, otherwise every run.
    """
    every = cache.runs().summaries()
    lines = {line.id: line for line in every if line.has_model or not with_model}
    if not lines:
        empty_state(
            "There is no trained model yet. Train one first; the linear baseline takes a minute."
            if with_model
            else "There is no run yet.",
            page="pages/train_models.py",
            action="Train a model",
        )
        return None
    _write_out_the_id(lines)
    _warn_of_unknown_run(lines)
    is_shown_elsewhere = any(line.id == kept("run") and line.id not in lines for line in every)
    memory = "run_with_model" if is_shown_elsewhere else "run"  # the Run page goes on with one that has no model
    follow("run", key, lines, _best_run_id(lines), memory)
    st.selectbox("Run", list(lines), key=key, format_func=tables.run_labels(list(lines.values())).__getitem__)
    return cache.runs().find(_keep_picked("run", key, memory))


def pick_dataset(key: str, *, to_predict: bool = False) -> "Dataset | None":
    """Let the person choose a data set; None, said on the page, where it cannot be read. Kept in the URL as ?data=.

    Offered are the files of the data folder, the drawn sample, a path on this machine and an upload.

    Args:
        key: Key of the widget.
        to_predict: Offer files without labels first and remember the choice apart; otherwise those that can train.
    """
    from emotion_core.dataset import chance_of_labels, find_datasets
    from emotion_core.kept_copies import is_kept_copy

    memory = "data_to_predict" if to_predict else "data"
    found = sorted(find_datasets(data_folder()), key=chance_of_labels, reverse=not to_predict)
    named = {path.name: path for path in found}
    asked = st.query_params.get("data") or kept(memory)
    elsewhere = [asked] if asked and asked not in (*named, SAMPLE) else []
    options = [*named, *elsewhere, SAMPLE]
    first = next((path.name for path in found if not is_kept_copy(path)), SAMPLE)
    follow("data", key, options, first, memory)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Data set", options, key=key, format_func=partial(_say_source, named=named))
        offer_to_add(key)
        if (chosen := st.session_state[key]) in named:
            offer_to_remove(key, named[chosen])
    show_refusal(key)
    source = _keep_picked("data", key, memory)
    dataset = _read(str(named.get(source, _place_of(source))))
    if dataset is not None and dataset.is_drawn:
        drawn_badge()
    return dataset


def choose_dataset(config: RunConfig) -> bool:
    """Have the picker open with the data set of a run; say whether it is still there, and change nothing if not."""
    from emotion_core.origins import find_sources

    source = next(iter(find_sources(config)), None)
    if source is None:
        return False
    path = Path(source)
    st.query_params["data"] = path.name if path.parent == data_folder() else source
    if config.data.drop_incomplete:
        _agree_to_leave_out(source)
    return True


def agreed_to_leave_out(source: str) -> bool:
    """Whether this person agreed to leave out the rows without pixels of a data set as it is now."""
    agreed: dict[str, int] = st.session_state.get(_AGREED, {})
    return source in agreed and agreed[source] == stamp_of(source)


def _agree_to_leave_out(source: str) -> None:
    st.session_state.setdefault(_AGREED, {})[source] = stamp_of(source)


def _say_source(source: str, named: Collection[str]) -> str:
    """Return a data set's name, or its path where a file of the data folder has the same name: the list has both."""
    name = Data(source=source).name
    return source if name in named else name


def _place_of(source: str) -> str:
    """Return the path of what is not among the offered files; one that is only a name was in the data folder."""
    is_name = source != SAMPLE and Path(source).name == source and not os.path.exists(source)
    return str(data_folder() / source) if is_name else source


def _read(source: str) -> "Dataset | None":
    """Read a data set; where only incomplete rows are in the way, ask whether to leave them out."""
    try:
        return cache.dataset(source, drop_incomplete=agreed_to_leave_out(source))
    except EmotionError as error:
        st.error(plain(str(error)), icon=":material/error:")
    with suppress(EmotionError):
        cache.dataset(source, drop_incomplete=True)
        st.button("Leave such rows out", icon=":material/filter_alt:", on_click=_agree_to_leave_out, args=(source,))
    return None


def _best_run_id(lines: dict[str, RunSummary]) -> str:
    from emotion_core.classifier import best_run

    try:
        best = best_run(cache.runs()).id
    except ModelUnavailable:
        best = ""
    return best if best in lines else next(iter(lines))


def _write_out_the_id(lines: dict[str, RunSummary]) -> None:
    """Put the whole id of a run into the URL where that holds the beginning of one."""
    asked = st.query_params.get("run", "")
    if asked and asked not in lines:
        with suppress(EmotionError):
            st.query_params["run"] = cache.runs().find(asked).id


def _warn_of_unknown_run(lines: dict[str, RunSummary]) -> None:
    asked = st.query_params.get("run")
    if asked and asked not in lines:
        shown = plain(repr(asked[:80]))
        st.warning(f"There is no usable run {shown} here; choose one of those below.", icon=":material/link_off:")


def _keep_picked(parameter: str, key: str, memory: str) -> str:
    """Put a picker's value into the URL and the session, and return it."""
    value: str = st.session_state[key]
    keep(parameter, value, memory)
    return value
