"""A saved network that classifies on the device that trains, where its serving copy would take the processor."""

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.calibration import at_temperature
from emotion_core.classifier import Classifier, flip_averaged
from emotion_core.models.saved import load_network
from emotion_core.runs import Run
from emotion_core.trainers.backend import compiled


class NetworkClassifier(Classifier):
    """A run's model.keras at work, in the precision of this process.

    It answers as the run's model.onnx does, but for the precision. Raises DamagedRun where the file cannot be read.
    """

    def __init__(self, run: Run) -> None:
        self._run = compiled(load_network(run, keras.config.dtype_policy().name))
        self._flip_average = run.config.prediction.flip_average
        evaluation = run.evaluation()
        self._temperature = evaluation.temperature if evaluation else 1.0

    def _classify(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        probabilities = flip_averaged(self._run, inputs) if self._flip_average else self._run(inputs)
        return at_temperature(probabilities, self._temperature)
