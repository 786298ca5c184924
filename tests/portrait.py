"""A face drawn simply enough to ship and well enough for the detector to find."""

import cv2
import numpy as np
from numpy.typing import NDArray


def draw_portrait(
    width: int = 640, height: int = 480, center: tuple[int, int] = (320, 230), size: int = 120
) -> NDArray[np.uint8]:
    """Draw a head of about `size` pixels from cheek to cheek; returns uint8 (height, width, 3) RGB."""
    picture = np.full((height, width), 150, np.uint8)

    def ellipse(x: float, y: float, half_width: float, half_height: float, brightness: int) -> None:
        middle = (round(center[0] + x * size), round(center[1] + y * size))
        axes = (max(1, round(half_width * size)), max(1, round(half_height * size)))
        cv2.ellipse(picture, middle, axes, 0, 0, 360, brightness, cv2.FILLED, cv2.LINE_AA)

    ellipse(0, -0.25, 0.62, 0.75, 40)  # hair
    ellipse(0, 0, 0.52, 0.70, 205)  # face
    ellipse(0, 0.85, 0.90, 0.25, 60)  # collar
    for side in (-0.21, 0.21):
        ellipse(side, -0.21, 0.15, 0.03, 50)  # brow
        ellipse(side, -0.10, 0.17, 0.075, 120)  # eye socket
        ellipse(side, -0.08, 0.10, 0.045, 235)
        ellipse(side, -0.08, 0.045, 0.045, 20)
        ellipse(side / 3, 0.17, 0.03, 0.02, 110)  # nostril
    ellipse(0, 0.08, 0.045, 0.14, 225)  # nose
    ellipse(0, 0.36, 0.19, 0.05, 100)  # mouth
    soft = cv2.GaussianBlur(picture, (0, 0), size / 45)
    return cv2.cvtColor(soft, cv2.COLOR_GRAY2RGB)
