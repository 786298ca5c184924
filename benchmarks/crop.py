"""Where the square that a network sees should lie around a detector's box: its size and height, by accuracy.

    python benchmarks/crop.py RUN CSV [LABELS] [--detector haar] [--count N]

Faces are pasted into scenes (`benchmarks/scenes.py`) and looked for there, once. Those that are found are cropped by
every rule of a grid and classified by the run. Neighbouring cells differ by chance more than by merit, so that the
second table has the mean of each cell and its neighbours; a good rule lies where that is high all around. Without
LABELS the CSV is that which the run learnt from, and its validation rows are taken: so must it be for choosing a rule,
since faces that a rule was chosen on no longer tell how good it is.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.scenes import LabelledFaces, Scene, paste_faces, unseen_faces
from emotion_core.boxes import Box, CropRule
from emotion_core.classifier import load_classifier
from emotion_core.detection import DETECTORS, Detector, open_detector
from emotion_core.runs import Runs
from emotion_core.settings import runs_folder

SCALES = (0.80, 0.85, 0.90, 0.95, 1.00, 1.05, 1.10, 1.15, 1.20)
DOWNS = (-0.08, -0.04, 0.0, 0.04, 0.08)
SEED = 1

Grid = NDArray[np.float64]
"""A value for each rule, (scales, downs)."""

FoundFaces = list[tuple[Scene, Box]]


def main() -> None:
    options = parse_options()
    run, detector = Runs(runs_folder()).find(options.run), open_detector(options.detector)
    classifier, faces = load_classifier(run), unseen_faces(run, options.faces, options.labels, options.count)
    found = find(detector, faces)
    print(f"{detector.name}, {len(found):,} faces found of {len(faces.labels):,} of {options.faces.name}, {run.id}")
    report_boxes(found)
    rows = [scene.row for scene, _ in found]

    def accuracy(rule: CropRule) -> float:
        crops = np.stack([scene.crop(box, rule) for scene, box in found])
        return LabelledFaces(crops, faces.labels[rows]).accuracy(classifier)

    uncut = LabelledFaces(faces.images[rows], faces.labels[rows]).accuracy(classifier)
    print(f"accuracy on the faces as the file has them {uncut:.1%}, by the rule in use {accuracy(detector.crop):.1%}")
    grid = np.array([[accuracy(CropRule(scale, down)) for down in DOWNS] for scale in SCALES])
    report_grid("accuracy", grid, detector.crop)
    report_grid("mean with its neighbours", smoothed(grid), detector.crop)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="id of a run, or latest")
    parser.add_argument("faces", type=Path, help="CSV of faces")
    parser.add_argument("labels", type=Path, nargs="?", help="CSV of their labels")
    parser.add_argument("--detector", choices=sorted(DETECTORS), default="haar")
    parser.add_argument("--count", type=int, default=2_000, help="faces to look for (%(default)s)")
    return parser.parse_args()


def find(detector: Detector, faces: LabelledFaces) -> FoundFaces:
    looks = ((scene, scene.nearest(detector.detect(scene.image))) for scene in paste_faces(faces.images, SEED))
    return [(scene, box) for scene, box in looks if box]


def smoothed(grid: Grid) -> Grid:
    """Return the mean of each cell and those around it, of which there are fewer at the border."""
    padded = np.pad(grid, 1, constant_values=np.nan)
    return np.asarray(np.nanmean(sliding_window_view(padded, (3, 3)), axis=(2, 3)))


def report_boxes(found: FoundFaces) -> None:
    """Print how the boxes lie on the faces, as medians."""
    longer = np.median([max(box.width, box.height) / scene.face.width for scene, box in found])
    down = np.median([(box.middle[1] - scene.face.middle[1]) / box.height for scene, box in found])
    print(f"longer side of the box {longer:.2f} of the face, its middle {down:+.3f} of its height below the face's")


def report_grid(title: str, grid: Grid, in_use: CropRule) -> None:
    """Print a table; `*` marks the highest cell, `<` the rule in use where it is a cell."""
    print(f"\n{title}\n{'scale, down':12s}" + "".join(f"{down:+9.2f}" for down in DOWNS))
    for scale, values in zip(SCALES, grid, strict=True):
        marks = [
            ("*" if value == grid.max() else "") + ("<" if in_use == CropRule(scale, down) else "")
            for down, value in zip(DOWNS, values, strict=True)
        ]
        cells = (f"{value:7.1%}{mark:2s}" for value, mark in zip(values, marks, strict=True))
        print(f"{scale:<12.2f}" + "".join(cells))


if __name__ == "__main__":
    main()
