"""Reading a CSV of faces: the notebook's way against ours, first and second time, in one run.

    python benchmarks/read_csv.py data/my_emotion_train.csv [--rows N]

The notebook's way is pandas' `read_csv`, an `apply` that makes each row's text a list of `int`, an `apply` that
divides each of these by 255, and one array (n, 48, 48, 1) of them all. Ours reads the same rows into uint8 and divides
later, batch by batch; the line "and all divided" does it at once, so that both sides end with the same array. A first
read is the median of three. The file is read once beforehand, so that nobody waits for the disk.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from emotion_core.dataset import Dataset, load_dataset
from emotion_core.images import to_network_input

Result = TypeVar("Result")


def read_as_the_notebook(path: Path) -> np.ndarray:
    rows = pd.read_csv(path)
    pixels = rows["pixels"].apply(lambda text: [int(pixel) for pixel in text.split(" ")])
    pixels = pixels.apply(lambda row: [pixel / 255 for pixel in row])
    return np.array(pixels.to_list()).reshape(-1, 48, 48, 1)


def read_anew(path: Path, cache: Path) -> float:
    """Return the seconds of a read that finds nothing in the cache."""
    os.environ["EMOTION_CACHE"] = str(cache)
    return measure(lambda: load_dataset(path))[0]


def measure(task: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = task()
    return time.perf_counter() - start, result


def keep_rows(path: Path, count: int, folder: Path) -> Path:
    """Write the first `count` rows of the file to a file of their own."""
    part = folder / "part.csv"
    with path.open("rb") as source, part.open("wb") as target:
        target.writelines(islice(source, count + 1))
    return part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--rows", type=int, help="only the first N rows, for a quick look (default: all)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.csv if options.rows is None else keep_rows(options.csv, options.rows, Path(folder))
        path.read_bytes()
        first = median(read_anew(path, Path(folder, f"cache{attempt}")) for attempt in range(3))
        second, dataset = measure(lambda: load_dataset(path))
        divided, ours = measure(lambda: to_network_input(dataset.images))
        notebook, theirs = measure(lambda: read_as_the_notebook(path))
        check_equal(ours, theirs)
        report(path, dataset, notebook, first, second, divided)


def check_equal(ours: np.ndarray, theirs: np.ndarray) -> None:
    for start in range(0, len(ours), 1_000):
        np.testing.assert_allclose(ours[start : start + 1_000], theirs[start : start + 1_000], rtol=1e-6)


def report(path: Path, dataset: Dataset, notebook: float, first: float, second: float, divided: float) -> None:
    print(f"{path.name}: {len(dataset):,} faces, {path.stat().st_size / 1e6:,.0f} MB; both ways give equal arrays")
    print(f"notebook                        {notebook:9.3f} s")
    for what, seconds in (
        ("first read, cache written", first),
        ("first read, and all divided", first + divided),
        ("second read", second),
    ):
        print(f"{what:30s}  {seconds:9.3f} s   {notebook / seconds:10,.1f} times faster")


if __name__ == "__main__":
    main()
