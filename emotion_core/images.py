"""Pictures as arrays: decoding what people hand in, and the one way a face becomes a network's input."""

import io
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emotion_core.emotions import IMAGE_SIZE
from emotion_core.errors import BadInput
from emotion_core.settings import MAX_IMAGE_PIXELS

Pixels = NDArray[np.uint8]

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
_ORIENTATION: Final = 0x0112  # the EXIF tag that says how a camera was held
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(content: bytes, name: str) -> Pixels:
    """Decode a JPEG, PNG, WebP or BMP picture, upright as its EXIF data says, transparency over white.

    Args:
        content: The file's bytes.
        name: What the person knows the file by, for messages.

    Returns:
        uint8 (h, w, 3), RGB.

    Raises:
        BadInput: Not such a picture, damaged, animated, or larger than `MAX_IMAGE_PIXELS` by its header.
    """
    if not content:
        raise BadInput(f"{name} is empty.")
    picture = _open(content, name)
    try:
        return np.array(_as_rgb(_upright(picture)))
    except Exception as error:  # each decoder has errors of its own
        raise BadInput(f"{name} is damaged or cut off and cannot be read as a picture.") from error


def shrink(image: Pixels, width: int, height: int) -> Pixels:
    """Return a picture at most so wide and high, in its own proportions; one that is smaller comes back as it is."""
    scale = min(1.0, width / image.shape[1], height / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return _as_pixels(cv2.resize(image, size, interpolation=cv2.INTER_AREA)) if scale < 1 else image


def to_gray(image: Pixels) -> Pixels:
    """Return the brightness uint8 (h, w) of an RGB picture uint8 (h, w, 3); a gray one (h, w) comes back as it is."""
    return image if image.ndim == 2 else _as_pixels(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def to_face(gray: Pixels) -> Pixels:
    """Return a gray picture uint8 (h, w) at the size of a face, uint8 (48, 48); shrinking averages over areas."""
    height, width = gray.shape
    shrunk = cv2.resize(gray, (min(width, IMAGE_SIZE), min(height, IMAGE_SIZE)), interpolation=cv2.INTER_AREA)
    return _as_pixels(cv2.resize(shrunk, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_LINEAR))


def to_network_input(images: Pixels) -> NDArray[np.float32]:
    """Return faces uint8 (n, 48, 48), 0-255, as float32 (n, 48, 48, 1), 0-1.

    Training, webcam, upload and Kaggle files all pass through here, so that a model sees what it learnt from.
    """
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(f"images must have shape (n, {IMAGE_SIZE}, {IMAGE_SIZE}), not {images.shape}")
    return np.divide(images, np.float32(255), dtype=np.float32)[..., np.newaxis]


def _open(content: bytes, name: str) -> Image.Image:
    """Read the header only."""
    try:
        picture = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise BadInput(f"{name} is too large: at most {MAX_IMAGE_PIXELS:,} pixels are decoded.") from error
    except Exception as error:
        raise BadInput(f"{name} is not a picture that can be read; use JPEG, PNG, WebP or BMP.") from error
    width, height = picture.size
    if width * height > MAX_IMAGE_PIXELS:
        raise BadInput(f"{name} is too large: {width:,} x {height:,} pixels, at most {MAX_IMAGE_PIXELS:,} in all.")
    # NOTE: a phone's JPEG may carry further views of the same moment (MPO); it is a still picture all the same.
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise BadInput(f"{name} is animated; use a still picture.")
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    try:
        turn = _UPRIGHT.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data does not spoil the picture
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _as_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel: keep the upper eight
        return Image.fromarray((np.array(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _as_pixels(array: Any) -> Pixels:
    """Narrow OpenCV's loose annotations."""
    return np.asarray(array, dtype=np.uint8)
