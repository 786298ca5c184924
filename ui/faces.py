"""Classified faces on a page: the picture with its boxes, each face as the network sees it, and seven bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.annotate import draw_faces
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.faces import ClassifiedFace, Face, find_faces
from emotion_core.images import decode_image, shrink
from ui import cache
from ui.charts import TRACK, bar_on_track, dotted
from ui.face_images import data_url

_LARGEST_PICTURE: Final = (640, 460)
"""Width and height in pixels that a picture is reduced to on the page."""

_LONGEST_SIDE: Final = 1_280
"""A picture is kept in memory no larger than this; the smallest face that is found still has more than 48 pixels."""

_CROP_STYLE: Final = "width:144px;height:144px;display:block;image-rendering:pixelated;border-radius:6px"


@dataclass(frozen=True)
class Picture:
    """A picture that someone handed in, at the size at which it is kept, and the faces in it.

    Attributes:
        image: uint8 (h, w, 3), RGB.
        faces: Their boxes are in pixels of `image`.
        scale: How many pixels of what was handed in lie along one of `image`.
    """

    image: NDArray[np.uint8]
    faces: tuple[Face, ...]
    scale: float = 1.0


@st.cache_data(max_entries=100, scope="session", show_spinner="Looking for faces...")
def read_picture(content: bytes, name: str, detector: str, smallest: float | None) -> Picture:
    """Decode a picture and find its faces, once; raises EmotionError.

    Args:
        content: The file's bytes.
        name: What the person knows the file by.
        detector: As in `open_detector`.
        smallest: As in `open_detector`.
    """
    given = decode_image(content, name)
    image = shrink(given, _LONGEST_SIDE, _LONGEST_SIDE)
    faces = find_faces(image, cache.detector(detector, smallest))
    return Picture(image, tuple(faces), given.shape[1] / image.shape[1])


def show_picture(image: NDArray[np.uint8], faces: Sequence[ClassifiedFace], alt: str) -> None:
    """Show an RGB picture with boxes and labels, small enough to see at once."""
    st.image(shrink(draw_faces(image, faces), *_LARGEST_PICTURE), alt=alt)


def show_face(face: ClassifiedFace, title: str = "") -> None:
    """Show one face as the network sees it, beside its seven bars; `title` is HTML for the line above them."""
    _show_panel(
        f'<img alt="The face as the network sees it" src="{data_url(face.crop)}" style="{_CROP_STYLE}">',
        title or f'{face.emotion} <span style="opacity:.6;font-weight:400">{face.confidence:.0%}</span>',
        emotion_bars(face.probabilities.tolist(), [f"{share:.0%}" for share in face.probabilities]),
    )


def show_no_face(title: str) -> None:
    """Hold the place of a face, so that nothing jumps when one appears."""
    _show_panel(
        f'<div style="{_CROP_STYLE};background:{TRACK}"></div>',
        f'<span style="opacity:.6;font-weight:400">{escape(title)}</span>',
        emotion_bars([0.0] * len(EMOTIONS), [""] * len(EMOTIONS)),
    )


@dataclass(frozen=True)
class JudgedFace:
    """A face of known emotion, and the name that a model gave it.

    Attributes:
        image: uint8 (48, 48).
        true: Its emotion.
        predicted: What the model took it for.
        confidence: How sure it was, 0-1.
        detail: What the mouse finds over it.
    """

    image: NDArray[np.uint8]
    true: str
    predicted: str
    confidence: float
    detail: str


def show_judged(faces: Sequence[JudgedFace]) -> None:
    """Show faces in a grid, each pixel enlarged to a sharp square, with what each is and what it was taken for."""
    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:12px"
    st.html(f'<div style="{grid}">{"".join(map(_judged, faces))}</div>')


def _judged(face: JudgedFace) -> str:
    arrow = "" if face.predicted == face.true else "&rarr; "
    truth = "" if face.predicted == face.true else f"<div>{dotted(face.true, 400)}</div>"
    return (
        f'<figure style="margin:0;font-size:.95rem;line-height:1.4;white-space:nowrap" title="{escape(face.detail)}">'
        '<div style="position:relative;margin-bottom:.25rem">'
        f'<img alt="{face.true}, taken for {face.predicted}" src="{data_url(face.image)}" '
        'style="width:100%;display:block;image-rendering:pixelated;border-radius:6px">'
        f'<span style="{_OVERLAY}">{face.confidence:.0%}</span></div>'
        f"{truth}<div>{arrow}{dotted(face.predicted, 600)}</div></figure>"
    )


_OVERLAY: Final = (
    "position:absolute;right:0;bottom:0;padding:.05rem .4rem;border-radius:6px 0 6px 0;font-weight:600;"
    "font-variant-numeric:tabular-nums;color:#FFFFFF;background:rgba(16, 18, 26, 0.78)"
)


def _show_panel(crop: str, title: str, bars: str) -> None:
    st.html(
        '<div style="display:flex;flex-wrap:wrap;gap:1.25rem;align-items:flex-start">'
        f'<figure style="margin:0;width:144px">{crop}'
        '<figcaption style="font-size:.8rem;opacity:.7;margin-top:.3rem;text-align:center">What the network sees'
        "</figcaption></figure>"
        f'<div style="flex:1;min-width:190px"><div style="font-size:1.35rem;font-weight:650;line-height:1.2;'
        f'margin-bottom:.45rem">{title}</div>{bars}</div></div>'
    )


def emotion_bars(shares: Sequence[float], texts: Sequence[str]) -> str:
    """Return HTML with a bar for each emotion, in its colour.

    Args:
        shares: Length of each bar, 0-1, in the order of `EMOTIONS`.
        texts: What stands at the end of each.
    """
    rows = zip(EMOTIONS, shares, texts, strict=True)
    return (
        '<div style="display:grid;grid-template-columns:max-content 1fr max-content;gap:.28rem .7rem;'
        f'align-items:center;font-size:.95rem;line-height:1.25">{"".join(_bar(*row) for row in rows)}</div>'
    )


def _bar(emotion: str, share: float, text: str) -> str:
    return (
        f"<div>{emotion}</div>{bar_on_track(share, EMOTION_COLOURS[emotion], '.85rem')}"
        f'<div style="text-align:right;font-variant-numeric:tabular-nums;min-width:2.6rem">{escape(text)}</div>'
    )
