"""Random changes to training images: one affine warp per image, drawn as the coursework's generator drew them.

The distribution is that of Keras's `ImageDataGenerator`: rotation, shifts and zoom each uniform, combined as
rotation x shift x zoom about the image's centre, bilinear, with the nearest edge pixel outside. After it, where asked,
come a blur, other light, JPEG compression, and a rectangle of noise. The preview and the training call the same
function; nothing here knows of Keras.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core.config import Augmentation
from emotion_core.emotions import IMAGE_SIZE

_CENTRE: Final = (IMAGE_SIZE - 1) / 2

SHARE_ERASED: Final = 0.5
"""Of the images, where random erasing is on."""

SMALLEST_ERASURE: Final = 0.02
LARGEST_ASPECT: Final = 3.3
"""The smallest share of the area, and the largest ratio of the sides, of a rectangle that is erased (Zhong et al.)."""


@dataclass(frozen=True)
class Transforms:
    """One draw per image: angles in degrees, shifts in pixels, zooms as factors, flips; arrays of length n."""

    angles: NDArray[np.float64]
    row_shifts: NDArray[np.float64]
    column_shifts: NDArray[np.float64]
    row_zooms: NDArray[np.float64]
    column_zooms: NDArray[np.float64]
    flips: NDArray[np.bool_]

    def matrices(self) -> NDArray[np.float64]:
        """Return (n, 2, 3) matrices that take a pixel (x, y) of the result to where it is read in the original."""
        cosines, sines = np.cos(np.radians(self.angles)), np.sin(np.radians(self.angles))
        mirror = np.where(self.flips, -1.0, 1.0)
        rotation = np.stack([cosines, sines, -sines, cosines], axis=1).reshape(-1, 2, 2)
        zoom = np.stack([self.column_zooms * mirror, self.row_zooms], axis=1)[:, np.newaxis]  # (n, 1, 2)
        shift = np.stack([self.column_shifts, self.row_shifts], axis=1)[..., np.newaxis]  # (n, 2, 1)
        linear = rotation * zoom  # (n, 2, 2)
        offset = _CENTRE + rotation @ shift - linear.sum(axis=2, keepdims=True) * _CENTRE  # the centre stays
        return np.concatenate([linear, offset], axis=2)


def draw_transforms(settings: Augmentation, count: int, rng: np.random.Generator) -> Transforms:
    """Draw `count` transforms: rotation in +-rotation, shifts in +-share of the side, zoom per axis in 1 +- zoom."""

    def symmetric(extent: float) -> NDArray[np.float64]:
        return rng.uniform(-extent, extent, count)

    return Transforms(
        angles=symmetric(settings.rotation),
        row_shifts=symmetric(settings.height_shift * IMAGE_SIZE),
        column_shifts=symmetric(settings.width_shift * IMAGE_SIZE),
        row_zooms=1 + symmetric(settings.zoom),
        column_zooms=1 + symmetric(settings.zoom),
        flips=(rng.random(count) < 0.5) & settings.horizontal_flip,
    )


@dataclass(frozen=True)
class Erasures:
    """One rectangle per image, and whether it is erased; sides and places in pixels, arrays of length n."""

    chosen: NDArray[np.bool_]
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]
    tops: NDArray[np.int64]
    lefts: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each image's area that is covered, float64 (n,), 0 where none is."""
        return self.chosen * self.heights * self.widths / IMAGE_SIZE**2


@dataclass(frozen=True)
class Changes:
    """All that is drawn for n images before any of them is touched; None for a change that is off.

    Attributes:
        transforms: What the warp does.
        blurs: Standard deviation of each image's blur, in pixels.
        lights: Factor of each image's light.
        qualities: Quality of each image's JPEG, 0-1.
        erasures: The rectangles of noise.
    """

    transforms: Transforms
    blurs: NDArray[np.float64] | None
    lights: NDArray[np.float64] | None
    qualities: NDArray[np.float64] | None
    erasures: Erasures | None


