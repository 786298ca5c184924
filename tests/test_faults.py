"""Faults as they happen: real trainings, workers and apps, really killed, starved of disk, or robbed of their files.

After each fault the same must hold, see `check`.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, product
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion_core.classifier import load_classifier
from emotion_core.comparison import single_runs
from emotion_core.config import RunConfig, with_settings
from emotion_core.dataset import load_dataset
from emotion_core.diagnosis import diagnose_run
from emotion_core.engine import LocalEngine
from emotion_core.engine.processes import has_argument
from emotion_core.engine.queue import Queue
from emotion_core.errors import BadInput, DamagedRun, EmotionError
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import About, Run, Runs, State
from emotion_core.watch import watch
from tests.conftest import save_csv
from tests.engine_helpers import wait_for_end, wait_for_epoch, wait_until, worker_log, worker_pids
from ui import charts, tables
from ui.compared import Curve, compared_curves
from ui.curves import Axis, CurveView, curve_points, rate_points

if sys.platform == "win32":
    pytest.skip("these faults are made with signals and limits that Windows has not", allow_module_level=True)

from tests.mortal import PLACES, App, Death, LargestFile, Tally, start_trainer, train

EPOCHS = 3
LONGER = 5
KILLS = 20
LONGEST_DELAY = 0.4
"""Seconds from the first epoch of a sitting to its end."""


@pytest.fixture
def short(quick: RunConfig) -> RunConfig:
    """A run of a few epochs, and no early stopping."""
    return with_settings(quick, {"training.epochs": EPOCHS, "training.early_stopping_patience": None})


@contextmanager
def paused(runs: Runs) -> Iterator[None]:
    """Let nothing be computed but by the test: a worker is there, and it does nothing."""
    with FileLock(runs.engine_folder / "worker.lock"):
        yield


def check(runs: Runs, expected: Collection[Run], *, afterwards: Run | RunConfig) -> None:
    """Assert what must hold after every fault.

    Every run lists. None says that it computes without a living process. What a run has done can be gone on from.
    The slot is free and the queue goes on.

    Args:
        runs: The folder of runs.
        expected: All runs that must be in it.
        afterwards: The run whose turn came after the fault, or one to be submitted now: it is computed to its end.
    """
    lines = {line.id: line for line in runs.summaries()}
    assert set(lines) == {run.id for run in expected}
    for run in expected:
        line = lines[run.id]
        assert line.state is not State.DAMAGED, line.reason
        assert run.is_alive() or line.state not in (State.RUNNING, State.STOPPING)
        assert saved_epoch(run) >= line.epoch
    following = afterwards if isinstance(afterwards, Run) else LocalEngine(runs).submit(afterwards)
    wait_for_end(following)
    assert following.state() is State.FINISHED, following.status().reason


def saved_epoch(run: Run) -> int:
    """Return the epoch after which a run would go on; 0 for its beginning."""
    checkpoint = run.checkpoints.latest()
    return checkpoint.epoch if checkpoint else 0


def make(runs: Runs, config: RunConfig) -> Run:
    """Queue a run as a submission does."""
    queue = Queue(runs)
    with queue.locked():
        (run,) = queue.add([config])
    return run


def trained(runs: Runs, config: RunConfig) -> Run:
    """Return a run that nothing ever happened to."""
    run = make(runs, config)
    assert train(run) == 0
    assert run.state() is State.FINISHED
    return run


def assert_same(run: Run, other: Run) -> None:
    """Assert that two runs learnt the same, to the last bit."""
    curves = [which.history().drop(columns="seconds") for which in (run, other)]
    pd.testing.assert_frame_equal(*curves, check_exact=True)
    with np.load(run.linear_path) as weights, np.load(other.linear_path) as others:
        assert set(weights) == set(others)
        for name in weights:
            np.testing.assert_array_equal(weights[name], others[name])
    np.testing.assert_array_equal(run.validation().probabilities, other.validation().probabilities)


def is_one_sentence(text: str) -> bool:
    return bool(text.strip()) and "\n" not in text and "Traceback" not in text


# --- a trainer is killed ------------------------------------------------------------------------------------------


def test_a_run_killed_at_twenty_random_moments_learns_the_same_as_one_never_killed(runs, engine, endless, quick):
    moments = random.Random(20)
    run = make(runs, endless)
    with paused(runs):
        for sitting in range(KILLS):
            before = run.status().epoch
            trainer = start_trainer(run)
            wait_for_progress(run, before, trainer)
            time.sleep(moments.uniform(0, LONGEST_DELAY))
            trainer.kill()
            trainer.join()
            assert run.state() is State.INTERRUPTED
            assert saved_epoch(run) >= run.status().epoch > before
            engine.resume(run)
            assert (run.state(), run.status().resumed) == (State.QUEUED, sitting + 1)
        epochs = run.status().epoch + 5
        engine.stop(run)
        engine.resume(run, epochs)
        assert train(run) == 0
        other = trained(runs, with_settings(endless, {"training.epochs": epochs}))
    assert run.state() is State.FINISHED
    assert_same(run, other)
    check(runs, [run, other], afterwards=quick)


def wait_for_progress(run: Run, epoch: int, trainer: BaseProcess) -> None:
    wait_until(lambda: run.status().epoch > epoch or not trainer.is_alive())
    assert trainer.is_alive(), run.log_tail()


@pytest.mark.parametrize("place", PLACES)
def test_a_run_killed_within_a_write_goes_on_as_if_nothing_had_been(runs, engine, short, tmp_path, place):
    with paused(runs):
        untouched = trained(runs, short)
        tally = Tally(tmp_path / "tally")
        tally.folder.mkdir()
        assert train(make(runs, short), tally) == 0
        for call in spread(tally.counts()[place]):
            run = make(runs, short)
            assert train(run, Death(place, call)) == -signal.SIGKILL
            assert run.state() in (State.QUEUED, State.INTERRUPTED, State.FINISHED)
            assert saved_epoch(run) >= run.status().epoch
            assert len(runs.summaries()) == len(runs.all())
            if run.state() is not State.FINISHED:  # killed after its very last write
                engine.resume(run)
                assert train(run) == 0
            assert run.state() is State.FINISHED
            assert_same(run, untouched)
            leftovers = [path.name for path in run.folder.rglob(".*")]
            assert leftovers == []


def spread(count: int) -> list[int]:
    """Return up to five numbers from 1 to `count`, both of these among them."""
    assert count
    return sorted({round(number) for number in np.linspace(1, count, 5)})


# --- other processes are killed -----------------------------------------------------------------------------------


def test_the_queue_outlives_the_app_the_worker_and_then_all_at_once(runs, engine, endless, quick):
    app, waker = App(runs), App(runs)
    app.tell("submit_all", [endless, quick])
    run, following = app.answer()
    wait_for_epoch(run)

    app.kill()
    wait_for_more(run)

    os.kill(worker_pids(runs)[0], signal.SIGKILL)
    wait_until(lambda: not engine.is_working())
    wait_for_more(run)
    waker.tell("wake")
    assert waker.answer()
    wait_until(lambda: f"{run.id} is computed in cpu by a process of a former worker" in worker_log(runs))
    assert following.state() is State.QUEUED

    for pid in (waker.pid, worker_pids(runs)[1], Queue(runs).trainer_of(run)):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: run.state() is State.INTERRUPTED)
    wait_until(lambda: not engine.is_working())
    assert following.state() is State.QUEUED
    assert engine.wake()
    assert run.status().state is State.INTERRUPTED  # it waits for a person
    epochs = run.status().epoch + LONGER
    engine.resume(run, epochs)
    wait_for_end(run, following)
    assert run.state() is State.FINISHED
    assert run.history()["epoch"].tolist() == list(range(1, epochs + 1))
    check(runs, [run, following], afterwards=following)


def wait_for_more(run: Run) -> None:
    """Wait until a run has done two more epochs: one may have been told of before."""
    epoch = run.status().epoch
    wait_until(lambda: run.status().epoch > epoch + 1)
    assert run.state() is State.RUNNING


def test_two_apps_share_one_queue_and_one_worker_and_double_clicks_do_no_more_than_single_ones(
    runs, engine, endless, quick
):
    apps = [App(runs), App(runs)]

    def both(action: str, argument: object) -> list[Any]:
        for app in apps:
            app.tell(action, argument)
        return [app.answer() for app in apps]

    submitted = [both("submit", config) for config in (endless, quick, quick, quick, quick)]
    order = sorted(chain(*submitted), key=lambda run: run.status().sequence)
    assert [run.status().sequence for run in order] == list(range(1, 11))
    assert set(order[:2]) == set(submitted[0])
    run, *others, last = order
    for other in others:
        both("stop", other)
        assert other.state() is State.STOPPED
    wait_for_epoch(run)
    both("stop", run)
    wait_for_end(run)
    assert run.state() is State.STOPPED

    epochs = run.status().epoch + LONGER
    engine.resume(run, epochs)
    assert both("resume", run) == [None, None]
    assert (run.status().resumed, run.status().sequence) == (1, 11)
    wait_for_end(last, run)
    assert all("has done all its" in answer for answer in both("resume", run))
    assert run.state() is State.FINISHED
    assert run.history()["epoch"].tolist() == list(range(1, epochs + 1))
    assert started(runs) == [run.id, last.id, run.id]
    assert len(worker_pids(runs)) == 1
    check(runs, order, afterwards=last)
    for app in apps:
        app.kill()


def started(runs: Runs) -> list[str]:
    """Return the ids of the runs that workers started, in their order."""
    return re.findall(r"(\S+) started in cpu", worker_log(runs))


# --- the disk -----------------------------------------------------------------------------------------------------


def test_a_checkpoint_that_does_not_fit_on_the_disk_fails_the_run_and_costs_nothing(runs, engine, short, quick):
    with paused(runs):
        run = trained(runs, short)
        engine.resume(run, LONGER)
        assert train(run, LargestFile(20_000)) == 1
        assert (run.state(), run.status().epoch) == (State.FAILED, EPOCHS)
        assert "disk is full" in run.status().reason
        assert saved_epoch(run) == EPOCHS
        engine.resume(run)
        assert train(run) == 0
        other = trained(runs, with_settings(short, {"training.epochs": LONGER}))
    assert_same(run, other)
    check(runs, [run, other], afterwards=quick)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", place], capture_output=True, check=False
    )
    if mounting.returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_is_full_to_the_last_byte_is_named_and_the_run_goes_on_when_there_is_space(
    small_disk, endless, quick
):
    runs = Runs(small_disk / "runs")
    engine = LocalEngine(runs)
    with paused(runs):
        run = make(runs, endless)
        trainer = start_trainer(run)
        wait_for_progress(run, 2, trainer)
        fill(small_disk / "filler")
        trainer.join(60)
        done = run.status().epoch
        assert (run.state(), trainer.exitcode) == (State.FAILED, 1)
        assert "disk is full" in watch(run).phase
        assert saved_epoch(run) >= done >= 2
        (small_disk / "filler").unlink()
        engine.resume(run, epochs=done + LONGER)
        assert train(run) == 0
    assert run.history()["epoch"].tolist() == list(range(1, done + LONGER + 1))
    check(runs, [run], afterwards=quick)
    wait_until(lambda: not engine.is_working())


def fill(path: Path) -> None:
    """Take all the space that there is."""
    with suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(bytes(4_096)):
            pass


def test_a_run_deleted_in_mid_run_does_not_come_back(runs, engine, endless, quick):
    run = engine.submit(endless)
    wait_for_epoch(run)
    trainer = Queue(runs).trainer_of(run)
    while run.folder.exists():
        shutil.rmtree(run.folder, ignore_errors=True)
    check(runs, [], afterwards=quick)
    assert not run.folder.exists()
    wait_until(lambda: not has_argument(trainer, str(run.folder)))


def test_a_folder_that_may_not_be_written_to_any_more_ends_its_run_only(runs, engine, endless, quick):
    run = engine.submit(endless)
    wait_for_epoch(run)
    with read_only(run.folder):
        wait_for_end(run)
        assert run.state() in (State.FAILED, State.INTERRUPTED)
        check(runs, [run], afterwards=quick)
    engine.wake()
    epochs = run.status().epoch + LONGER
    wait_until(lambda: not engine.is_working())
    with paused(runs):
        engine.resume(run, epochs)
        assert train(run) == 0
    assert (run.state(), run.status().epoch) == (State.FINISHED, epochs)
    assert run.history()["epoch"].tolist() == list(range(1, epochs + 1))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Forbid writing to a folder, to root as well."""
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", folder], check=False).returncode:
        pytest.skip("nothing forbids root to write here")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)


