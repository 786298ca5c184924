"""Training of a neural network with Keras, on whichever backend the process was started with."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.augment import augment
from emotion_core.batches import FaceBatches, as_shares, beside, learns_from_shares
from emotion_core.calibration import at_temperature, fit_temperature, log_of
from emotion_core.callbacks import (
    AveragedWeights,
    Plateau,
    ReportToRecorder,
    TabulatedRate,
    restore_arrays,
    use_average,
)
from emotion_core.classifier import Classifier, load_classifier
from emotion_core.config import PlateauRate, RunConfig, Training
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.errors import EmotionError
from emotion_core.export import export_onnx
from emotion_core.images import to_network_input
from emotion_core.models.build import build_model
from emotion_core.models.saved import load_network, save_network
from emotion_core.models.unfolded import unfold_network
from emotion_core.recorder import Diverged, Recorder, StopRequested
from emotion_core.runs import Checkpoint, Run, Runs
from emotion_core.schedules import SameSide, progressive_sides, tabulate
from emotion_core.teachers import Teachers, load_teachers
from emotion_core.trainers import Outcome, TrainingData
from emotion_core.trainers.backend import (
    SeedEachEpoch,
    batch_threads,
    computes_on_gpu,
    device_name,
    fuses_operations,
    prepare_backend,
    steps_at_once,
)
from emotion_core.trainers.network_classifier import NetworkClassifier
from emotion_core.views import Views

SERVING_BATCH = 256

FACES_FOR_STATISTICS = 1_024
"""Training faces from which a network that begins with a serving copy takes its batch statistics."""

NOT_DECAYED = ("bias", "gamma", "beta")
"""Weights that weight decay spares, by their names: decay would pull offsets and scales away from what they are for."""


def train_network(run: Run, data: TrainingData, checkpoint: Checkpoint | None) -> tuple[Outcome, Recorder]:
    """Train, keep the epoch that is asked for as model.keras, and write model.onnx beside it."""
    config = run.config
    prepare_backend(config.device)
    teachers = load_teachers(config, Runs(run.folder.parent), load_teacher)
    keras.utils.set_random_seed(config.training.seed)
    steps = len(make_batches(config, data))
    model = build_model(config.model, any_side=config.training.first_side is not None)
    compile_network(model, config, steps_per_epoch=steps)
    recorder = Recorder(run, steps, len(data.labels), checkpoint)
    recorder.training_begins(keras.backend.backend(), device_name(), model.count_params())
    if checkpoint:
        restore_arrays(model, checkpoint.arrays)
        _keep_again(model, run, recorder, checkpoint)
    elif config.training.start_from:
        runs = Runs(run.folder.parent)
        _begin_with(model, [runs.find(start, latest_with_model=True) for start in config.training.start_from], data)
    outcome = _fit(model, run, data, teachers, recorder, checkpoint)
    return (_with_what_was_kept(outcome, run, data) if recorder.standing.kept_epoch else outcome), recorder


def load_teacher(run: Run) -> Classifier:
    """Return a teacher's network on the GPU that trains, where there is one, else its serving copy if it has one."""
    has_network = run.keras_path.exists()
    if has_network and (computes_on_gpu() or not run.onnx_path.exists()):
        return NetworkClassifier(run)
    return load_classifier(run)


def make_batches(
    config: RunConfig,
    data: TrainingData,
    teachers: Teachers | None = None,
    epoch: int = 0,
    side: int = IMAGE_SIZE,
) -> FaceBatches:
    """Return the training faces in batches as the settings ask, beginning with a pass counted from 0."""
    return FaceBatches(data, config, epoch=epoch, side=side, teachers=teachers, threads=batch_threads())


def compile_network(model: keras.Model, config: RunConfig, steps_per_epoch: int) -> None:
    """Give the network its optimiser, learning rates and loss."""
    training = config.training
    table = tabulate(training.schedule, training.epochs, steps_per_epoch)
    rate = training.schedule.rate if isinstance(training.schedule, PlateauRate) else TabulatedRate(table)
    loss = "categorical_crossentropy" if learns_from_shares(training) else "sparse_categorical_crossentropy"
    model.compile(
        optimizer=_optimizer(training, rate),
        loss=taught_loss if training.teachers else loss,
        metrics=[accuracy if training.teachers else "accuracy"],
        jit_compile=fuses_operations(config.model),
        steps_per_execution=steps_at_once(config.model),
    )


def taught_loss(targets: Any, answers: Any) -> Any:
    """Return the cross-entropy (n,) of answers (n, 7) with what is taught, the first half of targets (n, 14)."""
    return keras.losses.categorical_crossentropy(targets[:, :NUM_EMOTIONS], answers)


