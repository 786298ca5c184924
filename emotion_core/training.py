"""One run from start to end, in a process of its own: `python -m emotion_core.training RUN_FOLDER`.

The engine starts this module and never imports it. Its environment (`KERAS_BACKEND`, `CUDA_VISIBLE_DEVICES`) is set
before it starts. A run that has a checkpoint goes on from there. The exit code is 0 for a finished or stopped run and
1 for a failed one, whose reason is in its status and whose traceback is in its log.
"""

import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from emotion_core.config import LinearModel, RunConfig
from emotion_core.dataset import Dataset, class_weights, labels_of_run, load_dataset, rows_of_run
from emotion_core.engine import LocalEngine
from emotion_core.errors import BadInput, EmotionError
from emotion_core.evaluation import RunEvaluation, evaluate
from emotion_core.models.counts import count_parameters
from emotion_core.recorder import Recorder
from emotion_core.runs import SITTING, Checkpoint, Run, Runs, State, Validation
from emotion_core.trainers import Outcome, TrainingData
from emotion_core.troubles import explain

DIGITS_SHOWN = 12


def train(run: Run) -> State:
    """Compute a queued run, or go on with one, and return how it ended; everything else is in its folder.

    A failure ends in the run's status, not in an exception; only a run that another process is computing raises.
    """
    with run.alive():
        print(f"{SITTING}{time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)
        try:
            state, reason = _train(run)
        except KeyboardInterrupt:
            state, reason = State.STOPPED, "Stopped at the keyboard."
        except Exception as error:
            with suppress(OSError):  # the log may be what the disk has no room for
                traceback.print_exc()
            state, reason = State.FAILED, explain(error, run.config)
        _record_end(run, state, reason)
    print(f"{state}. {reason}".rstrip(), flush=True)
    return state


def _record_end(run: Run, state: State, reason: str) -> None:
    """Write down how the run ended, also on a full disk."""
    end = {"state": state, "reason": reason, "finished": time.time()}
    try:
        run.record(**end)
    except OSError:
        run.make_room()
        run.record(**end)


def _train(run: Run) -> tuple[State, str]:
    run.sweep()
    run.record(state=State.RUNNING, started=time.time(), parameters=count_parameters(run.config.model))
    data = load_training_data(run.config)
    print(f"{len(data.labels):,} training and {len(data.validation_labels):,} validation images", flush=True)
    outcome, recorder = _fit(run, data, _checkpoint_to_go_on_from(run))
    if outcome.probabilities is not None:
        run.save_evaluation(
            _evaluate(run, data, outcome, recorder),
            Validation(data.validation_rows, data.validation_labels, outcome.probabilities),
        )
    run.checkpoints.keep(1)
    if outcome.failure:
        return State.FAILED, outcome.failure
    if outcome.probabilities is None:
        return State.STOPPED, "Stopped before the first epoch was done, so there is no model."
    return (State.STOPPED if outcome.stopped_by_person else State.FINISHED), outcome.note


def _checkpoint_to_go_on_from(run: Run) -> Checkpoint | None:
    """Return the last checkpoint that can be read, None where there is none.

    Raises EmotionError where the run has results and no checkpoint can be read: it would begin anew over them.
    """
    checkpoint = run.checkpoints.latest()
    if checkpoint is None and run.has_results():
        raise EmotionError(
            "Its checkpoint cannot be read, so this run cannot go on. What it has learnt is untouched; train a copy of "
            "it instead."
        )
    return checkpoint


def _evaluate(run: Run, data: TrainingData, outcome: Outcome, recorder: Recorder) -> RunEvaluation:
    assert outcome.probabilities is not None
    return RunEvaluation(
        **evaluate(data.validation_labels, outcome.probabilities).model_dump(),
        best_epoch=recorder.standing.kept_epoch,
        training_accuracy=recorder.standing.kept_accuracy,
        parameters=count_parameters(run.config.model),
        seconds=recorder.seconds,
        images_per_second=recorder.images_per_second,
        temperature=outcome.temperature,
    )


def _fit(run: Run, data: TrainingData, checkpoint: Checkpoint | None) -> tuple[Outcome, Recorder]:
    if isinstance(run.config.model, LinearModel):
        from emotion_core.trainers.linear import train_linear

        return train_linear(run, data, checkpoint)
    from emotion_core.trainers.network import train_network  # loads Keras and its backend

    return train_network(run, data, checkpoint)


def load_training_data(config: RunConfig) -> TrainingData:
    """Load and split the faces that a configuration names; raises BadInput where they cannot train a model."""
    dataset = load_dataset(config.data.source, drop_incomplete=config.data.drop_incomplete)
    _refuse_other_faces(dataset, config)
    every_label, rows = labels_of_run(dataset, config), rows_of_run(dataset, config)
    labels = every_label[rows.training]
    return TrainingData(
        faces=dataset.images[rows.training],
        labels=labels,
        validation_faces=dataset.images[rows.validation],
        validation_labels=every_label[rows.validation],
        validation_rows=rows.validation,
        class_weights=class_weights(labels, config.training.class_weights),
    )


def _refuse_other_faces(dataset: Dataset, config: RunConfig) -> None:
    """Raise BadInput where the file holds other faces or labels than when the run was submitted."""
    submitted, found = config.data_fingerprint, dataset.fingerprint
    if submitted and submitted != found:
        raise BadInput(
            f"{dataset.name} has changed since the run was submitted: its faces had the digest "
            f"{submitted[:DIGITS_SHOWN]} and have {found[:DIGITS_SHOWN]} now. Submit the run again to train on them."
        )


def main(folder: Path) -> int:
    """Compute one run and return the exit code; start a worker for those that wait if theirs has died meanwhile."""
    try:
        return 1 if train(Run(folder)) is State.FAILED else 0
    finally:
        with suppress(EmotionError):
            LocalEngine(Runs(folder.parent)).wake()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
