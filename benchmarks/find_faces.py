"""How well and how fast faces are found, and how large a piece around them the network should see.

    python -m benchmarks.find_faces RUN data/my_emotion_test.csv data/my_emotion_test_labels.csv

Faces of FER-2013 are pasted, 180 to 260 pixels wide, into scenes of 640x480 and looked for there. Printed are the
share found, the detector's box against the face's true place, the time of one webcam frame (find, classify, draw),
and the accuracy of the run on crops of several sizes beside that on the faces as the file has them.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_core import settings
from emotion_core.classifier import load_classifier
from emotion_core.dataset import load_dataset, read_labels
from emotion_core.faces import CROP_SCALE, Box, FaceDetector, cut_face, square_crop
from emotion_core.runs import Runs
from emotion_core.webcam import WebcamClassifier

WIDTH, HEIGHT, MARGIN = 640, 480, 60
SCALES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)


@dataclass(frozen=True)
class Found:
    """A face that was found: its row, its scene (480, 640), where it truly is and where the detector says."""

    row: int
    scene: NDArray[np.uint8]
    true: Box
    box: Box


def main() -> None:
    options = parse_options()
    classifier = load_classifier(Runs(options.runs).find(options.run))
    faces, labels = sample_faces(options.faces, options.labels, options.count)
    detector, rng = FaceDetector(), np.random.default_rng(0)
    pasted = [paste(face, rng) for face in faces]
    found = [Found(row, *scene, box) for row, scene in enumerate(pasted) if (box := find(detector, *scene))]
    report_boxes(found, len(faces))
    report_frames(WebcamClassifier(classifier), [scene for scene, _ in pasted])
    rows = [face.row for face in found]
    print("accuracy on the faces that were found")
    print(f"  the file's own crops  {accuracy(classifier.probabilities(faces[rows]), labels[rows]):.3f}")
    for scale in SCALES:
        crops = np.stack([crop(face, scale) for face in found])
        mark = "  (in use)" if scale == CROP_SCALE else ""
        print(f"  {scale:4.2f} of the box      {accuracy(classifier.probabilities(crops), labels[rows]):.3f}{mark}")


def crop(face: Found, scale: float) -> NDArray[np.uint8]:
    return cut_face(face.scene, square_crop(face.box, face.scene.shape, scale)).crop


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", help="id of a run, or latest")
    parser.add_argument("faces", type=Path, help="CSV of faces")
    parser.add_argument("labels", type=Path, help="CSV of their labels")
    parser.add_argument("--count", type=int, default=700, help="faces to try")
    parser.add_argument("--runs", type=Path, default=settings.runs_folder(), help="folder of runs")
    return parser.parse_args()


def sample_faces(faces: Path, labels: Path, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    dataset, answers = load_dataset(faces), read_labels(labels)
    truth = dict(zip(answers.ids, answers.labels, strict=True))
    rows = np.random.default_rng(0).choice(len(dataset), min(count, len(dataset)), replace=False)
    return dataset.images[rows], np.array([truth[name] for name in dataset.ids[rows]])


def paste(face: NDArray[np.uint8], rng: np.random.Generator) -> tuple[NDArray[np.uint8], Box]:
    """Put a face into a scene of soft noise, its border fading into it; returns the scene and the face's place."""
    side = int(rng.integers(180, 261))
    x = int(rng.integers(MARGIN, WIDTH - side - MARGIN))
    y = int(rng.integers(MARGIN, HEIGHT - side - MARGIN + 1)) if HEIGHT - side > 2 * MARGIN else MARGIN
    enlarged = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    borders = (y, HEIGHT - side - y, x, WIDTH - side - x)
    spread = cv2.copyMakeBorder(enlarged, *borders, cv2.BORDER_REPLICATE)
    noise = cv2.resize(rng.integers(60, 200, (6, 8)).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    share = cv2.copyMakeBorder(np.ones((side, side), np.float32), *borders, cv2.BORDER_CONSTANT, value=0)
    share = cv2.GaussianBlur(share, (0, 0), 12)
    return (spread * share + noise * (1 - share)).astype(np.uint8), Box(x, y, side, side)


def find(detector: FaceDetector, scene: NDArray[np.uint8], true: Box) -> Box | None:
    """Return the detector's largest box whose middle is near that of the face."""
    near = [box for box in detector.detect(scene) if max(map(abs, offset(box, true))) < 0.25]
    return max(near, key=lambda box: box.area, default=None)


def offset(box: Box, true: Box) -> tuple[float, float]:
    """Return how far right and down the box's middle is from the face's, in sides of the face."""
    return (
        (box.x + box.width / 2 - true.x - true.width / 2) / true.width,
        (box.y + box.height / 2 - true.y - true.height / 2) / true.height,
    )


def report_boxes(found: list[Found], tried: int) -> None:
    widths = np.quantile([face.box.width / face.true.width for face in found], [0.1, 0.5, 0.9])
    right, down = np.median([offset(face.box, face.true) for face in found], axis=0)
    print(f"found {len(found)} of {tried} faces ({len(found) / tried:.0%})")
    print(f"box against face: width {widths[1]:.2f} (tenths {widths[0]:.2f} to {widths[2]:.2f}), ", end="")
    print(f"middle {right:+.3f} right, {down:+.3f} down")


def report_frames(webcam: WebcamClassifier, scenes: list[NDArray[np.uint8]]) -> None:
    milliseconds = []
    for scene in scenes[:200]:
        frame = cv2.cvtColor(scene, cv2.COLOR_GRAY2RGB)
        start = time.perf_counter()
        webcam.process(frame)
        milliseconds.append(1_000 * (time.perf_counter() - start))
    print(
        f"webcam frame: median {np.median(milliseconds):.1f} ms, 95th percentile {np.quantile(milliseconds, 0.95):.1f}"
    )


def accuracy(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())


if __name__ == "__main__":
    main()
