"""Recurrent networks that read a face row by row, with attention over the rows (after Li et al. 2021)."""

from typing import Any

import keras
from keras import layers, ops

from emotion_core.config import GruModel
from emotion_core.emotions import IMAGE_SIZE
from emotion_core.models.output import output_layer

ATTENTION_LAYER = "attention"


class RowAttention(layers.Layer):  # type: ignore[misc]
    """Additive attention (Bahdanau et al. 2015): a weighted mean of rows, weighed by how well each fits a query.

    For rows h_t and a query q: score_t = V tanh(W1 h_t + b1 + W2 q + b2) + b, weights = softmax over t of the scores.
    Takes rows float (n, rows, features) and a query float (n, features), returns float (n, features).
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._row_projection = layers.Dense(units, name="row_projection")
        self._query_projection = layers.Dense(units, name="query_projection")
        self._score = layers.Dense(1, name="score")

    def build(self, rows_shape: tuple[int | None, ...], query_shape: tuple[int | None, ...]) -> None:
        """Make the weights of the three projections."""
        self._row_projection.build(rows_shape)
        self._query_projection.build(query_shape)
        self._score.build((*rows_shape[:-1], self._row_projection.units))
        self.built = True

    def call(self, rows: Any, query: Any) -> Any:
        """Return the weighted mean of the rows."""
        return ops.sum(self.weigh(rows, query) * rows, axis=1)  # (n, features)

    def weigh(self, rows: Any, query: Any) -> Any:
        """Return the weight of each row, float (n, rows, 1), which sum to 1 over the rows."""
        asked = ops.expand_dims(self._query_projection(query), 1)  # (n, 1, units)
        scores = self._score(ops.tanh(self._row_projection(rows) + asked))  # (n, rows, 1)
        return ops.softmax(scores, axis=1)

    def compute_output_shape(
        self, rows_shape: tuple[int | None, ...], query_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the weighted mean."""
        return (rows_shape[0], rows_shape[2])


def build_gru(settings: GruModel, faces: keras.KerasTensor) -> keras.KerasTensor:
    """Connect faces (n, 48, 48, 1) to probabilities (n, 7)."""
    x = layers.Reshape((IMAGE_SIZE, IMAGE_SIZE))(faces)  # (n, rows, pixels)
    for units in settings.gru_units:
        x = layers.GRU(
            units,
            activation=settings.activation,
            kernel_initializer=settings.kernel_initializer,
            return_sequences=True,
        )(x)  # (n, rows, units)
    query = x[:, -1]  # the last layer's final state
    if settings.batch_norm:
        x = layers.BatchNormalization()(x)
    x = RowAttention(settings.attention_units, name=ATTENTION_LAYER)(x, query)  # (n, units)
    for layer in settings.dense_layers:
        x = layers.Dense(
            layer.units, activation=settings.dense_activation, kernel_initializer=settings.kernel_initializer
        )(x)
        if layer.batch_norm:
            x = layers.BatchNormalization()(x)
    return output_layer()(x)
