"""Convolutional networks: blocks of convolutions, then dense layers."""

from typing import Final

import keras
from keras import layers

from emotion_core.config import CnnModel, Convolution, ConvolutionBlock
from emotion_core.models.output import output_layer

_POOLING: Final = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}
_HEADS: Final = {"flatten": layers.Flatten, "average": layers.GlobalAveragePooling2D}


def build_cnn(settings: CnnModel, faces: keras.KerasTensor) -> keras.KerasTensor:
    """Connect faces (n, 48, 48, 1) to probabilities (n, 7)."""
    x = faces
    for block in settings.blocks:
        x = _block(block, settings, x)  # (n, side, side, filters)
    x = _HEADS[settings.head]()(x)  # (n, features)
    for units in settings.dense_units:
        x = layers.Dense(units, activation=settings.dense_activation, kernel_initializer=settings.kernel_initializer)(x)
    return output_layer(settings.output_initializer)(x)


def _block(block: ConvolutionBlock, settings: CnnModel, x: keras.KerasTensor) -> keras.KerasTensor:
    for convolution in block.convolutions:
        x = _convolution(convolution, settings, x, batch_norm=block.batch_norm == "convolution")
    if block.pooling != "none":
        x = _POOLING[block.pooling](2)(x)
    if block.batch_norm == "block":
        x = layers.BatchNormalization()(x)
    if block.dropout:
        x = layers.Dropout(block.dropout)(x)
    return x


def _convolution(
    convolution: Convolution, settings: CnnModel, x: keras.KerasTensor, *, batch_norm: bool
) -> keras.KerasTensor:
    x = layers.Conv2D(
        convolution.filters,
        convolution.kernel_size,
        padding="same",
        use_bias=not batch_norm,  # the normalisation's own offset would undo it
        kernel_initializer=settings.kernel_initializer,
    )(x)
    if batch_norm:
        x = layers.BatchNormalization()(x)
    return layers.Activation(settings.activation)(x)
