"""Faces drawn by code: the data set for someone who has none yet."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import IMAGE_SIZE

SAMPLE_VERSION: Final = 1
"""Changes whenever the drawn faces do."""


def draw_sample() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    raise NotImplementedError
