"""Faces as pictures on the page, each pixel a sharp square, and photographs."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray


def show_faces(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str] | None = None,
    columns: int = 8,
    *,
    width: int | None = None,
) -> None:
    """Show faces in a grid, each pixel enlarged to a sharp square.

    Args:
        images: n of uint8 (height, width), or with 3 colours last.
        captions: One line under each face, or none.
        columns: Faces side by side.
        width: Width of the whole grid in pixels, else that of the page.
    """
    captions = [""] * len(images) if captions is None else captions
    cells = "".join(_figure(image, caption) for image, caption in zip(images, captions, strict=True))
    limit = f"max-width:{width}px;" if width else ""
    grid = f"display:grid;grid-template-columns:repeat({columns},minmax(0,1fr));gap:10px;{limit}"
    st.html(f'<div style="{grid}">{cells}</div>')


def _figure(image: NDArray[np.uint8], caption: str) -> str:
    text = escape(caption)
    below = f'<figcaption style="font-size:.8rem;opacity:.75;text-align:center">{text}</figcaption>' if caption else ""
    return (
        f'<figure style="margin:0"><img alt="{text or "face"}" src="{data_url(image)}" '
        f'style="width:100%;display:block;image-rendering:pixelated;border-radius:4px">{below}</figure>'
    )


def data_url(image: NDArray[np.uint8]) -> str:
    """Return a small picture, uint8 (h, w) or RGB (h, w, 3), as a PNG, in which every pixel is as it is."""
    return _url(image, "png", compress_level=1)


def photo_url(image: NDArray[np.uint8], quality: int = 85) -> str:
    """Return a photograph, uint8 (h, w) or RGB (h, w, 3), as a JPEG: a tenth of the PNG's bytes."""
    return _url(image, "jpeg", quality=quality)


def _url(image: NDArray[np.uint8], kind: str, **settings: int) -> str:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, kind, **settings)
    return f"data:image/{kind};base64,{base64.b64encode(content.getvalue()).decode()}"
