"""A saved run at work: faces in, probabilities out.

Networks run on ONNX Runtime and linear models on NumPy, so that whoever classifies needs neither Keras nor
TensorFlow. A classifier may be used by several threads at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.calibration import at_temperature, softmax
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.errors import ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.runs import Run, Runs, RunSummary
from emotion_core.views import Views

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

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
        results = np.empty((len(images), NUM_EMOTIONS), np.float32)
        for start in range(0, len(images), BATCH_SIZE):
            stop = min(start + BATCH_SIZE, len(images))
            results[start:stop] = self._classify(to_network_input(images[start:stop]))
            if progress:
                progress(stop, len(images))
        return results

    @abstractmethod
    def _classify(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (n, 7) for one batch of network inputs (n, 48, 48, 1)."""


class OnnxClassifier(Classifier):
    """A network saved as ONNX, with what its metadata say of averaging over views and of temperature.

    Raises ModelUnavailable where the file holds no network for faces.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._session = open_session(path)
            self._input, self._output = self._session.get_inputs()[0].name, self._session.get_outputs()[0].name
            metadata = self._session.get_modelmeta().custom_metadata_map
            self._views = Views.noted_in(metadata)
            self._temperature = float(metadata.get(TEMPERATURE, 1))
            outputs = self._run(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 1), np.float32))
        except Exception as error:  # the runtime raises types of its own, derived from nothing narrower
            raise ModelUnavailable(f"{path} cannot be used as a model: {_first_line(error)}") from error
        if outputs.shape != (1, NUM_EMOTIONS):
            raise ModelUnavailable(f"{path} gives {outputs.shape} for one face; (1, {NUM_EMOTIONS}) was expected.")
        if not 0 < self._temperature < np.inf:
            raise ModelUnavailable(f"{path} has a temperature of {self._temperature}; one above 0 was expected.")

    def _classify(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return at_temperature(self._views.average(self._run, inputs), self._temperature)

    def _run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = self._session.run([self._output], {self._input: inputs})[0]
        return outputs


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
            raise ModelUnavailable(f"{path} cannot be used as a model: {_first_line(error)}") from error
        if self._coefficients.shape != (NUM_EMOTIONS, IMAGE_SIZE**2) or self._intercepts.shape != (NUM_EMOTIONS,):
            raise ModelUnavailable(
                f"{path} holds weights of shapes {self._coefficients.shape} and {self._intercepts.shape}; "
                f"({NUM_EMOTIONS}, {IMAGE_SIZE**2}) and ({NUM_EMOTIONS},) were expected."
            )

    def _classify(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = inputs.reshape(len(inputs), -1) @ self._coefficients.T + self._intercepts  # (n, 7)
        return softmax(scores / self._temperature)


def open_session(network: Path | bytes) -> "InferenceSession":
    """Return a session of ONNX Runtime on the processor for a network's file or its content."""
    import onnxruntime  # only those who classify need it

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    # Waiting threads sleep instead of spinning: a training run may need the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


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
    """Return the lines of the runs that have a model, that of the highest validation accuracy first.

    Runs that learnt from drawn faces stand behind all others, since their accuracy says nothing about photographs.
    """
    return sorted((line for line in lines if line.has_model), key=merit, reverse=True)


def merit(line: RunSummary) -> tuple[bool, float]:
    """Return what `by_merit` orders by: the larger the better."""
    return not line.is_drawn, line.val_accuracy or 0.0


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".") + "."
