"""The local engine where something dies, hangs, vanishes or cannot be written: no run is lost, no slot stays taken."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from emotion_core.config import with_settings
from emotion_core.engine import devices, trainer
from emotion_core.engine.processes import group_lives
from emotion_core.engine.queue import Note, Queue
from emotion_core.engine.worker import Worker
from emotion_core.runs import Run, State
from tests.engine_helpers import (
    PARENT_THAT_DIES,
    PATIENT_TRAINER,
    PROJECT,
    STUBBORN_TRAINER,
    WORKER,
    on_posix,
    queue_without_worker,
    trainer_module,
    wait_for_end,
    wait_for_epoch,
    wait_until,
    worker_that_dies,
    working,
)

pytestmark = on_posix

FINISHING_TRAINER = """
import sys
from pathlib import Path
from emotion_core.runs import Run, State
run = Run(Path(sys.argv[1]))
with run.alive():
    run.record(state=State.FINISHED)
"""

SLOW_STARTER = "import time\nprint('begun', flush=True)\ntime.sleep(3)\n" + PATIENT_TRAINER

DELETED_ONES_TRAINER = """
import shutil, sys, time
from pathlib import Path
from emotion_core.runs import Run, State
run = Run(Path(sys.argv[1]))
with run.alive():
    if run.config.training.seed == 666:
        shutil.rmtree(run.folder)
        time.sleep(600)
    run.record(state=State.FINISHED)
