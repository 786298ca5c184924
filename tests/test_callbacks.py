"""The callbacks inside real, tiny trainings with Keras."""

import zipfile

import numpy as np
import pytest

from emotion_core.config import PlateauRate, with_settings
from emotion_core.presets import find_preset
from emotion_core.recorder import Diverged, Recorder, StopRequested
from emotion_core.runs import Runs

pytestmark = pytest.mark.tensorflow

IMAGES, BATCH = 32, 8


@pytest.fixture
def make_run(runs_folder):
    def make_run(**settings):
        named = {f"training.{name}": value for name, value in settings.items()}
        return Runs(runs_folder).create(with_settings(find_preset("dense-5").config, named))

    return make_run


@pytest.fixture
def fit():
    """Train a tiny network as the run says; a learning rate of 0 means that nothing ever improves."""
    import keras

    from emotion_core.callbacks import ReportToRecorder

    def fit(run, *, learning_rate=0.01, also=(), plateau=None, average=None, scaled=False, at_once=1):
        keras.utils.set_random_seed(1)
        faces = keras.Input((48, 48, 1))
        output = keras.layers.Dense(7, activation="softmax")(keras.layers.Flatten()(faces))
        model = keras.Model(faces, output, name="tiny")
        optimizer = keras.optimizers.Adam(learning_rate, use_ema=average is not None, ema_momentum=0.9)
        if scaled:  # as Keras does by itself where layers compute in float16
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=at_once)
        rng = np.random.default_rng(0)
        images, labels = rng.random((IMAGES, 48, 48, 1), np.float32), np.arange(IMAGES) % 7
        recorder = Recorder(run, IMAGES // BATCH, IMAGES)
        model.fit(
            images,
            labels,
            batch_size=BATCH,
            epochs=run.config.training.epochs,
            validation_data=(images, labels),
            callbacks=[*also, *filter(None, [plateau, average]), ReportToRecorder(recorder, run, plateau, average)],
            verbose=0,
        )
        return model, recorder

    return fit


def test_training_stops_when_nothing_has_improved_for_as_long_as_the_patience(fit, make_run):
    run = make_run(epochs=20, early_stopping_patience=3)
    fit(run, learning_rate=0.0)
    assert list(run.history()["epoch"]) == [1, 2, 3, 4]
    assert run.status().best_epoch == 1


def test_saved_model_has_the_weights_and_not_the_optimiser(fit, make_run):
    import keras

    run = make_run(epochs=2, keep="last")
    model, _ = fit(run)
    saved = keras.saving.load_model(run.keras_path)
    for ours, theirs in zip(saved.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not hasattr(saved, "optimizer")
    with zipfile.ZipFile(run.keras_path) as archive:
        assert archive.getinfo("model.weights.h5").file_size < 1.5 * 4 * model.count_params()


def test_request_to_stop_leaves_the_epoch_in_hand_at_once_and_leaves_it_out(fit, make_run):
    import keras

    class AskInTheSecondEpoch(keras.callbacks.Callback):
        validated = 0

        def on_train_batch_begin(self, batch, logs=None):
            if run.status().epoch == 1 and batch == 1:
                run.request_stop()

        def on_test_end(self, logs=None):
            self.validated += 1

    run, ask = make_run(epochs=5), AskInTheSecondEpoch()
    with pytest.raises(StopRequested):
        fit(run, also=[ask])
    assert list(run.history()["epoch"]) == [1]
    assert ask.validated == 1


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_learning_rate_that_blows_the_numbers_up_ends_the_run_and_keeps_the_last_finite_epoch(fit, make_run):
    import keras

    blow_up = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.001 if epoch < 2 else 1e38)
    run = make_run(epochs=9)
    with pytest.raises(Diverged, match="lower learning rate"):
        fit(run, also=[blow_up])
    assert 2 <= run.status().epoch < 9
    assert np.isfinite(run.history().to_numpy()).all()
    checkpoint = run.checkpoints.latest()
    assert all(np.isfinite(array).all() for array in checkpoint.arrays.values())


def test_a_plateau_remembers_from_one_part_of_a_run_to_the_next():
    from emotion_core.callbacks import Plateau

    plateau = Plateau(PlateauRate(patience=5), None)
    plateau.on_train_begin()
    plateau.best, plateau.wait = 1.2, 3
    plateau.on_train_end()
    plateau.on_train_begin()
    assert plateau.state() == {"best": 1.2, "wait": 3}


def test_history_tells_the_learning_rate_with_which_each_epoch_began(fit, make_run):
    import keras

    run = make_run(epochs=3)
    fit(run, also=[keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 * 0.5**epoch)])
    assert list(run.history()["learning_rate"]) == pytest.approx([0.01, 0.005, 0.0025])


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "with scaled losses"])
def test_a_checkpoint_brings_a_new_model_to_the_same_numbers(fit, make_run, scaled):
    from emotion_core.callbacks import Plateau, restore_arrays, training_arrays

    schedule = PlateauRate(rate=0.5, patience=1)
    run = make_run(epochs=4, keep="last")
    model, _ = fit(run, learning_rate=schedule.rate, plateau=Plateau(schedule, None), scaled=scaled)
    checkpoint = run.checkpoints.latest()
    assert checkpoint.epoch == 4
    other, _ = fit(make_run(epochs=1), scaled=scaled)
    restore_arrays(other, checkpoint.arrays)
    for name, array in training_arrays(model).items():
        np.testing.assert_array_equal(training_arrays(other)[name], array)
    resumed = Plateau(schedule, checkpoint.state["plateau"])
    resumed.on_train_begin()
    assert resumed.state() == checkpoint.state["plateau"]
    assert resumed.state()["best"] == pytest.approx(run.history()["val_loss"].min())


