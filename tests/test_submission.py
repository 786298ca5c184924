"""Kaggle's files."""

import numpy as np
import pytest

from emotion_core.errors import BadInput
from emotion_core.submission import score_predictions, submission_csv, write_submission


def test_csv_has_the_competitions_header_a_row_per_image_and_no_index():
    assert submission_csv(["0", "1", "2"], np.array([3, 6, 0])) == "id,predicted class\n0,3\n1,6\n2,0\n"


@pytest.mark.parametrize("name", ["007", "a,b", 'say "hi"', "ä"])
def test_ids_come_back_exactly_as_they_went_in(name):
    import csv
    import io

    rows = list(csv.reader(io.StringIO(submission_csv([name], [1]))))
    assert rows[1] == [name, "1"]


@pytest.mark.parametrize(
    ("ids", "labels", "reason"),
    [(["0", "1"], [1], "shorter"), (["0"], [7], "Label 7 is none"), (["0"], [-1], "Label -1 is none")],
)
def test_impossible_predictions_are_refused(ids, labels, reason):
    with pytest.raises(ValueError, match=reason):
        submission_csv(ids, labels)


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
    with pytest.raises(BadInput, match=r"answer 1 of 2 .* id 'b'"):
        score_predictions(["a", "b"], np.eye(7, dtype=np.float32)[:2], ["a"], np.array([0]))
