"""Slots: which run goes where, as a table, and on a machine with two GPUs that are not there."""

import pytest

from emotion_core.config import with_settings
from emotion_core.engine import LocalEngine
from emotion_core.engine.slots import assign, gpu_index, gpu_slot
from emotion_core.runs import State
from tests.engine_helpers import (
    L4,
    PATIENT_TRAINER,
    TORCH_WITH_GPU,
    install,
    queue_without_worker,
    trainer_module,
    wait_for_end,
    wait_until,
    worker_that_dies,
    working,
)

ANY = ("gpu-0", "gpu-1")


@pytest.mark.parametrize(
    ("waiting", "free", "assigned"),
    [
        ({}, ["cpu"], {}),
        ({"a": ["cpu"], "b": ["cpu"]}, ["cpu"], {"a": "cpu"}),
        ({"a": ["cpu"], "b": ["cpu"]}, [], {}),
        ({"a": ANY, "b": ANY, "c": ANY}, ["gpu-0", "gpu-1", "cpu"], {"a": "gpu-0", "b": "gpu-1"}),
        ({"a": ANY, "b": ["cpu"]}, ["cpu"], {"b": "cpu"}),
        ({"a": ["gpu-1"], "b": ANY}, ["gpu-0"], {"b": "gpu-0"}),
        ({"a": ["gpu-1"], "b": ["gpu-1"], "c": ANY}, ["gpu-0", "gpu-1"], {"a": "gpu-1", "c": "gpu-0"}),
        ({"a": ["gpu-7"]}, ["gpu-0", "cpu"], {}),
    ],
    ids=[
        "nothing waits",
        "one after the other",
        "no slot is free",
        "as many as there are GPUs",
        "what needs no GPU passes what does",
        "a GPU of one's own choice is waited for",
        "the first in the queue gets it",
        "a slot that is not there",
    ],
)
def test_runs_go_to_free_slots_in_order(waiting, free, assigned):
    assert assign(waiting, free) == assigned


def test_slots_are_named_for_their_gpus():
    assert gpu_index(gpu_slot(11)) == 11
    assert gpu_index("cpu") is None


@pytest.fixture
def two_gpus(install_driver, tmp_path, monkeypatch):
    """A machine with two GPUs that torch can use; return the module that computes its runs."""
    install(tmp_path, monkeypatch, torch=TORCH_WITH_GPU)
    install_driver(L4, L4)
    return trainer_module(tmp_path, monkeypatch, PATIENT_TRAINER)


@pytest.fixture
def on_gpu(network):
    return with_settings(network, {"device.backend": "torch"})


def computing(run):
    return run.state() is State.RUNNING and run.log_tail()


def test_two_gpus_compute_two_runs_at_once_while_a_third_waits_and_the_processor_takes_a_fourth(
    runs, on_gpu, quick, two_gpus
):
    first, second, third, linear = (queue_without_worker(runs, config) for config in (on_gpu, on_gpu, on_gpu, quick))
    engine = LocalEngine(runs)
    with working(runs, two_gpus):
        wait_until(lambda: all(map(computing, (first, second, linear))))
        assert third.state() is State.QUEUED
        assert [run.status().slot for run in (first, second, linear)] == ["gpu-0", "gpu-1", "cpu"]
        assert [run.log_tail() for run in (first, second, linear)] == ["sees 0", "sees 1", "sees -1"]
        engine.stop(second)
        wait_until(lambda: computing(third))
        assert (third.status().slot, third.log_tail()) == ("gpu-1", "sees 1")
        assert first.state() is State.RUNNING
        engine.kill(third)
        wait_for_end(third)
        assert first.state() is State.RUNNING


def test_a_gpu_that_was_asked_for_is_waited_for_while_others_pass(runs, on_gpu, two_gpus):
    second_gpu = with_settings(on_gpu, {"device.gpu": 1})
    first, waits, passes = (queue_without_worker(runs, config) for config in (second_gpu, second_gpu, on_gpu))
    with working(runs, two_gpus):
        wait_until(lambda: computing(first) and computing(passes))
        assert [run.status().slot for run in (first, passes)] == ["gpu-1", "gpu-0"]
        assert waits.state() is State.QUEUED


def test_a_run_of_a_terminal_holds_the_slot_that_it_would_get(runs, on_gpu, two_gpus):
    terminal, queued = runs.create(on_gpu), queue_without_worker(runs, on_gpu)
    with terminal.alive():
        terminal.record(state=State.RUNNING)  # before it has told its slot
        with working(runs, two_gpus):
            wait_until(lambda: computing(queued))
            assert queued.status().slot == "gpu-1"
        terminal.record(state=State.STOPPED)


def test_an_orphan_keeps_the_slot_that_its_worker_gave_it(runs, on_gpu, two_gpus):
    first, orphan = queue_without_worker(runs, on_gpu), queue_without_worker(runs, on_gpu)
    with worker_that_dies(runs, two_gpus):
        wait_until(lambda: computing(first) and computing(orphan))
    LocalEngine(runs).stop(first)
    wait_for_end(first)
    following = [queue_without_worker(runs, on_gpu) for _ in range(2)]
    with working(runs, two_gpus):
        wait_until(lambda: computing(following[0]))
        assert orphan.state() is State.RUNNING
        assert (following[0].status().slot, following[1].state()) == ("gpu-0", State.QUEUED)
