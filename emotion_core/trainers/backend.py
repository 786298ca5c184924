"""What differs between the Keras backends: the device in use, the precision that suits it, and exact repetition."""

import os
from collections.abc import Callable
from typing import Any, Final, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.config import DenseModel, Device, GruModel, Model
from emotion_core.hardware import own_gpu, precision_gain

FULL_PRECISION: Final = "float32"

MOST_BATCH_THREADS: Final = 4
"""More threads than this wait for each other: much of what they do is Python's."""


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


def computes_on_gpu() -> bool:
    """Return whether the backend of this process computes on a GPU."""
    return bool(_gpu_names())


def batch_threads() -> int:
    """Return how many threads make batches: several beside a GPU, one where the network needs the cores itself."""
    return max(1, min(MOST_BATCH_THREADS, (os.cpu_count() or 1) // 2)) if computes_on_gpu() else 1


def compiled(network: keras.Model) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a network as a function of arrays that several threads may call; its weights are those of this moment.

    It takes faces float32 (n, 48, 48, 1), 0 to 1, and gives probabilities float32 (n, 7).

    `Model.predict` may be called by one thread at a time: on JAX it hands its weights over and takes them back.
    """
    match keras.backend.backend():
        case "jax":
            import jax

            def answer(trainable: Any, non_trainable: Any, inputs: Any) -> Any:
                return network.stateless_call(trainable, non_trainable, inputs, training=False)[0]

            weights = [variable.value for variable in network.trainable_variables]
            statistics = [variable.value for variable in network.non_trainable_variables]
            function = jax.jit(answer)
            return lambda inputs: np.asarray(function(weights, statistics, inputs), np.float32)
        case "tensorflow":
            import tensorflow

            graph = tensorflow.function(lambda inputs: network(inputs, training=False), reduce_retracing=True)
            return lambda inputs: np.asarray(graph(tensorflow.constant(inputs)), np.float32)
        case "torch":
            import torch

            def run(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
                with torch.no_grad():
                    outputs = network(keras.ops.convert_to_tensor(inputs), training=False)
                return np.asarray(keras.ops.convert_to_numpy(outputs), np.float32)

            return run
    raise ValueError(f"unknown Keras backend {keras.backend.backend()!r}")


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

            if os.environ.get("KERAS_TORCH_DEVICE") == "cpu":  # how the engine keeps a run from the GPU
                return []
            if torch.backends.mps.is_available():
                return ["Apple"]
            return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        case _:
            return []
