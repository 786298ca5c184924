"""Residual networks of plain 3x3 convolutions (He, Zhang, Ren and Sun, "Deep Residual Learning", CVPR 2016)."""

import keras
from keras import layers, ops

from emotion_core.config import ResidualModel
from emotion_core.models.output import output_layer

SMALLEST_DEVIATION = 1 / 255
"""A blank face is divided by this and not by zero: one step of an 8-bit image."""


@keras.saving.register_keras_serializable("emotion_core")
class Standardization(layers.Layer):  # type: ignore[misc]
    """Gives each image mean 0 and variance 1 over its own pixels; float (n, h, w, 1) to the same shape."""

    def call(self, faces: keras.KerasTensor) -> keras.KerasTensor:
        """Return the standardised images."""
        centred = faces - ops.mean(faces, axis=(1, 2, 3), keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(centred), axis=(1, 2, 3), keepdims=True))
        return centred / ops.maximum(deviation, SMALLEST_DEVIATION)


def build_residual(settings: ResidualModel, faces: keras.KerasTensor) -> keras.KerasTensor:
    """Connect faces (n, side, side, 1) to probabilities (n, 7); any side will do."""
    x = Standardization(dtype="float32")(faces) if settings.standardize else faces
    x = _convolution(x, settings.stem_filters)
    x = layers.Activation(settings.activation)(x)  # (n, side, side, stem filters)
    for stage in settings.stages:
        for number in range(stage.blocks):
            x = _block(x, stage.filters, stride=1 if number else 2, activation=settings.activation)
    x = layers.GlobalAveragePooling2D()(x)  # (n, filters)
    if settings.dropout:
        x = layers.Dropout(settings.dropout)(x)
    return output_layer()(x)


def _block(x: keras.KerasTensor, filters: int, *, stride: int, activation: str) -> keras.KerasTensor:
    """Add two convolutions of the input to the input, which is averaged and projected where the shapes differ."""
    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(stride, padding="same")(shortcut)
    if shortcut.shape[-1] != filters:
        shortcut = _convolution(shortcut, filters, size=1)
    x = layers.Activation(activation)(_convolution(x, filters, stride=stride))
    x = _convolution(x, filters)
    return layers.Activation(activation)(layers.Add()([x, shortcut]))


def _convolution(x: keras.KerasTensor, filters: int, *, size: int = 3, stride: int = 1) -> keras.KerasTensor:
    """Convolve and normalise over the batch, whose own offset makes a bias needless."""
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization()(x)
