"""Fully connected networks on the flattened pixels."""

import keras
from keras import layers

from emotion_core.config import DenseModel
from emotion_core.models.output import output_layer


def build_dense(settings: DenseModel, faces: keras.KerasTensor) -> keras.KerasTensor:
    """Connect faces (n, 48, 48, 1) to probabilities (n, 7)."""
    x = layers.Flatten()(faces)  # (n, 2304)
    for units in settings.hidden_units:
        x = layers.Dense(
            units,
            activation=settings.activation,
            kernel_initializer=settings.kernel_initializer,
            kernel_regularizer=_regularizer(settings),
        )(x)
        if settings.batch_norm:
            x = layers.BatchNormalization(momentum=settings.batch_norm_momentum)(x)
        if settings.dropout:
            x = layers.Dropout(settings.dropout)(x)
    return output_layer()(x)


def _regularizer(settings: DenseModel) -> keras.Regularizer | None:
    strength = settings.regularizer_strength
    match settings.regularizer:
        case "none":
            return None
        case "l1":
            return keras.regularizers.L1(strength)
        case "l2":
            return keras.regularizers.L2(strength)
        case "l1l2":
            return keras.regularizers.L1L2(strength, strength)
