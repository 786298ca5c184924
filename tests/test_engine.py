"""The local engine with real processes: submitting, order, stopping, ending, resuming and deleting."""

import errno
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from filelock import FileLock

from emotion_core.config import with_settings
from emotion_core.dataset import Dataset, load_dataset
from emotion_core.engine import LocalEngine, devices
from emotion_core.engine.local import freeze, freeze_all
from emotion_core.engine.processes import start_detached
from emotion_core.engine.queue import Note, Queue, QueueUnusable
from emotion_core.engine.worker import Worker
from emotion_core.errors import BadInput, DamagedRun, EmotionError
from emotion_core.presets import find_preset
from emotion_core.runs import Checkpoint, Runs, State
from tests.engine_helpers import (
    PROJECT,
    queue_without_worker,
    wait_for_end,
    wait_for_epoch,
    wait_until,
    worker_pids,
)

NOBODY = 2**22 + 1
"""A number that no process has."""


def waiting_ids(runs):
    return [run.id for run in Queue(runs).waiting()]


# --- submitting ---------------------------------------------------------------------------------------------------


def test_two_submitters_at_once_share_one_worker_that_computes_in_order_and_leaves(engine, runs, tiny_csv):
    command = [sys.executable, "-m", "emotion_core", "submit", "sgd", "--data", str(tiny_csv), "--epochs", "2"]
    submitters = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    ids = [submitter.communicate(timeout=120)[0].strip() for submitter in submitters]
    first, second = sorted((runs.find(run_id) for run_id in ids), key=lambda run: run.status().sequence)
    assert (first.status().sequence, second.status().sequence) == (1, 2)
    wait_for_end(first, second)
    assert [run.state() for run in (first, second)] == [State.FINISHED, State.FINISHED]
    assert second.status().started >= first.status().finished
    assert (first.status().slot, second.status().slot) == ("cpu", "cpu")
    assert "epoch 2: " in engine.logs(first)
    wait_until(lambda: not engine.is_working())
    assert len(worker_pids(runs)) == 1
    assert not list(runs.engine_folder.glob("*.pid"))


def test_settings_are_frozen_at_submission_with_the_data_s_full_path_and_digest(quick, tiny_csv, runs, monkeypatch):
    monkeypatch.chdir(tiny_csv.parent)
    frozen = freeze(with_settings(quick, {"data.source": tiny_csv.name}), runs)
    assert frozen.data.source == str(tiny_csv)
    assert frozen.data_fingerprint == load_dataset(tiny_csv).fingerprint != ""
    drawn = freeze(with_settings(quick, {"data.source": "sample"}), runs)
    assert (drawn.data.source, drawn.data_fingerprint) == ("sample", load_dataset("sample").fingerprint)


def test_a_queue_is_computed_in_a_folder_whose_name_the_code_page_cannot_write(tmp_path, quick, monkeypatch):
    """Windows gives a process that writes to a file the code page of its system, which lacks most letters."""
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    runs = Runs(tmp_path / "Łukasz Иванов")
    engine = LocalEngine(runs)
    run = engine.submit(quick)
    wait_for_end(run)
    assert run.state() is State.FINISHED
    wait_until(lambda: not engine.is_working())
    assert f"at work in {runs.folder}" in (runs.engine_folder / "worker.log").read_text(encoding="utf-8")


def test_runs_that_are_queued_together_have_their_data_looked_at_once(quick, tiny_csv, runs, monkeypatch):
    looked_at = []

    def look(source: str, **how: bool) -> Dataset:
        looked_at.append(source)
        return load_dataset(source, **how)

    monkeypatch.setattr("emotion_core.dataset.load_dataset", look)
    config = with_settings(quick, {"data.source": str(tiny_csv)})
    frozen = freeze_all([config, with_settings(config, {"training.seed": 2})], runs)
    assert len(looked_at) == 1
    assert [each.training.seed for each in frozen] == [config.training.seed, 2]
    assert {each.data_fingerprint for each in frozen} == {load_dataset(tiny_csv).fingerprint}


def refused_settings(tmp_path):
    (tmp_path / "torn.csv").write_text("id,emotion,pixels\n0,3,1 2 3\n")
    return [
        ({"data.source": "/nowhere/faces.csv"}, "/nowhere/faces.csv does not exist"),
        ({"data.source": "~nobody-of-that-name/faces.csv"}, "'~nobody-of-that-name/faces.csv' cannot be opened"),
        ({"data.source": "faces\0.csv"}, "cannot be opened"),
        ({"data.source": str(tmp_path / "torn.csv")}, r"torn\.csv: line 2 "),
        ({"model": find_preset("dense-5").config.model, "device.backend": "torch"}, "torch is not installed"),
    ]


