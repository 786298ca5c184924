"""The part of the Train form that makes several runs of one: seeds, and settings that are to take several values."""

from collections.abc import Collection
from typing import Any

import streamlit as st

from emotion_core.config import RunConfig
from ui.fields import Kind, Scalar, place_label, scalars_of, values_example, values_from
from ui.forms import ConfigForm

MOST_VARIED = 3
SEED = "training.seed"


def ask_several(form: ConfigForm, config: RunConfig, unused: Collection[str] = ()) -> dict[str, list[Any]]:
    """Ask for seeds and up to three settings to vary; return the values of each by its path.

    `config` is what the form holds; settings in `unused`, or in a group of it, are not offered.
    """
    key = f"{form.key}.several"
    scalars = {
        path: scalar
        for path, scalar in scalars_of(config).items()
        if path != SEED and not any(f"{path}.".startswith(f"{group}.") for group in unused)
    }
    with st.grid(2, vertical_alignment="bottom"):
        choices = {SEED: _ask_seeds(f"{key}.seeds", config.training.seed)}
        st.caption("A run is queued for each combination of the values given here, which replace those above.")
    for row in range(MOST_VARIED):
        with st.grid(2, vertical_alignment="bottom"):
            path = _ask_path(f"{key}.{row}", [path for path in scalars if path not in choices], first=not row)
            if path is None:
                break
            choices[path] = _ask_values(form, config, path, scalars[path], f"{key}.{path}")
    return {path: values for path, values in choices.items() if values}


def _ask_seeds(key: str, seed: int) -> list[Any]:
    text = st.text_input(
        "Seeds",
        key=key,
        placeholder=str(seed),
        help=f"Separated by commas, for example {seed}, {seed + 1}, {seed + 2}; empty: the seed above. How far apart "
        "such runs end shows how much is luck.",
        persist_state="session",
    )
    return values_from(text)


def _ask_path(key: str, paths: list[str], *, first: bool) -> str | None:
    """Ask which setting varies; None where none does."""
    if st.session_state.get(key) not in paths:  # the form changed, and has it no longer
        st.session_state[key] = None
    return st.selectbox(
        "Vary" if first else "And vary",
        paths,
        index=None,
        key=key,
        format_func=_label,
        placeholder="Choose a setting",
        help="Any setting of the form that holds a number, a choice or a switch.",
        persist_state="session",
    )


def _label(path: str) -> str:
    return place_label([int(part) if part.isdecimal() else part for part in path.split(".")])


def _ask_values(form: ConfigForm, config: RunConfig, path: str, scalar: Scalar, key: str) -> list[Any]:
    """Ask for the values that a setting takes in turn: ticked where there are few, else written."""
    field = form.marked(path, scalar.field)
    if field.kind in (Kind.CHOICE, Kind.SWITCH):
        return st.multiselect(
            "Values", field.offered, format_func=field.say, key=key, help=field.help, persist_state="session"
        )
    example = values_example(config, path, scalar)
    text = st.text_input(
        "Values",
        key=key,
        placeholder=example,
        help=f"{field.help} Separate values with commas, for example {example}.",
        persist_state="session",
    )
    return values_from(text, optional=field.optional)
