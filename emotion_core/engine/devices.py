"""Where a run can compute on this machine, and the environment in which it does.

Nothing here imports a backend. So the process that asks, a page's above all, never holds a GPU; only a trainer is
given one, and only its own.
"""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from emotion_core.config import Device, LinearModel, RunConfig
from emotion_core.engine.backends import TAKE_MEMORY_AS_NEEDED, installed_backends, may_see_gpu, sees_gpu
from emotion_core.engine.slots import CPU, gpu_index, gpu_slot
from emotion_core.errors import BadInput
from emotion_core.hardware import Gpu, gpus
from emotion_core.recorder import SLOT_VARIABLE

_QUIET: Final = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}

# NOTE: "-1" and not "": Windows takes an empty variable for one that is not set.
_NO_GPU: Final = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_TORCH_DEVICE": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow looks for a GPU all the same, and calls it an error to find none
}


def may_have_gpu() -> bool:
    """Whether it is worth asking the backends for a GPU: NVIDIA's, Apple's or AMD's."""
    return bool(gpus()) or _has_unnumbered_gpu()


def may_train_on_gpu() -> bool:
    """Whether a network would train on a GPU here, as far as can be told at once, without asking the backends."""
    return may_have_gpu() and any(map(may_see_gpu, installed_backends()))


def slots() -> tuple[str, ...]:
    """Return the slots of this machine: one for each GPU, the processor's last."""
    return (*_gpu_slots(), CPU)


def slots_for(config: RunConfig) -> tuple[str, ...]:
    """Return the slots that a run can compute in, the best first.

    Where there is a GPU this takes seconds the first time, since the backends are asked whether they see it.

    Raises:
        BadInput: The run asks for a GPU or a backend that is not to be had.
    """
    device = config.device
    if isinstance(config.model, LinearModel) or device.kind == "cpu":
        return (CPU,)
    check_device(config)
    if _gpu_backend(device) is None:
        return (CPU,)
    return _gpu_slots() if device.gpu is None else (gpu_slot(device.gpu),)


def choose_backend(device: Device) -> str:
    """Return the backend that a network computes with; raises BadInput where the one asked for is not installed.

    `auto` is the first installed backend that sees a GPU, else the first installed one: TensorFlow, if it is there.
    """
    return _gpu_backend(device) or _candidates(device)[0]


def run_environment(config: RunConfig, slot: str | None = None) -> dict[str, str]:
    """Return the environment variables of the process that computes a run in a slot, by default its best one.

    They are to be set before Keras is imported. A process in the processor's slot sees no GPU, one in a GPU's slot
    only that GPU. A linear model needs no backend. Raises BadInput as `slots_for` does.
    """
    slot = slot or slots_for(config)[0]
    environment = {**_QUIET, **TAKE_MEMORY_AS_NEEDED, SLOT_VARIABLE: slot, **_devices_in(slot)}
    if isinstance(config.model, LinearModel):
        return environment
    backend = choose_backend(config.device)
    exact = _exact(backend) if config.device.deterministic and slot != CPU else {}
    return {**environment, "KERAS_BACKEND": backend, **exact}


def check_device(config: RunConfig) -> None:
    """Raise BadInput if a run asks for a backend or a GPU that is not to be had here.

    It takes no time but for a run that asks for a GPU where there is one: whether a backend sees it takes seconds.
    """
    device = config.device
    if isinstance(config.model, LinearModel):
        return
    _candidates(device)
    if device.kind == "gpu" or (device.kind == "auto" and device.gpu is not None):
        _require_gpu(device)


def how_to_use_the_gpu() -> str:
    """Return the command that installs a backend which sees this system's GPUs."""
    by_system: dict[str, str] = {
        "Linux": "pip install 'tensorflow[and-cuda]==2.21.0' for NVIDIA's",
        "Windows": "pip install torch --index-url https://download.pytorch.org/whl/cu126",
        "Darwin": "pip install torch",
    }
    return by_system.get(platform.system(), "pip install torch")


def _has_unnumbered_gpu() -> bool:
    """Whether there is one of Apple's or AMD's: backends see it, but which of several is not for us to choose."""
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return apple or Path("/dev/kfd").exists()


def _gpu_slots() -> tuple[str, ...]:
    numbered = tuple(gpu_slot(gpu.index) for gpu in gpus())
    return numbered or ((gpu_slot(0),) if _has_unnumbered_gpu() else ())


def _candidates(device: Device) -> tuple[str, ...]:
    """Return the installed backends that a run may use; raises BadInput where there is none."""
    installed = installed_backends()
    if device.backend == "auto":
        if not installed:
            raise BadInput("No Keras backend is installed here. Install one: pip install tensorflow")
        return installed
    if device.backend not in installed:
        here = f"installed here: {', '.join(installed)}" if installed else "no backend is installed here"
        raise BadInput(
            f"The backend {device.backend} is not installed ({here}). Install it: pip install {device.backend}"
        )
    return (device.backend,)


def _gpu_backend(device: Device) -> str | None:
    """Return the backend that would compute on a GPU, None where the run has to take the processor."""
    candidates = _candidates(device)
    if device.kind == "cpu" or not may_have_gpu():
        return None
    return next((backend for backend in candidates if sees_gpu(backend)), None)


def _require_gpu(device: Device) -> None:
    if not may_have_gpu():
        raise BadInput("The run asks for a GPU, and this machine has none; choose auto or cpu as its device.")
    if device.gpu is not None and gpu_slot(device.gpu) not in _gpu_slots():
        raise BadInput(f"The run asks for GPU {device.gpu}; this machine has {_list_gpus(gpus())}.")
    if _gpu_backend(device) is None:
        blind = "no installed backend sees it" if device.backend == "auto" else f"{device.backend} does not see it"
        raise BadInput(f"There is a GPU, but {blind}; choose cpu as the device, or {how_to_use_the_gpu()}.")


def _list_gpus(found: Sequence[Gpu]) -> str:
    return ", ".join(f"GPU {gpu.index} ({gpu.name})" for gpu in found) or "only GPU 0"


def _devices_in(slot: str) -> dict[str, str]:
    """Return the variables that show a process the GPU of its slot and hide all others."""
    if slot == CPU:
        return _NO_GPU
    if not gpus():
        return {}
    # NOTE: CUDA counts the fastest first unless told to count as the driver does.
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(gpu_index(slot))}


def _exact(backend: str) -> dict[str, str]:
    """Return what makes a GPU repeat its results bit by bit, where that is not asked for in code."""
    match backend:
        case "jax":
            flags = os.environ.get("XLA_FLAGS", "")
            return {"XLA_FLAGS": f"{flags} --xla_gpu_deterministic_ops=true".lstrip()}
        case "torch":
            return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
        case _:
            return {}