def test_what_could_never_start_is_refused_and_leaves_no_run_nor_those_beside_it(
    engine, runs, quick, tmp_path, monkeypatch
):
    monkeypatch.setattr(devices, "installed_backends", lambda: ("tensorflow",))
    for changes, sentence in refused_settings(tmp_path):
        with pytest.raises(BadInput, match=sentence):
            engine.submit_all([quick, with_settings(quick, changes)])
        assert runs.all() == []


@pytest.mark.usefixtures("no_worker")
def test_many_runs_are_queued_in_their_order_at_once(engine, runs, quick):
    submitted = engine.submit_all([with_settings(quick, {"training.seed": seed}) for seed in (3, 1, 2)])
    assert [run.config.training.seed for run in submitted] == [3, 1, 2]
    assert waiting_ids(runs) == [run.id for run in submitted]


@pytest.mark.usefixtures("no_worker")
def test_where_one_run_cannot_be_made_none_is_queued(engine, runs, quick, monkeypatch):
    make, made = runs.create, []

    def make_on_a_small_disk(_runs, config, sequence):
        if len(made) == 2:
            raise OSError(28, "No space left on device")
        made.append(make(config, sequence))
        return made[-1]

    monkeypatch.setattr(Runs, "create", make_on_a_small_disk)
    with pytest.raises(EmotionError, match="cannot be used: No space left on device"):
        engine.submit_all([quick] * 3)
    assert len(made) == 2
    assert runs.all() == []


def test_a_folder_that_cannot_hold_runs_is_named(tmp_path, quick):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmotionError, match=r"runs cannot be used"):
        LocalEngine(Runs(tmp_path / "file" / "runs")).submit(quick)


# --- order --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize(
    ("which", "places", "order"),
    [
        (2, -1, [0, 2, 1, 3]),
        (0, 1, [1, 0, 2, 3]),
        (3, -2, [0, 3, 1, 2]),
        (1, -100, [1, 0, 2, 3]),
        (1, 100, [0, 2, 3, 1]),
        (0, -1, [0, 1, 2, 3]),
    ],
)
def test_a_waiting_run_is_moved_by_places_at_most_to_either_end(engine, runs, quick, which, places, order):
    queued = [queue_without_worker(runs, quick) for _ in range(4)]
    engine.move(queued[which], places)
    assert waiting_ids(runs) == [queued[number].id for number in order]
    assert [line.id for line in runs.in_hand()] == waiting_ids(runs)


@pytest.mark.usefixtures("no_worker")
def test_only_waiting_runs_are_moved(engine, runs, quick, finished_run):
    first, second = queue_without_worker(runs, quick), queue_without_worker(runs, quick)
    before = finished_run.status()
    engine.move(finished_run, -1)
    assert finished_run.status() == before
    with first.alive():  # being computed
        engine.move(first, 1)
        engine.move(second, -1)
    assert waiting_ids(runs) == [first.id, second.id]


@pytest.mark.usefixtures("no_worker")
def test_runs_that_a_crash_left_with_one_number_can_still_be_moved(engine, runs, quick):
    queued = [queue_without_worker(runs, quick) for _ in range(3)]
    for run in queued:
        run.record(sequence=2)
    order = waiting_ids(runs)
    engine.move(runs.find(order[2]), -2)
    assert waiting_ids(runs) == [order[2], order[0], order[1]]


@pytest.mark.usefixtures("no_worker")
def test_a_clock_that_is_set_back_changes_no_order(runs, quick, monkeypatch):
    queued = []
    for now in (2_000_000_000, 1_000_000_000, 1_500_000_000):
        monkeypatch.setattr("emotion_core.runs.folder.time.time", lambda now=now: now)
        queued.append(queue_without_worker(runs, quick).id)
    assert waiting_ids(runs) == queued


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("damage", [None, "", "12x", "-3", "\x00\x00", "9" * 30])
def test_numbers_go_on_from_the_runs_where_the_counter_is_lost(runs, quick, damage):
    queued = [queue_without_worker(runs, quick) for _ in range(2)]
    counter = runs.engine_folder / "sequence"
    if damage is None:
        counter.unlink()
    else:
        counter.write_text(damage)
    queued.append(queue_without_worker(runs, quick))
    assert [run.status().sequence for run in queued] == [1, 2, 3]