# --- damaged files ------------------------------------------------------------------------------------------------

FILES = (
    "about.json",
    "checkpoint/epoch-000003.npz",
    "config.json",
    "evaluation.json",
    "history.csv",
    "kill",
    "linear.npz",
    "lock",
    "log.txt",
    "progress.csv",
    "status.json",
    "stop",
    "validation.npz",
)


@pytest.fixture
def whole(runs: Runs, short: RunConfig) -> Run:
    """A finished run with a file of every kind."""
    with paused(runs):
        run = trained(runs, short)
    run.write_about(About(name="Named", tags=("tagged",)))
    run.request_stop()
    run.request_kill()
    assert {str(path.relative_to(run.folder)) for path in run.folder.rglob("*") if path.is_file()} == set(FILES)
    return run


def copy(run: Run) -> Run:
    """Return a copy of a run, in the place of the copy before."""
    folder = run.folder.with_name("copy")
    shutil.rmtree(folder, ignore_errors=True)
    return Run(shutil.copytree(run.folder, folder))


def ways_to_look(run: Run) -> dict[str, Callable[[], object]]:
    """Return what pages and commands ask of a run."""
    return {
        "settings": lambda: run.config,
        "name": lambda: run.name,
        "status": run.status,
        "state": run.state,
        "notes": run.about,
        "curves": run.history,
        "progress": run.progress,
        "scores": run.evaluation,
        "validation": run.validation,
        "checkpoint": run.checkpoints.latest,
        "watching": lambda: watch(run),
        "log": run.log_tail,
        "files": run.files,
        "classifying": lambda: load_classifier(run).probabilities(np.zeros((1, 48, 48), np.uint8)),
        "life": run.is_alive,
        "diagnosis": lambda: diagnose_run(run),
        "settings in words": lambda: tables.configuration(run.config, {}),
        "live curves": lambda: [live_curves(run, CurveView(axis, True, 0.5)) for axis in Axis],
        "learning rates": lambda: [rate_points(run.history(), run.status().batches, axis) for axis in Axis],
        "curves side by side": lambda: compared_curves([Curve("one", "#000", run.history(), 5)], "val_loss"),
        "scores by emotion": lambda: tables.class_table(scores_of(run)),
        "confusion": lambda: charts.confusion_matrix(scores_of(run).confusion),
    }


