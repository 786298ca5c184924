"""Keras models from their settings."""

from collections.abc import Callable
from typing import Any, Final

import keras

from emotion_core.config import CnnModel, DenseModel, GruModel, Model, ResidualModel
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.models.cnn import build_cnn
from emotion_core.models.dense import build_dense
from emotion_core.models.gru import build_gru
from emotion_core.models.residual import build_residual

_BUILDERS: Final[dict[type[Any], Callable[[Any, keras.KerasTensor], keras.KerasTensor]]] = {
    DenseModel: build_dense,
    GruModel: build_gru,
    CnnModel: build_cnn,
    ResidualModel: build_residual,
}


def build_model(settings: Model, *, any_side: bool = False) -> keras.Model:
    """Return an uncompiled network with fresh weights.

    Its input is float32 (n, 48, 48, 1) in [0, 1]; its output float32 (n, 7), probabilities in label order.

    Args:
        settings: Of any family but the linear one.
        any_side: Take images of any side instead of 48, with the same weights; residual networks can.
    """
    keras.config.set_floatx("float32")  # whatever the keras.json in a person's home says
    keras.config.set_image_data_format("channels_last")
    side = None if any_side else IMAGE_SIZE
    faces = keras.Input((side, side, 1), name="faces")
    return keras.Model(faces, _BUILDERS[type(settings)](settings, faces), name=settings.family)
