"""One run from start to end, in a process of its own: `python -m emotion_core.training RUN_FOLDER`.

The engine starts this module and never imports it. Its environment (`KERAS_BACKEND`, `CUDA_VISIBLE_DEVICES`) is set
before it starts. The exit code is 0 for a finished or stopped run and 1 for a failed one, whose reason is in its
status and whose traceback is in its log.
"""

import sys
import time
import traceback
from pathlib import Path

from emotion_core.config import LinearModel, RunConfig
from emotion_core.dataset import class_weights, load_dataset, split_rows
from emotion_core.errors import BadInput, EmotionError
from emotion_core.evaluation import RunEvaluation, evaluate
from emotion_core.models.parameters import count_parameters
from emotion_core.recorder import Recorder
from emotion_core.runs import Run, State, Validation
from emotion_core.trainers import Outcome, TrainingData


def train(run: Run) -> State:
    """Compute a queued run and return how it ended; everything else is in its folder.

    A failure ends in the run's status, not in an exception; only a run that another process is computing raises.
    """
    with run.alive():
        try:
            state, reason = _train(run)
        except KeyboardInterrupt:
            state, reason = State.STOPPED, "Stopped at the keyboard."
        except Exception as error:
            traceback.print_exc()
            state, reason = State.FAILED, _sentence(error)
        run.record(state=state, reason=reason, finished=time.time())
    print(f"{state}. {reason}".rstrip(), flush=True)
    return state


def _train(run: Run) -> tuple[State, str]:
    started = time.time()
    run.record(state=State.RUNNING, started=started, parameters=count_parameters(run.config.model))
    data = load_training_data(run.config)
    print(f"{len(data.labels):,} training and {len(data.validation_labels):,} validation images", flush=True)
    outcome, recorder = _fit(run, data)
    if not outcome.kept_epoch:
        return State.STOPPED, "Stopped before the first epoch was done, so there is no model."
    evaluation = RunEvaluation(
        **evaluate(data.validation_labels, outcome.probabilities).model_dump(),
        best_epoch=outcome.kept_epoch,
        training_accuracy=outcome.training_accuracy,
        parameters=count_parameters(run.config.model),
        seconds=time.time() - started,
        images_per_second=recorder.images_per_second,
    )
    run.save_evaluation(evaluation, Validation(data.validation_rows, data.validation_labels, outcome.probabilities))
    return (State.STOPPED if outcome.stopped_by_person else State.FINISHED), outcome.note


def _fit(run: Run, data: TrainingData) -> tuple[Outcome, Recorder]:
    if isinstance(run.config.model, LinearModel):
        from emotion_core.trainers.linear import train_linear

        return train_linear(run, data)
    from emotion_core.trainers.network import train_network  # loads Keras and its backend

    return train_network(run, data)


def load_training_data(config: RunConfig) -> TrainingData:
    """Load and split the faces that a configuration names; raises BadInput where they cannot train a model."""
    dataset = load_dataset(config.data.source, drop_incomplete=config.data.drop_incomplete)
    if dataset.labels is None:
        raise BadInput(f"{dataset.name} has no emotion column, so there is nothing to learn from.")
    rows = split_rows(dataset, config.data.split, config.training.seed)
    labels = dataset.labels[rows.training]
    return TrainingData(
        faces=dataset.images[rows.training],
        labels=labels,
        validation_faces=dataset.images[rows.validation],
        validation_labels=dataset.labels[rows.validation],
        validation_rows=rows.validation,
        class_weights=class_weights(labels, config.training.class_weights),
    )


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, EmotionError) else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(1 if train(Run(Path(sys.argv[1]))) is State.FAILED else 0)
