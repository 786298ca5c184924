"""The local engine with real processes: order, stopping, ending, and what survives whose death."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from emotion_core.config import Device, RunConfig, with_settings
from emotion_core.engine import LocalEngine, devices
from emotion_core.engine.local import freeze
from emotion_core.engine.queue import Queue
from emotion_core.engine.worker import Worker
from emotion_core.errors import BadInput, EmotionError
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, State

PROJECT = Path(__file__).parent.parent

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

ENDLESS = {"training.epochs": 10_000, "training.early_stopping_patience": None}


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def wait_for_end(*runs: Run) -> None:
    wait_until(lambda: all(run.state().is_over for run in runs))


def wait_for_epoch(run: Run) -> None:
    wait_until(lambda: run.status().epoch or run.state().is_over)
    assert run.state() is State.RUNNING, run.log_tail()


@pytest.fixture
def faces_csv(tmp_path: Path) -> Path:
    """A data set of 42 faces of noise, small enough to train in no time."""
    rng = np.random.default_rng(0)
    rows = [f"{i},{i % 7},{' '.join(map(str, rng.integers(0, 256, 2304)))}" for i in range(42)]
    path = tmp_path / "faces.csv"
    path.write_text("id,emotion,pixels\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def quick(faces_csv: Path) -> RunConfig:
    """A run of two epochs."""
    return with_settings(find_preset("sgd").config, {"data.source": str(faces_csv), "training.epochs": 2})


@pytest.fixture
def endless(quick: RunConfig) -> RunConfig:
    """A run that ends when it is told to."""
    return with_settings(quick, ENDLESS)


@pytest.fixture
def runs(runs_folder: Path) -> Iterator[Runs]:
    """A folder of runs in which nothing is left computing."""
    runs = Runs(runs_folder)
    yield runs
    engine = LocalEngine(runs)
    for line in runs.summaries():
        if not line.state.is_over:
            engine.kill(runs.find(line.id))
    wait_until(lambda: not engine.is_working())


@pytest.fixture
def engine(runs: Runs) -> LocalEngine:
    return LocalEngine(runs)


def worker_pids(runs: Runs) -> list[int]:
    log = (runs.engine_folder / "worker.log").read_text()
    return [int(pid) for pid in re.findall(r"worker (\d+) at work", log)]


def queue_without_worker(runs: Runs, config: RunConfig) -> Run:
    """Queue a run as a submission does whose worker died at once."""
    queue = Queue(runs)
    with queue.locked():
        return queue.add(config)


def trainer_module(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> str:
    """Make a module that a worker can start in place of the trainer; return its name."""
    (folder / "odd_trainer.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return "odd_trainer"


# --- the queue ----------------------------------------------------------------------------------------------------


def test_two_submitters_at_once_share_one_worker_that_computes_in_order_and_leaves(engine, runs, faces_csv):
    command = [sys.executable, "-m", "emotion_core", "submit", "sgd", "--data", str(faces_csv), "--epochs", "2"]
    submitters = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    ids = [submitter.communicate(timeout=120)[0].strip() for submitter in submitters]
    first, second = sorted((runs.find(run_id) for run_id in ids), key=lambda run: run.status().sequence)
    assert (first.status().sequence, second.status().sequence) == (1, 2)
    wait_for_end(first, second)
    assert [run.state() for run in (first, second)] == [State.FINISHED, State.FINISHED]
    assert second.status().started >= first.status().finished
    assert "epoch 2: " in engine.logs(first)
    wait_until(lambda: not engine.is_working())
    assert len(worker_pids(runs)) == 1


def test_runs_left_by_a_crash_are_taken_up_on_waking_past_a_damaged_one(engine, runs, quick):
    damaged, run = queue_without_worker(runs, quick), queue_without_worker(runs, quick)
    (damaged.folder / "status.json").write_text("{")
    assert engine.wake()
    wait_for_end(run)
    assert run.state() is State.FINISHED


def test_settings_are_frozen_at_submission_with_the_data_s_full_path(quick, faces_csv, monkeypatch):
    monkeypatch.chdir(faces_csv.parent)
    assert freeze(with_settings(quick, {"data.source": faces_csv.name})).data.source == str(faces_csv)
    assert freeze(with_settings(quick, {"data.source": "sample"})).data.source == "sample"


def test_a_second_worker_leaves_the_queue_to_the_first(runs, quick):
    run = queue_without_worker(runs, quick)
    with FileLock(runs.engine_folder / "worker.lock"):
        Worker(runs).work()
    assert run.state() is State.QUEUED


def test_waking_starts_nothing_where_nothing_waits(engine, runs, finished_run):
    assert not engine.wake()
    assert not engine.is_working()


def test_a_run_that_another_process_made_for_itself_is_left_to_it(runs, quick):
    run = runs.create(quick)
    Worker(runs).work()
    assert run.state() is State.QUEUED
    assert not run.log_path.exists()
    run.record(state=State.STOPPED)


@pytest.mark.parametrize("damage", [None, "", "12x", "-3", "\x00\x00"])
def test_numbers_go_on_from_the_runs_where_the_counter_is_lost(runs, quick, damage):
    queued = [queue_without_worker(runs, quick) for _ in range(2)]
    counter = runs.engine_folder / "sequence"
    if damage is None:
        counter.unlink()
    else:
        counter.write_text(damage)
    queued.append(queue_without_worker(runs, quick))
    assert [run.status().sequence for run in queued] == [1, 2, 3]
    for run in queued:
        run.record(state=State.STOPPED)


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data.source": "/nowhere/faces.csv"}, "/nowhere/faces.csv does not exist"),
        ({"data.source": "~nobody-of-that-name/faces.csv"}, "'~nobody-of-that-name/faces.csv' cannot be opened"),
        ({"data.source": "faces\0.csv"}, "cannot be opened"),
        ({"model": find_preset("dense-5").config.model, "device.backend": "torch"}, "torch is not installed"),
    ],
)
def test_what_could_never_start_is_refused_and_leaves_no_run(engine, runs, quick, changes, sentence, monkeypatch):
    monkeypatch.setattr(devices, "installed_backends", lambda: ("tensorflow",))
    with pytest.raises(BadInput, match=sentence):
        engine.submit(with_settings(quick, changes))
    assert runs.all() == []


def test_a_folder_that_cannot_hold_runs_is_named(tmp_path, quick):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmotionError, match=r"runs cannot be used"):
        LocalEngine(Runs(tmp_path / "file" / "runs")).submit(quick)


# --- stopping and ending ------------------------------------------------------------------------------------------


def test_a_running_run_stops_and_keeps_what_it_learnt(engine, endless):
    run = engine.submit(endless)
    wait_for_epoch(run)
    engine.stop(run)
    wait_for_end(run)
    assert run.state() is State.STOPPED
    assert run.linear_path.exists()
    assert run.evaluation() is not None


def test_a_waiting_run_is_stopped_at_once_and_never_starts(engine, endless, quick):
    first, waiting = engine.submit(endless), engine.submit(quick)
    engine.stop(waiting)
    assert waiting.state() is State.STOPPED
    engine.stop(first)
    wait_for_end(first)
    wait_until(lambda: not engine.is_working())
    assert not waiting.log_path.exists()
    assert waiting.status().started is None


def test_stopping_a_run_that_is_over_changes_nothing(engine, finished_run):
    before = finished_run.status()
    engine.stop(finished_run)
    engine.kill(finished_run)
    assert finished_run.status() == before
    assert not finished_run.stop_requested()


def test_a_killed_run_ends_at_once_and_says_why(engine, endless):
    run = engine.submit(endless)
    wait_for_epoch(run)
    engine.kill(run)
    wait_for_end(run)
    wait_until(lambda: run.status().reason)
    assert (run.state(), run.status().reason) == (State.INTERRUPTED, "Ended by a person.")
    assert not run.is_alive()


def test_a_run_of_a_terminal_is_only_asked_to_stop(engine, runs, endless):
    run = runs.create(endless)
    with run.alive():
        run.record(state=State.RUNNING)
        with pytest.raises(EmotionError, match="started in a terminal"):
            engine.kill(run)
        assert run.state() is State.STOPPING
    run.record(state=State.STOPPED)


# --- deaths -------------------------------------------------------------------------------------------------------


@on_posix
def test_a_trainer_that_is_killed_leaves_an_interrupted_run_and_the_queue_goes_on(engine, runs, endless, quick):
    run, following = engine.submit(endless), engine.submit(quick)
    wait_for_epoch(run)
    os.kill(Queue(runs).trainer_of(run), signal.SIGKILL)
    wait_for_end(run, following)
    wait_until(lambda: run.status().reason)
    assert run.state() is State.INTERRUPTED
    assert "signal 9" in run.status().reason
    assert following.state() is State.FINISHED


@on_posix
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
    engine.stop(run)
    wait_for_end(run)
    assert run.state() is State.STOPPED


@on_posix
def test_a_worker_waits_for_the_run_that_a_dead_worker_left_and_can_end_it(engine, runs, endless, quick):
    orphan = engine.submit(endless)
    wait_for_epoch(orphan)
    os.kill(worker_pids(runs)[0], signal.SIGKILL)
    wait_until(lambda: not engine.is_working())
    following = engine.submit(quick)
    wait_until(lambda: len(worker_pids(runs)) == 2)
    epoch = orphan.status().epoch
    wait_until(lambda: orphan.status().epoch > epoch)  # the orphan computes on, and the new worker waits
    assert following.state() is State.QUEUED
    engine.kill(orphan)
    wait_for_end(orphan, following)
    wait_until(lambda: orphan.status().reason)
    assert (orphan.state(), orphan.status().reason) == (State.INTERRUPTED, "Ended by a person.")
    assert following.state() is State.FINISHED


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("print('CUDA out of memory'); raise SystemExit(3)", State.FAILED, r"exit code 3: CUDA out of memory"),
        ("", State.FAILED, r"exit code 0\."),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            State.INTERRUPTED,
            r"killed \(signal 11\)\.",
            marks=on_posix,
        ),
    ],
)
def test_a_trainer_that_ends_without_a_word_is_explained(runs, quick, tmp_path, monkeypatch, code, state, reason):
    run = queue_without_worker(runs, quick)
    Worker(runs, trainer_module(tmp_path, monkeypatch, code)).work()
    assert run.state() is state
    assert re.search(reason, run.status().reason)


def test_a_backend_that_went_away_while_the_run_waited_fails_the_run_not_the_worker(runs, quick, monkeypatch):
    network = {"model": find_preset("dense-5").config.model, "device.backend": "torch"}
    run = queue_without_worker(runs, with_settings(quick, network))
    monkeypatch.setattr(devices, "installed_backends", lambda: ())
    Worker(runs).work()
    assert run.state() is State.FAILED
    assert "torch is not installed" in run.status().reason


# --- devices ------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_memory_of_devices() -> Iterator[None]:
    yield from _forgetting(devices.nvidia_gpus.cache_clear, devices.sees_gpu.cache_clear)


def _forgetting(*actions: Callable[[], None]) -> Iterator[None]:
    for action in actions:
        action()
    yield
    for action in actions:
        action()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **packages: str) -> None:
    """Make packages that this process and its children can import."""
    for name, code in packages.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))


def install_driver(folder: Path, monkeypatch: pytest.MonkeyPatch, listing: str) -> None:
    """Make an `nvidia-smi` that lists these GPUs."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


