"""What differs between the Keras backends: the device in use, the precision that suits it, and exact repetition."""

from typing import Any, Final, Literal

import keras
import numpy as np

from emotion_core.config import DenseModel, Device, GruModel, Model
from emotion_core.hardware import own_gpu, precision_gain

FULL_PRECISION: Final = "float32"


def prepare_backend(device: Device) -> None:
    """Set the precision of the layers to come and, where asked, have only exact operations; before any is built."""
    keras.config.set_dtype_policy(_precision(device))
    if device.deterministic:
        _make_deterministic()


class SeedEachEpoch(keras.callbacks.Callback):  # type: ignore[misc]
    """Draws of torch's own generator, which Keras's dropout uses there, follow from the seed and the epoch.

    The generators of other backends are variables of the model and saved with it.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Seed the generator anew."""
        if keras.backend.backend() == "torch":
            import torch

            torch.manual_seed(int(np.random.SeedSequence([self._seed, epoch]).generate_state(1)[0]))


def fuses_operations(model: Model) -> bool | Literal["auto"]:
    """Return whether XLA is to fuse a network's operations, as Keras's `jit_compile` has it.

    By itself Keras fuses nothing on a processor under TensorFlow. Networks of many small operations gain by it there:
    the dense ones learn 1.2 times as fast, the GRU 1.7 times. Convolutions lose, and torch has a compiler of its own.
    """
    return True if _is_small_for_tensorflow(model) else "auto"


def steps_at_once(model: Model) -> int:
    """Return how many batches are learnt before Keras returns to Python, as its `steps_per_execution` has it.

    Handing a step of a dense network over costs TensorFlow about a quarter of the step's time.
    """
    return 8 if _is_small_for_tensorflow(model) else 1


def _is_small_for_tensorflow(model: Model) -> bool:
    return isinstance(model, DenseModel | GruModel) and keras.backend.backend() == "tensorflow"


def device_name() -> str:
    """Return "GPU (name)" or "CPU", as the backend of this process sees it."""
    names = _gpu_names()
    return f"GPU ({names[0]})" if names else "CPU"


def _precision(device: Device) -> str:
    """Return the dtype policy: in 16 bits on a GPU that gains by it, or wherever that was asked for."""
    gpu = own_gpu()
    gains = precision_gain(gpu) if gpu and _gpu_names() else FULL_PRECISION
    match device.mixed_precision:
        case "off":
            return FULL_PRECISION
        case "on":
            return "mixed_bfloat16" if gains == FULL_PRECISION else gains
        case _:
            return gains


def _make_deterministic() -> None:
    """Choose operations that give the same bits each time, even where others are faster.

    JAX, and NVIDIA's library under torch, take that from the environment that the engine starts this process with.
    """
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow

            tensorflow.config.experimental.enable_op_determinism()
        case "torch":
            import torch

            torch.use_deterministic_algorithms(True)


def _gpu_names() -> list[str]:
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow

            gpus = tensorflow.config.list_physical_devices("GPU")
            return [tensorflow.config.experimental.get_device_details(gpu).get("device_name", "") for gpu in gpus]
        case "jax":
            import jax

            return [device.device_kind for device in jax.devices() if device.platform == "gpu"]
        case "torch":
            import torch

            if torch.backends.mps.is_available():
                return ["Apple"]
            return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        case _:
            return []
