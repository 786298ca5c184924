"""A face looked at closely: how it got to the network, what its answer hangs on, and what every saved model says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.annotate import draw_faces
from emotion_core.boxes import Box
from emotion_core.classifier import by_merit
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.errors import EmotionError
from emotion_core.faces import ClassifiedFace
from emotion_core.images import shrink, to_gray
from emotion_core.runs import Run
from ui import cache, charts, face_images, tables, widgets
from ui.inspection import dataset_of_run

if TYPE_CHECKING:
    from emotion_core.explain import Occlusion
    from emotion_core.neighbours import Neighbour

_STEP_SIDE: Final = 190
_NEIGHBOURS: Final = 7
_PATCHES: Final = (8, 14, 20)
"""Sides in pixels of the patch that is moved over a face."""

_STRIDE, _LIVE_STRIDE = 4, 8
"""Pixels from patch to patch, of a still face and of a live one, whose map is made again and again."""

_HEAT_SIDE: Final = 336

_MOST_MODELS: Final = 24
"""Models that are asked at once: each is kept in memory, and the room sees no more."""


def show_closer(image: NDArray[np.uint8], face: ClassifiedFace, run: Run, *, key: str) -> None:
    """Show one face of an RGB picture (h, w, 3) closely, in the way that the person chooses."""
    views: dict[str, Callable[[], None]] = {
        "What the network sees": lambda: show_way(image, face, run),
        "What mattered": lambda: show_what_mattered(face, run, key),
        "Every saved model": lambda: show_every_model(face.crop, run),
    }
    view = st.segmented_control(
        "View",
        list(views),
        default=next(iter(views)),
        required=True,
        key=f"{key}-view",
        label_visibility="collapsed",
        persist_state="session",  # while a live face is out of view
    )
    views[view]()


def show_way(image: NDArray[np.uint8], face: ClassifiedFace, run: Run) -> None:
    """Show the steps from the picture to the network's input, and the faces most like it that the model learnt from."""
    box = face.box
    cut = _cut(image, box)
    steps = (
        _Step("Frame", f"{image.shape[1]} x {image.shape[0]}", shrink(draw_faces(image, [face]), 480, 360)),
        _Step("Box", f"{box.width} x {box.height}", shrink(cut, 336, 336)),
        _Step("Grey", "brightness alone", shrink(to_gray(cut), 336, 336)),
        _Step("Network's input", "48 x 48, averaged over areas", face.crop, is_sharp=True),
    )
    st.html(_in_a_row(steps))
    _show_neighbours(face.crop, run)


