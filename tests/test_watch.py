"""Watching a run: its phase, its progress, the time it may still take."""

from pathlib import Path

import pytest

from emotion_core.config import RunConfig
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, State, summarise
from emotion_core.watch import as_duration, watch

EPOCHS = 10


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def config(preset: str = "dense-5", **training: int) -> RunConfig:
    start = find_preset(preset).config
    return start.model_copy(update={"training": start.training.model_copy(update={"epochs": EPOCHS, **training})})


def finish_epoch(run: Run, epoch: int, seconds: float) -> None:
    row = {"loss": 2.0, "accuracy": 0.2, "val_loss": 2.0, "val_accuracy": 0.2, "learning_rate": 1e-3}
    run.append_history(row | {"epoch": epoch, "seconds": seconds})
    run.record(epoch=epoch, batch=0)


def test_a_queued_run_says_how_many_come_before_it(runs: Runs) -> None:
    run = runs.create(config())
    assert watch(run).phase == "Next in line; the worker is starting."
    assert watch(run, queued_before=1).phase == "Waiting for 1 run ahead of it."
    assert watch(run, queued_before=3).phase == "Waiting for 3 runs ahead of it."


@pytest.mark.parametrize(
    ("preset", "recorded", "phase"),
    [
        ("dense-5", {}, "Starting: loading the framework and the faces."),
        ("sgd", {}, "Starting: loading the faces."),
        ("dense-5", {"backend": "jax", "device": "CPU", "batches": 8}, "Starting: preparing the first epoch on CPU."),
        ("dense-5", {"backend": "jax", "epoch": 4, "batches": 0}, "Starting: loading the framework and the faces."),
        ("dense-5", {"backend": "jax", "batch": 3, "batches": 8}, "Epoch 1 of 10: learning."),
        ("dense-5", {"backend": "jax", "epoch": 4, "batches": 8}, "Epoch 5 of 10: learning."),
        (
            "dense-5",
            {"backend": "jax", "epoch": 4, "batch": 8, "batches": 8},
            "Epoch 5 of 10: evaluating on the validation faces.",
        ),
        ("dense-5", {"backend": "jax", "epoch": 10, "batches": 8}, "Evaluating and saving the model."),
        ("dense-5", {"backend": "jax", "epoch": 7, "best_epoch": 2, "batches": 8}, "Evaluating and saving the model."),
        ("dense-5", {"backend": "jax", "epoch": 6, "best_epoch": 2, "batches": 8}, "Epoch 7 of 10: learning."),
        (
            "dense-5",
            {"backend": "jax", "epoch": 7, "best_epoch": 2, "patience_from": 6, "batches": 8},
            "Epoch 8 of 10: learning.",
        ),
    ],
)
def test_a_running_run_says_what_it_is_doing(runs: Runs, preset: str, recorded: dict[str, object], phase: str) -> None:
    run = runs.create(config(preset, early_stopping_patience=5))
    run.record(state=State.RUNNING, **recorded)
    with run.alive():
        assert watch(run).phase == phase


@pytest.mark.parametrize(
    ("recorded", "phase"),
    [
        (
            {"state": State.FINISHED, "epoch": 10, "seconds": 60.0, "started": 900.0, "finished": 160.0},
            "Finished after 10 epochs in 1 min.",
        ),
        (
            {"state": State.FINISHED, "epoch": 4, "seconds": 40.0},
            "No further improvement, so it stopped after 4 epochs in 40 s.",
        ),
        ({"state": State.FINISHED, "epoch": 10, "reason": "No ONNX file."}, "No ONNX file."),
        ({"state": State.FAILED, "reason": "The disk is full."}, "The disk is full."),
        ({"state": State.STOPPED, "epoch": 1}, "Stopped after 1 epoch."),
        ({"state": State.RUNNING, "epoch": 2}, "The training process ended unexpectedly after 2 epochs."),
        ({"state": State.INTERRUPTED, "epoch": 2, "reason": "Ended by the user."}, "Ended by the user."),
    ],
)
def test_a_run_that_is_over_says_how_it_ended(runs: Runs, recorded: dict[str, object], phase: str) -> None:
    run = runs.create(config())
    run.record(**recorded)
    seen = watch(run)
    assert seen.phase == phase
    assert seen.state.is_over
    assert seen.seconds_left is None


def test_a_run_that_was_asked_to_stop_says_so_and_promises_no_time(runs: Runs) -> None:
    run = runs.create(config())
    run.record(state=State.RUNNING, backend="jax", epoch=1)
    finish_epoch(run, 1, seconds=60)
    run.request_stop()
    with run.alive():
        seen = watch(run)
    assert seen.phase == "Stopping after the current batch; then the kept epoch is evaluated and saved."
    assert seen.seconds_left is None


def test_time_left_follows_the_pace_of_the_last_epochs(runs: Runs) -> None:
    run = runs.create(config())
    run.record(state=State.RUNNING, backend="jax", batches=4)
    finish_epoch(run, 1, seconds=1_000)  # slow start, forgotten after five more
    for epoch in range(2, 7):
        finish_epoch(run, epoch, seconds=20)
    run.record(batch=2)
    with run.alive():
        seen = watch(run)
    assert (seen.epoch, seen.epochs, seen.epoch_fraction) == (7, EPOCHS, 0.5)
    assert seen.seconds_left == pytest.approx(3.5 * 20)


