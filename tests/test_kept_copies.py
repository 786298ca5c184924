"""Data sets that the app keeps: their names, and how they come and go."""

import hashlib
import io
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import save_csv

from emotion_core import kept_copies, settings
from emotion_core.config import with_settings
from emotion_core.dataset import find_datasets, load_dataset
from emotion_core.errors import BadInput
from emotion_core.kept_copies import is_kept_copy, keep_copy, name_of_copy, remove_kept_copy
from emotion_core.presets import find_preset
from emotion_core.runs import Runs, State


@pytest.fixture
def content(runs_folder: Path, tmp_path: Path) -> bytes:
    return save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()


def test_only_what_the_app_put_there_is_a_copy_whatever_it_is_called(tmp_path, content):
    kept = keep_copy(content, "mine.csv.gz", tmp_path / "data")
    own = kept.with_name("mine-1a2b3c4d.csv")
    own.write_bytes(content)
    assert kept.name == f"mine-{hashlib.sha256(content).hexdigest()[:8]}.csv.gz"
    assert is_kept_copy(kept)
    assert not is_kept_copy(own)
    assert find_datasets(kept.parent) == [own, kept]


def test_a_copy_that_a_person_changed_or_replaced_is_theirs(tmp_path, content):
    kept = keep_copy(content, "mine.csv", tmp_path / "data")
    kept.write_bytes(content + content.splitlines(keepends=True)[1])
    assert not is_kept_copy(kept)
    with pytest.raises(BadInput, match="not added in the app"):
        remove_kept_copy(kept, Runs(tmp_path / "runs"))
    assert kept.exists()


def test_keeping_what_a_person_put_there_already_does_not_make_it_the_app_s(tmp_path, content):
    own = tmp_path / name_of_copy("mine.csv", hashlib.sha256(content).hexdigest())
    own.write_bytes(content)
    assert keep_copy(content, "mine.csv", tmp_path) == own
    assert not is_kept_copy(own)


@pytest.mark.parametrize("name", [f"{'x' * 251}.csv", f"{'é' * 123}.csv", f"a.{'b' * 249}.csv"])
def test_a_copy_of_a_file_with_the_longest_name_that_there_is_can_be_kept(tmp_path, content, name):
    kept = keep_copy(content, name, tmp_path / "data")
    assert is_kept_copy(kept)
    assert find_datasets(kept.parent) == [kept]


def test_the_same_content_is_kept_once_and_other_content_beside_it(tmp_path, content):
    folder = tmp_path / "data"
    first, again = keep_copy(content, "mine.csv", folder), keep_copy(content, "mine.csv", folder)
    other = keep_copy(content + content.splitlines(keepends=True)[1], "mine.csv", folder)
    assert first == again != other
    assert find_datasets(folder) == sorted([first, other])


def test_what_two_people_upload_at_once_is_written_by_one_and_known_as_a_copy(tmp_path, content, monkeypatch):
    waits, note = [0.1, 0.4], kept_copies.write_text

    def write_slowly(path: Path, text: str) -> None:
        note(path, text)
        time.sleep(waits.pop())  # whoever came first goes on last

    monkeypatch.setattr(kept_copies, "write_text", write_slowly)
    with ThreadPoolExecutor() as people:
        one, other = people.map(lambda folder: keep_copy(content, "mine.csv", folder), [tmp_path / "data"] * 2)
    assert one == other
    assert is_kept_copy(one)
    assert len(waits) == 1


def test_a_copy_is_not_lost_when_it_cannot_be_read_again(tmp_path, content, monkeypatch):
    kept = keep_copy(content, "mine.csv", tmp_path / "data")
    shutil.rmtree(settings.cache_folder())
    monkeypatch.setattr("emotion_core.readers.sources.available_memory", lambda: 1)
    with pytest.raises(BadInput):
        keep_copy(content, "mine.csv", tmp_path / "data")
    assert kept.read_bytes() == content


def test_a_zip_whose_names_are_not_what_it_says_is_refused_and_not_kept(tmp_path, runs_folder):
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("happy/caf\u00e9.png", b"picture")
    wrong = zipped.getvalue().replace("caf\u00e9".encode(), b"caf\xe9_")  # Latin-1 under the flag for UTF-8
    with pytest.raises(BadInput, match=r"faces\.zip is damaged"):
        keep_copy(wrong, "faces.zip", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_removed_copy_leaves_nothing_of_its_faces(tmp_path, content):
    kept = keep_copy(content, "mine.csv", tmp_path / "data")
    other = keep_copy(content + content.splitlines(keepends=True)[1], "mine.csv", tmp_path / "data")
    remove_kept_copy(kept, Runs(tmp_path / "runs"))
    assert not [path.name for path in (tmp_path / "data").iterdir() if kept.name in path.name]
    assert len(list(settings.cache_folder().glob("mine-*"))) == 1
    assert len(load_dataset(other)) == 27


def test_a_copy_that_is_gone_already_is_removed_without_a_complaint(tmp_path, content):
    kept = keep_copy(content, "mine.csv", tmp_path / "data")
    kept.unlink()
    remove_kept_copy(kept, Runs(tmp_path / "runs"))
    assert list(kept.parent.iterdir()) == []


def test_what_a_person_put_there_is_not_removed(tmp_path, content):
    own = tmp_path / "mine-1a2b3c4d.csv"
    own.write_bytes(content)
    with pytest.raises(BadInput, match="not added in the app"):
        remove_kept_copy(own, Runs(tmp_path / "runs"))
    assert own.exists()


def test_a_copy_from_which_a_run_will_learn_is_not_removed(tmp_path, content):
    kept, runs = keep_copy(content, "mine.csv", tmp_path / "data"), Runs(tmp_path / "runs")
    run = runs.create(with_settings(find_preset("sgd").config, {"data.source": str(kept)}))
    with pytest.raises(BadInput, match="Stop that run first"):
        remove_kept_copy(kept, runs)
    assert kept.exists()
    run.record(state=State.STOPPED)
    remove_kept_copy(kept, runs)
    assert not kept.exists()
