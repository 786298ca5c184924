"""The file of the YuNet face detector: where it lies, and how it gets there.

It is no part of this project. OpenCV publishes it in its Zoo under the MIT licence, and whoever wants it fetches it
from there, once. Only the very file that was tested is taken.
"""

import hashlib
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, Final

from emotion_core.errors import EmotionError, ModelUnavailable
from emotion_core.files import replacing
from emotion_core.settings import detector_folder

FILE_NAME: Final = "face_detection_yunet_2026may.onnx"
ADDRESS: Final = f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{FILE_NAME}"
SHA256: Final = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"

HOW_TO_FETCH: Final = "python -m emotion_core fetch-detector"

_LARGEST: Final = 1_000_000
"""Bytes read at most; the file has 229,738."""

_PATIENCE: Final = 20
"""Seconds without an answer after which fetching gives up."""

Opener = Callable[..., IO[bytes]]


def detector_path() -> Path:
    """Return where the file lies once it has been fetched."""
    return detector_folder() / FILE_NAME


def read_detector_file() -> bytes:
    """Return the file's content; raises ModelUnavailable where it is missing or not the one that was tested."""
    path = detector_path()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"The YuNet detector is not here yet; `{HOW_TO_FETCH}` fetches it.") from error
    if not _is_the_one(content):
        raise ModelUnavailable(f"{path} is damaged or another version; `{HOW_TO_FETCH}` fetches it again.")
    return content


def fetch_detector(open_address: Opener = urllib.request.urlopen) -> Path:
    """Fetch the file from the OpenCV Zoo, unless it is there already, and return its path.

    Args:
        open_address: Opens an address for reading, given it and `timeout` in seconds.

    Raises:
        EmotionError: It cannot be reached, or what came is not the file that was tested.
    """
    path = detector_path()
    try:
        read_detector_file()
    except ModelUnavailable:
        _keep(_download(open_address), path)
    return path


def _download(open_address: Opener) -> bytes:
    try:
        with open_address(ADDRESS, timeout=_PATIENCE) as answer:
            return answer.read(_LARGEST)
    except (OSError, HTTPException) as error:  # urllib's and ssl's own errors are OSErrors too
        reason = str(getattr(error, "reason", None) or error).strip()
        raise EmotionError(
            f"The OpenCV Zoo cannot be reached from here ({reason}). The app works without this detector; to add it, "
            f"save {ADDRESS} as {detector_path()}."
        ) from error


def _keep(content: bytes, path: Path) -> None:
    if not _is_the_one(content):
        raise EmotionError(
            f"The file from {ADDRESS} ({len(content):,} bytes) is not the tested one, so it was not saved."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise EmotionError(f"{path} cannot be written: {error.strerror}; move it with EMOTION_DETECTORS.") from error


def _is_the_one(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == SHA256
