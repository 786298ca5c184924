"""A grid of faces that answer clicks and keys."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui import presenter
from ui.face_images import data_url

_LEAST_WIDTH: Final = 92
"""Of a face, in pixels."""

_CSS: Final = """
.faces { display: grid; gap: 12px; }
button { padding: 0; border: none; background: none; cursor: pointer; border-radius: 6px; font: inherit; min-width: 0;
  color: var(--st-text-color); font-family: var(--st-font); font-size: .9rem; line-height: 1.5; }
button img { width: 100%; display: block; image-rendering: pixelated; border-radius: 6px; }
button:hover img { outline: 3px solid var(--st-primary-color); }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
"""

_JS: Final = """
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector(".faces")
  if (place.drawn !== data.html) {
    place.innerHTML = data.html
    place.drawn = data.html
  }
  place.style.gridTemplateColumns = `repeat(auto-fill, minmax(${data.width}px, 1fr))`
  place.onclick = (event) => {
    const face = event.target.closest("button")
    if (face) setTriggerValue("face", Number(face.dataset.face))
  }
}
"""

_face_grid = st.components.v2.component("face_grid", html='<div class="faces">\n</div>', css=_CSS, js=_JS)


def show_face_grid(
    images: NDArray[np.uint8],
    captions: Sequence[str],
    names: Sequence[int],
    open_face: Callable[[int], None],
    *,
    key: str,
) -> None:
    """Show faces side by side, as many as fit, each a button.

    Args:
        images: uint8 (n, 48, 48).
        captions: What stands under each.
        names: The number that each is known by.
        open_face: Is given the number of the face that was clicked.
        key: Key of the grid.
    """
    html = "".join(
        f'<button type="button" data-face="{name}" aria-label="Enlarge {escape(caption)}">'
        f'<img alt="" src="{data_url(image)}">{escape(caption)}</button>'
        for image, caption, name in zip(images, captions, names, strict=True)
    )
    data = {"html": html, "width": presenter.pixels(_LEAST_WIDTH)}
    clicked = _face_grid(key=key, data=data, on_face_change=lambda: None).face
    if clicked is not None:
        open_face(int(clicked))