@pytest.mark.parametrize("scaled", [False, True])
def test_a_checkpoint_is_taken_up_in_another_precision_too(fit, make_run, scaled):
    """As on a machine whose GPU computes in float16, and on one without."""
    from emotion_core.callbacks import restore_arrays, training_arrays

    run = make_run(epochs=2)
    model, _ = fit(run, scaled=scaled)
    other, _ = fit(make_run(epochs=1), scaled=not scaled)
    restore_arrays(other, run.checkpoints.latest().arrays)
    before, after = training_arrays(model), training_arrays(other)
    shared = before.keys() & after.keys()
    assert sum(name.startswith("optimizer") for name in shared) > 2
    for name in shared:
        np.testing.assert_array_equal(after[name], before[name])


# --- averaged weights ---------------------------------------------------------------------------------------------


@pytest.fixture
def follow():
    """A callback that notes the weights after each batch, and those that each validation sees."""
    import keras

    class Follow(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.trained, self.validated = [], []

        def on_train_batch_end(self, batch, logs=None):
            self.trained.append(self.model.get_weights())

        def on_test_batch_begin(self, batch, logs=None):
            self.validated.append(self.model.get_weights())

    return Follow()


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "with scaled losses"])
def test_the_average_validates_and_is_kept_while_training_goes_on_from_the_weights(fit, make_run, follow, scaled):
    import keras

    from emotion_core.callbacks import AveragedWeights

    run = make_run(epochs=3, keep="last")
    model, _ = fit(run, learning_rate=0.05, also=[follow], average=AveragedWeights(), scaled=scaled)
    average = follow.trained[0]
    for weights in follow.trained[1:]:
        average = [0.9 * mean + 0.1 * weight for mean, weight in zip(average, weights, strict=True)]
    kept = keras.saving.load_model(run.keras_path).get_weights()
    for mean, seen, saved, last, now in zip(
        average, follow.validated[-1], kept, follow.trained[-1], model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(seen, mean, atol=1e-5)
        np.testing.assert_array_equal(saved, seen)
        np.testing.assert_array_equal(now, last)
        assert np.abs(mean - last).max() > 1e-4


def test_training_with_an_average_learns_what_it_learns_without(fit, make_run):
    from emotion_core.callbacks import AveragedWeights

    with_average, _ = fit(make_run(epochs=3), average=AveragedWeights())
    without, _ = fit(make_run(epochs=3))
    for ours, theirs in zip(with_average.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("at_once", [1, 3, 4, 8])
def test_progress_ends_with_the_last_batch_however_many_are_learnt_at_once(fit, make_run, at_once):
    run = make_run(epochs=2)
    fit(run, at_once=at_once)
    assert run.progress()["batch"].iloc[-1] == IMAGES // BATCH
    assert run.progress()["batch"].is_monotonic_increasing
