"""A run's network on disk. Only its weights are ever read back: what it is built of, the run's settings say."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from emotion_core.errors import DamagedRun
from emotion_core.files import replacing
from emotion_core.models.build import build_model
from emotion_core.runs import Run


def save_network(network: keras.Model, run: Run) -> None:
    """Save the network as model.keras, without its optimiser, which only training needs."""
    bare = keras.Model(network.inputs, network.outputs, name=network.name)  # shares the weights, is not compiled
    with replacing(run.keras_path) as temporary:
        bare.save(temporary)


def load_network(run: Run, precision: str = "float32") -> keras.Model:
    """Return the kept network, built from the run's settings.

    Nothing but numbers is taken from the file, so that one from a stranger cannot run code or be another network.

    Args:
        run: One that has a model.keras.
        precision: The Keras dtype policy that the network computes by, by default full precision.

    Raises:
        DamagedRun: The file is missing, cannot be read or holds other weights.
    """
    with computing_in(precision):
        network = build_model(run.config.model)
    try:
        network.load_weights(run.keras_path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedRun(f"{run.keras_path} does not hold the weights of this run's network: {error}") from error
    return network


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Have layers built in the meantime compute by a dtype policy."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)
