"""Backends and GPUs: which a run gets, what is refused, and the environment in which it computes."""

import json
import os
import subprocess
import sys

import pytest

from emotion_core.config import Device, with_settings
from emotion_core.engine import backends, devices
from emotion_core.engine.processes import start_detached
from emotion_core.errors import BadInput
from tests.engine_helpers import L4, TENSORFLOW_WITHOUT_GPU, TORCH_WITH_GPU, install, wait_until

BLIND_TORCH = (
    "class cuda:\n    is_available = staticmethod(lambda: False)\n"
    "class backends:\n    class mps:\n        is_available = staticmethod(lambda: False)\n"
)


@pytest.fixture
def machine(install_driver, tmp_path, monkeypatch):
    """Make a machine with so many GPUs, which TensorFlow does not see and torch may; it has no JAX."""

    monkeypatch.setenv("EMOTION_CACHE", str(tmp_path / "cache"))  # nobody has asked a backend yet

    def make(gpus: int, torch: str = TORCH_WITH_GPU) -> None:
        install(tmp_path, monkeypatch, tensorflow=TENSORFLOW_WITHOUT_GPU, torch=torch)
        monkeypatch.setattr(devices, "installed_backends", lambda: ("tensorflow", "torch"))
        install_driver(*[L4] * gpus)

    return make


def on(config, **device):
    return with_settings(config, {f"device.{name}": value for name, value in device.items()})


# --- backends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gpus", "device", "backend"),
    [
        (1, Device(), "torch"),
        (1, Device(kind="cpu"), "tensorflow"),
        (1, Device(backend="tensorflow"), "tensorflow"),
        (0, Device(), "tensorflow"),
    ],
    ids=["GPU that torch alone sees", "GPU not wanted", "backend given", "no GPU"],
)
def test_auto_takes_the_first_backend_that_sees_a_gpu_else_tensorflow(machine, gpus, device, backend):
    machine(gpus)
    assert devices.choose_backend(device) == backend


def test_a_linear_run_needs_no_backend_and_takes_the_processor(quick, monkeypatch):
    monkeypatch.setattr(devices, "installed_backends", lambda: ())
    devices.check_device(quick)
    assert devices.slots_for(quick) == ("cpu",)
    assert "KERAS_BACKEND" not in devices.run_environment(quick)


def test_where_no_backend_is_installed_the_way_to_one_is_told(network, monkeypatch):
    monkeypatch.setattr(devices, "installed_backends", lambda: ())
    with pytest.raises(BadInput, match="pip install tensorflow"):
        devices.check_device(network)


def test_a_gpu_counts_where_a_backend_may_see_it_and_no_longer_once_all_were_asked_in_vain(machine, network):
    machine(1, BLIND_TORCH)
    assert devices.may_train_on_gpu()
    assert devices.slots_for(network) == ("cpu",)
    assert not devices.may_train_on_gpu()
    machine(1)
    assert devices.slots_for(network) == ("gpu-0",)
    assert devices.may_train_on_gpu()
    machine(0)
    assert not devices.may_train_on_gpu()


def test_a_backend_that_died_when_it_was_asked_for_a_gpu_is_not_remembered_to_see_none(machine, network, tmp_path):
    machine(1, "raise SystemExit(1)")
    assert devices.slots_for(network) == ("cpu",)
    assert devices.may_train_on_gpu()
    (tmp_path / "torch.py").write_text(TORCH_WITH_GPU)  # it can be asked now
    assert devices.slots_for(network) == ("gpu-0",)


@pytest.mark.parametrize(
    ("system", "backend", "may"),
    [
        ("win32", "tensorflow", False),
        ("win32", "jax", False),
        ("win32", "torch", True),
        ("darwin", "tensorflow", False),
        ("darwin", "torch", True),
        ("linux", "tensorflow", True),
    ],
)
def test_which_backend_could_see_a_gpu_depends_on_the_system(machine, monkeypatch, system, backend, may):
    machine(1)
    monkeypatch.setattr(sys, "platform", system)
    assert backends.may_see_gpu(backend) is may


# --- slots --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gpus", "device", "slots"),
    [
        (2, {}, ("gpu-0", "gpu-1")),
        (2, {"kind": "gpu"}, ("gpu-0", "gpu-1")),
        (2, {"gpu": 1}, ("gpu-1",)),
        (2, {"kind": "cpu", "gpu": 1}, ("cpu",)),
        (2, {"backend": "tensorflow"}, ("cpu",)),
        (0, {}, ("cpu",)),
    ],
)
def test_a_run_can_compute_where_its_device_and_backend_allow(machine, network, gpus, device, slots):
    machine(gpus)
    assert devices.slots_for(on(network, **device)) == slots


def test_each_gpu_has_a_slot_and_the_processor_one(machine):
    machine(2)
    assert devices.slots() == ("gpu-0", "gpu-1", "cpu")
    machine(0)
    assert devices.slots() == ("cpu",)


