"""What this machine has of what the product needs: versions, backends, GPUs, folders, and how to get the rest."""

import os
import platform
import secrets
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from emotion_core import __version__, settings
from emotion_core.detection import YunetDetector, best_detector
from emotion_core.detector_file import HOW_TO_FETCH
from emotion_core.engine import LocalEngine
from emotion_core.engine.backends import installed_backends, sees_gpu
from emotion_core.engine.devices import how_to_use_the_gpu, may_have_gpu, slots
from emotion_core.errors import EmotionError
from emotion_core.hardware import Gpu, gpus
from emotion_core.runs import Runs
from emotion_core.units import GIGABYTE

PACKAGES: Final = (
    "streamlit",
    "streamlit-webrtc",
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "onnxruntime",
    "opencv-python-headless",
    "numpy",
    "pandas",
    "scikit-learn",
    "psutil",
    "nvidia-ml-py",
)

OPTIONAL: Final = ("jax", "torch")

LOW_DISK_GIGABYTES: Final = 2.0


@dataclass(frozen=True)
class Folder:
    """A folder that the product uses: where, whether it can be written to, and the space left in gigabytes."""

    path: str
    exists: bool
    writable: bool
    free_gigabytes: float


@dataclass(frozen=True)
class Report:
    """What was found. `packages` maps a name to its version, None where it is missing.

    `gpus` are NVIDIA's, `gpu_backends` the backends that see a GPU; in each of `slots` one run computes at a time;
    `detector` finds faces; `missing` holds a sentence for each thing to mend or to gain.
    """

    version: str
    python: str
    system: str
    processors: int
    packages: dict[str, str | None]
    backends: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    gpu_backends: tuple[str, ...]
    slots: tuple[str, ...]
    folders: dict[str, Folder]
    engine_is_working: bool
    detector: str
    missing: tuple[str, ...]


def examine(runs: Runs) -> Report:
    """Look at everything. Takes seconds where there is a GPU, since each backend is asked whether it sees it."""
    packages = {name: _version_of(name) for name in PACKAGES}
    backends = installed_backends()
    gpu_backends = tuple(backend for backend in backends if sees_gpu(backend)) if may_have_gpu() else ()
    folders = {
        "runs": _look_at(runs.folder),
        "data": _look_at(settings.data_folder()),
        "cache": _look_at(settings.cache_folder()),
    }
    return Report(
        version=__version__,
        python=platform.python_version(),
        system=platform.platform(),
        processors=os.cpu_count() or 1,
        packages=packages,
        backends=backends,
        gpus=gpus(),
        gpu_backends=gpu_backends,
        slots=slots(),
        folders=folders,
        engine_is_working=folders["runs"].exists and folders["runs"].writable and _engine_is_working(runs),
        detector=best_detector(),
        missing=(
            *_missing_packages(packages),
            *_missing_backends(backends, gpu_backends),
            *_poor_folders(folders),
            *_better_detector(),
        ),
    )


def _missing_packages(packages: dict[str, str | None]) -> list[str]:
    absent = [name for name, found in packages.items() if not found and name not in (*OPTIONAL, "tensorflow")]
    return [f"{name} is not installed: pip install -r requirements.txt" for name in absent]


def _missing_backends(backends: tuple[str, ...], gpu_backends: tuple[str, ...]) -> list[str]:
    if not backends:
        return ["No Keras backend is installed, so networks cannot be trained: pip install tensorflow"]
    sentences = []
    if "tensorflow" not in backends:
        sentences.append(
            "TensorFlow is not installed, and only it writes the ONNX file used for predictions: pip install tensorflow"
        )
    if may_have_gpu() and not gpu_backends:
        sentences.append(f"There is a GPU, but no installed backend can use it: {how_to_use_the_gpu()}")
    return sentences


def _poor_folders(folders: dict[str, Folder]) -> list[str]:
    sentences = []
    for name, folder in folders.items():
        is_full = folder.free_gigabytes < LOW_DISK_GIGABYTES
        if name != "data" and (is_full or not folder.writable):  # data is only read
            trouble = "has little space left" if folder.writable else "cannot be written to"
            sentences.append(f"The {name} folder, {folder.path}, {trouble}; move it with EMOTION_{name.upper()}.")
    return sentences


def _better_detector() -> list[str]:
    if best_detector() == YunetDetector.name:
        return []
    return [f"The better face detector, YuNet, is not here (optional): {HOW_TO_FETCH}"]


def _look_at(path: Path) -> Folder:
    """Look at a folder; where it does not exist yet, at the one that it would be made in."""
    existing = next((parent for parent in (path, *path.parents) if os.path.isdir(parent)), None)
    if existing is None:  # on a drive that is not there
        return Folder(str(path), exists=False, writable=False, free_gigabytes=0.0)
    return Folder(
        path=str(path),
        exists=os.path.isdir(path),  # `Path.is_dir` raises where one may not look
        writable=_is_writable(existing),
        free_gigabytes=round(shutil.disk_usage(existing).free / GIGABYTE, 1),
    )


def _is_writable(folder: Path) -> bool:
    probe = folder / f".doctor-{secrets.token_hex(4)}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError:
        return False
    return True


def _engine_is_working(runs: Runs) -> bool:
    try:
        return LocalEngine(runs).is_working()
    except EmotionError:
        return False


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
