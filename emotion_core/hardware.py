"""Which machine this is, its GPUs, and what a process takes of its memory, as the driver and the system tell it.

NVIDIA's driver is asked through its management library, which makes no CUDA context: asking takes nothing of a GPU
and loads no framework, so that a page may ask too.
"""

import hashlib
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import psutil

TENSOR_CORES = (7, 0)
"""From this compute capability on a GPU has units that multiply in 16 bits."""

BRAIN_FLOATS = (8, 0)
"""From this one on they know bfloat16, whose range is float32's, so that no loss needs scaling."""


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU.

    Attributes:
        index: Its number from 0 in the order of the bus, as `nvidia-smi` counts.
        name: As its maker calls it.
        memory_bytes: All of its memory; 0 where it has none of its own.
        capability: CUDA compute capability, major and minor.
        uuid: What no other GPU is called.
    """

    index: int
    name: str
    memory_bytes: int
    capability: tuple[int, int]
    uuid: str = ""


@dataclass(frozen=True)
class Load:
    """What a process and its GPU are doing; None where that is not known.

    Attributes:
        memory: Bytes of memory that the process takes.
        gpu_memory: Bytes of the GPU that are taken, by whomever.
        gpu_memory_total: Bytes of the GPU in all.
        gpu_use: Share of the last moment in which the GPU computed, 0 to 1.
    """

    memory: int | None = None
    gpu_memory: int | None = None
    gpu_memory_total: int | None = None
    gpu_use: float | None = None


def this_machine() -> str:
    """Return a short digest that tells this machine from others, without its name: runs are handed on."""
    identity = f"{platform.node()} {platform.machine()} {os.cpu_count()}"
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA GPUs that this process may use: those that CUDA_VISIBLE_DEVICES names, where it is set."""
    return tuple(gpu for gpu in _gpus_of_machine() if _is_visible(gpu))


def own_gpu() -> Gpu | None:
    """Return the GPU that this process computes on if it does on any: the first that it may use."""
    return next(iter(gpus()), None)


def precision_gain(gpu: Gpu) -> str:
    """Return the Keras dtype policy that a GPU gains by: a mixed one where it has units that compute in 16 bits."""
    if gpu.capability >= BRAIN_FLOATS:
        return "mixed_bfloat16"
    return "mixed_float16" if gpu.capability >= TENSOR_CORES else "float32"


class Meter:
    """Reads the load of this process and of the GPU that it was given; reading never raises."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._gpu = own_gpu()

    def read(self) -> Load:
        """Return the load at this moment."""
        if self._gpu is None:
            return Load(self._memory())
        taken, total = _memory_at(self._gpu.index)
        return Load(self._memory(), taken, total, _use_at(self._gpu.index))

    def _memory(self) -> int | None:
        with suppress(psutil.Error):
            return int(self._process.memory_info().rss)
        return None


@cache
def _gpus_of_machine() -> tuple[Gpu, ...]:
    import pynvml  # thousands of lines, which only those who ask for GPUs need

    try:
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return ()  # no driver
    return tuple(gpu for index in range(count) if (gpu := _look_at(index)))


def _look_at(index: int) -> Gpu | None:
    """Return what the driver says of a GPU, None where it has fallen out."""
    import pynvml

    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        name, uuid = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetUUID(handle)
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    except pynvml.NVMLError:
        return None
    return Gpu(index, name, _memory_at(index)[1] or 0, (major, minor), uuid)


def _memory_at(index: int) -> tuple[int | None, int | None]:
    """Return the bytes of a GPU that are taken, and all; None where it shares the machine's memory."""
    import pynvml

    with suppress(pynvml.NVMLError):
        memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(index))
        return int(memory.used), int(memory.total)
    return None, None


def _use_at(index: int) -> float | None:
    import pynvml

    with suppress(pynvml.NVMLError):
        return float(pynvml.nvmlDeviceGetUtilizationRates(pynvml.nvmlDeviceGetHandleByIndex(index)).gpu) / 100
    return None


def _is_visible(gpu: Gpu) -> bool:
    """Whether CUDA_VISIBLE_DEVICES lets this process have a GPU; it holds numbers, or the beginnings of uuids."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return True
    entries = (entry.strip() for entry in allowed.split(","))
    return any(entry == str(gpu.index) or (entry and gpu.uuid.startswith(entry)) for entry in entries)
