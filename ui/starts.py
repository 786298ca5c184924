"""What the Train form begins with: here a preset, chosen from its family's cards; in `clones`, a run's settings.

The URL names it, so that a link or a reload opens the same; the session remembers it for the next visit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import RunConfig
from emotion_core.coursework import SEEDS
from emotion_core.models.counts import count_parameters
from emotion_core.presets import PRESETS, Preset
from ui.charts import ACCENT
from ui.expected import expected_time
from ui.fields import label_of
from ui.reproduce import offer_reproduction

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


def choose_preset(dataset: "Dataset | None") -> Start:
    """Show the presets family by family and return the chosen one, which the URL names."""
    chosen = chosen_preset()
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


def chosen_preset() -> Preset:
    """Return the preset that the URL names, else the session's, else the first."""
    asked = st.query_params.get("preset", st.session_state.get("train.preset", ""))
    return PRESETS.get(asked, next(iter(PRESETS.values())))


def take_preset(name: str) -> None:
    """Have the URL name another preset."""
    st.query_params["preset"] = name


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
    take_preset(st.session_state["train.preset_of_family"].get(family, first))


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
            on_click=take_preset,
            args=(preset.name,),
        )
