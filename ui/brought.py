"""The augmentation that a person brings from the Augment page to the form of the Train page.

The session holds the last one. It opens the form once; each form takes it over once, and what is changed there stays.
"""

from typing import Final

import streamlit as st

from emotion_core.config import Augmentation
from ui.forms import ConfigForm

_BROUGHT: Final = "augmentation"
_ANNOUNCED: Final = "train.augmentation_announced"
_TAKEN: Final = "train.augmentation_taken"
_DECLINED: Final = "train.augmentation_declined"


def bring(augmentation: Augmentation) -> None:
    """Leave an augmentation for the Train page, also one that was brought before and changed there since."""
    st.session_state[_BROUGHT] = augmentation
    for settled in (_ANNOUNCED, _TAKEN, _DECLINED):
        st.session_state.pop(settled, None)


def brought() -> Augmentation | None:
    """Return what was brought last; None where nothing was."""
    return st.session_state.get(_BROUGHT)


def is_newly_brought() -> bool:
    """Return whether something was brought since this was last asked."""
    is_new = brought() != st.session_state.get(_ANNOUNCED)
    st.session_state[_ANNOUNCED] = brought()
    return is_new


def decline(form_key: str) -> None:
    """Have a form keep its own augmentation until another is brought."""
    st.session_state[_DECLINED] = {form_key: brought()}


def take_over(form: ConfigForm) -> None:
    """Use what was brought in a form, and say so."""
    augmentation = brought()
    if augmentation is None or augmentation == st.session_state.get(_DECLINED, {}).get(form.key):
        return
    taken = st.session_state.setdefault(_TAKEN, {})
    if taken.get(form.key) != augmentation:
        taken[form.key] = augmentation
        form.overwrite("augmentation", augmentation)
    if form.current("model.family") == "linear":
        message = "A linear model takes no augmentation. Choose a network to use what you set on the Augment page."
    else:
        message = "The augmentation comes from the Augment page; you can change it below."
    st.info(message, icon=":material/transform:")
