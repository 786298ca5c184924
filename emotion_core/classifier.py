"""A saved run at work: faces in, probabilities out.

Networks run on ONNX Runtime and linear models on NumPy, so that whoever classifies needs neither Keras nor
TensorFlow. A classifier may be used by several threads at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.calibration import at_temperature, softmax
from emotion_core.chunks import chunks
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.errors import ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.intervals import wilson_interval
from emotion_core.onnx_network import OnnxNetwork
from emotion_core.runs import Run, Runs, RunSummary
from emotion_core.views import Views

BATCH_SIZE: Final = 256
"""Faces per step: large enough to be fast, small enough for any memory."""

TEMPERATURE: Final = "temperature"
"""What the metadata of a model.onnx may say beside `views`: a number above 0."""

Progress = Callable[[int, int], None]
"""Told after each batch how many faces are done, and of how many."""


class Classifier(ABC):
    """Tells how probable each emotion is for each face."""

    def probabilities(self, images: NDArray[np.uint8], progress: Progress | None = None) -> NDArray[np.float32]:
        """Classify faces.

        Args:
            images: uint8 (n, 48, 48), 0-255.
            progress: Called after each batch with the number done and the number in all.

        Returns:
            float32 (n, 7), rows summing to 1, in the order of `EMOTIONS`.
        """
        if not len(images):
            return np.empty((0, NUM_EMOTIONS), np.float32)
        return in_batches(images, self.classify_inputs, progress)

    @abstractmethod
    def classify_inputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (n, 7) for one batch of network inputs (n, 48, 48, 1)."""


def in_batches(
    images: NDArray[np.uint8],
    answer: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Return what is answered for network inputs (n, 48, 48, 1), float32, n first, of faces asked about in batches.

    Args:
        images: uint8 (n, 48, 48), 0-255, n at least 1.
        answer: Is given each batch as a network's input.
        progress: Called after each batch.
    """
    answers = []
    for part in chunks(len(images), BATCH_SIZE):
        answers.append(answer(to_network_input(images[part])))
        if progress:
            progress(part.stop, len(images))
    return np.concatenate(answers)


class OnnxClassifier(Classifier):
    """A network saved as ONNX, with what its metadata say of averaging over views and of temperature.

    Raises ModelUnavailable where the file holds no network for faces.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._network = OnnxNetwork(path)
            self._views = Views.noted_in(self._network.metadata)
            self._temperature = float(self._network.metadata.get(TEMPERATURE, 1))
        except Exception as error:  # the runtime raises types of its own, derived from nothing narrower
            raise ModelUnavailable(f"{path} cannot be used as a model: it is damaged or something else.") from error
        if self._network.shape != (1, NUM_EMOTIONS):
            raise ModelUnavailable(
                f"{path} gives {self._network.shape} for one face; (1, {NUM_EMOTIONS}) was expected."
            )
        if not 0 < self._temperature < np.inf:
            raise ModelUnavailable(f"{path} has a temperature of {self._temperature}; one above 0 was expected.")

    def classify_inputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (n, 7) for inputs (n, 48, 48, 1)."""
        return at_temperature(self._views.average(self._network, inputs), self._temperature)


class LinearClassifier(Classifier):
    """One weight per pixel and emotion: softmax((x W^T + b) / temperature), x being the flattened pixels.

    Raises ModelUnavailable where the file does not hold such weights.
    """

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path) as arrays:
                self._coefficients = arrays["coefficients"].astype(np.float32)  # (7, 2304)
                self._intercepts = arrays["intercepts"].astype(np.float32)  # (7,)
                self._temperature = float(arrays["temperature"])
        except Exception as error:  # zipfile and zlib raise errors of their own on damaged bytes
            raise ModelUnavailable(f"{path} cannot be used as a model: it is damaged or something else.") from error
        if self._coefficients.shape != (NUM_EMOTIONS, IMAGE_SIZE**2) or self._intercepts.shape != (NUM_EMOTIONS,):
            raise ModelUnavailable(
                f"{path} holds weights of shapes {self._coefficients.shape} and {self._intercepts.shape}; "
                f"({NUM_EMOTIONS}, {IMAGE_SIZE**2}) and ({NUM_EMOTIONS},) were expected."
            )

    def classify_inputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (n, 7) for inputs (n, 48, 48, 1)."""
        scores = inputs.reshape(len(inputs), -1) @ self._coefficients.T + self._intercepts  # (n, 7)
        return softmax(scores / self._temperature)


def load_classifier(run: Run) -> Classifier:
    """Return the model that a run saved; raises ModelUnavailable where there is none or it is damaged."""
    if run.onnx_path.exists():
        return OnnxClassifier(run.onnx_path)
    if run.linear_path.exists():
        return LinearClassifier(run.linear_path)
    raise ModelUnavailable(f"Run {run.id} has saved no model to classify with.")


def best_run(runs: Runs) -> Run:
    """Return the run to classify with where nobody chose one; raises ModelUnavailable where no run has a model."""
    best = best_line(runs.summaries())
    if best is None:
        raise ModelUnavailable(f"There is no trained model in {runs.folder} yet; train one first.")
    return runs.find(best.id)


def best_line(lines: Iterable[RunSummary]) -> RunSummary | None:
    """Return the first of `by_merit`, None where no run has a model."""
    return next(iter(by_merit(lines)), None)


def by_merit(lines: Iterable[RunSummary]) -> list[RunSummary]:
    """Return the lines of the runs that have a model, the best first.

    That is by what their validation accuracy is at least (the lower end of its 95 % interval), so that being right
    about three faces is no merit. Runs that learnt from drawn faces stand behind all others, since their accuracy says
    nothing about photographs.
    """
    return sorted((line for line in lines if line.has_model), key=_merit, reverse=True)


def _merit(line: RunSummary) -> tuple[bool, float]:
    """Return what `by_merit` orders by: the larger the better."""
    if line.val_accuracy is None:
        return not line.is_drawn, 0.0
    return not line.is_drawn, wilson_interval(line.val_accuracy, line.validation_images or 1)[0]