"""


def is_running(run: Run) -> bool:
    return run.state() is State.RUNNING


# --- real trainers ------------------------------------------------------------------------------------------------


def test_a_trainer_that_is_killed_leaves_an_interrupted_run_and_the_queue_goes_on(engine, runs, endless, quick):
    run, following = engine.submit_all([endless, quick])
    wait_for_epoch(run)
    os.kill(Queue(runs).trainer_of(run), signal.SIGKILL)
    wait_for_end(run, following)
    wait_until(lambda: run.status().reason)
    assert run.state() is State.INTERRUPTED
    assert "signal 9" in run.status().reason
    assert following.state() is State.FINISHED


def test_a_run_survives_ctrl_c_and_death_of_the_process_that_submitted_it(engine, runs, endless):
    code = (
        "import sys, time; from pathlib import Path; from emotion_core.engine import LocalEngine\n"
        "from emotion_core.config import RunConfig; from emotion_core.runs import Runs\n"
        "config = RunConfig.model_validate_json(sys.argv[2])\n"
        "print(LocalEngine(Runs(Path(sys.argv[1]))).submit(config).id, flush=True); time.sleep(600)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(runs.folder), endless.model_dump_json()],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    run = runs.find(server.stdout.readline().strip())
    wait_for_epoch(run)
    os.killpg(server.pid, signal.SIGINT)
    os.killpg(server.pid, signal.SIGHUP)
    os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
    epoch = run.status().epoch
    wait_until(lambda: run.status().epoch > epoch)
    assert run.state() is State.RUNNING
    engine.kill(run)
    wait_for_end(run)


# --- trainers that end, or do not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("print('first'); print('last words'); raise SystemExit(3)", State.FAILED, r"exit code 3: last words"),
        ("print('CUDA out of memory'); raise SystemExit(3)", State.FAILED, r"^Memory ran out\."),
        ("print('CUDA out of memory\\n--- taken up now'); raise SystemExit(3)", State.FAILED, r"exit code 3: now"),
        ("", State.FAILED, r"exit code 0\."),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", State.INTERRUPTED, r"killed \(signal 11\)\."),
    ],
)
def test_a_trainer_that_ends_without_a_word_is_explained(runs, quick, tmp_path, monkeypatch, code, state, reason):
    run = queue_without_worker(runs, quick)
    Worker(runs, trainer_module(tmp_path, monkeypatch, code)).work()
    assert run.state() is state
    assert re.search(reason, run.status().reason)


def test_a_trainer_that_takes_no_polite_word_is_forced_after_the_grace(engine, runs, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "GRACE_SECONDS", 1.0)
    run = queue_without_worker(runs, quick)
    with working(runs, trainer_module(tmp_path, monkeypatch, STUBBORN_TRAINER)):
        wait_until(lambda: is_running(run))
        asked_at = time.monotonic()
        engine.kill(run)
        wait_for_end(run)
        assert time.monotonic() - asked_at > 1.0
        wait_until(lambda: run.status().reason == "Ended by the user.")


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_children_of_a_dead_trainer_are_ended(runs, quick, tmp_path, monkeypatch):
    """They may hold a GPU, and nobody else would ever end them."""
    run = queue_without_worker(runs, quick)
    Worker(runs, trainer_module(tmp_path, monkeypatch, PARENT_THAT_DIES)).work()
    assert "signal 9" in run.status().reason
    wait_until(lambda: not lives(int(run.log_tail())), seconds=5)


def test_children_that_a_dead_trainer_of_a_dead_worker_left_are_ended_on_waking(
    engine, runs, quick, tmp_path, monkeypatch
):
    run = queue_without_worker(runs, quick)
    late = f"import time; time.sleep(2)\n{PARENT_THAT_DIES}"
    with worker_that_dies(runs, trainer_module(tmp_path, monkeypatch, late)):
        wait_until(lambda: Queue(runs).note_of(run))
    wait_until(run.log_tail)
    child, leader = int(run.log_tail()), Queue(runs).note_of(run).pid
    wait_until(lambda: not lives(leader))
    assert lives(child)
    assert group_lives(leader, str(run.folder))
    engine.wake()
    wait_until(lambda: not lives(child))
    assert run.state() is State.INTERRUPTED
    wait_until(lambda: not engine.is_working())


def test_a_run_whose_folder_is_deleted_is_ended_and_does_not_come_back(runs, quick, tmp_path, monkeypatch):
    deleted = queue_without_worker(runs, with_settings(quick, {"training.seed": 666}))
    following = queue_without_worker(runs, quick)
    Worker(runs, trainer_module(tmp_path, monkeypatch, DELETED_ONES_TRAINER)).work()
    assert following.state() is State.FINISHED
    assert not deleted.folder.exists()


def test_a_worker_leaves_a_folder_of_runs_that_is_gone(runs, quick, tmp_path, monkeypatch):
    queue_without_worker(runs, quick)
    with working(runs, trainer_module(tmp_path, monkeypatch, PATIENT_TRAINER)):
        wait_until(lambda: is_running(runs.all()[0]))
        shutil.rmtree(runs.folder)
    assert not [entry for entry in runs.folder.glob("*") if entry.name != ".engine"]


# --- orphans ------------------------------------------------------------------------------------------------------


def test_a_worker_waits_for_the_run_that_a_dead_worker_left_and_can_end_it(engine, runs, quick, tmp_path, monkeypatch):
    orphan, following = queue_without_worker(runs, quick), queue_without_worker(runs, quick)
    module = trainer_module(tmp_path, monkeypatch, PATIENT_TRAINER)
    with worker_that_dies(runs, module):
        wait_until(lambda: is_running(orphan))
    with working(runs, module) as worker:
        wait_until(lambda: worker._trainers)
        assert (is_running(orphan), following.state()) == (True, State.QUEUED)
        engine.kill(orphan)
        wait_for_end(orphan)
        wait_until(lambda: is_running(following))
    assert (orphan.state(), orphan.status().reason) == (State.INTERRUPTED, "Ended by the user.")


def test_a_trainer_that_was_still_starting_when_its_worker_died_is_not_started_twice(
    engine, runs, quick, tmp_path, monkeypatch
):
    run = queue_without_worker(runs, quick)
    module = trainer_module(tmp_path, monkeypatch, SLOW_STARTER)
    with worker_that_dies(runs, module):
        wait_until(lambda: run.log_tail() == "begun")
    assert run.state() is State.QUEUED
    engine.stop(run)
    assert run.state() is State.QUEUED  # it is not withdrawn: the trainer will see the request
    with working(runs, module):
        wait_for_end(run)
    assert run.state() is State.STOPPED
    assert run.log_tail().count("begun") == 1


@pytest.mark.parametrize("damage", [None, "", "12\n", "[]", '{"pid": "x", "slot": 3}', '{"pid": -1, "slot": "cpu"}'])
def test_an_orphan_can_be_ended_where_its_note_is_lost(engine, runs, quick, tmp_path, monkeypatch, damage):
    orphan = queue_without_worker(runs, quick)
    module = trainer_module(tmp_path, monkeypatch, PATIENT_TRAINER)
    monkeypatch.setattr("emotion_core.engine.queue.TRAINER", module)
    with worker_that_dies(runs, module):
        wait_until(lambda: is_running(orphan))
    note = runs.engine_folder / f"{orphan.id}.pid"
    if damage is None:
        note.unlink()
    else:
        note.write_text(damage)
    with working(runs, module):
        engine.kill(orphan)
        wait_for_end(orphan)


def test_a_process_that_was_given_a_trainer_s_number_anew_is_never_signalled(
    engine, runs, quick, tmp_path, monkeypatch
):
    run = queue_without_worker(runs, quick)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    holder = subprocess.Popen(  # something computes the run: not a child of any worker
        [sys.executable, "-c", PATIENT_TRAINER, str(run.folder)], env={**os.environ, "EMOTION_SLOT": "cpu",
        "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    try:
        wait_until(lambda: is_running(run))
        Queue(runs).write_note(run, Note(stranger.pid, "cpu"))
        with working(runs, trainer_module(tmp_path, monkeypatch, "")) as worker:
            wait_until(lambda: worker._trainers)
            engine.kill(run)
            wait_until(lambda: worker._trainers[run.id]._told_at)
            time.sleep(0.5)
            assert stranger.poll() is None
            run.request_stop()
            wait_for_end(run)
    finally:
        stranger.kill()
        stranger.wait()
        holder.kill()
        holder.wait()


def test_where_trainer_and_worker_died_the_slot_is_free_and_the_run_waits_for_a_person(
    engine, runs, quick, tmp_path, monkeypatch
):
    run = queue_without_worker(runs, quick)
    module = trainer_module(tmp_path, monkeypatch, PATIENT_TRAINER)
    with worker_that_dies(runs, module):
        wait_until(lambda: is_running(run))
    os.kill(Queue(runs).trainer_of(run), signal.SIGKILL)
    wait_until(lambda: run.state() is State.INTERRUPTED)
    assert not engine.wake()
    assert run.status().state is State.INTERRUPTED
    following = queue_without_worker(runs, quick)
    with working(runs, module):
        wait_until(lambda: is_running(following))
        assert run.state() is State.INTERRUPTED
        assert Queue(runs).note_of(run) is None


# --- folders ------------------------------------------------------------------------------------------------------


def test_a_backend_that_went_away_while_the_run_waited_fails_the_run_not_the_worker(runs, network, monkeypatch):
    run = queue_without_worker(runs, with_settings(network, {"device.backend": "torch"}))
    monkeypatch.setattr(devices, "installed_backends", lambda: ())
    Worker(runs).work()
    assert run.state() is State.FAILED
    assert "torch is not installed" in run.status().reason


def test_a_run_that_cannot_be_started_says_why_and_the_queue_goes_on(runs, quick, tmp_path, monkeypatch):
    run, following = queue_without_worker(runs, quick), queue_without_worker(runs, quick)
    run.log_path.mkdir()
    Worker(runs, trainer_module(tmp_path, monkeypatch, FINISHING_TRAINER)).work()
    assert run.state() is State.FAILED
    assert "Is a directory" in run.status().reason
    assert following.state() is State.FINISHED


def test_a_folder_that_may_not_be_written_to_is_passed_over(runs, quick, tmp_path, monkeypatch):
    """Root may write anywhere, unless it gives up its rights."""
    humbly = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    if humbly and not shutil.which("setpriv"):
        pytest.skip("root, and no setpriv")
    locked, following = queue_without_worker(runs, quick), queue_without_worker(runs, quick)
    locked.folder.chmod(0o555)
    module = trainer_module(tmp_path, monkeypatch, FINISHING_TRAINER)
    try:
        command = [*humbly, sys.executable, "-c", WORKER, str(runs.folder), module]
        log = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True).stdout
    finally:
        locked.folder.chmod(0o755)
    assert f"{locked.id} given up" in log
    assert following.state() is State.FINISHED
    assert locked.state() is State.QUEUED
    locked.record(state=State.STOPPED)