def live_curves(run: Run, view: CurveView) -> object:
    seen = watch(run)
    return curve_points(run.history(), run.progress(), "loss", seen.status.batches, seen.best_epoch, view)


def scores_of(run: Run) -> RunEvaluation:
    evaluation = run.evaluation()
    if evaluation is None:
        raise DamagedRun("It has no scores.")
    return evaluation


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_run_with_a_damaged_file_lists_and_whoever_looks_gets_an_answer_or_a_sentence(runs, whole, data):
    run = copy(whole)
    path = run.folder / data.draw(st.sampled_from(FILES), label="file")
    path.write_bytes(data.draw(damaged(path.read_bytes()), label="content"))
    assert {line.id for line in runs.summaries()} == {whole.id, run.id}
    assert {line.id for line in runs.in_hand()} <= {run.id}
    assert len(tables.on_screen(tables.runs_table(single_runs(runs.summaries())))) == 2
    for look in ways_to_look(run).values():
        assert is_one_sentence(refusal(look) or "none")


def refusal(action: Callable[[], object]) -> str:
    """Do something and return why it was refused, empty where it was not; any other error is one."""
    try:
        action()
    except EmotionError as error:
        return str(error) or "for no reason"
    return ""


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Bytes cut off, changed in one place, replaced by anything, or followed by it."""
    places = st.integers(0, max(0, len(content) - 1))
    return st.one_of(
        places.map(lambda end: content[:end]),
        st.tuples(places, st.binary(min_size=1, max_size=8)).map(
            lambda change: content[: change[0]] + change[1] + content[change[0] + len(change[1]) :]
        ),
        st.binary(max_size=400),
        st.binary(min_size=1, max_size=40).map(lambda more: content + more),
    )


def test_a_run_with_a_damaged_file_goes_on_or_says_why_not(runs, engine, whole, quick):
    chance = random.Random(7)
    with paused(runs):
        for name, damage in product(FILES, ("empty", "cut off", "random")):
            run = copy(whole)
            path = run.folder / name
            content = path.read_bytes()
            spoilt = {"empty": b"", "cut off": content[: len(content) // 2], "random": chance.randbytes(len(content))}
            path.write_bytes(spoilt[damage])
            refused = refusal(partial(engine.resume, run, LONGER))
            if refused:
                assert is_one_sentence(refused), name
                continue
            train(run)
            assert run.state() in (State.FINISHED, State.FAILED), name
            if run.state() is State.FAILED:
                assert is_one_sentence(run.status().reason), name
            else:
                assert run.status().epoch == LONGER, name
        shutil.rmtree(run.folder)
    check(runs, [whole], afterwards=quick)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_queue_works_whatever_its_own_files_hold(runs, engine, quick, data):
    former = max((run.status().sequence for run in runs.all()), default=0)
    with paused(runs):
        waiting = make(runs, quick)
        names = ["sequence", "queue.lock", "worker.lock", "worker.log", f"{waiting.id}.pid", "unknown.pid", "unknown"]
        spoilt = data.draw(st.sets(st.sampled_from(names), min_size=1), label="files")
        for name in sorted(spoilt):
            (runs.engine_folder / name).write_bytes(data.draw(st.binary(max_size=40), label=name))
        run = engine.submit(quick)
        assert run.status().sequence > waiting.status().sequence
        if "sequence" not in spoilt:
            assert waiting.status().sequence > former
        assert engine.is_working()
        assert engine.wake()
        engine.move(run, -1)
        for queued in (run, waiting):
            engine.stop(queued)
            assert queued.state() is State.STOPPED


# --- data, clock and names ----------------------------------------------------------------------------------------


def test_data_that_changed_or_went_away_after_submission_fails_the_run_which_says_so(runs, engine, quick, tmp_path):
    labels = [number % 7 for number in range(42)]
    changed, deleted = save_csv(tmp_path / "changed.csv", labels), save_csv(tmp_path / "deleted.csv", labels)
    with paused(runs):
        other, without = (
            engine.submit(with_settings(quick, {"data.source": str(path)})) for path in (changed, deleted)
        )
        former = other.config.data_fingerprint
        save_csv(changed, labels[::-1])
        deleted.unlink()
    engine.wake()
    wait_for_end(other, without)
    assert (other.state(), without.state()) == (State.FAILED, State.FAILED)
    now = load_dataset(changed).fingerprint
    assert former != now
    for part in ("changed.csv", former[:12], now[:12]):
        assert part in other.status().reason
    assert f"{deleted} does not exist" in without.status().reason
    check(runs, [other, without], afterwards=quick)


CLOCK = """
import os, time
told = time.time
time.time = lambda: told() - 86_400 * os.path.exists({flag!r})
"""
"""Makes a process's clock fall back by a day once a file is there."""