TENSORFLOW_WITHOUT_GPU = "class config:\n    list_physical_devices = staticmethod(lambda kind: [])\n"
TORCH_WITH_GPU = "class cuda:\n    is_available = staticmethod(lambda: True)\n"


def test_the_cpu_hides_every_gpu_from_every_backend():
    environment = devices.training_environment(Device(backend="tensorflow", kind="cpu"))
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment["JAX_PLATFORMS"] == "cpu"


def test_a_linear_run_needs_no_backend(quick, monkeypatch):
    monkeypatch.setattr(devices, "installed_backends", lambda: ())
    devices.check_device(quick)
    assert "KERAS_BACKEND" not in devices.run_environment(quick)


def test_where_no_backend_is_installed_the_way_to_one_is_told(monkeypatch):
    monkeypatch.setattr(devices, "installed_backends", lambda: ())
    with pytest.raises(BadInput, match="pip install tensorflow"):
        devices.choose_backend(Device())


@on_posix
@pytest.mark.usefixtures("no_memory_of_devices")
def test_gpus_are_those_of_the_driver(tmp_path, monkeypatch):
    install_driver(tmp_path, monkeypatch, "GPU 0: NVIDIA L4 (UUID: GPU-1)\nGPU 1: NVIDIA L4 (UUID: GPU-2)")
    assert devices.nvidia_gpus() == ("GPU 0: NVIDIA L4", "GPU 1: NVIDIA L4")


@pytest.mark.usefixtures("no_memory_of_devices")
def test_there_are_no_gpus_without_a_driver(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.nvidia_gpus() == ()


@on_posix
@pytest.mark.usefixtures("no_memory_of_devices")
@pytest.mark.parametrize(
    ("gpus", "device", "backend"),
    [
        ("GPU 0: NVIDIA L4 (UUID: GPU-1)", Device(), "torch"),
        ("GPU 0: NVIDIA L4 (UUID: GPU-1)", Device(kind="cpu"), "tensorflow"),
        ("", Device(), "tensorflow"),
    ],
    ids=["GPU that torch alone sees", "GPU not wanted", "no GPU"],
)
def test_auto_takes_the_first_backend_that_sees_a_gpu_else_tensorflow(tmp_path, monkeypatch, gpus, device, backend):
    install(tmp_path, monkeypatch, tensorflow=TENSORFLOW_WITHOUT_GPU, torch=TORCH_WITH_GPU)
    install_driver(tmp_path, monkeypatch, gpus)
    assert devices.choose_backend(device) == backend