# --- stopping and ending ------------------------------------------------------------------------------------------


def test_a_running_run_stops_keeps_what_it_learnt_and_goes_on_when_it_is_resumed(engine, runs, endless, quick):
    run, waiting = engine.submit_all([endless, quick])
    engine.stop(waiting)
    engine.stop(waiting)
    assert waiting.state() is State.STOPPED  # at once
    wait_for_epoch(run)
    engine.stop(run)
    asked_at = run.stop_requested_at()
    engine.stop(run)
    assert run.stop_requested_at() == asked_at
    wait_for_end(run)
    assert run.state() is State.STOPPED
    assert run.linear_path.exists()
    assert run.evaluation() is not None
    done = run.status().epoch
    for _ in range(2):  # a double click
        engine.resume(run, epochs=done + 2)
    assert run.state() in (State.QUEUED, State.RUNNING)
    wait_for_end(run)
    status = run.status()
    assert (run.state(), status.epoch, status.epochs) == (State.FINISHED, done + 2, done + 2)
    assert (status.resumed, status.patience_from) == (1, 0)
    wait_until(lambda: not engine.is_working())
    assert not waiting.log_path.exists()
    assert waiting.status().started is None


def test_a_killed_run_ends_at_once_says_why_and_can_be_resumed_to_its_end(engine, endless):
    run = engine.submit(endless)
    wait_for_epoch(run)
    for _ in range(2):
        engine.kill(run)
    wait_for_end(run)
    wait_until(lambda: run.status().reason)
    assert (run.state(), run.status().reason) == (State.INTERRUPTED, "Ended by the user.")
    assert not run.is_alive()
    goal = run.status().epoch + 1
    engine.resume(run, epochs=goal)
    wait_for_end(run)
    assert (run.state(), run.status().epoch, run.status().reason) == (State.FINISHED, goal, "")


def test_a_finished_run_goes_on_for_more_epochs(engine, quick):
    run = engine.submit(quick)
    wait_for_end(run)
    with pytest.raises(BadInput, match="has done all its 2 epochs"):
        engine.resume(run)
    engine.resume(run, epochs=4)
    wait_for_end(run)
    status = run.status()
    assert (run.state(), status.epoch, status.resumed, status.patience_from) == (State.FINISHED, 4, 1, 2)
    assert run.config.training.epochs == 4
    assert list(run.history()["epoch"]) == [1, 2, 3, 4]


def test_stopping_a_run_that_is_over_changes_nothing(engine, finished_run):
    before = finished_run.status()
    engine.stop(finished_run)
    engine.kill(finished_run)
    assert finished_run.status() == before
    assert not finished_run.stop_requested()


@pytest.mark.parametrize(
    ("done", "reason"),
    [(0, "Stopped by the user before it began."), (6, "Stopped by the user before it continued after epoch 6.")],
)
def test_a_waiting_run_that_is_stopped_says_how_far_it_was(engine, runs, quick, done, reason):
    run = queue_without_worker(runs, quick)
    run.record(epoch=done)
    engine.stop(run)
    assert (run.state(), run.status().reason) == (State.STOPPED, reason)


def test_asking_a_run_to_stop_whose_trainer_died_does_not_leave_it_stopping(engine, runs, quick):
    run = queue_without_worker(runs, quick)
    run.record(state=State.RUNNING)
    engine.stop(run)
    assert run.state() is State.INTERRUPTED


def test_a_run_of_a_terminal_is_only_asked_to_stop(engine, runs, endless):
    run = runs.create(endless)
    with run.alive():
        run.record(state=State.RUNNING)
        with pytest.raises(EmotionError, match="started in a terminal"):
            engine.kill(run)
        assert run.state() is State.STOPPING
    run.record(state=State.STOPPED)


# --- resuming -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize(
    ("state", "done", "epochs", "sentence"),
    [
        (State.FINISHED, 6, None, "has done all its 6 epochs; give it more"),
        (State.FINISHED, 6, 6, "has done all its 6 epochs"),
        (State.FINISHED, 4, 4, "has done all its 4 epochs"),
        (State.FINISHED, 6, 5, "has already done 6 epochs; a total of 5 would be fewer"),
        (State.STOPPED, 6, 5, "has already done 6 epochs"),
        (State.STOPPED, 6, 10_001, "less than or equal to 10000"),
    ],
)
def test_what_has_nothing_left_to_do_is_not_resumed(engine, finished_run, state, done, epochs, sentence):
    before = finished_run.record(state=state, epoch=done, epochs=6)
    finished_run.checkpoints.save(Checkpoint(done, {}, {}))
    with pytest.raises(BadInput, match=sentence):
        engine.resume(finished_run, epochs)
    assert finished_run.status() == before


