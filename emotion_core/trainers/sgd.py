"""Linear classifiers by stochastic gradient descent: scikit-learn's SGDClassifier, one pass at a time.

The update rule, loss, penalty and learning rate are those of `SGDClassifier().fit`. What differs, so that training
can be watched, stopped and compared with that of networks: each pass visits the rows in an order of its own, drawn
from the seed and the epoch; validation loss says when to stop and which pass to keep, where scikit-learn waits for
the training loss of each class to settle and returns the last pass, which may be far from the best.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier

from emotion_core.calibration import fit_temperature, softmax
from emotion_core.chunks import chunks
from emotion_core.config import LinearModel
from emotion_core.emotions import NUM_EMOTIONS

ROWS_PER_STEP = 2_048


@dataclass(frozen=True)
class LinearWeights:
    """A trained linear model: coefficients (7, 2304), intercepts (7,), and the temperature of its probabilities."""

    coefficients: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    temperature: float = 1.0

    def scores(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the signed distances (n, 7) of flattened faces (n, 2304)."""
        return pixels @ self.coefficients.T + self.intercepts

    def probabilities(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return softmax(scores / temperature), (n, 7)."""
        return softmax(self.scores(pixels) / np.float32(self.temperature))


class LinearLearner:
    """Trains the seven one-against-rest classifiers, one pass per epoch."""

    def __init__(self, settings: LinearModel, seed: int, class_weights: NDArray[np.float64]) -> None:
        self._seed = seed
        self._class_weights = class_weights
        self._classifier: Any = SGDClassifier(
            loss=settings.loss, penalty=settings.penalty, alpha=settings.alpha, shuffle=False, n_jobs=-1
        )

    @property
    def steps_done(self) -> float:
        """How far the falling learning rate has come."""
        return float(self._classifier.t_)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the numbers that learning goes on from, with `steps_done`."""
        return {"coefficients": self._classifier.coef_, "intercepts": self._classifier.intercept_}

    def restore(self, arrays: Mapping[str, NDArray[Any]], steps_done: float) -> None:
        """Go on from what `arrays` and `steps_done` gave for the same settings."""
        self._classifier.coef_ = np.ascontiguousarray(arrays["coefficients"])
        self._classifier.intercept_ = arrays["intercepts"].copy()
        self._classifier.t_ = steps_done
        self._classifier.classes_ = np.arange(NUM_EMOTIONS)
        self._classifier.n_features_in_ = arrays["coefficients"].shape[1]

    def steps(self, pixels: NDArray[np.float32], labels: NDArray[np.uint8], epoch: int) -> Iterator[NDArray[np.int64]]:
        """Learn from every row once; after each step yield the rows it learnt from, int64 (k,).

        Args:
            pixels: float32 (n, 2304) in [0, 1].
            labels: uint8 (n,).
            epoch: Decides the order of the rows, with the seed.
        """
        order = np.random.default_rng([self._seed, epoch]).permutation(len(labels))
        for part in chunks(len(order), ROWS_PER_STEP):
            rows = order[part]
            self._classifier.partial_fit(
                pixels[rows],
                labels[rows],
                classes=np.arange(NUM_EMOTIONS),
                sample_weight=self._class_weights[labels[rows]],
            )
            yield rows

    def weights(self) -> LinearWeights:
        """Return the weights learnt so far."""
        return LinearWeights(self._classifier.coef_.astype(np.float32), self._classifier.intercept_.astype(np.float32))


def calibrated(weights: LinearWeights, pixels: NDArray[np.float32], labels: NDArray[np.uint8]) -> LinearWeights:
    """Return the weights with the temperature that makes the labels (n,) of pixels (n, 2304) likeliest.

    Distances from separating planes are no probabilities; dividing them by one number before the softmax leaves
    every prediction as it is and makes their confidence honest on these rows.
    """
    return replace(weights, temperature=fit_temperature(labels, weights.scores(pixels)))
