"""What the Train form begins with: a preset, chosen from cards, or the settings of a run that someone clones.

The URL names either, so that a link or a reload opens the same; the session remembers it for the next visit.
"""

from dataclasses import dataclass

import streamlit as st

from emotion_core.config import RunConfig, with_settings
from emotion_core.errors import EmotionError
from emotion_core.models.parameters import count_parameters
from emotion_core.presets import PRESETS, Preset
from emotion_core.runs import Run
from ui import cache
from ui.charts import ACCENT
from ui.fields import label_of
from ui.widgets import choose_dataset, forget, plain, remember


@dataclass(frozen=True)
class Start:
    """What a form begins with, and the key that tells it from other forms."""

    config: RunConfig
    key: str


# --- presets ------------------------------------------------------------------------------------------------------


def choose_preset() -> Start:
    """Show the presets as cards and return the chosen one, which the URL names."""
    asked = st.query_params.get("preset", st.session_state.get("train.preset"))
    chosen = PRESETS.get(asked or "", next(iter(PRESETS.values())))
    st.session_state["train.preset"] = chosen.name
    st.html(
        f"<style>.st-key-card-{chosen.name} {{border-color: {ACCENT}; box-shadow: inset 0 0 0 1px {ACCENT}}}</style>"
    )
    with st.grid("auto", min_column_width=200):
        for preset in PRESETS.values():
            _show_card(preset, chosen=preset is chosen)
    return Start(chosen.config, chosen.name)


def _show_card(preset: Preset, *, chosen: bool) -> None:
    model = preset.config.model
    with st.container(
        border=True, height="stretch", vertical_alignment="distribute", key=f"card-{preset.name}", gap="small"
    ):
        with st.container(gap="xsmall"):
            st.markdown(f"**{preset.title}**")
            st.caption(f"{label_of(model.family)} · {count_parameters(model):,} parameters")
            st.markdown(f":small[{preset.summary}]")
        st.button(
            "Chosen" if chosen else "Choose",
            key=f"choose-{preset.name}",
            icon=":material/check:" if chosen else None,
            disabled=chosen,
            on_click=_take_preset,
            args=(preset.name,),
            width="stretch",
        )


def _take_preset(name: str) -> None:
    st.query_params["preset"] = name


# --- clones -------------------------------------------------------------------------------------------------------


def find_cloned() -> Run | None:
    """Return the run that is to be cloned; None, said on the page where one was asked for, if there is none.

    The first time, the data picker that follows opens with the run's data.
    """
    asked = st.query_params.get("clone", "")
    if "preset" not in st.query_params:
        asked = asked or st.session_state.get("chosen_clone", "")
    if not asked:
        forget("clone")
        return None
    try:
        run = cache.runs().find(asked)
        _begin(run)
    except EmotionError as error:
        st.warning(plain(str(error)), icon=":material/link_off:")
        forget("clone")
        return None
    return run


def clone_anew() -> None:
    """Have the form open with a run's own settings again, whatever was changed when it was cloned before."""
    st.session_state.pop("train.cloned", None)


def show_cloned(run: Run) -> Start:
    """Say whose settings the form has, offer the way back to the presets, and return the settings."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/content_copy: Settings of **{plain(run.name)}**", width="content")
        st.button("Back to the presets", key="leave-clone", icon=":material/arrow_back:", on_click=_leave)
    data = run.config.data.source
    if not st.session_state["train.cloned_with_data"]:
        st.warning(
            f"Its data set is gone: {plain(data)}. The new run learns from the one chosen above.",
            icon=":material/link_off:",
        )
    return Start(with_settings(run.config, {"data_fingerprint": ""}), _key(run))


def _key(run: Run) -> str:
    return f"clone-{run.id}"


def _begin(run: Run) -> None:
    """Open the form with the run's own settings, once; from then on what is changed there holds."""
    config = run.config
    if st.session_state.get("train.cloned") != run.id:
        for key in [key for key in st.session_state if str(key).startswith(f"{_key(run)}.")]:
            del st.session_state[key]
        here = choose_dataset(config.data.source, drop_incomplete=config.data.drop_incomplete)
        st.session_state["train.cloned_with_data"] = here
        st.session_state["train.augmentation_declined"] = {_key(run): st.session_state.get("augmentation")}
        st.session_state["train.cloned"] = run.id
    st.session_state["chosen_clone"] = run.id
    remember("clone", run.id)


def _leave() -> None:
    forget("clone")
    clone_anew()
