"""What a person chose: in the URL, for a reload or a shared link, and in the session, for other pages."""

from collections.abc import Collection

import streamlit as st


def keep(parameter: str, value: str, memory: str = "") -> None:
    """Put a choice into the URL and the session, where another parameter's name may be its memory."""
    st.session_state[_memory(memory or parameter)] = value
    put_in_url(parameter, value)


def kept(parameter: str) -> str:
    """Return the session's choice; empty where there is none."""
    return str(st.session_state.get(_memory(parameter), ""))


def newly_asked(parameter: str, memory: str = "") -> str | None:
    """Return what the URL asks for, where that is not what the session remembers; else None."""
    asked = st.query_params.get(parameter)
    return None if asked == kept(memory or parameter) else asked


def follow(parameter: str, key: str, options: Collection[str], default: str, memory: str = "") -> None:
    """Give a widget the value of the URL where that is new, else keep its own, else the session's, else the default.

    Args:
        parameter: What the URL calls the choice.
        key: Key of the widget, which is made after this; it is followed by `keep`.
        options: What can be chosen.
        default: One of them.
        memory: Another parameter's name that the session remembers the choice by.
    """
    asked = newly_asked(parameter, memory)
    if asked in options:
        st.session_state[key] = asked
    elif st.session_state.get(key) not in options:
        remembered = kept(memory or parameter)
        st.session_state[key] = remembered if remembered in options else default


def forget(parameter: str, memory: str = "") -> None:
    """Take a choice out of the URL and the session, because what was chosen is gone."""
    st.session_state.pop(_memory(memory or parameter), None)
    put_in_url(parameter, "")


def put_in_url(parameter: str, value: str) -> None:
    """Put a choice into the URL alone, where a reload or a shared link finds it; an empty one leaves the URL."""
    if value and st.query_params.get(parameter) != value:
        st.query_params[parameter] = value
    elif not value and parameter in st.query_params:
        del st.query_params[parameter]


def _memory(parameter: str) -> str:
    """Return the session's key of a choice."""
    return f"chosen_{parameter}"
