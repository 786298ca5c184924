import math

import pytest

from emotion_core.errors import EmotionError
from emotion_core.presets import find_preset
from emotion_core.recorder import Recorder
from emotion_core.runs import Runs


@pytest.fixture
def run(runs_folder):
    return Runs(runs_folder).create(find_preset("cnn").config)


@pytest.fixture
def recorder(run):
    return Recorder(run, batches=4, images=100)


def end_epoch(recorder, epoch, val_loss=1.0, loss=1.0):
    recorder.epoch_begins()
    recorder.training_ends()
    return recorder.epoch_ends(epoch, loss, 0.5, val_loss, 0.4, 0.001)


def test_an_epoch_is_the_best_only_when_its_validation_loss_is_the_lowest_yet(recorder, run):
    assert [end_epoch(recorder, epoch, loss) for epoch, loss in enumerate([2.0, 1.0, 1.0, 1.5, 0.5], start=1)] == [
        True, True, False, False, True,
    ]  # fmt: skip
    status = run.status()
    assert (status.epoch, status.best_epoch, status.best_val_loss, status.best_val_accuracy) == (5, 5, 0.5, 0.4)
    assert list(run.history()["val_loss"]) == [2.0, 1.0, 1.0, 1.5, 0.5]


@pytest.mark.parametrize("wrong", [{"loss": math.nan}, {"val_loss": math.inf}])
def test_a_loss_that_is_no_number_ends_the_run_with_advice(recorder, run, wrong):
    with pytest.raises(EmotionError, match="lower learning rate"):
        end_epoch(recorder, 1, **wrong)
    assert run.status().best_epoch is None


def test_reports_are_a_second_apart_but_the_last_batch_always_reports(recorder):
    recorder.epoch_begins()
    assert recorder.report_is_due(1)
    recorder.batch_ends(1, 1, loss=2.0, accuracy=0.2)
    assert not recorder.report_is_due(2)
    assert recorder.report_is_due(4)


def test_progress_begins_anew_with_each_epoch(recorder, run):
    recorder.epoch_begins()
    recorder.batch_ends(1, 4, loss=2.0, accuracy=0.2)
    recorder.epoch_begins()
    recorder.batch_ends(2, 1, loss=1.5, accuracy=0.3)
    assert run.progress()[["epoch", "batch", "loss"]].to_numpy().tolist() == [[2, 1, 1.5]]
    assert run.status().batch == 1


def test_speed_leaves_validation_out(recorder):
    assert recorder.images_per_second == 0
    end_epoch(recorder, 1)
    recorder.training_seconds = 4.0
    assert recorder.images_per_second == 100 * 1 / 4.0


def test_a_request_to_stop_is_seen(recorder, run):
    assert not recorder.stop_requested()
    run.request_stop()
    assert recorder.stop_requested()
