"""Augment: one face beside the variants of it that training would see."""

from typing import TYPE_CHECKING

import streamlit as st
from pydantic import ValidationError

from emotion_core.config import Augmentation
from emotion_core.emotions import EMOTIONS
from emotion_core.presets import COURSEWORK_AUGMENTATION, PRESETS
from ui import cache, widgets
from ui.fields import Field, Kind, fields_of

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

VARIANTS, COLUMNS, CONTROLS = 18, 6, 5
FIELDS = fields_of(Augmentation)
# Step and format of what is no share of something.
UNITS = {"rotation": (1.0, "%d°"), "blur": (0.1, "%.1f px")}
MODERN_AUGMENTATION = PRESETS["residual"].config.augmentation


def take(settings: Augmentation) -> None:
    """Set every control."""
    for name, value in settings.model_dump().items():
        st.session_state[f"augment-{name}"] = value


def choose_settings() -> Augmentation:
    """Show the controls and return what they say; the URL says it too."""
    asked = st.query_params.get("augmentation", "")
    if "augment-rotation" not in st.session_state or asked != st.session_state.get("augment-url", asked):
        take(as_settings(asked) or st.session_state.get("augmentation", COURSEWORK_AUGMENTATION))
    with st.grid(CONTROLS, min_column_width=150, vertical_alignment="bottom"):
        for field in FIELDS.values():
            ask(field)
    settings = Augmentation(**{name: st.session_state[f"augment-{name}"] for name in FIELDS})
    st.session_state["augment-url"] = as_text(settings)
    widgets.remember("augmentation", as_text(settings))
    return settings


def ask(field: Field) -> None:
    """Show a switch or a slider over all that the field may be; shares are shown in percent."""
    look = {"label": field.label, "key": f"augment-{field.name}", "help": field.help}
    if field.kind is Kind.SWITCH:
        st.toggle(**look)
    elif field.upper > 1:
        step, unit = UNITS[field.name]
        st.slider(**look, min_value=float(field.lower), max_value=float(field.upper), step=step, format=unit)
    else:
        st.slider(**look, min_value=float(field.lower), max_value=float(field.upper), step=0.01, format="percent")


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


def choose_face(dataset: "Dataset") -> int:
    """Let the person find a face by number, by emotion, or one after the other; return its row."""
    if "augment-face" not in st.session_state:
        asked = st.query_params.get("face", "1")
        st.session_state["augment-face"] = int(asked) if asked.isdecimal() else 1
    st.session_state["augment-face"] = min(max(1, st.session_state["augment-face"]), len(dataset))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input("Face", 1, len(dataset), key="augment-face", width=140, help="The first face in the data is 1.")
        if dataset.labels is not None:
            st.selectbox(
                "Emotion", EMOTIONS, index=None, placeholder="Any emotion", key="augment-emotion", width=150,
                on_change=next_face, args=(dataset,),
            )  # fmt: skip
        st.button("Next face", icon=":material/skip_next:", on_click=next_face, args=(dataset,))
    widgets.remember("face", str(st.session_state["augment-face"]))
    return st.session_state["augment-face"] - 1


def offer_settings(settings: Augmentation) -> None:
    """Offer ready-made settings, and to train with those on screen."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
        st.button("None", on_click=take, args=(Augmentation(),), help="Change nothing.")
        st.button("Coursework", on_click=take, args=(COURSEWORK_AUGMENTATION,), help="The coursework's settings.")
        st.button("Modern", on_click=take, args=(MODERN_AUGMENTATION,), help="Those of the residual network.")
        if st.button("Use in a run", type="primary", icon=":material/play_circle:"):
            st.session_state["augmentation"] = settings
            st.switch_page("pages/train_models.py")


def next_face(dataset: "Dataset") -> None:
    """Go to the next face of the chosen emotion, or of any."""
    row = st.session_state["augment-face"] - 1
    st.session_state["augment-face"] = cache.row_after(dataset, row, st.session_state.get("augment-emotion")) + 1


def new_seed() -> None:
    """Draw other variants of the same face."""
    st.session_state["augment-seed"] = st.session_state.get("augment-seed", 0) + 1


def show_variants(dataset: "Dataset", row: int, settings: Augmentation) -> None:
    """Show the face as it is beside what training makes of it."""
    original, variants = st.columns([2, 7], gap="large")
    with original:
        with st.container(height=40, border=False, vertical_alignment="center"):
            st.markdown("**Original**")
        widgets.show_faces(dataset.images[row : row + 1], [caption_of(dataset, row)], 1)
    with variants:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Variants** as training draws them" if settings.enabled else "**Variants**: nothing changes")
            st.button("New variants", icon=":material/casino:", on_click=new_seed, disabled=not settings.enabled)
        seed = st.session_state.get("augment-seed", 0)
        widgets.show_faces(cache.variants(dataset, row, settings, VARIANTS, seed), None, COLUMNS)


def caption_of(dataset: "Dataset", row: int) -> str:
    """Name a face by its id and, where it has one, its emotion."""
    emotion = "" if dataset.labels is None else f" · {EMOTIONS[dataset.labels[row]]}"
    return f"id {dataset.ids[row]}{emotion}"


widgets.page_header("Augment", "Random changes that make each training face new in every epoch.")
faces = widgets.pick_dataset("augmented-data")
if faces is None:
    st.stop()
chosen_settings = choose_settings()
left, right = st.columns([11, 8], vertical_alignment="bottom")
with left:
    chosen_row = choose_face(faces)
with right:
    offer_settings(chosen_settings)
show_variants(faces, chosen_row, chosen_settings)
