"""Training of a linear model, watched epoch by epoch."""

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import LinearModel
from emotion_core.files import replacing
from emotion_core.images import to_network_input
from emotion_core.recorder import Recorder
from emotion_core.runs import Run
from emotion_core.trainers import Outcome, TrainingData
from emotion_core.trainers.sgd import ROWS_PER_STEP, LinearLearner, LinearWeights, fit_temperature


def train_linear(run: Run, data: TrainingData) -> tuple[Outcome, Recorder]:
    """Train until the training loss stalls, as scikit-learn does, and save linear.npz."""
    settings, model = run.config.training, run.config.model
    assert isinstance(model, LinearModel)
    pixels, validation_pixels = _flatten(data.faces), _flatten(data.validation_faces)
    learner = LinearLearner(model, settings.seed, data.class_weights)
    recorder = Recorder(run, batches=-(-len(pixels) // ROWS_PER_STEP), images=len(pixels))
    run.record(backend="scikit-learn", device="CPU")

    kept, kept_epoch, kept_accuracy = None, 0, 0.0
    lowest_loss, stalled, stopped = np.inf, 0, False
    for epoch in range(1, settings.epochs + 1):
        stopped = not _pass_over_data(learner, recorder, pixels, data.labels, epoch)
        if stopped:
            break
        weights = learner.weights()
        loss, accuracy = _score(learner, weights, pixels, data.labels)
        val_loss, val_accuracy = _score(learner, weights, validation_pixels, data.validation_labels)
        improved = recorder.epoch_ends(epoch, loss, accuracy, val_loss, val_accuracy, learning_rate=np.nan)
        if improved or settings.keep == "last":
            kept, kept_epoch, kept_accuracy = weights, epoch, accuracy
        stalled = stalled + 1 if loss > lowest_loss - model.tolerance else 0
        lowest_loss = min(lowest_loss, loss)
        if settings.early_stopping_patience and stalled >= settings.early_stopping_patience:
            break
    if kept is None:
        return Outcome.nothing(), recorder
    kept = fit_temperature(kept, validation_pixels, data.validation_labels)
    _save(run, kept)
    return Outcome(kept.probabilities(validation_pixels), kept_accuracy, kept_epoch, stopped), recorder


def _pass_over_data(
    learner: LinearLearner, recorder: Recorder, pixels: NDArray[np.float32], labels: NDArray[np.uint8], epoch: int
) -> bool:
    """Learn from every row once and report; return False if a person asked to stop in between."""
    recorder.epoch_begins()
    for batch, rows in enumerate(learner.steps(pixels, labels, epoch), start=1):
        if recorder.report_is_due(batch):
            recorder.batch_ends(epoch, batch, *_score(learner, learner.weights(), pixels[rows], labels[rows]))
        if recorder.stop_requested():
            return False
    recorder.training_ends()
    return True


def _score(
    learner: LinearLearner, weights: LinearWeights, pixels: NDArray[np.float32], labels: NDArray[np.uint8]
) -> tuple[float, float]:
    """Return loss and accuracy."""
    scores = weights.scores(pixels)
    return learner.loss(scores, labels), float((scores.argmax(axis=1) == labels).mean())


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
