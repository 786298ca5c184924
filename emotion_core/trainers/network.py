"""Training of a neural network with Keras, on whichever backend the process was started with."""

import keras
import numpy as np

from emotion_core.batches import FaceBatches
from emotion_core.callbacks import ReportToRecorder, TabulatedRate
from emotion_core.config import PlateauRate, RunConfig
from emotion_core.errors import EmotionError
from emotion_core.export import export_onnx
from emotion_core.images import to_network_input
from emotion_core.models.build import build_model
from emotion_core.recorder import Recorder
from emotion_core.runs import Run
from emotion_core.schedules import tabulate
from emotion_core.trainers import Outcome, TrainingData

SERVING_BATCH = 256


def train_network(run: Run, data: TrainingData) -> tuple[Outcome, Recorder]:
    """Train, keep the best epoch as model.keras, and write model.onnx beside it."""
    config = run.config
    keras.utils.set_random_seed(config.training.seed)
    batches = FaceBatches(
        data.faces,
        data.labels,
        data.class_weights,
        config.augmentation,
        config.training.batch_size,
        config.training.seed,
    )
    model = build_model(config.model)
    _compile(model, config, steps_per_epoch=len(batches))
    run.record(
        backend=keras.backend.backend(), device=_device_name(), parameters=model.count_params(), batches=len(batches)
    )
    recorder = Recorder(run, len(batches), len(data.labels))
    report = ReportToRecorder(
        recorder, run, config.training.early_stopping_patience, keep_best=config.training.keep == "best"
    )
    model.fit(
        batches,
        epochs=config.training.epochs,
        validation_data=(to_network_input(data.validation_faces), data.validation_labels),
        validation_batch_size=SERVING_BATCH,
        callbacks=[*_schedule_callbacks(config), report],
        shuffle=False,
        verbose=0,
    )
    if not recorder.epochs_done:
        return Outcome.nothing(), recorder
    return _finish(run, data, report), recorder


def _finish(run: Run, data: TrainingData, report: ReportToRecorder) -> Outcome:
    model = keras.saving.load_model(run.keras_path, compile=False)
    probabilities = model.predict(to_network_input(data.validation_faces), batch_size=SERVING_BATCH, verbose=0)
    note = ""
    try:
        export_onnx(run)
    except EmotionError as error:
        note = str(error)
    return Outcome(
        probabilities=np.asarray(probabilities, dtype=np.float32),
        training_accuracy=report.kept_accuracy,
        kept_epoch=report.kept_epoch,
        stopped_by_person=report.stopped_by_person,
        note=note,
    )


def _compile(model: keras.Model, config: RunConfig, steps_per_epoch: int) -> None:
    schedule = config.training.schedule
    table = tabulate(schedule, config.training.epochs, steps_per_epoch)
    rate = schedule.rate if isinstance(schedule, PlateauRate) else TabulatedRate(table)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, amsgrad=config.training.amsgrad),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def _schedule_callbacks(config: RunConfig) -> list[keras.callbacks.Callback]:
    match config.training.schedule:
        case PlateauRate() as plateau:
            return [keras.callbacks.ReduceLROnPlateau("val_loss", factor=plateau.factor, patience=plateau.patience)]
        case _:
            return []


def _device_name() -> str:
    """Return "GPU (name)" or "CPU", as the backend of this process sees it."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow

            gpus = tensorflow.config.list_physical_devices("GPU")
            names = [tensorflow.config.experimental.get_device_details(gpu).get("device_name", "") for gpu in gpus]
        case "jax":
            import jax

            names = [device.device_kind for device in jax.devices() if device.platform == "gpu"]
        case "torch":
            import torch

            names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        case _:
            names = []
    return f"GPU ({names[0]})" if names else "CPU"
