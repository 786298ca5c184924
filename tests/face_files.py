"""Small files of faces, as text and as bytes, for the tests of reading."""

import gzip
import io
import zipfile
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

LABELS = np.array([3, 0, 6, 1], np.uint8)
USAGE = ("Training", "Training", "PublicTest", "PrivateTest")


def make_faces(count: int = len(LABELS), seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48), np.uint8)


FACES = make_faces()


def pixel_text(face: NDArray[np.uint8], separator: str = " ") -> str:
    return separator.join(map(str, face.ravel().tolist()))


def csv_text(
    header: str = "id,emotion,pixels", faces: NDArray[np.uint8] = FACES, labels: Sequence[int] | None = None
) -> str:
    """A CSV with the columns of `header`, whatever their case; ids are a0, a1, ..."""
    labels = LABELS.tolist() if labels is None else labels
    lines = [header]
    for number, face in enumerate(faces):
        known = {
            "id": f"a{number}",
            "emotion": str(labels[number % len(labels)]),
            "pixels": pixel_text(face),
            "usage": USAGE[number % len(USAGE)],
        }
        lines.append(",".join(known[column.strip().strip('"').lower()] for column in header.split(",")))
    return "\n".join(lines) + "\n"


def with_field(line: int, column: int, value: str) -> str:
    """A good CSV but for one field; `line` counts from 1, the header, and `column` from 0."""
    lines = [text.split(",") for text in csv_text().splitlines()]
    lines[line - 1][column] = value
    return "\n".join(",".join(fields) for fields in lines) + "\n"


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def png(face: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", face)[1].tobytes()


PICTURES = {
    f"{folder}/face{number}.png": png(face)
    for number, (folder, face) in enumerate(zip(("happy", "Angry", "6", "disgust"), FACES, strict=True))
}
"""The faces in folders named after their emotions."""
