"""Keras callbacks: what happens between the batches and epochs of a run."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from emotion_core.config import PlateauRate
from emotion_core.models.saved import save_network
from emotion_core.recorder import EpochScores, Recorder
from emotion_core.runs import Run
from emotion_core.schedules import RateTable

Logs = dict[str, Any] | None

_MODEL: Final = "model"
_OPTIMIZER: Final = "optimizer"
_SCALING: Final = "scaling"
_SCORES: Final = ("loss", "accuracy", "val_loss", "val_accuracy")


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


class Plateau(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
    """Keras's plateau schedule, which can go on where it left off; the rate itself is the optimiser's to remember."""

    def __init__(self, schedule: PlateauRate, state: Mapping[str, Any] | None) -> None:
        super().__init__("val_loss", factor=schedule.factor, patience=schedule.patience)
        self._state = state or {"best": None, "wait": 0}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Take up the state of the last whole epoch."""
        super().on_train_begin(logs)
        self.best, self.wait = self._state["best"], self._state["wait"]

    def on_train_end(self, logs: Logs = None) -> None:
        """Keep the state for when training goes on, with images of another side."""
        self._state = self.state()

    def state(self) -> dict[str, Any]:
        """Return what `state` takes."""
        return {"best": self.best, "wait": self.wait}


class AveragedWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Has the moving average of the weights validate and be kept, while training goes on from the weights themselves.

    The optimiser keeps the average. It must come before the callback that saves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._weights: list[NDArray[Any]] = []

    def on_test_begin(self, logs: Logs = None) -> None:
        """Put the average in place of the weights."""
        self._put_average()

    def on_test_end(self, logs: Logs = None) -> None:
        """Put the weights back."""
        self._put_back()

    def on_train_end(self, logs: Logs = None) -> None:
        """Put the weights back, also where Keras has put the average in their place for good."""
        self._put_back()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the model hold the average for as long as this lasts."""
        self._put_average()
        try:
            yield
        finally:
            self._put_back()

    def _put_average(self) -> None:
        self._weights = [_copy_of(weight) for weight in self.model.trainable_variables]
        use_average(self.model)

    def _put_back(self) -> None:
        for variable, weight in zip(self.model.trainable_variables, self._weights, strict=True):
            variable.assign(weight)


class ReportToRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Hands every batch and epoch to the recorder, saves what resume needs, and the model that is kept.

    It must come after the schedule's callback, whose state after the epoch is saved with it. Training ends by
    `StopRequested` or `Diverged`, raised through `fit` so that no time goes into validating half an epoch.
    """

    def __init__(
        self, recorder: Recorder, run: Run, plateau: Plateau | None = None, average: AveragedWeights | None = None
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._run = run
        self._plateau = plateau
        self._average = average
        self._learning_rate = math.nan

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Begin the epoch's clock, and note the learning rate with which it begins."""
        self._learning_rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._recorder.epoch_begins()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Report, and look for the request to stop."""
        values = logs or {}
        # Where several batches are learnt at once, Keras counts the last lot as if it were whole.
        done = min(batch + 1, self.params["steps"])
        self._recorder.batch_ends(done, lambda: (float(values["loss"]), float(values["accuracy"])))

    def on_test_begin(self, logs: Logs = None) -> None:
        """End the clock of training proper."""
        self._recorder.training_ends()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report the epoch, save all that resume needs, then the model if it is to be kept, and stop when it is time.

        The model comes after the checkpoint, which tells whether it does: a resumed run saves it again.
        """
        scores = {name: float(value) for name, value in (logs or {}).items() if name in _SCORES}
        keep = self._recorder.epoch_ends(EpochScores(**scores, learning_rate=self._learning_rate))
        state = {"plateau": self._plateau.state()} if self._plateau else {}
        self._recorder.save(training_arrays(self.model), state)
        if keep:
            with self._average.in_place() if self._average else nullcontext():
                save_network(self.model, self._run)
        if self._recorder.is_done():
            self.model.stop_training = True


def use_average(model: keras.Model) -> None:
    """Set the weights to the moving average that the optimiser keeps of them."""
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for weight in model.trainable_variables:
        weight.assign(_copy_of(weight))  # NOTE: JAX would give the average's own memory to the next step, and free it


def _copy_of(variable: keras.Variable) -> NDArray[Any]:
    return np.array(ops.convert_to_numpy(variable))


def training_arrays(model: keras.Model) -> dict[str, NDArray[Any]]:
    """Return all numbers that training goes on from: weights, states of random generators, optimiser."""
    return {name: np.asarray(ops.convert_to_numpy(variable)) for name, variable in _variables(model).items()}


def restore_arrays(model: keras.Model, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set a compiled model to what `training_arrays` returned for one of the same settings, in whatever precision."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    for name, variable in _variables(model).items():
        if name in arrays or not name.startswith(_SCALING):
            variable.assign(arrays[name])


def _variables(model: keras.Model) -> dict[str, Any]:
    """Name each variable by its place, which follows from the settings; the names that Keras gives do not.

    In float16 Keras wraps the optimiser in one that scales the loss, whose own variables come first.
    """
    every = model.optimizer.variables
    own = getattr(model.optimizer, "inner_optimizer", model.optimizer).variables
    groups = {_MODEL: model.variables, _OPTIMIZER: own, _SCALING: every[: len(every) - len(own)]}
    return {f"{group}-{place:04}": variable for group, every in groups.items() for place, variable in enumerate(every)}