@pytest.mark.usefixtures("no_worker")
def test_a_finished_run_without_checkpoint_is_not_begun_anew(engine, finished_run):
    with pytest.raises(BadInput, match="has no checkpoint to continue from"):
        engine.resume(finished_run, epochs=100)
    assert finished_run.state() is State.FINISHED


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize(
    ("state", "done", "patience_from"),
    [(State.FINISHED, 4, 4), (State.STOPPED, 4, 0), (State.INTERRUPTED, 6, 0), (State.FAILED, 0, 0)],
)
def test_a_run_that_is_over_is_queued_behind_the_others(engine, runs, quick, finished_run, state, done, patience_from):
    other = queue_without_worker(runs, quick)
    before = finished_run.record(state=state, epoch=done, epochs=6, reason="Something.", finished=1.0)
    finished_run.checkpoints.save(Checkpoint(done, {}, {}))
    finished_run.request_stop()
    finished_run.request_kill()
    for _ in range(2):  # a double click
        engine.resume(finished_run)
    after = {"state": State.QUEUED, "sequence": 2, "reason": "", "finished": None, "resumed": 1}
    assert finished_run.status() == before.model_copy(update=after | {"patience_from": patience_from})
    assert not finished_run.stop_requested()
    assert not finished_run.kill_requested()
    assert waiting_ids(runs) == [other.id, finished_run.id]


@pytest.mark.usefixtures("no_worker")
def test_a_damaged_run_is_not_resumed(engine, finished_run):
    (finished_run.folder / "status.json").write_text("{")
    with pytest.raises(DamagedRun):
        engine.resume(finished_run)


# --- deleting -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_worker")
def test_a_run_is_deleted_unless_some_process_computes_it(engine, runs, quick):
    run = queue_without_worker(runs, quick)
    with run.alive(), pytest.raises(BadInput, match="stop it before deleting it"):
        engine.delete(run)
    assert run.folder.exists()
    for _ in range(2):  # a double click
        engine.delete(run)
    assert runs.all() == []


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("No space left on device", "No run can be made in .*: No space left on device."),
        ("Cannot allocate memory", "The process that computes runs cannot be started: Cannot allocate memory."),
    ],
)
def test_of_several_runs_none_is_left_where_one_cannot_be_made_or_no_worker_begins(
    engine, runs, quick, monkeypatch, trouble, said
):
    def refuse(*args, **options):
        raise OSError(0, trouble)

    class FullDisk:
        left = 3

    def write(path, text):
        FullDisk.left -= 1
        return refuse() if FullDisk.left < 0 else path.write_text(text)

    if trouble == "No space left on device":
        monkeypatch.setattr("emotion_core.runs.documents.write_text", write)
    else:
        monkeypatch.setattr(Queue, "has_worker", lambda _: False)
        monkeypatch.setattr("emotion_core.engine.local.start_detached", refuse)
    with pytest.raises(EmotionError, match=said):
        engine.submit_all([quick] * 3)
    assert [path.name for path in runs.folder.iterdir() if path != runs.engine_folder] == []


# --- waking -------------------------------------------------------------------------------------------------------


def test_runs_left_by_a_crash_are_taken_up_on_waking_past_a_damaged_one(engine, runs, quick):
    damaged, run = queue_without_worker(runs, quick), queue_without_worker(runs, quick)
    (damaged.folder / "status.json").write_text("{")
    assert engine.wake()
    wait_for_end(run)
    assert run.state() is State.FINISHED


def test_waking_starts_nothing_where_nothing_waits(engine, runs, finished_run):
    assert not engine.wake()
    assert not engine.is_working()


def test_waking_records_what_became_of_runs_whose_trainer_and_worker_died(engine, runs, quick):
    run, terminal = queue_without_worker(runs, quick), runs.create(quick)
    run.record(state=State.RUNNING)
    terminal.record(submitted=terminal.status().submitted - 100)  # its terminal was closed before it began
    assert not engine.wake()
    assert not engine.is_working()
    assert [entry.status().state for entry in (run, terminal)] == [State.INTERRUPTED, State.INTERRUPTED]
    assert run.status().reason


