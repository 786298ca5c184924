"""Whether files have changed, and how often a folder of many is looked through."""

import threading
from pathlib import Path

import pytest

from ui import stamps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    (tmp_path / "faces" / "happy" / "1.png").write_bytes(b"one")
    return tmp_path / "faces"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that moves when it is told to, and by one second with each file that is looked at."""
    now, look_at = [0.0], stamps._of_file

    def look(status):
        now[0] += 1
        return look_at(status)

    monkeypatch.setattr("ui.stamps.time.monotonic", lambda: now[0])
    monkeypatch.setattr("ui.stamps._of_file", look)
    return now


def test_a_folder_rests_for_as_long_as_its_look_was(folder: Path, seconds: list[float]):
    before = stamps.stamp_of(str(folder))
    took = seconds[0]
    (folder / "happy" / "1.png").write_bytes(b"another")
    seconds[0] += stamps.REST * took - 1
    assert stamps.stamp_of(str(folder)) == before
    seconds[0] += 1
    assert stamps.stamp_of(str(folder)) != before


def test_sessions_share_a_look(folder: Path, seconds: list[float]):
    sessions = [threading.Thread(target=stamps.stamp_of, args=(str(folder),)) for _ in range(8)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    assert seconds[0] == len(list(folder.rglob("*")))


def test_a_folder_that_was_missing_is_looked_at_when_it_is_there(tmp_path: Path):
    assert stamps.stamp_of(str(tmp_path / "faces")) == 0
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    (tmp_path / "faces" / "happy" / "1.png").write_bytes(b"one")
    assert stamps.stamp_of(str(tmp_path / "faces")) != 0