@pytest.mark.parametrize("best_epoch", [EPOCHS, EPOCHS - 4])
def test_no_epoch_and_no_time_is_to_come_while_a_run_is_evaluated(runs: Runs, best_epoch: int) -> None:
    run = runs.create(config(early_stopping_patience=3))
    run.record(state=State.RUNNING, backend="jax", batches=4, best_epoch=best_epoch)
    for epoch in range(1, min(best_epoch + 3, EPOCHS) + 1):
        finish_epoch(run, epoch, seconds=20)
    with run.alive():
        seen = watch(run)
    assert (seen.phase, seen.seconds_left) == ("Evaluating and saving the model.", None)
    assert seen.epoch == min(best_epoch + 3, EPOCHS)


@pytest.mark.parametrize(
    ("device", "seconds"),
    [("CPU", 90 * (2.5 * (40 / 32) ** 2 + 5 * (48 / 32) ** 2)), ("GPU (NVIDIA L4)", 90 * 7.5)],
)
def test_time_left_allows_for_images_that_grow_where_they_take_the_time(
    runs: Runs, device: str, seconds: float
) -> None:
    run = runs.create(config("residual"))
    run.record(state=State.RUNNING, backend="jax", device=device, batches=4)
    finish_epoch(run, 1, seconds=90)
    finish_epoch(run, 2, seconds=90)  # on 32x32 pixels; three on 40x40 and five on 48x48 are to come
    run.record(batch=2)
    with run.alive():
        assert watch(run).seconds_left == pytest.approx(seconds)


def test_time_left_in_the_first_epoch_is_told_from_its_batches(runs: Runs) -> None:
    run = runs.create(config())
    run.record(state=State.RUNNING, backend="jax", batches=100)
    with run.alive():
        assert watch(run).seconds_left is None
        for batch, seconds in ((1, 60), (6, 61), (26, 65)):  # the first batch compiles the network
            assert watch(run).seconds_left is None or batch > 6
            run.append_progress({"epoch": 1, "batch": batch, "loss": 2, "accuracy": 0.2, "seconds": seconds})
            run.record(batch=batch)
        assert watch(run).seconds_left == pytest.approx(20 * (EPOCHS - 0.26))


def test_the_best_epoch_is_the_one_so_far_and_in_the_end_the_one_that_is_kept(finished_run: Run) -> None:
    finished_run.record(best_epoch=1, best_val_accuracy=0.25)  # of the face alone, as training has it
    seen, evaluation = watch(finished_run), finished_run.evaluation()
    assert evaluation is not None
    assert (seen.best_epoch, seen.val_accuracy) == (evaluation.best_epoch, evaluation.accuracy)
    assert (seen.seconds, seen.images_per_second) == (evaluation.seconds, evaluation.images_per_second)
    finished_run.record(state=State.RUNNING, best_epoch=2, best_val_accuracy=0.125)
    with finished_run.alive():
        seen = watch(finished_run)
    assert (seen.best_epoch, seen.val_accuracy) == (2, 0.125)


@pytest.mark.parametrize("state", [State.FINISHED, State.INTERRUPTED, State.FAILED, State.STOPPED, State.QUEUED])
def test_a_run_has_taken_the_same_wherever_it_is_shown_also_after_it_went_on(finished_run: Run, state: State) -> None:
    scored = finished_run.evaluation()
    assert scored is not None
    finished_run.record(state=state, seconds=scored.seconds + 999, images_per_second=123.0)
    seen, line = watch(finished_run), summarise(finished_run)
    assert (seen.seconds, seen.images_per_second) == (line.seconds, line.images_per_second)
    assert seen.seconds == scored.seconds + 999
    went_on = state in (State.INTERRUPTED, State.FAILED)
    assert seen.images_per_second == (123.0 if went_on else scored.images_per_second)


def test_what_the_caller_has_just_seen_is_not_looked_at_again(runs: Runs) -> None:
    run = runs.create(config())
    run.record(state=State.RUNNING, backend="jax", epoch=1, seconds=90.0)
    assert watch(run).state is State.INTERRUPTED
    seen = watch(run, state=State.RUNNING)
    assert (seen.state, seen.seconds, seen.epoch) == (State.RUNNING, 90.0, 2)


def test_the_batches_of_the_last_epoch_are_shown_only_while_it_is_computed(runs: Runs) -> None:
    run = runs.create(config())
    run.record(state=State.RUNNING)
    run.append_progress({"epoch": 1, "batch": 3, "loss": 2, "accuracy": 0.2, "seconds": 5})
    with run.alive():
        assert len(watch(run).progress) == 1
    run.record(state=State.STOPPED)
    assert watch(run).progress.empty


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (3_599, "1 h"),
        (3_600 + 20 * 60, "1 h 20 min"),
        (86_400, "1 day"),
        (2 * 86_400 + 4 * 3_600, "2 days 4 h"),
    ],
)
def test_durations_are_written_roughly(seconds: float, text: str) -> None:
    assert as_duration(seconds) == text
