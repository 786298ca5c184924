"""Whether files have changed, and how often a folder of many is looked through."""

import threading
from pathlib import Path

import pytest

from emotion_core.readers import image_folder
from ui import stamps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    (tmp_path / "faces" / "happy" / "1.png").write_bytes(b"one")
    return tmp_path / "faces"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that moves when it is told to, and by one second with each look at a folder."""
    now, look_at = [0.0], image_folder.picture_states

    def look(folder: Path) -> list[tuple[str, int, int]]:
        now[0] += 1
        return look_at(folder)

    monkeypatch.setattr("ui.stamps.time.monotonic", lambda: now[0])
    monkeypatch.setattr(image_folder, "picture_states", look)
    return now


def test_a_folder_rests_for_as_long_as_its_look_was(folder: Path, seconds: list[float]):
    before = stamps.stamp_of(str(folder))
    (folder / "happy" / "1.png").write_bytes(b"another")
    seconds[0] += stamps.REST - 1
    assert stamps.stamp_of(str(folder)) == before
    seconds[0] += 1
    assert stamps.stamp_of(str(folder)) != before


def test_sessions_share_a_look(folder: Path, seconds: list[float]):
    sessions = [threading.Thread(target=stamps.stamp_of, args=(str(folder),)) for _ in range(8)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    assert seconds[0] == 1


def test_a_folder_that_was_missing_is_looked_at_when_it_is_there(tmp_path: Path):
    assert stamps.stamp_of(str(tmp_path / "faces")) == 0
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    (tmp_path / "faces" / "happy" / "1.png").write_bytes(b"one")
    assert stamps.stamp_of(str(tmp_path / "faces")) != 0


def test_a_picture_that_changes_its_emotion_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stamps, "REST", 0)
    (folder / "sad").mkdir()
    before = stamps.stamp_of(str(folder))
    (folder / "happy" / "1.png").rename(folder / "sad" / "1.png")
    assert stamps.stamp_of(str(folder)) != before
