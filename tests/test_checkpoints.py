"""Checkpoints: whole or not there, and damage is noticed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion_core.runs import Checkpoint, Checkpoints

PROJECT = Path(__file__).parent.parent
ARRAYS = {"weights": np.linspace(0, 1, 5, dtype=np.float32), "steps": np.int64(7)}


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoint")


def save(checkpoints: Checkpoints, *epochs: int) -> None:
    for epoch in epochs:
        checkpoints.save(Checkpoint(epoch, ARRAYS, {"loss": epoch / 3, "none": None, "worst": float("inf")}))


def test_what_is_saved_is_read_back_to_the_last_bit(checkpoints):
    save(checkpoints, 3)
    latest = checkpoints.latest()
    assert latest.epoch == 3
    assert latest.state == {"loss": 3 / 3, "none": None, "worst": float("inf")}
    assert set(latest.arrays) == set(ARRAYS)
    for name, array in latest.arrays.items():
        assert array.dtype == ARRAYS[name].dtype
        np.testing.assert_array_equal(array, ARRAYS[name])


def test_the_last_two_are_kept(checkpoints):
    save(checkpoints, 1, 2, 3)
    assert checkpoints.epochs() == [3, 2]
    checkpoints.keep(1)
    assert checkpoints.epochs() == [3]


def test_there_is_none_before_the_first(checkpoints):
    assert checkpoints.latest() is None
    assert checkpoints.epochs() == []


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_damage_anywhere_is_noticed_or_changes_nothing_and_the_one_before_is_taken(checkpoints, data):
    save(checkpoints, 1, 2)
    path = checkpoints._path(2)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans(), label="truncated"):
        content = content[: data.draw(st.integers(0, len(content) - 1), label="length")]
    else:
        content[data.draw(st.integers(0, len(content) - 1), label="place")] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    latest = checkpoints.latest()
    assert latest.epoch in (1, 2)
    assert latest.state["loss"] == latest.epoch / 3
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(latest.arrays[name], array)


def test_damage_to_the_list_of_parts_is_noticed(checkpoints):
    """A zip's own list has no checksum: a longer comment in it swallows the parts that come after."""
    save(checkpoints, 1, 2)
    path = checkpoints._path(2)
    content = path.read_bytes()
    for place in range(content.index(b"PK\x01\x02"), len(content)):
        for bits in (1, 128, 255):
            path.write_bytes(content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :])
            assert set(checkpoints.latest().arrays) == set(ARRAYS)


def test_checkpoint_from_before_names_were_noted_is_read(checkpoints):
    save(checkpoints, 1)
    state = np.frombuffer(b'{"loss": 0.5}', np.uint8)
    np.savez(checkpoints._path(2), state=state, **ARRAYS)
    latest = checkpoints.latest()
    assert (latest.epoch, latest.state) == (2, {"loss": 0.5})
    assert set(latest.arrays) == set(ARRAYS)


def test_a_pickled_object_is_not_loaded(checkpoints, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    save(checkpoints, 1)
    np.savez(checkpoints._path(2), state=np.frombuffer(b"{}", np.uint8), trap=np.array([Trap()], dtype=object))
    assert checkpoints.latest().epoch == 1
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a POSIX signal")
@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "numpy.lib.format.write_array"])
def test_a_writer_killed_inside_a_save_leaves_the_one_before_whole(checkpoints, tmp_path, call):
    save(checkpoints, 1)
    code = (
        "import os, signal, sys, numpy, numpy.lib.format; from pathlib import Path\n"
        "from emotion_core.runs import Checkpoint, Checkpoints\n"
        f"{call} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Checkpoints(Path(sys.argv[1])).save(Checkpoint(2, {'weights': numpy.zeros(9)}, {}))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "checkpoint")], cwd=PROJECT, check=False)
    assert killed.returncode == -9
    assert checkpoints.latest().epoch == 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_a_full_disk_leaves_the_last_two_whole_and_nothing_half_written(checkpoints, tmp_path):
    save(checkpoints, 1, 2)
    code = (
        "import resource, sys, numpy; from pathlib import Path\n"
        "from emotion_core.runs import Checkpoint, Checkpoints\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "Checkpoints(Path(sys.argv[1])).save(Checkpoint(3, {'weights': numpy.zeros(100_000)}, {}))"
    )
    full = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "checkpoint")],
        cwd=PROJECT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert "File too large" in full.stderr
    assert checkpoints.epochs() == [2, 1]
    assert sorted(os.listdir(tmp_path / "checkpoint")) == ["epoch-000001.npz", "epoch-000002.npz"]