@pytest.mark.parametrize(
    ("gpus", "torch", "device", "sentence"),
    [
        (0, TORCH_WITH_GPU, {"kind": "gpu"}, "asks for a GPU, and this machine has none"),
        (0, TORCH_WITH_GPU, {"gpu": 0}, "asks for a GPU, and this machine has none"),
        (2, TORCH_WITH_GPU, {"gpu": 2}, r"asks for GPU 2; this machine has GPU 0 \(NVIDIA L4\), GPU 1 \(NVIDIA L4\)\."),
        (1, BLIND_TORCH, {"kind": "gpu"}, "There is a GPU, but no installed backend sees it; choose cpu"),
        (1, TORCH_WITH_GPU, {"kind": "gpu", "backend": "tensorflow"}, "but tensorflow does not see it"),
        (1, TORCH_WITH_GPU, {"backend": "jax"}, "jax is not installed"),
    ],
)
def test_a_gpu_or_backend_that_is_not_to_be_had_is_refused(machine, network, gpus, torch, device, sentence):
    machine(gpus, torch)
    with pytest.raises(BadInput, match=sentence):
        devices.check_device(on(network, **device))


# --- environments -------------------------------------------------------------------------------------------------


def test_the_processor_s_slot_hides_every_gpu_from_every_backend(machine, network):
    machine(1)
    environment = devices.run_environment(on(network, kind="cpu"))
    assert environment == environment | {
        "KERAS_BACKEND": "tensorflow",
        "EMOTION_SLOT": "cpu",
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
        "KERAS_TORCH_DEVICE": "cpu",
    }


def test_a_gpu_s_slot_shows_that_gpu_alone(machine, network):
    machine(2)
    environment = devices.run_environment(network, "gpu-1")
    assert environment == environment | {
        "KERAS_BACKEND": "torch",
        "EMOTION_SLOT": "gpu-1",
        "CUDA_VISIBLE_DEVICES": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
    assert "JAX_PLATFORMS" not in environment
    assert environment["TF_CPP_MIN_LOG_LEVEL"] == "2"
    assert devices.run_environment(network, "cpu")["TF_CPP_MIN_LOG_LEVEL"] == "3"  # no GPU is no error there
    assert devices.run_environment(network)["EMOTION_SLOT"] == "gpu-0"


@pytest.mark.parametrize(
    ("slot", "deterministic", "setting"),
    [("gpu-0", True, ":4096:8"), ("gpu-0", False, None), ("cpu", True, None)],
)
def test_a_gpu_is_told_to_repeat_its_results_where_that_is_asked_for(machine, network, slot, deterministic, setting):
    machine(1)
    config = on(network, deterministic=deterministic)
    assert devices.run_environment(config, slot).get("CUBLAS_WORKSPACE_CONFIG") == setting


SHOW = """
import json, os, sys
from pathlib import Path
from emotion_core.engine.processes import start_detached
if len(sys.argv) > 2:
    start_detached("show", [sys.argv[1]], Path(sys.argv[1] + ".log")).wait()
else:
    names = ("CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "PYTHONPATH")
    Path(sys.argv[1]).write_text(json.dumps({name: os.environ.get(name) for name in names}))
"""


def test_what_a_process_was_given_is_not_handed_on_to_the_processes_that_it_starts(tmp_path, monkeypatch):
    """A trainer at its end may start a worker, which must see all GPUs that the first worker saw."""
    install(tmp_path, monkeypatch, show=SHOW)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    given = {"CUDA_VISIBLE_DEVICES": "1", "KERAS_BACKEND": "torch"}
    seen = {}
    for name, more in (("child", []), ("grandchild", ["pass on"])):
        answer = tmp_path / name
        assert start_detached("show", [str(answer), *more], tmp_path / "log", given).wait(60) == 0
        wait_until(answer.exists)
        seen[name] = json.loads(answer.read_text())
    assert seen["child"] == given | {"PYTHONPATH": seen["grandchild"]["PYTHONPATH"]}
    assert seen["grandchild"] == seen["grandchild"] | {"CUDA_VISIBLE_DEVICES": "0,1", "KERAS_BACKEND": None}


def test_the_doctor_tells_of_gpus_and_slots(machine, runs_folder):
    machine(1)
    command = [sys.executable, "-m", "emotion_core", "doctor"]
    answer = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=True)
    report = json.loads(answer.stdout)
    assert report["gpus"] == [
        {"index": 0, "name": "NVIDIA L4", "memory_bytes": 24 * 2**30, "capability": [8, 9], "uuid": "GPU-000"}
    ]
    assert report["slots"] == ["gpu-0", "cpu"]
    assert report["gpu_backends"] == ["torch"]
    assert report["packages"]["psutil"]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "GPU 0: NVIDIA L4, 24 GB, compute capability 8.9" in lines
    assert os.environ["EMOTION_RUNS"] in lines
