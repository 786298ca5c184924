"""What a trainer tells the world while it works: status, history and progress of its run."""

import math
import time

from emotion_core.errors import EmotionError
from emotion_core.runs import Run

SECONDS_BETWEEN_REPORTS = 1.0


class Recorder:
    """Writes a run's status.json, history.csv and progress.csv, and watches for the request to stop.

    Model-agnostic: the Keras callback and the linear trainer both report here. Epochs and batches count from 1.
    """

    def __init__(self, run: Run, batches: int, images: int) -> None:
        self._run = run
        self._batches = batches
        self._images = images
        self._last_report = 0.0
        self._epoch_started = self._training_ended = time.monotonic()
        self.best_epoch = 0
        self.best_loss = math.inf
        self.training_seconds = 0.0
        self.epochs_done = 0

    def epoch_begins(self) -> None:
        """Note the start of an epoch."""
        self._epoch_started = time.monotonic()
        self._run.clear_progress()

    def report_is_due(self, batch: int) -> bool:
        """Whether to report after this batch: about once a second, and after the last."""
        return batch == self._batches or time.monotonic() - self._last_report >= SECONDS_BETWEEN_REPORTS

    def batch_ends(self, epoch: int, batch: int, loss: float, accuracy: float) -> None:
        """Report the running means after a batch."""
        self._last_report = time.monotonic()
        seconds = self._last_report - self._epoch_started
        self._run.append_progress(
            {"epoch": epoch, "batch": batch, "loss": loss, "accuracy": accuracy, "seconds": seconds}
        )
        self._run.record(batch=batch, images_per_second=self._images * batch / self._batches / max(seconds, 1e-9))

    def training_ends(self) -> None:
        """Note that an epoch's training is done and its validation begins."""
        self._training_ended = time.monotonic()

    def epoch_ends(
        self, epoch: int, loss: float, accuracy: float, val_loss: float, val_accuracy: float, learning_rate: float
    ) -> bool:
        """Report a whole epoch and return whether it is the best yet; raises EmotionError on a loss gone wrong."""
        self._run.append_history(
            {
                "epoch": epoch,
                "loss": loss,
                "accuracy": accuracy,
                "val_loss": val_loss,
                "val_accuracy": val_accuracy,
                "learning_rate": learning_rate,
                "seconds": time.monotonic() - self._epoch_started,
            }
        )
        self.epochs_done = epoch
        self.training_seconds += self._training_ended - self._epoch_started
        if not (math.isfinite(loss) and math.isfinite(val_loss)):
            raise EmotionError(f"The loss became {loss:g} in epoch {epoch}. Try a lower learning rate.")
        improved = val_loss < self.best_loss
        best: dict[str, float] = {}
        if improved:
            self.best_epoch, self.best_loss = epoch, val_loss
            best = {"best_epoch": epoch, "best_val_loss": val_loss, "best_val_accuracy": val_accuracy}
        self._run.record(epoch=epoch, batch=0, **best)
        print(
            f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f}, validation loss {val_loss:.4f}, "
            f"validation accuracy {val_accuracy:.4f}{' (best)' if improved else ''}",
            flush=True,
        )
        return improved

    def has_stalled(self, patience: int | None) -> bool:
        """Whether validation loss has not improved for `patience` epochs; never where that is None."""
        return patience is not None and self.epochs_done - self.best_epoch >= patience

    def stop_requested(self) -> bool:
        """Whether a person asked the run to stop."""
        return self._run.stop_requested()

    @property
    def images_per_second(self) -> float:
        """Training images per second over the whole run, validation left out."""
        return self._images * self.epochs_done / self.training_seconds if self.training_seconds else 0.0
