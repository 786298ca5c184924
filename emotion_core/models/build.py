"""Keras models from their settings."""

from collections.abc import Callable
from typing import Any, Final

import keras

from emotion_core.config import CnnModel, DenseModel, GruModel, Model
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.models.cnn import build_cnn
from emotion_core.models.dense import build_dense
from emotion_core.models.gru import build_gru

_BUILDERS: Final[dict[type[Any], Callable[[Any, keras.KerasTensor], keras.KerasTensor]]] = {
    DenseModel: build_dense,
    GruModel: build_gru,
    CnnModel: build_cnn,
}


def build_model(settings: Model) -> keras.Model:
    """Return an uncompiled network with fresh weights.

    Its input is float32 (n, 48, 48, 1) in [0, 1]; its output float32 (n, 7), probabilities in label order.
    """
    faces = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="faces")
    return keras.Model(faces, _BUILDERS[type(settings)](settings, faces), name=settings.family)