def draw_changes(settings: Augmentation, count: int, rng: np.random.Generator) -> Changes:
    """Draw what happens to `count` images; `augment` with a generator in the same state does just that to them."""
    return Changes(
        transforms=draw_transforms(settings, count, rng),
        blurs=rng.uniform(0, settings.blur, count) if settings.blur else None,
        lights=1 + rng.uniform(-settings.brightness, settings.brightness, count) if settings.brightness else None,
        qualities=1 - rng.uniform(0, settings.compression, count) if settings.compression else None,
        erasures=_draw_erasures(settings.erasing, count, rng) if settings.erasing else None,
    )


def augment(images: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return changed copies of images.

    Args:
        images: uint8 (n, 48, 48), 0-255.
        settings: How far each transform may go; with none enabled the images come back as they are.
        rng: Source of the draws; the same state gives the same result.
    """
    if not settings.enabled:
        return images
    changes = draw_changes(settings, len(images), rng)
    changed = _warp(images, changes.transforms)
    if changes.blurs is not None:
        _blur(changed, changes.blurs)
    if changes.lights is not None:
        changed = _relight(changed, changes.lights)
    if changes.qualities is not None:
        _compress(changed, changes.qualities)
    if changes.erasures is not None:
        _erase(changed, changes.erasures, rng)
    return changed


def _warp(images: NDArray[np.uint8], transforms: Transforms) -> NDArray[np.uint8]:
    changed = np.empty_like(images)
    for source, target, matrix in zip(images, changed, transforms.matrices(), strict=True):
        cv2.warpAffine(
            source,
            matrix,
            (IMAGE_SIZE, IMAGE_SIZE),
            dst=target,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return changed


def _blur(images: NDArray[np.uint8], deviations: NDArray[np.float64]) -> None:
    """Blur each image in place by a Gaussian of its own deviation, in pixels."""
    for image, deviation in zip(images, deviations, strict=True):
        cv2.GaussianBlur(image, (0, 0), max(deviation, 1e-3), dst=image, borderType=cv2.BORDER_REPLICATE)


def _relight(images: NDArray[np.uint8], factors: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Multiply each image by a factor of its own; what would be brighter than white is white."""
    lit = images * factors.astype(np.float32)[:, np.newaxis, np.newaxis]
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def _compress(images: NDArray[np.uint8], qualities: NDArray[np.float64]) -> None:
    """Save each image as JPEG with a quality of its own, from 0 to 1, and read it back in place."""
    for image, quality in zip(images, qualities, strict=True):
        _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, round(100 * quality)])
        image[:] = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)


def _draw_erasures(largest: float, count: int, rng: np.random.Generator) -> Erasures:
    """Draw rectangles: area up to a share and logarithm of the aspect uniform, place uniform."""
    area = IMAGE_SIZE**2
    chosen = rng.random(count) < SHARE_ERASED
    areas = area * rng.uniform(min(SMALLEST_ERASURE, largest), largest, count)
    aspects = np.exp(rng.uniform(-np.log(LARGEST_ASPECT), np.log(LARGEST_ASPECT), count))
    heights = np.clip(np.rint(np.sqrt(areas * aspects)), 1, IMAGE_SIZE).astype(np.int64)
    widths = np.clip(np.rint(np.sqrt(areas / aspects)), 1, IMAGE_SIZE).astype(np.int64)
    tops = rng.integers(0, IMAGE_SIZE - heights + 1)
    lefts = rng.integers(0, IMAGE_SIZE - widths + 1)
    return Erasures(chosen, heights, widths, tops, lefts)


def _erase(images: NDArray[np.uint8], erasures: Erasures, rng: np.random.Generator) -> None:
    """Fill the rectangles of the chosen images in place with noise."""
    for row in np.flatnonzero(erasures.chosen):
        height, width = erasures.heights[row], erasures.widths[row]
        top, left = erasures.tops[row], erasures.lefts[row]
        images[row, top : top + height, left : left + width] = rng.integers(0, 256, (height, width), np.uint8)
