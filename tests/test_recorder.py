"""What a trainer tells and remembers, without one."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from emotion_core.config import with_settings
from emotion_core.presets import find_preset
from emotion_core.recorder import Diverged, EpochScores, Recorder, Standing, StopRequested
from emotion_core.runs import Runs

FOUR_EPOCHS = {"training.epochs": 4, "training.early_stopping_patience": 2}


@pytest.fixture
def run(runs_folder):
    return Runs(runs_folder).create(find_preset("cnn").config)


@pytest.fixture
def recorder(run):
    return Recorder(run, batches=4, images=100)


def end_epoch(recorder, val_loss=1.0, loss=1.0):
    recorder.epoch_begins()
    recorder.training_ends()
    keep = recorder.epoch_ends(EpochScores(loss, 0.5, val_loss, 0.4, 0.001))
    recorder.save({"weights": np.arange(3)}, {"more": 1})
    return keep


def means(loss=2.0, accuracy=0.2):
    return lambda: (loss, accuracy)


def test_an_epoch_is_the_best_only_when_its_validation_loss_is_the_lowest_yet(recorder, run):
    assert [end_epoch(recorder, loss) for loss in [2.0, 1.0, 1.0, 1.5, 0.5]] == [True, True, False, False, True]
    status = run.status()
    assert (status.epoch, status.best_epoch, status.best_val_loss, status.best_val_accuracy) == (5, 5, 0.5, 0.4)
    assert list(run.history()["val_loss"]) == [2.0, 1.0, 1.0, 1.5, 0.5]


def test_the_last_epoch_is_kept_where_that_was_asked(runs_folder):
    last = with_settings(find_preset("cnn").config, {"training.keep": "last"})
    recorder = Recorder(Runs(runs_folder).create(last), batches=4, images=100)
    assert [end_epoch(recorder, loss) for loss in [1.0, 2.0]] == [True, True]
    assert (recorder.standing.kept_epoch, recorder.standing.best_epoch) == (2, 1)


def test_an_epoch_is_told_of_only_when_resume_could_go_on_after_it(recorder, run):
    recorder.epoch_begins()
    recorder.training_ends()
    recorder.epoch_ends(EpochScores(1.0, 0.5, 1.0, 0.4, 0.001))
    assert run.status().epoch == 0
    recorder.save({}, {})
    assert run.status().epoch == run.checkpoints.epochs()[0] == 1


@pytest.mark.parametrize(
    ("wrong", "said"), [({"loss": math.nan}, "not a number"), ({"val_loss": math.inf}, "infinite")], ids=["nan", "inf"]
)
def test_a_loss_that_is_no_number_ends_the_run_with_advice_and_is_no_epoch(recorder, run, wrong, said):
    with pytest.raises(Diverged, match=f"{said}.* in epoch 1. No model was learnt. Try a lower learning rate"):
        end_epoch(recorder, **wrong)
    assert run.status().best_epoch is None
    assert not len(run.history())


def test_a_linear_model_whose_steps_are_too_large_is_told_of_its_alpha(runs_folder):
    linear = Runs(runs_folder).create(find_preset("sgd").config)
    with pytest.raises(Diverged, match="Try a larger alpha"):
        end_epoch(Recorder(linear, 4, 40), loss=math.nan)


def test_a_loss_gone_wrong_within_an_epoch_is_seen_at_the_next_report(recorder):
    end_epoch(recorder)
    recorder.epoch_begins()
    with pytest.raises(Diverged, match=r"in epoch 2\. The model of epoch 1 is kept"):
        recorder.batch_ends(4, means(loss=math.nan))


def test_reports_are_a_second_apart_but_the_last_batch_always_reports(recorder, run):
    recorder.epoch_begins()
    for batch in (1, 2, 4):
        recorder.batch_ends(batch, means())
    assert list(run.progress()["batch"]) == [1, 4]


def test_a_report_tells_the_memory_that_the_trainer_takes(recorder, run):
    recorder.epoch_begins()
    recorder.batch_ends(4, means())
    assert 2**20 < run.status().memory < 2**36


def test_progress_begins_anew_with_each_epoch(recorder, run):
    recorder.epoch_begins()
    recorder.batch_ends(4, means())
    end_epoch(recorder)
    recorder.epoch_begins()
    recorder.batch_ends(4, means(loss=1.5))
    assert run.progress()[["epoch", "batch", "loss"]].to_numpy().tolist() == [[2, 4, 1.5]]
    assert run.status().batch == 4


def test_rows_of_progress_that_a_program_on_windows_holds_do_not_end_the_run(recorder, run, monkeypatch):
    def refuse():
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(run, "clear_progress", refuse)
    end_epoch(recorder)
    assert run.status().epoch == 1


def test_a_status_that_a_program_on_windows_holds_at_the_time_of_a_report_does_not_end_the_run(
    recorder, run, monkeypatch
):
    def refuse(_):
        raise PermissionError(13, "Access is denied")

    recorder.epoch_begins()
    with monkeypatch.context() as moment:
        moment.setattr("emotion_core.runs.documents.read_bytes", refuse)
        recorder.batch_ends(4, means())
    assert run.progress()["batch"].tolist() == [4]
    end_epoch(recorder)
    assert run.status().epoch == 1


def test_speed_leaves_validation_out(recorder):
    assert recorder.images_per_second == 0
    end_epoch(recorder)
    recorder.standing = replace(recorder.standing, training_seconds=4.0)
    assert recorder.images_per_second == 100 * 1 / 4.0


def test_the_first_batch_says_nothing_of_the_speed(recorder, run, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    recorder.epoch_begins()
    now += 20
    recorder.batch_ends(1, means())
    assert run.status().batch == 1
    assert run.status().images_per_second is None
    now += 5
    recorder.batch_ends(3, means())
    assert run.status().images_per_second == 100 * 2 / 4 / 5


def test_an_epoch_of_one_lot_has_a_speed(recorder, run):
    recorder.epoch_begins()
    recorder.batch_ends(4, means())
    assert run.status().images_per_second > 100


@pytest.mark.parametrize("lots", [(4,), (3, 4)])
def test_an_epoch_that_takes_no_time_by_a_coarse_clock_leaves_the_run_readable(recorder, run, monkeypatch, lots):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    recorder.epoch_begins()
    for batch in lots:
        recorder.batch_ends(batch, means())
    assert (run.status().batch, run.status().images_per_second) == (4, None)


def test_a_request_to_stop_is_seen_after_the_batch_in_hand(recorder, run):
    recorder.epoch_begins()
    recorder.batch_ends(1, means())
    run.request_stop()
    with pytest.raises(StopRequested):
        recorder.batch_ends(2, means())


# --- going on -----------------------------------------------------------------------------------------------------


def test_what_is_saved_brings_a_recorder_to_the_same_standing(recorder, run):
    for loss in (2.0, 0.1 + 0.2, 1.0):
        end_epoch(recorder, loss)
    checkpoint = run.checkpoints.latest()
    again = Recorder(run, batches=4, images=100, checkpoint=checkpoint)
    assert again.standing == recorder.standing
    assert again.standing.best_loss == 0.1 + 0.2  # to the last bit
    assert checkpoint.state["more"] == 1
    assert again.seconds >= recorder.standing.seconds


def test_history_beyond_the_checkpoint_is_dropped_and_the_status_goes_back(recorder, run):
    for loss in (2.0, 1.0, 0.5):
        end_epoch(recorder, loss)
    (run.folder / "checkpoint" / "epoch-000003.npz").unlink()
    again = Recorder(run, batches=4, images=100, checkpoint=run.checkpoints.latest())
    again.training_begins("jax", "CPU", 7)
    assert list(run.history()["epoch"]) == [1, 2]
    status = run.status()
    assert (status.epoch, status.best_epoch, status.best_val_loss) == (2, 2, 1.0)


def test_a_run_that_begins_forgets_what_a_former_sitting_left(recorder, run):
    end_epoch(recorder)
    Recorder(run, batches=4, images=100).training_begins("jax", "CPU", 7)
    assert not len(run.history())
    assert (run.status().epoch, run.status().best_epoch) == (0, None)


@pytest.mark.parametrize(
    ("standing", "patience_from", "done"),
    [
        (Standing(epoch=3, best_epoch=2), 0, False),
        (Standing(epoch=3, best_epoch=1), 0, True),
        (Standing(epoch=3, best_epoch=1), 2, False),
        (Standing(epoch=4, best_epoch=4), 0, True),
    ],
    ids=["goes on", "stalled", "stalled before a person let it go on", "all epochs done"],
)
def test_a_run_is_done_after_its_epochs_or_without_improvement(runs_folder, standing, patience_from, done):
    run = Runs(runs_folder).create(with_settings(find_preset("cnn").config, FOUR_EPOCHS))
    run.record(patience_from=patience_from)
    recorder = Recorder(run, batches=4, images=100)
    recorder.standing = standing
    assert recorder.is_done() is done


def test_computing_time_counts_no_pause_and_no_change_of_the_clock(recorder, run, monkeypatch):
    end_epoch(recorder)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    again = Recorder(run, batches=4, images=100, checkpoint=run.checkpoints.latest())
    assert 0 <= again.seconds - recorder.standing.seconds < 5
