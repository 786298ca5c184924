"""A saved network that classifies on the device that trains, where its serving copy would take the processor."""

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.calibration import at_temperature
from emotion_core.classifier import Classifier
from emotion_core.models.saved import load_network
from emotion_core.runs import Run
from emotion_core.trainers.backend import compiled
from emotion_core.views import Views


class NetworkClassifier(Classifier):
    """A run's model.keras at work, in the precision of this process.

    It answers as the run's model.onnx does, but for the precision. Raises DamagedRun where the file cannot be read.
    """

    def __init__(self, run: Run) -> None:
        self._network = compiled(load_network(run, keras.config.dtype_policy().name))
        self._views = Views.asked_by(run.config.prediction)
        evaluation = run.evaluation()
        self._temperature = evaluation.temperature if evaluation else 1.0

    def classify_inputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (n, 7) for inputs (n, 48, 48, 1)."""
        return at_temperature(self._views.average(self._network, inputs), self._temperature)
