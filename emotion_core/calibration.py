"""Whether a model is as often right as it says, and how to make it so by one number, the temperature.

Confidence is the probability of the emotion that a face is given. Binning and error follow Naeini, Cooper and
Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (AAAI 2015); error and temperature Guo,
Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017).
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from emotion_core.evaluation import Labels, Probabilities, log_loss

BINS: Final = 10

Number = TypeVar("Number", bound=np.floating[Any])


@dataclass(frozen=True, eq=False)
class Calibration:
    """Faces by confidence, in bins of equal width from 0 to 1; arrays (bins,).

    Attributes:
        faces: Number of faces in each bin.
        confidence: Their mean confidence, 0 in a bin without faces.
        accuracy: The share of them that is given the right name, 0 in a bin without faces.
    """

    faces: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def mean_confidence(self) -> float:
        """How sure the model is on average."""
        return float(np.average(self.confidence, weights=self.faces))

    @property
    def mean_accuracy(self) -> float:
        """How often it is right."""
        return float(np.average(self.accuracy, weights=self.faces))

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance between confidence and accuracy, each bin by its share of faces."""
        return float(np.average(abs(self.accuracy - self.confidence), weights=self.faces))

    @property
    def most_telling(self) -> int:
        """The number of the bin that adds most to the error; where there is none, of the one with most faces."""
        added = self.faces * abs(self.accuracy - self.confidence)
        return int((added if added.any() else self.faces).argmax())


def calibrate(labels: Labels, probabilities: Probabilities, bins: int = BINS) -> Calibration:
    """Compare how sure a model is with how often it is right.

    Args:
        labels: int (n,), n at least 1.
        probabilities: float (n, 7), rows summing to 1.
        bins: Number of bins. Bin i of m holds confidences above i/m, up to and with (i + 1)/m.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    numbers = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    faces = np.bincount(numbers, minlength=bins)
    return Calibration(
        faces=faces,
        confidence=np.bincount(numbers, confidence, bins) / np.maximum(1, faces),
        accuracy=np.bincount(numbers, right, bins) / np.maximum(1, faces),
    )


def fit_temperature(labels: Labels, logits: NDArray[np.floating[Any]]) -> float:
    """Return the temperature that makes the labels likeliest, above 0.

    Args:
        labels: int (n,), n at least 1.
        logits: float (n, 7), whose softmax are the probabilities; their logarithms will do.
    """
    from scipy.optimize import minimize_scalar  # slow to import

    spread = max(1.0, float(logits.std()))  # a linear model's may be a million, which is far beyond the bounds
    scaled = logits / spread

    def loss_at(log_temperature: float) -> float:
        return log_loss(labels, softmax(scaled / np.exp(log_temperature)))

    return spread * float(np.exp(minimize_scalar(loss_at, bounds=(-5, 10), method="bounded").x))


def at_temperature(probabilities: Probabilities, temperature: float) -> NDArray[np.float32]:
    """Return softmax(logits / temperature), float32 (n, 7), for probabilities that are softmax(logits).

    Above 1 they become less sure, below 1 surer; their order stays. At 1 they come back as they are.
    """
    if temperature == 1:
        return np.asarray(probabilities, np.float32)
    return softmax(log_of(probabilities) / temperature).astype(np.float32)


def softmax(logits: NDArray[Number]) -> NDArray[Number]:
    """Turn logits (n, classes) into rows that sum to 1, in the same precision."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), logits.dtype)


def log_of(probabilities: Probabilities) -> NDArray[np.float64]:
    """Return logarithms (n, 7) of probabilities, of none below 1e-30."""
    return np.log(np.maximum(probabilities.astype(np.float64), 1e-30))
