"""A cleaned copy on the disk."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_faces import dataset, draw

from emotion_core.cleaned import cleaned_path, save_cleaned
from emotion_core.dataset import load_dataset
from emotion_core.errors import BadInput


def test_a_cleaned_file_is_in_the_format_of_the_coursework(tmp_path: Path):
    save_cleaned(dataset(draw(3), [4, 0, 2]), np.array([0, 2]), tmp_path / "clean.csv")
    header, *lines = (tmp_path / "clean.csv").read_bytes().decode().split("\n")
    assert header == "id,emotion,pixels"
    assert lines[1] == "face 2,2," + " ".join(map(str, draw(3)[2].ravel().tolist()))
    assert lines[2:] == [""]


@pytest.mark.parametrize(
    ("labels", "usage", "header"),
    [(None, None, ["id", "pixels"]), ([1, 2], ["Training", "PrivateTest"], ["id", "emotion", "pixels", "Usage"])],
)
def test_columns_follow_what_is_known(labels: list[int], usage: list[str], header: list[str], tmp_path: Path):
    save_cleaned(dataset(draw(2), labels, usage), np.array([1]), tmp_path / "clean.csv")
    with (tmp_path / "clean.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == header
    again = load_dataset(tmp_path / "clean.csv")
    assert (again.usage is None) is (usage is None)
    assert again.usage is None or again.usage.tolist() == ["PrivateTest"]


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path):
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "clean.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        save_cleaned(dataset(draw(2)), np.arange(2), path, stop)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_left_and_no_folder_are_told_in_a_sentence(tmp_path: Path):
    faces = dataset(draw(2))
    with pytest.raises(BadInput, match=r"Nothing of faces\.csv is left"):
        save_cleaned(faces, np.empty(0, np.int64), tmp_path / "clean.csv")
    with pytest.raises(BadInput, match="cannot be written"):
        save_cleaned(faces, np.arange(2), tmp_path / "missing" / "clean.csv")


def test_a_cleaned_file_reads_back_as_the_rows_that_were_kept(tmp_path: Path):
    faces, rows, told = dataset(draw(8), [0, 1, 2, 3, 4, 5, 6, 0]), np.array([0, 3, 4, 7]), []
    save_cleaned(faces, rows, tmp_path / "clean.csv", told.append)
    again = load_dataset(tmp_path / "clean.csv")
    np.testing.assert_array_equal(again.images, faces.images[rows])
    assert again.labels is not None
    assert again.labels.tolist() == [0, 3, 4, 0]
    assert again.ids.tolist() == ["face 0", "face 3", "face 4", "face 7"]
    assert told == [1]


def test_a_path_tells_which_faces_of_which_data_stay(tmp_path: Path):
    faces = replace(dataset(draw(3)), name="fer2013.csv.gz", fingerprint="abc")
    path = cleaned_path(faces, np.array([0, 2]), tmp_path)
    assert path.parent == tmp_path
    assert re.fullmatch(r"fer2013-cleaned-[0-9a-f]{8}\.csv", path.name)
    assert path == cleaned_path(faces, np.array([0, 2], np.int32), tmp_path)
    assert path != cleaned_path(faces, np.array([0, 1]), tmp_path)
    assert path != cleaned_path(replace(faces, fingerprint="abd"), np.array([0, 2]), tmp_path)


def test_a_data_set_with_the_longest_name_that_there_is_can_be_cleaned(tmp_path: Path):
    faces = replace(dataset(draw(3)), name=f"{'x' * 251}.csv")
    path = cleaned_path(faces, np.array([0, 2]), tmp_path)
    assert "-cleaned-" in path.name
    save_cleaned(faces, np.array([0, 2]), path)
    assert len(load_dataset(path)) == 2