def test_a_clock_set_back_by_a_day_changes_neither_order_nor_durations(
    runs, engine, endless, quick, tmp_path, monkeypatch
):
    flag = tmp_path / "set-back"
    (tmp_path / "sitecustomize.py").write_text(CLOCK.format(flag=str(flag)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    first, second = engine.submit_all([endless, quick])
    wait_for_epoch(first)
    flag.touch()
    monkeypatch.setattr(time, "time", time.time)  # puts it right in the end
    exec(CLOCK.format(flag=str(flag)), {})
    third = engine.submit(quick)
    assert third.status().submitted < first.status().submitted
    assert [line.id for line in runs.in_hand()] == [first.id, second.id, third.id]
    wait_for_more(first)
    engine.stop(second)
    engine.stop(first)
    wait_for_end(first, third)
    assert started(runs) == [first.id, third.id]
    for run in (first, third):
        seen = watch(run)
        assert 0 < seen.seconds < 600
        assert (run.history()["seconds"] > 0).all()
    check(runs, [first, second, third], afterwards=third)


NAMES = ["😀 été", "x" * 200, "CON", "../../etc/passwd", "<script>alert(1)</script>", "a/b\\c", "", " ", "%00", "-rf"]


def test_names_are_kept_as_typed_and_never_become_paths(runs, engine, quick):
    with paused(runs):
        made = engine.submit_all([with_settings(quick, {"name": name}) for name in NAMES for _ in range(2)])
        presets = [name[:80] for name in NAMES]
        made += engine.submit_all([with_settings(quick, {"preset": preset}) for preset in presets])
        assert len({run.id for run in made}) == len(made)
        for run in made:
            assert re.fullmatch(r"\d{8}-\d{6}-[a-z0-9-]+-[0-9a-f]{8}", run.id)
            assert run.folder.parent == runs.folder
            assert runs.find(run.id).folder == run.folder
        assert [run.config.name for run in made[:20:2]] == [name.strip() for name in NAMES]
        with pytest.raises(BadInput, match=r"name: x+\.\.\. should have at most 200 characters"):
            engine.submit(with_settings(quick, {"name": "x" * 500}))
        for run in made[1:]:
            engine.stop(run)
    engine.wake()
    check(runs, made, afterwards=made[0])
    assert sorted(path.name for path in runs.folder.parent.iterdir()) == ["cache", "data", "faces.csv", "runs"]
