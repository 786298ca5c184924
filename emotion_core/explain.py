"""What in a face an answer hangs on: found by covering parts of it, and drawn as colour over the face.

Colours are vermilion for what speaks for the answer and blue for what speaks against it, which people with any kind of
colour vision tell apart (Okabe and Ito, "Color Universal Design", 2008).
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Classifier
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS

FULL_DROP: Final = 0.2
"""The least fall in probability that is drawn in full colour, so that a small one does not look like a large one."""

FULL_WEIGHT: Final = 3 / IMAGE_SIZE
"""The least weight of a row that is drawn in full colour: three times what each has where all have the same."""

_FOR: Final = (213, 94, 0)
_AGAINST: Final = (0, 114, 178)
_OPACITY: Final = 0.8
"""Of full colour."""

_SHADING: Final = (0.5, 1.15)
"""How bright the colour is over black and over white pixels: the face stays legible beneath."""

_BLUR: Final = 2.0
"""Standard deviation in pixels of the face, half the usual stride: patches leave no steps."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What covering parts of a face does to the probability of one emotion.

    Attributes:
        label: Number of the emotion.
        probability: Its probability for the face as it is.
        drops: float32 (48, 48): how far the probability falls, on average over all patches that cover the pixel;
            negative where covering raises it.
        lowest: The probability under the patch that lowers it most.
        highest: The probability under the patch that raises it most.
    """

    label: int
    probability: float
    drops: NDArray[np.float32]
    lowest: float
    highest: float


def occlusion_map(
    classifier: Classifier, face: NDArray[np.uint8], label: int | None = None, patch: int = 12, stride: int = 4
) -> Occlusion:
    """Cover a face with squares of its mean brightness, one at a time, and see how the answer changes.

    After Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014). The squares reach over
    the border, so that those at the edge are covered as often as those in the middle.

    Args:
        classifier: Is asked once about all covered faces.
        face: uint8 (48, 48), 0-255.
        label: Number of the emotion to explain, 0-6; the most probable if None.
        patch: Side of the squares in pixels, 1-48.
        stride: Pixels from each square to the next, at most `patch`, so that none is left out.

    Raises:
        ValueError: An argument is not as described.
    """
    _require_face(face)
    _require_squares(patch, stride)
    if label is not None and not 0 <= label < NUM_EMOTIONS:
        raise ValueError(f"label must be from 0 to {NUM_EMOTIONS - 1}, not {label}")
    covers = _squares(patch, stride)  # (squares, 48, 48)
    covered = np.where(covers, np.uint8(face.mean().round()), face)
    probabilities = classifier.probabilities(np.concatenate([face[np.newaxis], covered]))  # (1 + squares, 7)
    label = int(probabilities[0].argmax()) if label is None else label
    before, after = probabilities[0, label], probabilities[1:, label]
    drops = np.tensordot(before - after, covers, axes=1) / covers.sum(axis=0)
    return Occlusion(label, float(before), drops.astype(np.float32), float(after.min()), float(after.max()))


def heat_overlay(face: NDArray[np.uint8], drops: NDArray[np.float32], side: int = 288) -> NDArray[np.uint8]:
    """Draw a face with what an answer hangs on in colour.

    Args:
        face: uint8 (48, 48), 0-255.
        drops: float (48, 48), as in `Occlusion`. The largest in size has full colour, if it is at least `FULL_DROP`.
        side: Width and height of the picture in pixels, best a multiple of 48.

    Returns:
        uint8 (side, side, 3), RGB: warm where covering lowers the probability, cool where it raises it.
    """
    if drops.shape != (IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(f"drops must have shape ({IMAGE_SIZE}, {IMAGE_SIZE}), not {drops.shape}")
    strength = drops / max(float(np.abs(drops).max()), FULL_DROP)
    return _tinted(face, cv2.GaussianBlur(strength, (0, 0), _BLUR, borderType=cv2.BORDER_REPLICATE), side)


def attention_overlay(face: NDArray[np.uint8], weights: NDArray[np.float32], side: int = 288) -> NDArray[np.uint8]:
    """Draw a face with its rows the warmer the more a network attends to them.

    Args:
        face: uint8 (48, 48), 0-255.
        weights: float (48,), from the top down. The largest has full colour, if it is at least `FULL_WEIGHT`.
        side: Width and height of the picture in pixels, best a multiple of 48.

    Returns:
        uint8 (side, side, 3), RGB.
    """
    if weights.shape != (IMAGE_SIZE,):
        raise ValueError(f"weights must have shape ({IMAGE_SIZE},), not {weights.shape}")
    strength = weights / max(float(weights.max()), FULL_WEIGHT)
    return _tinted(face, np.repeat(strength[:, np.newaxis], IMAGE_SIZE, axis=1), side)


def _squares(patch: int, stride: int) -> NDArray[np.bool_]:
    """Return which pixels each square covers, bool (squares, 48, 48)."""
    starts = np.arange(stride - patch, IMAGE_SIZE, stride)[:, np.newaxis]
    pixels = np.arange(IMAGE_SIZE)
    spans = (starts <= pixels) & (pixels < starts + patch)  # (starts, 48)
    return (spans[:, np.newaxis, :, np.newaxis] & spans[:, np.newaxis]).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _tinted(face: NDArray[np.uint8], strength: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """Lay colour over an enlarged face; strength is float (48, 48), -1 to 1, and 0 shows the face alone."""
    _require_face(face)
    gray = cv2.resize(face, (side, side), interpolation=cv2.INTER_NEAREST)[..., np.newaxis]
    smooth = cv2.resize(strength, (side, side), interpolation=cv2.INTER_LINEAR)[..., np.newaxis]  # (side, side, 1)
    opacity = _OPACITY * np.abs(smooth)
    colour = np.where(smooth > 0, _FOR, _AGAINST) * np.interp(gray, (0, 255), _SHADING)  # (side, side, 3)
    return np.asarray(((1 - opacity) * gray + opacity * colour).round(), dtype=np.uint8)


def _require_face(face: NDArray[np.uint8]) -> None:
    if face.shape != (IMAGE_SIZE, IMAGE_SIZE) or face.dtype != np.uint8:
        raise ValueError(f"face must be uint8 ({IMAGE_SIZE}, {IMAGE_SIZE}), not {face.dtype.name} {face.shape}")


def _require_squares(patch: int, stride: int) -> None:
    if not 1 <= patch <= IMAGE_SIZE:
        raise ValueError(f"patch must be from 1 to {IMAGE_SIZE}, not {patch}")
    if not 1 <= stride <= patch:
        raise ValueError(f"stride must be from 1 to patch ({patch}), not {stride}")
