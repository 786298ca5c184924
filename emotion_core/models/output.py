"""The last layer of every network."""

from keras import layers

from emotion_core.emotions import NUM_EMOTIONS


def output_layer(kernel_initializer: str = "glorot_uniform") -> layers.Layer:
    """Return the softmax over the emotions, in 32 bits also where the network computes in 16: a loss needs them."""
    return layers.Dense(NUM_EMOTIONS, activation="softmax", kernel_initializer=kernel_initializer, dtype="float32")
