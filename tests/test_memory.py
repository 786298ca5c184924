"""Memory to be had, in a container with a limit."""

from pathlib import Path

import psutil
import pytest

from emotion_core.readers import memory

GIGABYTE = 2**30


def container(folder: Path, limit: str, used: int, stat: str) -> None:
    for name, text in {"memory.max": limit, "memory.current": str(used), "memory.stat": stat}.items():
        (folder / name).write_text(f"{text}\n")


@pytest.fixture(autouse=True)
def control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("cached", "left"), [(0, 0), (GIGABYTE // 4, GIGABYTE // 4)])
def test_files_that_the_system_keeps_in_memory_count_as_room(control_group, cached, left):
    container(control_group, str(GIGABYTE), GIGABYTE, f"anon 1\nactive_file 7\ninactive_file {cached}\nslab 3")
    assert memory.available_memory() == min(left, psutil.virtual_memory().available)


@pytest.mark.parametrize("limit", ["max", ""])
def test_without_a_limit_the_machine_decides(control_group, limit):
    container(control_group, limit, GIGABYTE, "inactive_file 0")
    assert memory.available_memory() > GIGABYTE
