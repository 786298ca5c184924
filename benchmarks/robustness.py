"""How much accuracy a saved network loses when faces are cropped, lit or stored otherwise than those it learnt from.

    python benchmarks/robustness.py [RUN...] [--faces CSV] [--labels CSV]

Every change is made to the 48x48 test faces themselves, in strengths that a webcam, a detector or a file format may
bring. Where a change has several directions, its accuracy is the mean over them. Edges are repeated where a crop goes
beyond the picture, so that what was cut off is lost, as it is not with a camera. The runs are the best one and
cnn-small where none is named; each loss is against the same run on the faces as they are.

Goal, for the first run: no change costs 4 points or more. The exit code is 1 where one does.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from emotion_core.classifier import Classifier, best_run, load_classifier
from emotion_core.dataset import load_dataset, read_labels
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.runs import Run, Runs
from emotion_core.settings import PROJECT, runs_folder

Faces = NDArray[np.uint8]
Change = Callable[[Faces], Faces]

GOAL = 0.04
SIDE = IMAGE_SIZE


def each(change: Callable[[Faces], Faces]) -> Change:
    """Change images (n, 48, 48) one by one."""
    return lambda faces: np.stack([change(face) for face in faces])


def warped(zoom: float = 1.0, right: float = 0.0, down: float = 0.0) -> Change:
    """Enlarge about the centre and move by a share of the side."""
    centre = (SIDE - 1) / 2
    matrix = np.array(
        [[zoom, 0, centre * (1 - zoom) + right * SIDE], [0, zoom, centre * (1 - zoom) + down * SIDE]], np.float64
    )
    return each(
        lambda face: np.asarray(cv2.warpAffine(face, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    )


def lit(factor: float) -> Change:
    return lambda faces: np.asarray(np.clip(np.rint(faces * factor), 0, 255), np.uint8)


def blurred(deviation: float) -> Change:
    return each(lambda face: np.asarray(cv2.GaussianBlur(face, (0, 0), deviation), np.uint8))


def compressed(quality: int) -> Change:
    def compress(face: Faces) -> Faces:
        _, file = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)

    return each(compress)


def coarse(side: int) -> Change:
    """Shrink to a side and enlarge again: a small face, far from the camera."""
    return each(
        lambda face: np.asarray(
            cv2.resize(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE)), np.uint8
        )
    )


CHANGES: dict[str, list[Change]] = {
    "shifted by 10 %": [warped(right=0.1), warped(right=-0.1), warped(down=0.1), warped(down=-0.1)],
    "15 % larger": [warped(zoom=1.15)],
    "15 % smaller": [warped(zoom=1 / 1.15)],
    "half the light": [lit(0.5)],
    "a fifth of the light": [lit(0.2)],
    "blurred (1 pixel)": [blurred(1.0)],
    "from 32x32 pixels": [coarse(32)],
    "JPEG, quality 50": [compressed(50)],
    "JPEG, quality 30": [compressed(30)],
}


def accuracy(classifier: Classifier, faces: Faces, labels: NDArray[np.integer]) -> float:
    return float((classifier.probabilities(faces).argmax(axis=1) == labels).mean())


def runs_named(names: list[str]) -> list[Run]:
    runs = Runs(runs_folder())
    if names:
        return [runs.find(name) for name in names]
    small = [run for run in runs.all() if run.config.preset == "cnn-small" and run.onnx_path.exists()]
    return list({run.id: run for run in [best_run(runs), *small]}.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--faces", type=Path, default=PROJECT / "data/my_emotion_test.csv", metavar="CSV")
    parser.add_argument("--labels", type=Path, default=PROJECT / "data/my_emotion_test_labels.csv", metavar="CSV")
    options = parser.parse_args()
    dataset = load_dataset(options.faces)
    by_id = dict(zip(*read_labels(options.labels), strict=True))
    labels = np.array([by_id[name] for name in dataset.ids])
    missed = False
    for number, run in enumerate(runs_named(options.runs)):
        classifier = load_classifier(run)
        plain = accuracy(classifier, dataset.images, labels)
        print(f"{run.config.preset} ({run.id}), {len(labels):,} faces\n{'as they are':24s}{plain:8.1%}")
        for name, directions in CHANGES.items():
            changed = float(np.mean([accuracy(classifier, change(dataset.images), labels) for change in directions]))
            too_much = plain - changed >= GOAL and not number
            missed |= too_much
            print(f"{name:24s}{changed:8.1%}{100 * (changed - plain):+8.1f} points{'   MISSED' if too_much else ''}")
        print(flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
