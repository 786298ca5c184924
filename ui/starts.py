"""What the Train form begins with: a preset, chosen from its family's cards, or the settings of a cloned run.

The URL names either, so that a link or a reload opens the same; the session remembers it for the next visit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import RunConfig, with_settings
from emotion_core.coursework import SEEDS
from emotion_core.errors import EmotionError
from emotion_core.models.parameters import count_parameters
from emotion_core.presets import PRESETS, Preset
from emotion_core.runs import Run
from ui import cache
from ui.charts import ACCENT
from ui.expected import expected_time
from ui.fields import label_of
from ui.reproduce import offer_reproduction
from ui.widgets import choose_dataset, forget, plain, remember

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_CARD_WIDTH: Final = 240

_CARDS: Final = """<style>
.st-key-preset-cards [class*="st-key-card-"] {{position: relative; padding: .6rem .9rem; transition: border-color .15s}}
.st-key-preset-cards [class*="st-key-choose-"] {{position: absolute; inset: 0; width: 100%; height: 100%}}
.st-key-preset-cards [class*="st-key-choose-"] :is(div, button) {{width: 100%; height: 100%; opacity: 0}}
.st-key-preset-cards [class*="st-key-card-"]:is(:hover, :focus-within) {{border-color: {accent}}}
.st-key-preset-cards .st-key-card-{chosen} {{border-color: {accent}; box-shadow: inset 0 0 0 1px {accent}}}
</style>"""
"""Lays each card's button, unseen, over the whole card, and frames the chosen one."""


@dataclass(frozen=True)
class Start:
    """What a form begins with, and the key that tells it from other forms."""

    config: RunConfig
    key: str


# --- presets ------------------------------------------------------------------------------------------------------


def choose_preset(dataset: "Dataset | None") -> Start:
    """Show the presets family by family and return the chosen one, which the URL names."""
    asked = st.query_params.get("preset", st.session_state.get("train.preset"))
    chosen = PRESETS.get(asked or "", next(iter(PRESETS.values())))
    st.session_state["train.preset"] = chosen.name
    st.session_state.setdefault("train.preset_of_family", {})[_family(chosen)] = chosen.name
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        _choose_family(_family(chosen))
        if dataset is not None:
            offer_reproduction(dataset)
    st.html(_CARDS.format(chosen=chosen.name, accent=ACCENT))
    with st.grid("auto", min_column_width=_CARD_WIDTH, gap="small", key="preset-cards"):
        for preset in PRESETS.values():
            if _family(preset) == _family(chosen):
                _show_card(preset, dataset, chosen=preset is chosen)
    ours = "" if chosen.name in SEEDS else " Ours, not the coursework's."
    st.markdown(f"{chosen.summary}{ours}")
    return Start(chosen.config, chosen.name)


def leave_linear() -> None:
    """Go from a linear preset, which takes no augmentation, to a small network, whose runs show what it is worth."""
    chosen = PRESETS.get(st.query_params.get("preset", st.session_state.get("train.preset", "")))
    family = _family_of_clone() or (chosen and _family(chosen))
    if family in (None, "linear"):
        forget("clone")
        _take_preset("cnn-small")


def _family(preset: Preset) -> str:
    return preset.config.model.family


def _choose_family(family: str) -> None:
    """Let the person look at another family, of which the preset is taken that was chosen last, else its first."""
    families = list(dict.fromkeys(map(_family, PRESETS.values())))
    st.session_state["train.family"] = family
    st.segmented_control(
        "Family",
        families,
        format_func=label_of,
        required=True,
        key="train.family",
        label_visibility="collapsed",
        on_change=_take_family,
    )


def _take_family() -> None:
    family = st.session_state["train.family"]
    first = next(preset.name for preset in PRESETS.values() if _family(preset) == family)
    _take_preset(st.session_state["train.preset_of_family"].get(family, first))


def _show_card(preset: Preset, dataset: "Dataset | None", *, chosen: bool) -> None:
    """Show a preset's name, size and time; all of the card is its button."""
    facts = [f"{count_parameters(preset.config.model):,} parameters"]
    if dataset is not None:
        facts.append(str(expected_time([preset.config], dataset) or "not measured yet"))
    with st.container(border=True, key=f"card-{preset.name}", gap="xxsmall"):
        st.markdown(f"**{preset.title}**")
        st.caption(" · ".join(facts))
        st.button(
            f"Choose {preset.title}",
            key=f"choose-{preset.name}",
            disabled=chosen,
            on_click=_take_preset,
            args=(preset.name,),
        )


def _take_preset(name: str) -> None:
    st.query_params["preset"] = name


# --- clones -------------------------------------------------------------------------------------------------------


def find_cloned() -> Run | None:
    """Return the run that is to be cloned; None, said on the page where one was asked for, if there is none.

    The first time, the data picker that follows opens with the run's data.
    """
    asked = _asked_clone()
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


def _asked_clone() -> str:
    """Return the id of the run to clone that the URL names, or the session where the URL names no preset."""
    remembered = "" if "preset" in st.query_params else st.session_state.get("chosen_clone", "")
    return str(st.query_params.get("clone", "") or remembered)


def _family_of_clone() -> str | None:
    """Return the family of the run that is to be cloned; None where there is none."""
    asked = _asked_clone()
    try:
        return cache.runs().find(asked).config.model.family if asked else None
    except EmotionError:
        return None


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
        here = choose_dataset(config)
        st.session_state["train.cloned_with_data"] = here
        st.session_state["train.augmentation_declined"] = {_key(run): st.session_state.get("augmentation")}
        st.session_state["train.cloned"] = run.id
    st.session_state["chosen_clone"] = run.id
    remember("clone", run.id)


def _leave() -> None:
    forget("clone")
    clone_anew()