def show_what_mattered(face: ClassifiedFace, run: Run, key: str) -> None:
    """Show what an emotion's probability hangs on, and for a network with attention the rows it attends to."""
    from emotion_core.explain import attention_overlay, heat_overlay, occlusion_map

    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        emotion = st.pills(
            "Emotion to explain",
            EMOTIONS,
            key=f"{key}-explain",
            label_visibility="collapsed",
            help="If empty, the most probable one is explained.",
            persist_state="session",
        )
        patch = st.segmented_control(
            "Patch",
            _PATCHES,
            format_func=lambda side: f"{side} x {side} patch",
            key=f"{key}-patch",
            default=_PATCHES[1],
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
    label = None if emotion is None else EMOTIONS.index(emotion)
    with widgets.friendly_errors():
        stride = _LIVE_STRIDE if key == "live" else _STRIDE
        occlusion = occlusion_map(cache.classifier(run.id), face.crop, label, patch, stride)
        attention = cache.attention(run.id)
    heat = heat_overlay(face.crop, occlusion.drops, _HEAT_SIDE)
    name = EMOTIONS[occlusion.label]
    face_place, heat_place, *attention_place, words = widgets.columns(
        [1] * (3 if attention is None else 4), f"closer-{key}", narrowest=11, gap="medium"
    )
    with face_place:
        _show_large("The face", face.crop, "as the network sees it")
    with heat_place:
        _show_large(f"What {name} depends on", heat, _occlusion_words(occlusion))
    if attention is not None:
        rows = attention_overlay(face.crop, attention.weights(face.crop), _HEAT_SIDE)
        with attention_place[0]:
            _show_large("Rows it attends to", rows, "What it knows at a row includes the rows above it.")
    words.html(_HOW_OCCLUSION_WORKS)


_CHIP: Final = "display:inline-block;width:.85rem;height:.85rem;border-radius:3px;margin-right:.35rem;background:"

_HOW_OCCLUSION_WORKS: Final = f"""<div style="line-height:1.5"><div style="font-weight:600;margin-bottom:.4rem">How to
read it</div><p>A grey patch is moved over the face, and the model is asked again at each place.</p>
<p><span style="{_CHIP}#D55E00"></span>Covering this lowers the probability: it spoke <em>for</em> the emotion.<br>
<span style="{_CHIP}#0072B2"></span>Covering this raises it: it spoke <em>against</em>.</p>
<p>A pale map is an answer too: several parts say the same, and no single one is needed.</p></div>"""


def _occlusion_words(occlusion: "Occlusion") -> str:
    return (
        f"{EMOTIONS[occlusion.label]} {occlusion.probability:.0%}. As the patch moves over the face, it is between "
        f"{occlusion.lowest:.0%} and {occlusion.highest:.0%}."
    )


def show_every_model(crop: NDArray[np.uint8], chosen: Run | None = None) -> None:
    """Show what the saved models say of one face (uint8 (48, 48)), the best first, those of drawn faces last."""
    lines = by_merit(cache.lines())
    names, rows, unusable = tables.distinct_names(lines), [], []
    shown = [line for place, line in enumerate(lines) if place < _MOST_MODELS or (chosen and line.id == chosen.id)]
    for line in shown:
        try:
            probabilities = cache.classifier(line.id).probabilities(crop[np.newaxis])[0]
        except EmotionError:
            unusable.append(names[line.id])
            continue
        name = f"{names[line.id]} (drawn faces)" if line.is_drawn else names[line.id]
        rows.append(_model_row(name, line.val_accuracy, probabilities, chosen and chosen.id == line.id))
    head = "".join(f'<th style="{_HEAD}">{emotion}</th>' for emotion in EMOTIONS)
    left = f"{_HEAD};text-align:left"
    titles = f'<th style="{left}">Model</th><th style="{_HEAD}">Validation</th>{head}<th style="{left}">Says</th>'
    table = f'<table style="{_TABLE}"><thead><tr>{titles}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    st.html(f'<div style="overflow-x:auto">{table}</div>')
    if len(shown) < len(lines):
        and_chosen = ", and the chosen one" if len(shown) > _MOST_MODELS else ""
        st.caption(f"The {_MOST_MODELS} best of {len(lines)}{and_chosen}.")
    if unusable:
        st.caption(f"Left out because their files cannot be used: {widgets.plain(', '.join(unusable))}.")


_TABLE: Final = (
    "border-collapse:separate;border-spacing:3px;width:100%;font-size:1rem;font-variant-numeric:tabular-nums"
)
_HEAD: Final = "font-weight:500;opacity:.7;font-size:.9rem;padding:.15rem .5rem;text-align:center"


def _model_row(name: str, accuracy: float | None, probabilities: NDArray[np.float32], is_chosen: bool | None) -> str:
    best = int(probabilities.argmax())
    cells = "".join(
        f'<td style="text-align:center;border-radius:5px;padding:.3rem .4rem;background:{_shade(emotion, share)};'
        f'{"font-weight:650" if place == best else "opacity:.85"}">{share:.0%}</td>'
        for place, (emotion, share) in enumerate(zip(EMOTIONS, probabilities.tolist(), strict=True))
    )
    weight = 650 if is_chosen else 400
    right = "" if accuracy is None else f"{accuracy:.1%}"
    return (
        f'<tr><td title="{escape(name)}" style="font-weight:{weight};padding:.3rem .5rem;white-space:nowrap">'
        f"{escape(charts.short(name))}</td>"
        f'<td style="text-align:center;opacity:.8">{right}</td>{cells}'
        f'<td style="white-space:nowrap;padding:.3rem .5rem">{charts.dotted(EMOTIONS[best], 400)}</td></tr>'
    )


def _shade(emotion: str, share: float) -> str:
    """Return an emotion's colour, the fuller the more probable; the text over it stays legible in either theme."""
    return f"color-mix(in srgb, {EMOTION_COLOURS[emotion]} {6 + 54 * share:.0f}%, transparent)"


def _show_neighbours(crop: NDArray[np.uint8], run: Run) -> None:
    """Show the faces most like one among those that the model learnt from, or say why they cannot be shown."""
    try:
        dataset = dataset_of_run(run, run.validation())
    except EmotionError:
        dataset = "This run kept no record of its faces, so its training faces are not known."
    st.markdown("##### Training faces most like it")
    if isinstance(dataset, str):
        st.caption(dataset)
        return
    found = cache.training_faces(run.config, dataset).nearest(crop, _NEIGHBOURS)
    face_images.show_faces(
        dataset.images[[near.row for near in found]], _captions(found, dataset.labels), _NEIGHBOURS, width=980
    )
    st.caption(
        "Compared pixel by pixel (correlation), with light and contrast evened out: similar in looks, not necessarily "
        "in emotion. The labels were given by people."
    )


def _captions(found: Sequence["Neighbour"], labels: NDArray[np.uint8] | None) -> list[str]:
    assert labels is not None  # a run learnt from them
    return [f"{EMOTIONS[labels[near.row]]} · {near.similarity:.2f}" for near in found]


def _cut(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


@dataclass(frozen=True, slots=True)
class _Step:
    """A picture on the way to the network: uint8 (h, w) or RGB (h, w, 3)."""

    title: str
    detail: str
    image: NDArray[np.uint8]
    is_sharp: bool = False
    """Whether each pixel is shown as a square."""

    @property
    def aspect(self) -> float:
        """Width by height."""
        return self.image.shape[1] / self.image.shape[0]


def _in_a_row(steps: Sequence[_Step]) -> str:
    """Return steps with arrows between them, all of one height, which is smaller where the page is narrow."""
    widths = " auto ".join(f"minmax(0,{step.aspect:.3f}fr)" for step in steps)
    widest = _STEP_SIDE * sum(step.aspect for step in steps)
    pictures = '<div style="opacity:.45;font-size:1.6rem">&rarr;</div>'.join(map(_picture, steps))
    captions = "<div></div>".join(_caption(step) for step in steps)
    return (
        f'<div style="display:grid;grid-template-columns:{widths};gap:.35rem .7rem;align-items:center;'
        f'max-width:calc({widest:.0f}px + {len(steps) - 1} * 3rem)">{pictures}{captions}</div>'
    )


def _picture(step: _Step) -> str:
    rendering = "pixelated" if step.is_sharp else "auto"
    url = face_images.data_url(step.image) if step.is_sharp else face_images.photo_url(step.image)
    style = f"width:100%;display:block;border-radius:6px;image-rendering:{rendering}"
    return f'<img alt="{step.title}" src="{url}" style="{style}">'


def _caption(step: _Step) -> str:
    return (
        f'<div style="align-self:start;line-height:1.3"><strong>{step.title}</strong><br>'
        f'<span style="opacity:.7;font-size:.85rem">{step.detail}</span></div>'
    )


def _show_large(title: str, image: NDArray[np.uint8], words: str) -> None:
    st.html(
        f'<div style="font-weight:600;margin-bottom:.4rem">{title}</div><img alt="{title}" '
        f'src="{face_images.data_url(image)}" style="width:100%;max-width:{_HEAT_SIDE}px;image-rendering:pixelated;'
        f'border-radius:6px;display:block"><div style="opacity:.75;font-size:.9rem;margin-top:.4rem">{words}</div>'
    )