def accuracy(targets: Any, answers: Any) -> Any:
    """Return which answers (n, 7) agree with the label, the second half of targets (n, 14), whatever is taught.

    Keras files what a metric gives under the function's own name.
    """
    return keras.metrics.categorical_accuracy(targets[:, NUM_EMOTIONS:], answers)


def _optimizer(training: Training, rate: Any) -> keras.optimizers.Optimizer:
    common = {
        "weight_decay": training.weight_decay or None,
        "use_ema": training.weight_average is not None,
        "ema_momentum": training.weight_average or 0.99,  # Keras wants a number also where it is not used
    }
    if training.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, amsgrad=training.amsgrad, **common)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=training.momentum, nesterov=training.momentum > 0, **common)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


def _begin_with(model: keras.Model, starts: Sequence[Run], data: TrainingData) -> None:
    """Take the mean of other runs' weights, batch statistics included; raises DamagedRun where one cannot be read."""
    weights = [_network_to_train_on(start, data).get_weights() for start in starts]
    model.set_weights([np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)])


def _network_to_train_on(run: Run, data: TrainingData) -> keras.Model:
    if run.keras_path.exists():
        return load_network(run)
    faces = augment(data.faces[:FACES_FOR_STATISTICS], run.config.augmentation, np.random.default_rng(0))
    return unfold_network(run, to_network_input(faces))


def _keep_again(model: keras.Model, run: Run, recorder: Recorder, checkpoint: Checkpoint) -> None:
    """Save a restored model if its epoch is the one to keep, since a crash may have come between."""
    if recorder.standing.kept_epoch != checkpoint.epoch:
        return
    if run.config.training.weight_average is not None:
        use_average(model)
    save_network(model, run)
    restore_arrays(model, checkpoint.arrays)


def _fit(
    model: keras.Model,
    run: Run,
    data: TrainingData,
    teachers: Teachers | None,
    recorder: Recorder,
    checkpoint: Checkpoint | None,
) -> Outcome:
    training = run.config.training
    validation = to_network_input(data.validation_faces), validation_targets(data, training)
    memory = checkpoint.state.get("plateau") if checkpoint else None
    plateau = Plateau(training.schedule, memory) if isinstance(training.schedule, PlateauRate) else None
    average = AveragedWeights() if training.weight_average is not None else None
    report = ReportToRecorder(recorder, run, plateau, average)
    try:
        for part in _parts_left(training, recorder):
            # NOTE: a step that TensorFlow has traced for images of any side rounds otherwise than one for a single
            # side, and a run that is resumed would not be the one that never stopped.
            model.make_train_function(force=True)
            model.fit(
                make_batches(run.config, data, teachers, epoch=part.first, side=part.side),
                initial_epoch=part.first,
                epochs=part.end,
                validation_data=validation,
                validation_batch_size=SERVING_BATCH,
                callbacks=[SeedEachEpoch(training.seed), *filter(None, [plateau, average]), report],
                shuffle=False,
                verbose=0,
            )
    except StopRequested:
        return Outcome(None, stopped_by_person=True)
    except Diverged as error:
        return Outcome(None, failure=str(error))
    return Outcome(None)


def validation_targets(data: TrainingData, training: Training) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return the validation labels in the shape of the training targets, (n,), (n, 7) or (n, 14); nobody is taught."""
    if not learns_from_shares(training):
        return data.validation_labels
    labels = as_shares(data.validation_labels)
    return beside(labels, labels) if training.teachers else labels


def _parts_left(training: Training, recorder: Recorder) -> Iterator[SameSide]:
    """Yield the epochs to come, those on images of one side together, until it is time to stop."""
    for part in progressive_sides(training.first_side, training.epochs):
        first = max(part.first, recorder.standing.epoch)
        if first < part.end and not recorder.is_done():
            yield replace(part, first=first)


def _with_what_was_kept(outcome: Outcome, run: Run, data: TrainingData) -> Outcome:
    """Return the outcome with the kept network's probabilities, and write model.onnx, which gives the same."""
    settings = run.config.prediction
    probabilities = _probabilities(run, data, Views.asked_by(settings))
    temperature = fit_temperature(data.validation_labels, log_of(probabilities)) if settings.calibrate else 1.0
    return replace(
        outcome,
        probabilities=at_temperature(probabilities, temperature),
        temperature=temperature,
        note=_export(run, temperature),
    )


def _probabilities(run: Run, data: TrainingData, views: Views) -> NDArray[np.float32]:
    network = load_network(run)

    def classify(faces: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(network.predict(faces, batch_size=SERVING_BATCH, verbose=0), np.float32)

    return views.average(classify, to_network_input(data.validation_faces))


def _export(run: Run, temperature: float) -> str:
    """Write model.onnx; where that cannot be done take away that of an earlier epoch, and return why."""
    try:
        export_onnx(run, temperature)
    except EmotionError as error:
        run.onnx_path.unlink(missing_ok=True)
        return str(error)
    return ""
