"""Writing files so that a crash leaves the old one or the new one."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emotion_core.files import insist, replacing, write_text

PROJECT = Path(__file__).parent.parent


def test_new_content_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "notes.txt"
    write_text(path, "old")
    write_text(path, "new\nlines, “ünïcödé”\n")
    assert path.read_bytes() == "new\nlines, “ünïcödé”\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_was_deleted_does_not_come_back(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "deleted" / "notes.txt", "news")
    assert not (tmp_path / "deleted").exists()


def test_a_failed_writer_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "notes.txt"
    write_text(path, "old")

    def fail_half_way() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of the ne")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_keeps_the_suffix_that_writers_choose_their_format_by(tmp_path):
    with replacing(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")


def test_a_name_may_be_as_long_as_the_system_takes(tmp_path):
    path = tmp_path / ("n" * 251 + ".txt")
    write_text(path, "news")
    assert path.read_text() == "news"


def test_a_folder_that_may_not_be_written_to_is_refused_at_once(tmp_path, monkeypatch):
    tried = []

    def refuse(self, *_, **__):
        tried.append(self)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(PermissionError):
        write_text(tmp_path / "notes.txt", "news")
    assert len(tried) == 1


def test_what_is_open_elsewhere_is_waited_for_on_windows(monkeypatch):
    answers = iter([PermissionError, PermissionError, None])

    def act():
        if (error := next(answers)) is not None:
            raise error
        return "done"

    monkeypatch.setattr("emotion_core.files.os.name", "nt")
    assert insist(act) == "done"
    monkeypatch.setattr("emotion_core.files.os.name", "posix")
    answers = iter([PermissionError])
    with pytest.raises(PermissionError):
        insist(act)


def test_a_writer_that_is_killed_half_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "notes.txt"
    write_text(path, "old")
    code = (
        "import os, sys; from pathlib import Path; from emotion_core.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half of the ne'); os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path)], cwd=PROJECT, check=False)
    assert killed.returncode == 9
    assert path.read_text() == "old"


def test_a_reader_sees_whole_documents_only(tmp_path):
    path = tmp_path / "document.json"
    write_text(path, json.dumps([0] * 10_000))
    stop = threading.Event()

    def rewrite() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            write_text(path, json.dumps([number] * 10_000))

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        seen = [json.loads(path.read_text()) for _ in range(100)]
    finally:
        stop.set()
        writer.join()
    assert all(len(document) == 10_000 and len(set(document)) == 1 for document in seen)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_files_get_the_usual_permissions_not_those_of_a_temporary_file(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "notes.txt", "")
    finally:
        os.umask(mask)
    assert (tmp_path / "notes.txt").stat().st_mode & 0o777 == 0o640
