"""Which Keras backends and GPUs this machine has, and the environment in which a run computes on them.

Nothing here imports a backend: whether one sees a GPU is asked of a short process of its own.
"""

import importlib.util
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from emotion_core.config import Device, LinearModel, RunConfig
from emotion_core.errors import BadInput

BACKENDS: Final = ("tensorflow", "jax", "torch")
"""In the order in which `auto` tries them."""

PROBE_SECONDS = 120

_SEES_GPU: Final = {
    "tensorflow": "import tensorflow; found = tensorflow.config.list_physical_devices('GPU')",
    "jax": "import jax; found = [device for device in jax.devices() if device.platform != 'cpu']",
    "torch": "import torch; found = torch.cuda.is_available() or torch.backends.mps.is_available()",
}

_QUIET: Final = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}

# NOTE: "-1" and not "": Windows takes an empty variable for one that is not set.
_NO_GPU: Final = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}


def installed_backends() -> tuple[str, ...]:
    """Return the Keras backends that are installed, without importing any."""
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name))


@cache
def nvidia_gpus() -> tuple[str, ...]:
    """Return the names of this machine's NVIDIA GPUs as its driver tells them; empty where there is no driver."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.split(" (UUID")[0] for line in listing.splitlines() if line.startswith("GPU "))


def may_have_gpu() -> bool:
    """Whether it is worth asking the backends for a GPU: NVIDIA's, Apple's or AMD's."""
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return apple or bool(nvidia_gpus()) or Path("/dev/kfd").exists()


@cache
def sees_gpu(backend: str) -> bool:
    """Whether an installed backend can compute on a GPU here. Takes the seconds that importing it takes."""
    code = f"{_SEES_GPU[backend]}; raise SystemExit(0 if found else 3)"
    try:
        probe = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=PROBE_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return probe.returncode == 0


def choose_backend(device: Device) -> str:
    """Return the backend that a run computes on; raises BadInput where the one asked for is not installed.

    `auto` is the first installed backend that sees a GPU, else the first installed one: TensorFlow, if it is there.
    """
    installed = installed_backends()
    if device.backend != "auto":
        _require(device.backend, installed)
        return device.backend
    if not installed:
        raise BadInput("No Keras backend is installed here. Install one: pip install tensorflow")
    if len(installed) == 1 or device.kind == "cpu" or not may_have_gpu():
        return installed[0]
    return next((backend for backend in installed if sees_gpu(backend)), installed[0])


def training_environment(device: Device) -> dict[str, str]:
    """Return the environment variables of a process that trains a network, to be set before Keras is imported."""
    environment = {"KERAS_BACKEND": choose_backend(device), "TF_FORCE_GPU_ALLOW_GROWTH": "true", **_QUIET}
    return environment | _NO_GPU if device.kind == "cpu" else environment


def run_environment(config: RunConfig) -> dict[str, str]:
    """Return the environment variables of the process that computes a run; a linear model needs no backend."""
    return dict(_QUIET) if isinstance(config.model, LinearModel) else training_environment(config.device)


def check_device(config: RunConfig) -> None:
    """Raise BadInput if the run asks for a backend that is not installed here. Takes no time."""
    if isinstance(config.model, LinearModel):
        return
    installed = installed_backends()
    if config.device.backend != "auto" or not installed:
        choose_backend(config.device)


def _require(backend: str, installed: tuple[str, ...]) -> None:
    if backend not in installed:
        here = f"installed here: {', '.join(installed)}" if installed else "no backend is installed here"
        raise BadInput(f"The backend {backend} is not installed ({here}). Install it: pip install {backend}")
