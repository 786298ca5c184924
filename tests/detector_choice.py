"""The detectors to test with, and the photographs that lie beside the checkout on some machines."""

from pathlib import Path

import pytest

from emotion_core.detector_file import FILE_NAME

_SHARED = Path(__file__).parent.parent.parent / "shared"

PUBLISHED = _SHARED / "face_detector" / FILE_NAME
"""YuNet's file as OpenCV publishes it; it is no part of the project."""

PHOTOGRAPHS = sorted((_SHARED / "photos").glob("*.jpg"))
"""Of one person each."""

needs_yunet = pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED} is not here")

BOTH = ["haar", pytest.param("yunet", marks=needs_yunet)]
"""Names of the detectors, to parametrize with."""
