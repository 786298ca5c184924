"""The views of the Augment page: what training makes of one face, and what a model makes of that.

What is drawn here follows from the settings, the face and a number that "New variants" raises.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.config import Augmentation
from emotion_core.emotions import EMOTIONS
from emotion_core.images import to_network_input
from emotion_core.variants import ask_about, drawn_by, each_alone, reach, summarise_pixels
from ui import augment_charts, badges, cache, choices, face_images, pickers, transforms, widgets
from ui.augment_charts import PATCH, Card, Stage, Strip
from ui.fields import Kind

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

VARIANTS, COLUMNS = 20, 5
IN_A_STRIP: Final = 5
DRAWS: Final = 10_000
BINS: Final = 60
_ORIGINAL_WIDTH: Final = 192
ASKED: Final = 64
"""Variants that a model is asked about."""

MOST_RENAMED: Final = 15

VIEW: Final = "augment-view"


def choose_view() -> str:
    """Let the person choose a view; the URL keeps it."""
    choices.follow("show", VIEW, VIEWS, next(iter(VIEWS)))
    view = st.segmented_control(
        "View",
        list(VIEWS),
        key=VIEW,
        required=True,
        format_func=lambda name: VIEWS[name][0],
        label_visibility="collapsed",
        wrap=True,
    )
    choices.keep("show", view)
    return view


def offer_new_variants(settings: Augmentation) -> None:
    """Offer to draw other variants of the same face."""
    st.button("New variants", icon=":material/casino:", on_click=_draw_anew, disabled=not settings.enabled)


def show_view(view: str, dataset: "Dataset", row: int, settings: Augmentation) -> None:
    """Show one face in the way that the person chose."""
    VIEWS[view][1](dataset, row, settings)


def show_original(dataset: "Dataset", row: int) -> None:
    """Show the face as it is in the file."""
    emotion = "" if dataset.labels is None else f" · {EMOTIONS[dataset.labels[row]]}"
    face_images.show_faces(dataset.images[row : row + 1], [f"id {dataset.ids[row]}{emotion}"], 1, width=_ORIGINAL_WIDTH)


def _show_together(dataset: "Dataset", row: int, settings: Augmentation) -> None:
    face_images.show_faces(cache.variants(dataset, row, settings, VARIANTS, _seed()), None, COLUMNS)
    st.caption("Everything that is on, combined as in training." if settings.enabled else _NOTHING)


def _show_each_alone(dataset: "Dataset", row: int, settings: Augmentation) -> None:
    if not settings.enabled:
        st.info(_NOTHING, icon=":material/tune:")
        return
    st.html(augment_charts.strips([_strip(dataset, row, name, only) for name, only in each_alone(settings).items()]))
    st.caption("Below each face is the value drawn for it, smallest first.")


def _strip(dataset: "Dataset", row: int, name: str, only: Augmentation) -> Strip:
    """Draw variants by one transform, in the order of what was drawn."""
    numbers = drawn_by(only, IN_A_STRIP, np.random.default_rng(_seed()))[name]
    variants = cache.variants(dataset, row, only, IN_A_STRIP, _seed())
    order = numbers.mean(axis=1).argsort()
    return Strip(
        transforms.FIELDS[name].label,
        transforms.say_setting(name, only),
        [face_images.data_url(variants[place]) for place in order],
        [transforms.say_drawn(name, numbers[place]) for place in order],
    )


def _show_draws(dataset: "Dataset", row: int, settings: Augmentation) -> None:
    if not settings.enabled:
        st.info(_NOTHING, icon=":material/tune:")
        return
    drawn = drawn_by(settings, DRAWS, np.random.default_rng(_seed()))
    st.html(augment_charts.cards([_card(name, numbers) for name, numbers in drawn.items()]))
    st.caption(f"{DRAWS:,} draws by the same code as in training; each axis spans its slider's range.")


def _card(name: str, numbers: NDArray[np.float64]) -> Card:
    field = transforms.FIELDS[name]
    if field.kind is Kind.SWITCH:
        on = int(numbers.sum())
        return Card(field.label, f"{on / DRAWS:.1%}", "are mirrored", [DRAWS - on, on], ["as it is", "mirrored"])
    used = numbers[numbers > 0] if name == "erasing" else numbers.ravel()
    low, high = reach(name)
    counts, _ = np.histogram(used.clip(low, high), BINS, (low, high))
    ends = [transforms.say_end(name, end) for end in (low, (low + high) / 2, high)]
    means = f"in {len(used) / DRAWS:.1%} of faces" if name == "erasing" else transforms.UNITS[name].means
    return Card(field.label, transforms.say_range(name, used), means, counts.tolist(), ends)


def _show_input(dataset: "Dataset", row: int, settings: Augmentation) -> None:
    face = dataset.images[row]
    variant = cache.variants(dataset, row, settings, 1, _seed())[0]
    received = to_network_input(variant[np.newaxis])[0, ..., 0]
    st.html(
        augment_charts.stages(
            [
                _stage("In the file", face, variant),
                _stage("Changed", variant, variant),
                _stage("Network's input", received, variant),
            ]
        )
    )
    st.caption(
        "Each value is divided by 255; training, webcam, pictures and Kaggle files all pass through this step. "
        "Spread is the standard deviation."
    )


def _stage(title: str, pixels: NDArray[np.uint8] | NDArray[np.float32], shown: NDArray[np.uint8]) -> Stage:
    """Describe pixels (48, 48), 0-255 or 0-1; `shown` is what they look like."""
    whole = pixels.dtype == np.uint8
    white, digits = (255, 0) if whole else (1, 2)
    values = [[f"{value:.{digits}f}" for value in line] for line in pixels[PATCH]]
    return Stage(
        title,
        "uint8 (48, 48)" if whole else "float32 (48, 48, 1)",
        face_images.data_url(pixels if whole else shown),
        values,
        summarise_pixels(pixels, white),
        ("0", str(white)),
        digits,
    )


def _show_effect(dataset: "Dataset", row: int, settings: Augmentation) -> None:
    run = pickers.pick_run("augment-run")
    if run is None:
        return
    variants = cache.variants(dataset, row, settings, ASKED, _seed())
    with widgets.friendly_errors():
        if run.config.data.is_drawn:
            badges.drawn_badge()
        effect = ask_about(cache.classifier(run.id), dataset.images[row], variants)
    true = None if dataset.labels is None else EMOTIONS[dataset.labels[row]]
    st.html(augment_charts.sentence(effect, true))
    st.html(augment_charts.spread(effect))
    dots = f"Bar: the face itself. Dots: {ASKED} variants, with their mean on the right."
    st.caption(dots if settings.enabled else _NOTHING)
    if len(effect.changed):
        st.markdown("**Variants that change the answer**")
        pictures = [face_images.data_url(variant) for variant in variants]
        st.html(augment_charts.renamed(effect, pictures, MOST_RENAMED))


_NOTHING: Final = "Nothing is on, so every variant is the original. Move a slider or choose ready-made settings."

VIEWS: Final[dict[str, tuple[str, Callable[["Dataset", int, Augmentation], None]]]] = {
    "together": ("All together", _show_together),
    "alone": ("Each alone", _show_each_alone),
    "draws": ("Distribution", _show_draws),
    "input": ("Input", _show_input),
    "effect": ("Effect on a model", _show_effect),
}
"""By its name in the URL, what each view is called on screen and what shows it."""


def _seed() -> int:
    seed: int = st.session_state.get("augment-seed", 0)
    return seed


def _draw_anew() -> None:
    st.session_state["augment-seed"] = _seed() + 1
