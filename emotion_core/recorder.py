"""What a trainer tells the world while it works, and what it must remember to go on after a break."""

import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from emotion_core.config import LinearModel, Model
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.hardware import Meter, this_machine
from emotion_core.runs import Checkpoint, Run

SECONDS_BETWEEN_REPORTS: Final = 1.0

SLOT_VARIABLE: Final = "EMOTION_SLOT"
"""The environment variable that tells a trainer which slot of the engine it computes in."""


class StopRequested(Exception):
    """A person asked the run to stop."""


class Diverged(EmotionError):
    """The loss is no number any more, or infinite."""


@dataclass(frozen=True)
class Standing:
    """How a run stands after its last whole epoch. Epochs count from 1; 0 is none yet.

    Attributes:
        best_epoch: The epoch of lowest validation loss, which is `best_loss`.
        kept_epoch: The epoch whose model is kept, with its accuracy on the training images.
        training_seconds: Time spent on the epochs so far, validation left out.
        seconds: Time spent in all.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    best_accuracy: float = 0.0
    kept_epoch: int = 0
    kept_accuracy: float = 0.0
    training_seconds: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class EpochScores:
    """What an epoch came to, on the training and the validation images; a linear model has no learning rate."""

    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float = math.nan


class Recorder:
    """Writes a run's status.json, history.csv and progress.csv, and watches for the request to stop.

    Model-agnostic: the Keras callback and the linear trainer both report here. Epochs and batches count from 1.

    Args:
        batches: Batches in an epoch.
        images: Training images.
        checkpoint: Where the run goes on; None where it begins.
    """

    def __init__(self, run: Run, batches: int, images: int, checkpoint: Checkpoint | None = None) -> None:
        self._run = run
        self._settings = run.config.training
        self._patience_from = run.status().patience_from
        self._batches = batches
        self._images = images
        self._meter = Meter()
        self._last_report = 0.0
        self._first_batch, self._first_batch_ended = 0, 0.0
        self._began = self._epoch_began = self._training_ended = time.monotonic()
        self.standing = Standing(**checkpoint.state["standing"]) if checkpoint else Standing()
        self._seconds_before = self.standing.seconds

    def training_begins(self, backend: str, device: str, parameters: int) -> None:
        """Tell on what the run computes, and take the history back to the epoch after which it goes on."""
        standing = self.standing
        self._run.keep_history(standing.epoch)
        self._run.record(
            backend=backend,
            device=device,
            slot=os.environ.get(SLOT_VARIABLE, ""),
            machine=this_machine(),
            images=self._images,
            parameters=parameters,
            batches=self._batches,
            batch=0,
            epoch=standing.epoch,
            best_epoch=standing.best_epoch or None,
            best_val_loss=standing.best_loss if standing.best_epoch else None,
            best_val_accuracy=standing.best_accuracy if standing.best_epoch else None,
        )
        if standing.epoch:
            print(f"Going on after epoch {standing.epoch}.", flush=True)

    def epoch_begins(self) -> None:
        """Note the start of an epoch."""
        self._epoch_began = time.monotonic()
        self._first_batch = 0
        with suppress(PermissionError):  # on Windows, while another program reads them; each row tells its epoch
            self._run.clear_progress()

    def batch_ends(self, batch: int, means: Callable[[], tuple[float, float]]) -> None:
        """Report the running means of loss and accuracy, about once a second and after the last batch.

        Args:
            batch: Its number in the epoch, from 1.
            means: Reckons them; it is only called when they are reported.

        Raises:
            StopRequested: A person asked the run to stop.
            Diverged: The loss is no finite number any more.
        """
        if not self._first_batch:
            self._first_batch, self._first_batch_ended = batch, time.monotonic()
        if self._report_is_due(batch):
            self._report(batch, *means())
        if self._run.stop_requested():
            raise StopRequested

    def training_ends(self) -> None:
        """Note that an epoch's training is done and its validation begins."""
        self._training_ended = time.monotonic()

    def epoch_ends(self, scores: EpochScores) -> bool:
        """Report a whole epoch and return whether its model is to be kept; raises Diverged."""
        epoch = self.standing.epoch + 1
        self.refuse_what_is_not_finite(scores.loss, scores.val_loss, epoch=epoch)
        self._run.append_history({"epoch": epoch, **asdict(scores), "seconds": self._seconds_since(self._epoch_began)})
        improved = scores.val_loss < self.standing.best_loss
        keep = improved or self._settings.keep == "last"
        self.standing = replace(
            self.standing,
            epoch=epoch,
            training_seconds=self.standing.training_seconds + self._training_ended - self._epoch_began,
            seconds=self.seconds,
        )
        if keep:
            self.standing = replace(self.standing, kept_epoch=epoch, kept_accuracy=scores.accuracy)
        if improved:
            self.standing = replace(
                self.standing, best_epoch=epoch, best_loss=scores.val_loss, best_accuracy=scores.val_accuracy
            )
        print(
            f"epoch {epoch}: loss {scores.loss:.4f}, accuracy {scores.accuracy:.4f}, validation loss "
            f"{scores.val_loss:.4f}, validation accuracy {scores.val_accuracy:.4f}{' (best)' if improved else ''}",
            flush=True,
        )
        return keep

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Save what the trainer must remember after a whole epoch, and only then tell of the epoch."""
        standing = self.standing
        checkpoint = Checkpoint(standing.epoch, arrays, {**state, "standing": asdict(standing)})
        self._run.checkpoints.save(checkpoint)
        self._run.record(
            epoch=standing.epoch,
            batch=0,
            seconds=standing.seconds,
            best_epoch=standing.best_epoch,
            best_val_loss=standing.best_loss,
            best_val_accuracy=standing.best_accuracy,
        )

    def is_done(self) -> bool:
        """Whether all epochs are done, or validation loss has not improved for as long as the settings allow."""
        standing = self.standing
        stalled = self._settings.has_stalled(standing.epoch, standing.best_epoch, self._patience_from)
        return stalled or standing.epoch >= self._settings.epochs

    @property
    def seconds(self) -> float:
        """Time spent computing, over all sittings."""
        return self._seconds_before + self._seconds_since(self._began)

    @property
    def images_per_second(self) -> float:
        """Training images per second over the whole run, validation left out."""
        standing = self.standing
        return self._images * standing.epoch / standing.training_seconds if standing.training_seconds else 0.0

    def _report_is_due(self, batch: int) -> bool:
        return batch == self._batches or self._seconds_since(self._last_report) >= SECONDS_BETWEEN_REPORTS

    def _report(self, batch: int, loss: float, accuracy: float) -> None:
        epoch = self.standing.epoch + 1
        self.refuse_what_is_not_finite(loss, epoch=epoch)
        seconds = self._seconds_since(self._epoch_began)
        self._last_report = time.monotonic()
        row = {"epoch": epoch, "batch": batch, "loss": loss, "accuracy": accuracy, "seconds": seconds}
        # On Windows another program that has a file open keeps others out; the next report comes soon.
        with suppress(PermissionError, DamagedRun):
            self._run.append_progress(row)
            self._run.record(batch=batch, seconds=self.seconds, **self._speed(batch), **asdict(self._meter.read()))

    def _speed(self, batch: int) -> dict[str, float]:
        """Return the speed in the epoch so far, once there is more of it than the first lot of batches.

        That one waits for data and compilers, and is counted only where it is all of the epoch. On Windows the clock
        may stand still for a sixtieth of a second: what took no time by it has no speed.
        """
        if batch > self._first_batch:
            batches, began = batch - self._first_batch, self._first_batch_ended
        elif batch == self._batches:
            batches, began = batch, self._epoch_began
        else:
            return {}
        images, seconds = self._images * batches / self._batches, self._seconds_since(began)
        return {"images_per_second": images / seconds} if seconds else {}

    def refuse_what_is_not_finite(self, *losses: float, epoch: int) -> None:
        """Raise Diverged where a loss of an epoch is no finite number."""
        wrong = next((loss for loss in losses if not math.isfinite(loss)), None)
        if wrong is None:
            return
        kept = self.standing.kept_epoch
        what_is_left = f"The model of epoch {kept} is kept" if kept else "No model was learnt"
        value = "not a number (NaN)" if math.isnan(wrong) else "infinite"
        raise Diverged(
            f"The loss became {value} in epoch {epoch}. {what_is_left}. {_smaller_steps(self._run.config.model)}"
        )

    def _seconds_since(self, moment: float) -> float:
        return time.monotonic() - moment


def _smaller_steps(model: Model) -> str:
    """Say what to try where the steps of a model's training are too large."""
    is_linear = isinstance(model, LinearModel)
    return "Try a larger alpha, which makes its steps smaller." if is_linear else "Try a lower learning rate."
