"""Training of a neural network with Keras, on whichever backend the process was started with."""

from dataclasses import replace

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.batches import FaceBatches
from emotion_core.callbacks import Plateau, ReportToRecorder, TabulatedRate, restore_arrays
from emotion_core.config import PlateauRate, RunConfig
from emotion_core.errors import EmotionError
from emotion_core.export import export_onnx
from emotion_core.images import to_network_input
from emotion_core.models.build import build_model
from emotion_core.models.saved import load_network, save_network
from emotion_core.recorder import Diverged, Recorder, StopRequested
from emotion_core.runs import Checkpoint, Run
from emotion_core.schedules import tabulate
from emotion_core.trainers import Outcome, TrainingData
from emotion_core.trainers.backend import SeedEachEpoch, device_name, fuses_operations, prepare_backend, steps_at_once

SERVING_BATCH = 256


def train_network(run: Run, data: TrainingData, checkpoint: Checkpoint | None) -> tuple[Outcome, Recorder]:
    """Train, keep the best epoch as model.keras, and write model.onnx beside it."""
    config = run.config
    prepare_backend(config.device)
    keras.utils.set_random_seed(config.training.seed)
    batches = make_batches(config, data, epoch=checkpoint.epoch if checkpoint else 0)
    model = build_model(config.model)
    compile_network(model, config, steps_per_epoch=len(batches))
    recorder = Recorder(run, len(batches), len(data.labels), checkpoint)
    recorder.training_begins(keras.backend.backend(), device_name(), model.count_params())
    if checkpoint:
        _go_on(model, run, recorder, checkpoint)
    outcome = _fit(model, run, data, batches, recorder, checkpoint)
    if recorder.standing.kept_epoch:
        outcome = replace(outcome, probabilities=_probabilities(run, data), note=_export(run))
    return outcome, recorder


def make_batches(config: RunConfig, data: TrainingData, epoch: int = 0) -> FaceBatches:
    """Return the training faces in batches as the settings ask, beginning with a pass counted from 0."""
    training = config.training
    return FaceBatches(
        data.faces, data.labels, data.class_weights, config.augmentation, training.batch_size, training.seed, epoch
    )


def compile_network(model: keras.Model, config: RunConfig, steps_per_epoch: int) -> None:
    """Give the network its optimiser, learning rates and loss."""
    schedule = config.training.schedule
    table = tabulate(schedule, config.training.epochs, steps_per_epoch)
    rate = schedule.rate if isinstance(schedule, PlateauRate) else TabulatedRate(table)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, amsgrad=config.training.amsgrad),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=fuses_operations(config.model),
        steps_per_execution=steps_at_once(config.model),
    )


def _go_on(model: keras.Model, run: Run, recorder: Recorder, checkpoint: Checkpoint) -> None:
    """Set the model to a checkpoint; where that is the kept epoch, save it, since a crash may have come between."""
    restore_arrays(model, checkpoint.arrays)
    if recorder.standing.kept_epoch == checkpoint.epoch:
        save_network(model, run)


def _fit(
    model: keras.Model,
    run: Run,
    data: TrainingData,
    batches: FaceBatches,
    recorder: Recorder,
    checkpoint: Checkpoint | None,
) -> Outcome:
    if recorder.is_done():  # resumed after its last epoch
        return Outcome(None)
    schedule = run.config.training.schedule
    memory = checkpoint.state.get("plateau") if checkpoint else None
    plateau = Plateau(schedule, memory) if isinstance(schedule, PlateauRate) else None
    try:
        model.fit(
            batches,
            initial_epoch=recorder.standing.epoch,
            epochs=run.config.training.epochs,
            validation_data=(to_network_input(data.validation_faces), data.validation_labels),
            validation_batch_size=SERVING_BATCH,
            callbacks=[
                SeedEachEpoch(run.config.training.seed),
                *filter(None, [plateau]),
                ReportToRecorder(recorder, run, plateau),
            ],
            shuffle=False,
            verbose=0,
        )
    except StopRequested:
        return Outcome(None, stopped_by_person=True)
    except Diverged as error:
        return Outcome(None, failure=str(error))
    return Outcome(None)


def _probabilities(run: Run, data: TrainingData) -> NDArray[np.float32]:
    network = load_network(run)
    faces = to_network_input(data.validation_faces)
    return np.asarray(network.predict(faces, batch_size=SERVING_BATCH, verbose=0), np.float32)


def _export(run: Run) -> str:
    """Write model.onnx; return why that could not be done."""
    try:
        export_onnx(run)
    except EmotionError as error:
        return str(error)
    return ""