def test_waking_leaves_it_to_a_living_worker_to_say_how_its_trainers_ended(engine, runs, quick):
    run = queue_without_worker(runs, quick)
    Queue(runs).write_note(run, Note(NOBODY, "cpu"))
    run.record(state=State.RUNNING)
    with FileLock(runs.engine_folder / "worker.lock"):
        engine.wake()
        assert run.status().state is State.RUNNING
    engine.wake()
    assert run.status().state is State.INTERRUPTED


# --- workers ------------------------------------------------------------------------------------------------------


def test_a_second_worker_leaves_the_queue_to_the_first(runs, quick):
    run = queue_without_worker(runs, quick)
    with FileLock(runs.engine_folder / "worker.lock"):
        Worker(runs).work()
    assert run.state() is State.QUEUED


def test_a_waiting_run_that_someone_looks_at_is_not_taken_for_one_that_computes(runs, quick):
    run, worker = queue_without_worker(runs, quick), Worker(runs)
    with FileLock(run.folder / "lock"):
        waiting, _ = worker._survey()
    assert [entry.id for entry in waiting] == [run.id]
    assert not worker._attend()
    assert run.status().state is State.QUEUED
    run.record(state=State.STOPPED)


def test_a_run_that_another_process_made_for_itself_is_left_to_it(runs, quick):
    run = runs.create(quick)
    Worker(runs).work()
    assert run.state() is State.QUEUED
    assert not run.log_path.exists()
    run.record(state=State.STOPPED)


def test_a_folder_that_cannot_be_listed_for_a_while_costs_no_run(runs, quick, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    run, worker = queue_without_worker(runs, quick), Worker(runs)
    assert worker._enter()
    with monkeypatch.context() as moment:
        moment.setattr("emotion_core.runs.folder.os.scandir", refuse)
        worker._step()
    assert "trouble with the queue: The runs in" in capsys.readouterr().out
    assert worker._queue.waiting()[0].id == run.id
    worker._lock.release()
    run.record(state=State.STOPPED)


def test_a_trainer_whose_end_cannot_be_recorded_for_the_moment_stays_in_hand(runs, quick, monkeypatch):
    run, worker = queue_without_worker(runs, quick), Worker(runs)
    run.record(state=State.RUNNING)
    worker._adopt(run)  # it is computed by nobody, so it has ended
    monkeypatch.setattr("emotion_core.engine.queue.LOCK_PATIENCE_SECONDS", 0.1)
    with FileLock(runs.engine_folder / "queue.lock"), pytest.raises(QueueUnusable):
        worker._attend()
    assert worker._attend()
    assert run.status().reason == "The training process ended unexpectedly."
    assert not worker._attend()


def test_why_a_trainer_ended_is_recorded_once_its_last_child_lets_go_of_the_lock(runs, quick):
    run, worker = queue_without_worker(runs, quick), Worker(runs)
    run.record(state=State.RUNNING)
    lock = FileLock(run.folder / "lock", thread_local=False)
    lock.acquire()
    threading.Timer(0.5, lock.release).start()
    worker._conclude(SimpleNamespace(run=run, slot="cpu", sequence=run.status().sequence, exit_code=-9))
    assert "signal 9" in run.status().reason


def test_a_queue_that_cannot_be_used_for_a_while_costs_no_run(runs, quick, monkeypatch, capsys):
    run = queue_without_worker(runs, quick)
    monkeypatch.setattr("emotion_core.engine.queue.LOCK_PATIENCE_SECONDS", 0.1)
    worker = Worker(runs)
    assert worker._enter()
    with FileLock(runs.engine_folder / "queue.lock"):
        worker._step()
    assert "trouble with the queue" in capsys.readouterr().out
    assert run.state() is State.QUEUED
    assert worker._queue.waiting()[0].id == run.id
    worker._lock.release()
    run.record(state=State.STOPPED)


def test_a_machine_that_has_no_process_to_spare_for_a_while_costs_no_run(runs, quick, monkeypatch, capsys):
    waiting, worker = [queue_without_worker(runs, quick) for _ in range(2)], Worker(runs)
    refusals = iter(range(2))

    def start(*arguments):
        if next(refusals, None) is not None:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return start_detached(*arguments)

    monkeypatch.setattr("emotion_core.engine.worker.start_detached", start)
    monkeypatch.setattr("emotion_core.engine.worker.SHORTAGE_SECONDS", 0.1)
    worker.work()
    assert f"{waiting[0].id} cannot be started yet: Resource temporarily unavailable" in capsys.readouterr().out
    assert [run.state() for run in waiting] == [State.FINISHED] * 2
