"""Training of a linear model, watched epoch by epoch."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import LinearModel
from emotion_core.evaluation import log_loss
from emotion_core.files import replacing
from emotion_core.images import to_network_input
from emotion_core.models.counts import count_parameters
from emotion_core.recorder import Diverged, EpochScores, Recorder, StopRequested
from emotion_core.runs import Checkpoint, Run
from emotion_core.trainers import Outcome, TrainingData
from emotion_core.trainers.sgd import ROWS_PER_STEP, LinearLearner, LinearWeights, calibrated


def train_linear(run: Run, data: TrainingData, checkpoint: Checkpoint | None) -> tuple[Outcome, Recorder]:
    """Train, keep the epoch that is asked for, and save linear.npz.

    Losses are the cross-entropy of the probabilities that the model would give, as they are for networks.
    """
    fit = _LinearFit(run, data, checkpoint)
    outcome = Outcome(None)
    try:
        fit.run()
    except StopRequested:
        outcome = replace(outcome, stopped_by_person=True)
    except Diverged as error:
        outcome = replace(outcome, failure=str(error))
    if fit.kept:
        _save(run, fit.kept)
        outcome = replace(outcome, probabilities=fit.kept.probabilities(fit.validation_pixels))
    return outcome, fit.recorder


class _LinearFit:
    """The epochs of one run."""

    def __init__(self, run: Run, data: TrainingData, checkpoint: Checkpoint | None) -> None:
        model = run.config.model
        assert isinstance(model, LinearModel)
        self._data = data
        self._pixels, self.validation_pixels = _flatten(data.faces), _flatten(data.validation_faces)
        self._learner = LinearLearner(model, run.config.training.seed, data.class_weights)
        self.kept: LinearWeights | None = None
        if checkpoint:
            self._learner.restore(checkpoint.arrays, checkpoint.state["steps"])
            self.kept = _weights_from(checkpoint)
        batches = -(-len(self._pixels) // ROWS_PER_STEP)
        self.recorder = Recorder(run, batches, len(self._pixels), checkpoint)
        self.recorder.training_begins("scikit-learn", "CPU", count_parameters(model))

    def run(self) -> None:
        """Learn until it is done; raises StopRequested and Diverged."""
        while not self.recorder.is_done():
            try:
                self._learn_epoch()
            except ValueError as error:
                if "overflow" in str(error):  # scikit-learn's weights are no numbers any more
                    self.recorder.refuse_what_is_not_finite(math.inf, epoch=self.recorder.standing.epoch + 1)
                raise

    def _learn_epoch(self) -> None:
        data, recorder = self._data, self.recorder
        recorder.epoch_begins()
        steps = self._learner.steps(self._pixels, data.labels, recorder.standing.epoch + 1)
        for batch, rows in enumerate(steps, start=1):
            recorder.batch_ends(batch, partial(self._score_rows, rows))
        recorder.training_ends()
        weights = self._weights()
        loss, accuracy = _score(weights, self._pixels, data.labels)
        val_loss, val_accuracy = _score(weights, self.validation_pixels, data.validation_labels)
        if recorder.epoch_ends(EpochScores(loss, accuracy, val_loss, val_accuracy)):
            self.kept = weights
        recorder.save(self._learner.arrays() | _arrays_of(self.kept), {"steps": self._learner.steps_done})

    def _score_rows(self, rows: NDArray[np.int64]) -> tuple[float, float]:
        return _score(self._weights(), self._pixels[rows], self._data.labels[rows])

    def _weights(self) -> LinearWeights:
        return calibrated(self._learner.weights(), self.validation_pixels, self._data.validation_labels)


def _score(weights: LinearWeights, pixels: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[float, float]:
    """Return loss and accuracy."""
    probabilities = weights.probabilities(pixels)
    return log_loss(labels, probabilities), float((probabilities.argmax(axis=1) == labels).mean())


def _flatten(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return to_network_input(faces).reshape(len(faces), -1)  # (n, 2304)


def _arrays_of(weights: LinearWeights | None) -> dict[str, NDArray[Any]]:
    if weights is None:
        return {}
    return {
        "kept-coefficients": weights.coefficients,
        "kept-intercepts": weights.intercepts,
        "kept-temperature": np.array(weights.temperature),
    }  # fmt: skip


def _weights_from(checkpoint: Checkpoint) -> LinearWeights:
    kept: Mapping[str, NDArray[Any]] = checkpoint.arrays
    return LinearWeights(kept["kept-coefficients"], kept["kept-intercepts"], float(kept["kept-temperature"]))


def _save(run: Run, weights: LinearWeights) -> None:
    with replacing(run.linear_path) as temporary:
        np.savez(
            temporary,
            coefficients=weights.coefficients,
            intercepts=weights.intercepts,
            temperature=np.float32(weights.temperature),
        )
