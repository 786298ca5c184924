"""Kaggle's files."""

import csv
import io
import zipfile
from datetime import date
from pathlib import PureWindowsPath
from typing import get_args

import numpy as np
import pytest

from emotion_core.commands.parser import parse
from emotion_core.errors import BadInput
from emotion_core.readers.label_file import read_labels
from emotion_core.submission import (
    HEADERS,
    Header,
    Style,
    file_name,
    score_predictions,
    submission_csv,
    submissions_zip,
    write_submission,
)

DAY = date(2026, 11, 23)


def test_csv_has_the_competitions_header_a_row_per_image_and_no_index():
    assert submission_csv(["0", "1", "2"], np.array([3, 6, 0])) == "id,predicted class\n0,3\n1,6\n2,0\n"


@pytest.mark.parametrize("name", ["007", "a,b", 'say "hi"', "ä"])
def test_ids_come_back_exactly_as_they_went_in(name):
    rows = list(csv.reader(io.StringIO(submission_csv([name], [1]))))
    assert rows[1] == [name, "1"]


@pytest.mark.parametrize(
    ("ids", "labels", "reason"),
    [(["0", "1"], [1], "shorter"), (["0"], [7], "Label 7 is none"), (["0"], [-1], "Label -1 is none")],
)
def test_impossible_predictions_are_refused(ids, labels, reason):
    with pytest.raises(ValueError, match=reason):
        submission_csv(ids, labels)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (Style("kaggle", names=True), "id,predicted class\na,Happy\nb,Neutral\n"),
        (Style("emotion"), "id,emotion\na,3\nb,6\n"),
        (Style("emotion", names=True), "id,emotion\na,Happy\nb,Neutral\n"),
    ],
)
def test_header_and_names_are_written_as_the_style_says(style, text):
    assert submission_csv(["a", "b"], [3, 6], style) == text


@pytest.mark.parametrize("names", [False, True])
def test_file_under_the_emotion_header_can_be_read_as_labels(tmp_path, names):
    write_submission(tmp_path / "labels.csv", list("abcdefg"), range(7), Style("emotion", names))
    ids, labels = read_labels(tmp_path / "labels.csv")
    assert dict(zip(ids, labels, strict=True)) == dict(zip("abcdefg", range(7), strict=True))


def test_command_line_offers_every_header():
    for header in get_args(Header):
        options = parse(["predict", "latest", "faces.csv", "--output", "out.csv", "--header", header])
        assert options.header == header
    assert set(get_args(Header)) == set(HEADERS)
    with pytest.raises(BadInput, match="--header: invalid choice: 'mine'"):
        parse(["predict", "latest", "faces.csv", "--output", "out.csv", "--header", "mine"])


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("residual", "predictions_residual_2026-11-23.csv"),
        ("dense-5 · seed 42", "predictions_dense-5-seed-42_2026-11-23.csv"),
        ("CNN (seed 42)", "predictions_CNN-seed-42_2026-11-23.csv"),
        ("../../etc/passwd", "predictions_etc-passwd_2026-11-23.csv"),
        ('C:\\a"b<c>|?*\n', "predictions_C-a-b-c_2026-11-23.csv"),
        ("Größe 表情", "predictions_Größe-表情_2026-11-23.csv"),
        ("🙂", "predictions_run_2026-11-23.csv"),
    ],
)
def test_file_name_says_run_and_date_and_suits_every_system(title, name):
    assert file_name(title, DAY) == name
    assert not PureWindowsPath(name).parent.name


def test_file_name_of_a_long_title_stays_short():
    assert len(file_name("x" * 500, DAY)) < 100


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        return {name: file.read(name).decode() for name in file.namelist()}


def test_zip_holds_a_file_for_each_run_in_the_style_asked_for():
    content = submissions_zip(
        ["a", "b"], {"one": np.array([3, 6]), "two": np.array([0, 1])}, DAY, Style("emotion", names=True)
    )
    assert unzipped(content) == {
        "predictions_one_2026-11-23.csv": "id,emotion\na,Happy\nb,Neutral\n",
        "predictions_two_2026-11-23.csv": "id,emotion\na,Angry\nb,Disgust\n",
    }


def test_runs_whose_names_come_to_the_same_keep_a_file_each():
    titles = ["a b", "a-b", "A:B", "a-b-2", "x" * 70, "x" * 71]
    files = unzipped(submissions_zip(["0"], {title: np.array([place]) for place, title in enumerate(titles)}, DAY))
    assert [int(text.split(",")[-1]) for text in files.values()] == list(range(len(titles)))
    assert len({name.casefold() for name in files}) == len(titles)


def test_file_is_written_with_unix_line_ends_and_nothing_beside_it(tmp_path):
    path = tmp_path / "sub" / "mine.csv"
    write_submission(path, np.array(["10", "11"]), np.array([4, 5], np.uint8))
    assert path.read_bytes() == b"id,predicted class\n10,4\n11,5\n"
    assert list(path.parent.iterdir()) == [path]


def test_refused_predictions_leave_the_old_file(tmp_path):
    path = tmp_path / "mine.csv"
    write_submission(path, ["0"], [1])
    with pytest.raises(ValueError, match="Label 9"):
        write_submission(path, ["0"], [9])
    assert path.read_text() == "id,predicted class\n0,1\n"


def test_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="cannot be written"):
        write_submission(tmp_path / "file" / "mine.csv", ["0"], [1])


def test_score_matches_answers_by_id_whatever_their_order():
    probabilities = np.eye(7, dtype=np.float32)[[3, 6, 0, 0]]
    scores = score_predictions(
        ["a", "b", "c", "d"], probabilities, ["d", "c", "b", "a", "other"], np.array([1, 0, 6, 3, 2])
    )
    assert scores.images == 4
    assert scores.accuracy == 0.75
    assert scores.confusion[1][0] == 1


def test_missing_answer_is_named():
    with pytest.raises(BadInput, match=r"labels for 1 of 2 .* id 'b'"):
        score_predictions(["a", "b"], np.eye(7, dtype=np.float32)[:2], ["a"], np.array([0]))


def test_images_of_the_same_id_are_not_scored_by_one_answer():
    with pytest.raises(BadInput, match="2 predicted images have the id 'b'"):
        score_predictions(["a", "b", "b"], np.eye(7, dtype=np.float32)[:3], ["a", "b"], np.array([0, 1]))
