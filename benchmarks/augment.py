"""Augmenting faces on one core: the notebook's generator against ours, in one run.

    python benchmarks/augment.py [--faces N]

Both sides turn the same uint8 faces into batches of 32 for a network, float32 in [0, 1], with the coursework's
rotation, shifts and zoom. The notebook's is Keras's `ImageDataGenerator.flow` over faces that were divided beforehand;
ours draws from uint8 and divides each batch, so that it does more of the work. The sides take turns, five times each,
and their medians are compared. That both draw the same distribution is what tests/test_augment.py shows.

Goal: at least 10 times the images per second. The exit code is 1 where it is missed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from emotion_core.augment import augment
from emotion_core.images import to_network_input
from emotion_core.presets import COURSEWORK_AUGMENTATION
from emotion_core.sample import draw_sample

BATCH = 32
ROUNDS = 5
GOAL = 10.0


def use_one_core() -> None:
    """Keep to one core, where the system can be told so, and to one thread."""
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def notebook(faces: np.ndarray) -> Callable[[], None]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras.src.legacy.preprocessing.image import ImageDataGenerator  # behind tensorflow.keras; slow to import

    scaled = to_network_input(faces)
    generator = ImageDataGenerator(rotation_range=30, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1)
    flow = generator.flow(scaled, np.zeros(len(faces)), batch_size=BATCH, seed=1)

    def run() -> None:
        for _ in range(len(flow)):
            next(flow)

    return run


def ours(faces: np.ndarray) -> Callable[[], None]:
    rng = np.random.default_rng(1)

    def run() -> None:
        order = rng.permutation(len(faces))
        for start in range(0, len(faces), BATCH):
            to_network_input(augment(faces[order[start : start + BATCH]], COURSEWORK_AUGMENTATION, rng))

    return run


def images_per_second(run: Callable[[], None], images: int) -> float:
    start = time.perf_counter()
    run()
    return images / (time.perf_counter() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=3_200, help="faces in a round (default: 3,200)")
    options = parser.parse_args()
    faces = draw_sample()[0][: options.faces]
    sides = {"notebook": notebook(faces), "ours": ours(faces)}
    use_one_core()
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, run in sides.items():
            speeds[name].append(images_per_second(run, len(faces)))
    for name, every in speeds.items():
        print(f"{name:10s} {median(every):10,.0f} images/s   ({min(every):,.0f} to {max(every):,.0f})")
    ratio = median(speeds["ours"]) / median(speeds["notebook"])
    print(f"ours is {ratio:.1f} times as fast; goal {GOAL:.0f} times: {'met' if ratio >= GOAL else 'MISSED'}")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
