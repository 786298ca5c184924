"""A clip for Chromium's fake camera: a public-domain portrait, one beside the checkout or that of scikit-image."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 480

PHOTOGRAPH = Path(__file__).resolve().parent.parent.parent / "shared" / "photos" / "obama-480p.jpg"
"""Used where it is there; whoever has cloned the project alone does not have it."""


def somebody() -> NDArray[np.uint8]:
    """Return the photograph of a person as RGB (480, 640, 3), the face about 150 pixels wide.

    In such a light that nothing in it is as white as what is drawn over it.
    """
    return (0.75 * (photograph() if PHOTOGRAPH.exists() else portrait())).astype(np.uint8)


def photograph() -> NDArray[np.uint8]:
    """Return the portrait beside the checkout as RGB (480, 640, 3)."""
    picture = cv2.cvtColor(cv2.imread(str(PHOTOGRAPH)), cv2.COLOR_BGR2RGB)  # (480, 853, 3)
    left = (picture.shape[1] - WIDTH) // 2
    return np.ascontiguousarray(picture[:HEIGHT, left : left + WIDTH])


def portrait() -> NDArray[np.uint8]:
    """Return the astronaut Eileen Collins (NASA, 1999) as RGB (480, 640, 3), her face about 150 pixels wide."""
    from skimage.data import astronaut

    return cv2.resize(astronaut()[:240, 90:410], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def write_clip(path: Path, picture: NDArray[np.uint8], frames: int = 30) -> Path:
    """Write a Y4M clip in which the picture sways a little, so that no two frames are the same."""
    with path.open("wb") as clip:
        clip.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg\n".encode())
        for frame in range(frames):
            sway = round(6 * np.sin(2 * np.pi * frame / frames))
            planes = cv2.cvtColor(np.roll(picture, sway, axis=1), cv2.COLOR_RGB2YUV_I420)
            clip.write(b"FRAME\n" + planes.tobytes())
    return path
