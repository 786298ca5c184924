"""GPUs as a driver tells them (a small stand-in for NVIDIA's library: there is no such GPU here), and the meter."""

import gc
import os
import subprocess
import sys

import psutil
import pytest

from emotion_core.hardware import Gpu, Load, Meter, gpus, own_gpu, precision_gain
from tests.engine_helpers import L4, PROJECT

T4 = ("Tesla T4", (7, 5), 16_000_000_000)
UNIFIED = ("NVIDIA GB10", (12, 1), None)


def test_gpus_are_those_of_the_driver(install_driver):
    install_driver(L4, T4)
    assert gpus() == (
        Gpu(0, "NVIDIA L4", 24 * 2**30, (8, 9), "GPU-000"),
        Gpu(1, "Tesla T4", 16_000_000_000, (7, 5), "GPU-111"),
    )


def test_without_a_driver_there_are_no_gpus(install_driver):
    install_driver(loaded=False)
    assert gpus() == ()
    assert own_gpu() is None


def test_a_gpu_that_is_lost_is_left_out_and_the_others_keep_their_numbers(install_driver):
    install_driver(None, T4)
    assert [gpu.index for gpu in gpus()] == [1]


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        ("1", [1]),
        ("0,1", [0, 1]),
        (" 1 , 0", [0, 1]),
        ("GPU-111", [1]),
        ("GPU-0", [0]),
        ("-1", []),
        ("", []),
        ("7", []),
    ],
)
def test_a_process_may_use_only_the_gpus_that_are_visible_to_it(install_driver, monkeypatch, visible, indices):
    install_driver(L4, T4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.index for gpu in gpus()] == indices
    assert own_gpu() == (gpus()[0] if indices else None)


@pytest.mark.parametrize(
    ("capability", "policy"),
    [
        ((6, 1), "float32"),
        ((7, 0), "mixed_float16"),
        ((7, 5), "mixed_float16"),
        ((8, 0), "mixed_bfloat16"),
        ((12, 1), "mixed_bfloat16"),
    ],
)
def test_the_precision_follows_from_what_a_gpu_can_do(capability, policy):
    assert precision_gain(Gpu(0, "", 0, capability)) == policy


def test_the_meter_reads_this_process_and_the_gpu_it_was_given(install_driver, monkeypatch):
    install_driver(T4, L4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    load = Meter().read()
    assert 10**7 < load.memory < psutil.virtual_memory().total
    assert load == Load(load.memory, gpu_memory=1_000_000, gpu_memory_total=24 * 2**30, gpu_use=0.25)


def test_the_meter_follows_the_memory(install_driver):
    install_driver(loaded=False)
    meter = Meter()
    gc.collect()  # or what earlier tests left goes meanwhile
    before = meter.read()
    ballast = b"x" * 400_000_000
    assert meter.read().memory > before.memory + len(ballast) // 2
    assert (before.gpu_memory, before.gpu_memory_total, before.gpu_use) == (None, None, None)


def test_what_a_gpu_does_not_tell_is_left_open(install_driver):
    install_driver(UNIFIED)
    assert own_gpu().memory_bytes == 0
    load = Meter().read()
    assert (load.gpu_memory, load.gpu_memory_total, load.gpu_use) == (None, None, None)


def test_asking_for_gpus_and_submitting_loads_no_framework(install_driver, runs_folder, tiny_csv):
    """A page asks so: what computes on a GPU must never be loaded in its process."""
    install_driver(L4)
    code = (
        "import sys; from pathlib import Path\n"
        "from emotion_core import hardware; from emotion_core.config import with_settings\n"
        "from emotion_core.engine import LocalEngine, devices; from emotion_core.engine.local import freeze\n"
        "from emotion_core.presets import find_preset; from emotion_core.runs import Runs\n"
        "assert len(hardware.gpus()) == 1 and devices.slots() == ('gpu-0', 'cpu')\n"
        "hardware.Meter().read(); LocalEngine(Runs(Path(sys.argv[1]))).wake()\n"
        "freeze(with_settings(find_preset('dense-5').config, {'data.source': sys.argv[2]}), Runs(Path(sys.argv[1])))\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(runs_folder), str(tiny_csv)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(PROJECT)])}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")
