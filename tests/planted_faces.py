"""Small data sets in which each fault was planted, and a run that was validated on one."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from conftest import save_finished_run

from emotion_core.config import with_settings
from emotion_core.dataset import Dataset, labels_of_run, rows_of_run
from emotion_core.runs import Run, Runs, Validation

Change = Callable[[np.ndarray], np.ndarray]


def draw(count: int, seed: int = 0) -> np.ndarray:
    """Return soft pictures uint8 (count, 48, 48) of 60 to 190, each unlike the others."""
    coarse = np.random.default_rng(seed).integers(60, 190, (count, 6, 6), dtype=np.uint8)
    return np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_LINEAR) for picture in coarse])


def dataset(images: np.ndarray, labels: list[int] | None = None, usage: list[str] | None = None) -> Dataset:
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=images,
        labels=None if labels is None else np.array(labels, np.uint8),
        ids=np.array([f"face {number}" for number in range(len(images))]),
        usage=None if usage is None else np.array(usage),
        problems=(),
        fingerprint="",
    )


def with_copies(*copies: tuple[int, int], count: int = 6) -> np.ndarray:
    """Return pictures in which the second row of each pair repeats the first."""
    images = draw(count)
    for original, copy in copies:
        images[copy] = images[original]
    return images


def mirrored(face: np.ndarray) -> np.ndarray:
    return face[:, ::-1]


def brightened(face: np.ndarray) -> np.ndarray:
    return face + np.uint8(50)


def of_less_contrast(face: np.ndarray) -> np.ndarray:
    return face // 3 + np.uint8(20)


def compressed(face: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_GRAYSCALE)


def shifted(face: np.ndarray) -> np.ndarray:
    return np.pad(face, ((1, 0), (0, 1)), mode="edge")[:48, 1:]


def mirrored_and_shifted(face: np.ndarray) -> np.ndarray:
    return shifted(mirrored(face))


def stamped(face: np.ndarray) -> np.ndarray:
    stamp = face.copy()
    stamp[42, 5:40:3] = 220
    return stamp


def constant(face: np.ndarray) -> np.ndarray:
    return np.full_like(face, 130)


def constant_but_one_pixel(face: np.ndarray) -> np.ndarray:
    plain = np.zeros_like(face)
    plain[20, 20] = 255
    return plain


def nearly_constant(face: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).integers(100, 104, face.shape).astype(np.uint8)


def save_judge(
    runs: Runs, faces: Dataset, settings: Mapping[str, Any] | None = None, wrong: Mapping[int, int] | None = None
) -> Run:
    """Save a run that was validated on a data set and gave each face its label, but those in `wrong` another one."""
    run = save_finished_run(runs)
    changed = {"data_fingerprint": faces.fingerprint, "data.source": faces.source} | dict(settings or {})
    config = with_settings(run.config, changed)
    (run.folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    rows = rows_of_run(faces, config).validation
    labels = labels_of_run(faces, config)[rows]
    answers = [(wrong or {}).get(row, label) for row, label in zip(rows.tolist(), labels.tolist(), strict=True)]
    evaluation = run.evaluation()
    assert evaluation is not None
    run.save_evaluation(evaluation, Validation(rows, labels, 0.94 * np.eye(7, dtype=np.float32)[answers] + 0.01))
    return runs.find(run.id)
