"""The controls of augmentation: a slider or switch for each transform, and ready-made settings; the URL keeps them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from pydantic import ValidationError

from emotion_core.config import Augmentation
from emotion_core.presets import COURSEWORK_AUGMENTATION, PRESETS
from ui import choices, presenter
from ui.brought import brought
from ui.fields import Field, Kind, fields_of

FIELDS: Final = fields_of(Augmentation)

LIGHT_AND_DAMAGE: Final = ("brightness", "blur", "compression", "erasing")
"""The fields that change what a face looks like and not where it is."""

READY_MADE: Final = {
    "None": Augmentation(),
    "Coursework": COURSEWORK_AUGMENTATION,
    "Flagship": PRESETS["residual"].config.augmentation,
}
CUSTOM: Final = "Custom"
READY_MADE_HELP: Final = (
    "None: change nothing.  \nCoursework: the notebook's settings.  \nFlagship: those of the residual network."
)


@dataclass(frozen=True)
class Unit:
    """How a field is set, and how what is drawn for it is written.

    Attributes:
        step: Of the slider.
        format: The slider's format.
        means: What the numbers are that are drawn.
        scale: What they are multiplied by.
        digits: After the point.
        suffix: Behind them.
        signed: Whether those above 0 have a sign.
    """

    step: float = 0.01
    format: str = "percent"
    means: str = ""
    scale: float = 100
    digits: int = 0
    suffix: str = "%"
    signed: bool = False


UNITS: Final = {
    "rotation": Unit(1.0, "%d°", "clockwise", 1, 0, "°", signed=True),
    "width_shift": Unit(means="to the right", scale=1, digits=1, suffix=" px", signed=True),
    "height_shift": Unit(means="down", scale=1, digits=1, suffix=" px", signed=True),
    "zoom": Unit(means="below 100%: nearer"),
    "brightness": Unit(means="of the light"),
    "blur": Unit(0.1, "%.1f px", "deviation", 1, 1, " px"),
    "compression": Unit(means="JPEG quality"),
    "erasing": Unit(),
}


# --- settings ------------------------------------------------------------------------------------------------------


def current_settings() -> Augmentation:
    """Return what the controls say, after the URL where that is new; the URL says it too."""
    asked, known = st.query_params.get("augmentation", ""), st.session_state.get("augment-url", "")
    if "augment-rotation" not in st.session_state or asked != known:
        start = brought() or COURSEWORK_AUGMENTATION
        take(as_settings(asked) or as_settings(known) or start)
    settings = Augmentation(**{name: _rounded(st.session_state[f"augment-{name}"]) for name in FIELDS})
    st.session_state["augment-url"] = as_text(settings)
    choices.put_in_url("augmentation", as_text(settings))
    return settings


def take(settings: Augmentation) -> None:
    """Set every control."""
    for name, value in settings.model_dump().items():
        st.session_state[f"augment-{name}"] = value


def as_text(settings: Augmentation) -> str:
    """Write settings for the URL."""
    return ",".join(f"{name}:{value:g}" for name, value in settings.model_dump().items())


def as_settings(text: str) -> Augmentation | None:
    """Read settings from the URL; None where it says nothing that can be used."""
    pairs = [part.partition(":") for part in text.split(",") if part]
    try:
        return Augmentation.model_validate({name: value for name, _, value in pairs}) if pairs else None
    except ValidationError:
        return None


def ready_made(settings: Augmentation) -> str:
    """Return what settings are called that are ready-made, else CUSTOM."""
    return next((name for name, known in READY_MADE.items() if known == settings), CUSTOM)


def _rounded(value: float) -> float:
    """Take back what a slider's steps add to a number, such as 0.15000000000000002."""
    return value if isinstance(value, bool) else round(value, 6)


# --- controls ------------------------------------------------------------------------------------------------------


def offer_ready_made(settings: Augmentation) -> None:
    """Offer ready-made settings, with those marked that the sliders stand at."""
    name = ready_made(settings)
    st.session_state["augment-ready-made"] = name
    st.segmented_control(
        "Settings",
        [*READY_MADE, *([CUSTOM] if name == CUSTOM else [])],
        key="augment-ready-made",
        required=True,
        on_change=_take_ready_made,
        help=READY_MADE_HELP,
        wrap=True,
    )


def _take_ready_made() -> None:
    chosen = st.session_state["augment-ready-made"]
    if chosen in READY_MADE:
        take(READY_MADE[chosen])


def show_controls() -> None:
    """Show a slider or switch for each transform, those apart that move a face."""
    moving = [name for name in FIELDS if name not in LIGHT_AND_DAMAGE]
    for title, names in (("Geometry", moving), ("Light and damage", LIGHT_AND_DAMAGE)):
        st.markdown(f"**{title}**")
        with st.grid(2, min_column_width=presenter.pixels(100), gap="small"):
            for name in names:
                if FIELDS[name].kind is not Kind.SWITCH:
                    _slide(FIELDS[name])
        for name in names:
            if FIELDS[name].kind is Kind.SWITCH:
                st.toggle(**_look(FIELDS[name]))


def _slide(field: Field) -> None:
    """Show a slider over all that the field may be; shares are shown in percent."""
    unit = UNITS[field.name]
    limits = {"min_value": float(field.lower or 0), "max_value": float(field.upper or 1)}
    st.slider(**_look(field), **limits, step=unit.step, format=unit.format)


def _look(field: Field) -> dict[str, str]:
    return {"label": field.label, "key": f"augment-{field.name}", "help": field.help}


# --- words ---------------------------------------------------------------------------------------------------------


def say_setting(name: str, settings: Augmentation) -> str:
    """Say how far a transform is set: `up to 30°`, `on`."""
    if FIELDS[name].kind is Kind.SWITCH:
        return "on"
    unit, value = UNITS[name], getattr(settings, name)
    return f"up to {value:.0%}" if unit.format == "percent" else f"up to {unit.format % value}"


def say_drawn(name: str, numbers: NDArray[np.float64]) -> str:
    """Say what was drawn for one image: `-12°`, `93 x 105%`, `mirrored`."""
    if FIELDS[name].kind is Kind.SWITCH:
        return "mirrored" if numbers[0] else "as it is"
    if name == "erasing" and not numbers[0]:
        return "none"
    return " x ".join(_number(UNITS[name], number) for number in numbers) + UNITS[name].suffix


def say_range(name: str, numbers: NDArray[np.float64]) -> str:
    """Say between which numbers all lie that were drawn: `-30° to +30°`."""
    low, high = (_number(UNITS[name], number) + UNITS[name].suffix for number in (numbers.min(), numbers.max()))
    return f"{low} to {high}"


def say_end(name: str, end: float) -> str:
    """Say where an axis of drawn numbers ends."""
    unit = UNITS[name]
    return f"{unit.scale * end:.4g}{unit.suffix}".replace("-", _MINUS)


def _number(unit: Unit, number: float) -> str:
    sign = "+" if unit.signed else ""
    return f"{unit.scale * number:{sign}z.{unit.digits}f}".replace("-", _MINUS)


_MINUS: Final = "\u2212"
