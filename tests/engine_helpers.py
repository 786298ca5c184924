"""Small runs for the tests of the engine, machines with GPUs that are not there, and trainers that do as they are told.

A pytest plugin, for its fixtures.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from emotion_core import hardware
from emotion_core.config import RunConfig, with_settings
from emotion_core.engine import LocalEngine, backends
from emotion_core.engine.queue import Queue
from emotion_core.engine.worker import Worker
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, State

PROJECT = Path(__file__).parent.parent

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

PATIENT_TRAINER = """
import os, sys, time
from pathlib import Path
from emotion_core.runs import Run, State
run = Run(Path(sys.argv[1]))
with run.alive():
    run.record(state=State.RUNNING, slot=os.environ["EMOTION_SLOT"])
    print("sees", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    while not run.stop_requested():
        time.sleep(0.02)
    run.record(state=State.STOPPED)
"""
"""Computes nothing until it is asked to stop."""

PARENT_THAT_DIES = """
import os, signal, sys, time
from pathlib import Path
from emotion_core.runs import Run, State
signal.signal(signal.SIGTERM, signal.SIG_IGN)
run = Run(Path(sys.argv[1]))
with run.alive():
    run.record(state=State.RUNNING)
    child = os.fork()
    if child:
        print(child, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        time.sleep(1)
"""
"""Prints the id of a child, and is killed; the child takes no polite word."""

STUBBORN_TRAINER = """
import signal, sys, time
from pathlib import Path
from emotion_core.runs import Run, State
signal.signal(signal.SIGTERM, signal.SIG_IGN)
run = Run(Path(sys.argv[1]))
with run.alive():
    run.record(state=State.RUNNING)
    time.sleep(600)
"""
"""Takes no polite word."""

WORKER = """
import sys
from pathlib import Path
from emotion_core.engine.worker import Worker
from emotion_core.runs import Runs
Worker(Runs(Path(sys.argv[1])), sys.argv[2]).work()
"""
"""A worker of a folder whose trainer is a module."""

DRIVER = """
from types import SimpleNamespace

class NVMLError(Exception):
    pass

GPUS = {gpus!r}

def nvmlInit():
    if GPUS is None:
        raise NVMLError("Driver Not Loaded")

nvmlDeviceGetCount = lambda: len(GPUS)

def nvmlDeviceGetHandleByIndex(index):
    if GPUS[index] is None:
        raise NVMLError("GPU is lost")
    return index

nvmlDeviceGetName = lambda index: GPUS[index][0]
nvmlDeviceGetUUID = lambda index: f"GPU-{{index}}{{index}}{{index}}"
nvmlDeviceGetCudaComputeCapability = lambda index: GPUS[index][1]

def nvmlDeviceGetMemoryInfo(index):
    if GPUS[index][2] is None:
        raise NVMLError("Not Supported")
    return SimpleNamespace(used=1_000_000, total=GPUS[index][2])

def nvmlDeviceGetUtilizationRates(index):
    if GPUS[index][2] is None:
        raise NVMLError("Not Supported")
    return SimpleNamespace(gpu=25, memory=10)
"""

L4 = ("NVIDIA L4", (8, 9), 24 * 2**30)

TENSORFLOW_WITHOUT_GPU = "class config:\n    list_physical_devices = staticmethod(lambda kind: [])\n"
TORCH_WITH_GPU = "class cuda:\n    is_available = staticmethod(lambda: True)\n"


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


def worker_log(runs: Runs) -> str:
    return (runs.engine_folder / "worker.log").read_text()


def worker_pids(runs: Runs) -> list[int]:
    return [int(pid) for pid in re.findall(r"worker (\d+) at work", worker_log(runs))]


def queue_without_worker(runs: Runs, config: RunConfig) -> Run:
    """Queue a run as a submission does whose worker died at once."""
    queue = Queue(runs)
    with queue.locked():
        (run,) = queue.add([config])
    return run


@contextmanager
def working(runs: Runs, trainer: str) -> Iterator[Worker]:
    """Have a worker at work in this process; at the end all runs are asked to stop, and it leaves."""
    worker = Worker(runs, trainer)
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield worker
    finally:
        engine = LocalEngine(runs)
        for line in runs.in_hand():
            engine.stop(runs.run_of(line))
        thread.join(60)
        assert not thread.is_alive(), "the worker does not leave"


@contextmanager
def worker_that_dies(runs: Runs, trainer: str) -> Iterator[None]:
    """Have a worker at work in a process of its own; at the end it is killed, and its trainers compute on."""
    command = [sys.executable, "-c", WORKER, str(runs.folder), trainer]
    worker = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        worker.kill()
        worker.wait()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    """Make modules that this process and its children import in place of any others of their names."""
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code)
        monkeypatch.setitem(sys.modules, name, sys)  # so that what is imported in its place goes with the test
        del sys.modules[name]
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))


def trainer_module(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> str:
    """Make a module that a worker can start in place of the trainer; return its name."""
    install(folder, monkeypatch, odd_trainer=code)
    return "odd_trainer"


@pytest.fixture
def install_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Give this process and its children a driver that knows the given GPUs; None for one that is lost."""

    def forget() -> None:
        hardware._gpus_of_machine.cache_clear()
        backends._ANSWERS.clear()

    def put_in(*gpus: tuple[str, tuple[int, int], int | None] | None, loaded: bool = True) -> None:
        install(tmp_path, monkeypatch, pynvml=DRIVER.format(gpus=gpus if loaded else None))
        forget()

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    yield put_in
    forget()


@pytest.fixture
def tiny_csv(tmp_path: Path) -> Path:
    """A data set of 42 faces of noise, small enough to train in no time."""
    rng = np.random.default_rng(0)
    rows = [f"{i},{i % 7},{' '.join(map(str, rng.integers(0, 256, 2304)))}" for i in range(42)]
    path = tmp_path / "faces.csv"
    path.write_text("id,emotion,pixels\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def quick(tiny_csv: Path) -> RunConfig:
    """A run of two epochs."""
    return with_settings(find_preset("sgd").config, {"data.source": str(tiny_csv), "training.epochs": 2})


@pytest.fixture
def endless(quick: RunConfig) -> RunConfig:
    """A run that ends when it is told to."""
    return with_settings(quick, {"training.epochs": 10_000, "training.early_stopping_patience": None})


@pytest.fixture
def network(quick: RunConfig) -> RunConfig:
    """A run that may take a GPU."""
    return with_settings(quick, {"model": find_preset("dense-5").config.model})


@pytest.fixture
def runs(runs_folder: Path) -> Iterator[Runs]:
    """A folder of runs in which nothing is left computing."""
    runs = Runs(runs_folder)
    yield runs
    engine = LocalEngine(runs)
    for line in runs.in_hand():
        engine.kill(runs.run_of(line))
    wait_until(lambda: not engine.is_working())


@pytest.fixture
def engine(runs: Runs) -> LocalEngine:
    return LocalEngine(runs)


@pytest.fixture
def no_worker(runs: Runs) -> Iterator[None]:
    """Let nothing be computed: a worker is there, and it does nothing."""
    with FileLock(runs.engine_folder / "worker.lock"):
        yield
        for line in runs.in_hand():
            runs.run_of(line).record(state=State.STOPPED)
