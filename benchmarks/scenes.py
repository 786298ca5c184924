"""Faces whose place is known: those of FER-2013, pasted into scenes as varied as a code can make them.

Shared by the benchmarks of the face detectors. Half of the faces keep their hard border, half fade into the scene. The
photographs are those in scikit-image's wheel that show nobody (`requirements-dev.txt`); one is of a cat, which may
raise a false alarm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from emotion_core.boxes import Box, CropRule, square_crop
from emotion_core.classifier import Classifier
from emotion_core.dataset import load_dataset, read_labels
from emotion_core.errors import BadInput
from emotion_core.faces import cut_face
from emotion_core.images import to_gray
from emotion_core.runs import Run

Gray = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
SMALLEST, LARGEST = 120, 280
"""Sides of the pasted faces, in pixels."""

FADE = 12.0
"""Standard deviation of the border along which a face fades into its scene, in pixels."""

PHOTOGRAPHS = (
    "brick", "chelsea", "clock", "coffee", "coins", "grass", "gravel", "hubble_deep_field", "immunohistochemistry",
    "moon", "page", "rocket", "text",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """Faces uint8 (n, 48, 48) and their labels uint8 (n,)."""

    images: Gray
    labels: NDArray[np.uint8]

    def accuracy(self, classifier: Classifier) -> float:
        """Return the share of the faces that is given its label, 0-1."""
        return float((classifier.probabilities(self.images).argmax(axis=1) == self.labels).mean())


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture uint8 (480, 640) with one face: where it is, which one it is, and how it was pasted."""

    image: Gray
    face: Box
    row: int
    kind: str
    faded: bool

    def shows(self, box: Box) -> bool:
        """Whether a box is the face: its middle less than a quarter of a side away, its width 0.5-1.6 of it."""
        off = max(abs(here - there) for here, there in zip(box.middle, self.face.middle, strict=True))
        return off < 0.25 * self.face.width and 0.5 < box.width / self.face.width < 1.6

    def nearest(self, boxes: list[Box]) -> Box | None:
        """Return the box that is the face, the likest one of several; None where the face was not found."""
        return max(filter(self.shows, boxes), key=self.face.overlap, default=None)

    def crop(self, box: Box, rule: CropRule) -> Gray:
        """Return the face (48, 48) as it is cropped around a detector's box."""
        return cut_face(self.image, square_crop(box, self.image.shape, rule)).crop


def unseen_faces(run: Run, faces: Path, labels: Path | None, count: int) -> LabelledFaces:
    """Return up to `count` faces, chosen with a fixed seed, that a run has not learnt from.

    With a file of labels they are any of the CSV's; without one the CSV is that which the run learnt from, and they are
    among its validation rows.
    """
    dataset = load_dataset(faces)
    if labels is None:
        validation = run.validation()
        rows, truth = validation.rows, validation.labels
        if dataset.labels is None or rows.max() >= len(dataset) or np.any(dataset.labels[rows] != truth):
            raise BadInput(f"Run {run.id} did not learn from {faces}; give the file of its labels too.")
    else:
        by_id = dict(zip(*read_labels(labels), strict=True))
        rows, truth = np.arange(len(dataset)), np.array([by_id[name] for name in dataset.ids], np.uint8)
    chosen = np.random.default_rng(0).permutation(len(rows))[:count]
    return LabelledFaces(dataset.images[rows[chosen]], truth[chosen])


def paste_faces(images: Gray, seed: int) -> Iterator[Scene]:
    """Put each face (n, 48, 48) into a scene of its own, the kinds of scene taking turns."""
    kinds = list(SCENES)
    for row, image in enumerate(images):
        rng = np.random.default_rng([seed, row])
        kind, faded = kinds[row % len(kinds)], row // len(kinds) % 2 == 1
        background, face = SCENES[kind](rng), random_place(rng)
        yield Scene(paste(image, face, background, faded), face, row, kind, faded)


def random_place(rng: np.random.Generator) -> Box:
    side = int(rng.integers(SMALLEST, LARGEST + 1))
    return Box(int(rng.integers(WIDTH - side + 1)), int(rng.integers(HEIGHT - side + 1)), side, side)


def paste(image: Gray, face: Box, background: Gray, faded: bool) -> Gray:
    """Enlarge a face (48, 48) to its box in a background (480, 640)."""
    enlarged = cv2.resize(image, (face.width, face.height), interpolation=cv2.INTER_CUBIC)
    borders = (face.y, HEIGHT - face.height - face.y, face.x, WIDTH - face.width - face.x)
    share = cv2.copyMakeBorder(np.ones(enlarged.shape, np.float32), *borders, cv2.BORDER_CONSTANT, value=0)
    if faded:
        share = cv2.GaussianBlur(share, (0, 0), FADE)
    spread = cv2.copyMakeBorder(enlarged, *borders, cv2.BORDER_REPLICATE)
    return np.asarray(spread * share + background * (1 - share), np.uint8)


def soft_noise(rng: np.random.Generator) -> Gray:
    coarse = rng.integers(40, 220, (6, 8)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def shapes(rng: np.random.Generator) -> Gray:
    """Draw rectangles and circles on a gradient: furniture, lamps, doors."""
    image = np.tile(np.linspace(rng.uniform(20, 120), rng.uniform(120, 240), WIDTH).astype(np.uint8), (HEIGHT, 1))
    for _ in range(rng.integers(3, 12)):
        (x, y, right, low), brightness = rng.integers(WIDTH, size=4).tolist(), int(rng.integers(256))
        if rng.random() < 0.5:
            cv2.rectangle(image, (x, y), (right, low), brightness, cv2.FILLED)
        else:
            cv2.circle(image, (x, y), int(rng.integers(10, 120)), brightness, cv2.FILLED)
    return image


def white_noise(rng: np.random.Generator) -> Gray:
    return np.asarray(rng.normal(rng.uniform(60, 190), 25, (HEIGHT, WIDTH)).clip(0, 255), np.uint8)


def photograph(rng: np.random.Generator) -> Gray:
    """Cut a piece out of a photograph."""
    image = load_photograph(PHOTOGRAPHS[rng.integers(len(PHOTOGRAPHS))])
    y, x = rng.integers(image.shape[0] - HEIGHT + 1), rng.integers(image.shape[1] - WIDTH + 1)
    return image[y : y + HEIGHT, x : x + WIDTH]


@cache
def load_photograph(name: str) -> Gray:
    """Return a photograph of scikit-image in gray, enlarged so that it covers a scene."""
    image = to_gray(getattr(skimage.data, name)())
    scale = max(1.0, WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return np.asarray(cv2.resize(image, size), np.uint8)


SCENES: dict[str, Callable[[np.random.Generator], Gray]] = {
    "soft noise": soft_noise,
    "shapes": shapes,
    "white noise": white_noise,
    "photograph": photograph,
}
