"""Training of a linear model, watched epoch by epoch."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import LinearModel
from emotion_core.evaluation import log_loss
from emotion_core.files import replacing
from emotion_core.images import to_network_input
from emotion_core.recorder import Recorder
from emotion_core.runs import Run
from emotion_core.trainers import Outcome, TrainingData
from emotion_core.trainers.sgd import ROWS_PER_STEP, LinearLearner, LinearWeights, fit_temperature


def train_linear(run: Run, data: TrainingData) -> tuple[Outcome, Recorder]:
    """Train, keep the best epoch, and save linear.npz.

    Losses are the cross-entropy of the probabilities that the model would give, as they are for networks.
    """
    settings, model = run.config.training, run.config.model
    assert isinstance(model, LinearModel)
    pixels, validation_pixels = _flatten(data.faces), _flatten(data.validation_faces)
    learner = LinearLearner(model, settings.seed, data.class_weights)
    batches = -(-len(pixels) // ROWS_PER_STEP)
    recorder = Recorder(run, batches, images=len(pixels))
    run.record(backend="scikit-learn", device="CPU", batches=batches)

    def weights_now() -> LinearWeights:
        return fit_temperature(learner.weights(), validation_pixels, data.validation_labels)

    outcome = Outcome.nothing()
    for epoch in range(1, settings.epochs + 1):
        recorder.epoch_begins()
        for batch, rows in enumerate(learner.steps(pixels, data.labels, epoch), start=1):
            if recorder.report_is_due(batch):
                recorder.batch_ends(epoch, batch, *_score(weights_now(), pixels[rows], data.labels[rows]))
            if recorder.stop_requested():
                return replace(outcome, stopped_by_person=True), recorder
        recorder.training_ends()
        weights = weights_now()
        loss, accuracy = _score(weights, pixels, data.labels)
        val_loss, val_accuracy = _score(weights, validation_pixels, data.validation_labels)
        improved = recorder.epoch_ends(epoch, loss, accuracy, val_loss, val_accuracy, learning_rate=np.nan)
        if improved or settings.keep == "last":
            _save(run, weights)
            outcome = Outcome(weights.probabilities(validation_pixels), accuracy, epoch)
        if recorder.has_stalled(settings.early_stopping_patience):
            break
    return outcome, recorder


def _score(weights: LinearWeights, pixels: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[float, float]:
    """Return loss and accuracy."""
    probabilities = weights.probabilities(pixels)
    return log_loss(labels, probabilities), float((probabilities.argmax(axis=1) == labels).mean())


def _flatten(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return to_network_input(faces).reshape(len(faces), -1)  # (n, 2304)


def _save(run: Run, weights: LinearWeights) -> None:
    with replacing(run.linear_path) as temporary:
        np.savez(
            temporary,
            coefficients=weights.coefficients,
            intercepts=weights.intercepts,
            temperature=np.float32(weights.temperature),
        )
