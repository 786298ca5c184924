"""The callbacks inside real, tiny trainings with Keras."""

import zipfile

import numpy as np
import pytest

from emotion_core.presets import find_preset
from emotion_core.recorder import Recorder
from emotion_core.runs import Runs

pytestmark = pytest.mark.tensorflow

IMAGES, BATCH = 32, 8


@pytest.fixture
def run(runs_folder):
    return Runs(runs_folder).create(find_preset("dense-5").config)


@pytest.fixture
def fit(run):
    """Train a tiny network for some epochs; a learning rate of 0 means that nothing ever improves."""
    import keras

    from emotion_core.callbacks import ReportToRecorder

    def fit(*, epochs, patience=None, keep_best=True, learning_rate=0.01, also=()):
        keras.utils.set_random_seed(1)
        faces = keras.Input((48, 48, 1))
        output = keras.layers.Dense(7, activation="softmax")(keras.layers.Flatten()(faces))
        model = keras.Model(faces, output, name="tiny")
        model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        rng = np.random.default_rng(0)
        images, labels = rng.random((IMAGES, 48, 48, 1), np.float32), np.arange(IMAGES) % 7
        report = ReportToRecorder(Recorder(run, IMAGES // BATCH, IMAGES), run, patience, keep_best=keep_best)
        model.fit(
            images,
            labels,
            batch_size=BATCH,
            epochs=epochs,
            validation_data=(images, labels),
            callbacks=[*also, report],
            verbose=0,
        )
        return model, report

    return fit


def test_training_stops_when_nothing_has_improved_for_as_long_as_the_patience(fit, run):
    fit(epochs=20, patience=3, learning_rate=0.0)
    assert list(run.history()["epoch"]) == [1, 2, 3, 4]
    assert run.status().best_epoch == 1


def test_best_or_last_epoch_is_kept_as_asked(fit):
    _, best = fit(epochs=3, learning_rate=0.0)
    _, last = fit(epochs=3, learning_rate=0.0, keep_best=False)
    assert (best.kept_epoch, last.kept_epoch) == (1, 3)


def test_saved_model_has_the_weights_and_not_the_optimiser(fit, run):
    import keras

    model, _ = fit(epochs=2, keep_best=False)
    saved = keras.saving.load_model(run.keras_path)
    for ours, theirs in zip(saved.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not hasattr(saved, "optimizer")
    with zipfile.ZipFile(run.keras_path) as archive:
        assert archive.getinfo("model.weights.h5").file_size < 1.5 * 4 * model.count_params()


def test_request_to_stop_ends_the_epoch_in_hand_and_leaves_it_out(fit, run):
    import keras

    class AskInTheSecondEpoch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if run.status().epoch == 1 and batch == 1:
                run.request_stop()

    _, report = fit(epochs=5, also=[AskInTheSecondEpoch()])
    assert report.stopped_by_person
    assert list(run.history()["epoch"]) == [1]
    assert report.kept_epoch == 1


def test_history_tells_the_learning_rate_with_which_each_epoch_began(fit, run):
    import keras

    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 * 0.5**epoch)
    fit(epochs=3, also=[halve])
    assert list(run.history()["learning_rate"]) == pytest.approx([0.01, 0.005, 0.0025])
