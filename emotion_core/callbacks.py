"""Keras callbacks: what happens between the batches and epochs of a run."""

import math
from typing import Any

import keras
from keras import ops

from emotion_core.files import replacing
from emotion_core.recorder import Recorder
from emotion_core.runs import Run
from emotion_core.schedules import RateTable

Logs = dict[str, Any] | None


class TabulatedRate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Looks the learning rate up in a table by the optimiser's own step counter, on any backend."""

    def __init__(self, table: RateTable) -> None:
        self._rates = table.rates
        self._steps_each = table.steps_each

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at a step, as a scalar tensor of the backend."""
        place = ops.minimum(ops.cast(step, "int32") // self._steps_each, len(self._rates) - 1)
        return ops.take(ops.convert_to_tensor(self._rates), place)

    def get_config(self) -> dict[str, Any]:
        """Return what Keras needs to save the schedule."""
        return {"rates": self._rates.tolist(), "steps_each": self._steps_each}


class ReportToRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Hands every batch and epoch to the recorder, keeps the best epoch's model, and stops when it is time.

    Training stops after the batch in hand when a person asks, and after an epoch when validation loss has not
    improved for `patience` epochs.
    """

    def __init__(self, recorder: Recorder, run: Run, patience: int | None, *, keep_best: bool) -> None:
        super().__init__()
        self._recorder = recorder
        self._run = run
        self._patience = patience
        self._keep_best = keep_best
        self._epoch = 0
        self._learning_rate = math.nan
        self.stopped_by_person = False
        self.kept_epoch = 0
        self.kept_accuracy = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Begin the epoch's clock, and note the learning rate with which it begins."""
        self._epoch = epoch + 1
        self._learning_rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._recorder.epoch_begins()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Report, and look for the request to stop."""
        if logs and self._recorder.report_is_due(batch + 1):  # reading the logs waits for the device
            self._recorder.batch_ends(self._epoch, batch + 1, float(logs["loss"]), float(logs["accuracy"]))
        if self._recorder.stop_requested():
            self.stopped_by_person = True
            self.model.stop_training = True

    def on_test_begin(self, logs: Logs = None) -> None:
        """End the clock of training proper."""
        self._recorder.training_ends()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report the epoch, keep it if it is the best, and stop when nothing improves any more."""
        if self.stopped_by_person:  # half an epoch is no epoch
            return
        logs = logs or {}
        improved = self._recorder.epoch_ends(
            epoch + 1,
            loss=float(logs["loss"]),
            accuracy=float(logs["accuracy"]),
            val_loss=float(logs["val_loss"]),
            val_accuracy=float(logs["val_accuracy"]),
            learning_rate=self._learning_rate,
        )
        if improved or not self._keep_best:
            save_without_optimizer(self.model, self._run)
            self.kept_epoch, self.kept_accuracy = epoch + 1, float(logs["accuracy"])
        if self._recorder.has_stalled(self._patience):
            self.model.stop_training = True


def save_without_optimizer(model: keras.Model, run: Run) -> None:
    """Save the network as the run's model, without its optimiser, which only training needs."""
    bare = keras.Model(model.inputs, model.outputs, name=model.name)  # shares the weights, is not compiled
    with replacing(run.keras_path) as temporary:
        bare.save(temporary)
