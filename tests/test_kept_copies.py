"""Data sets that the app keeps: their names, and how they come and go."""

import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import pytest
from conftest import save_csv

from emotion_core import settings
from emotion_core.config import with_settings
from emotion_core.dataset import load_dataset
from emotion_core.errors import BadInput
from emotion_core.kept_copies import is_kept_copy, keep_copy, name_of_copy, remove_kept_copy
from emotion_core.presets import find_preset
from emotion_core.runs import Runs, State


@pytest.fixture
def content(runs_folder: Path, tmp_path: Path) -> bytes:
    return save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()


@pytest.mark.parametrize(
    ("name", "is_copy"),
    [
        ("mine-1a2b3c4d.csv.gz", True),
        ("my_emotion_train-cleaned-f56f6e63.csv", True),
        ("faces-20261128.csv", False),
        ("my_emotion_train.csv", False),
        ("1a2b3c4d.csv", False),
    ],
)
def test_a_copy_is_told_by_the_digest_in_its_name(name, is_copy):
    assert is_kept_copy(Path("data") / name) is is_copy


def test_a_folder_is_none_whatever_its_name(tmp_path):
    (tmp_path / "faces-1a2b3c4d").mkdir()
    assert not is_kept_copy(tmp_path / "faces-1a2b3c4d")


@pytest.mark.parametrize("digest", ["1a2b3c4d" * 8, "12345678" * 7 + "1234567f", "0123456789ab" * 5 + "0123"])
def test_the_name_of_a_copy_always_tells_that_it_is_one(digest):
    assert is_kept_copy(Path(name_of_copy("faces.csv.gz", digest)))


def test_every_real_digest_makes_such_a_name():
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(500)]
    assert all(is_kept_copy(Path(name_of_copy("faces.csv", digest))) for digest in digests)


def test_the_same_content_is_kept_once_and_other_content_beside_it(tmp_path, content):
    folder = tmp_path / "data"
    first, again = keep_copy(content, "mine.csv", folder), keep_copy(content, "mine.csv", folder)
    other = keep_copy(content + content.splitlines(keepends=True)[1], "mine.csv", folder)
    assert first == again != other
    assert sorted(folder.iterdir()) == sorted([first, other])


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
    assert list((tmp_path / "data").iterdir()) == [other]
    assert len(list(settings.cache_folder().glob("mine-*"))) == 1
    assert len(load_dataset(other)) == 27


def test_what_a_person_put_there_is_not_removed(tmp_path, content):
    with pytest.raises(BadInput, match="not added in the app"):
        remove_kept_copy(tmp_path / "mine.csv", Runs(tmp_path / "runs"))
    assert (tmp_path / "mine.csv").exists()


def test_a_copy_from_which_a_run_will_learn_is_not_removed(tmp_path, content):
    kept, runs = keep_copy(content, "mine.csv", tmp_path / "data"), Runs(tmp_path / "runs")
    run = runs.create(with_settings(find_preset("sgd").config, {"data.source": str(kept)}))
    with pytest.raises(BadInput, match="Stop that run first"):
        remove_kept_copy(kept, runs)
    assert kept.exists()
    run.record(state=State.STOPPED)
    remove_kept_copy(kept, runs)
    assert not kept.exists()
