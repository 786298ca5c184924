import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from face_files import FACES, LABELS, PICTURES, USAGE, csv_text, gzipped, make_faces, pixel_text, with_field, zipped

from emotion_core.config import (
    Data,
    FirstRows,
    LinearModel,
    MisalignedSplit,
    RandomSplit,
    RunConfig,
    Split,
    Training,
    UsageSplit,
)
from emotion_core.dataset import (
    Dataset,
    class_weights,
    find_datasets,
    labels_of_run,
    load_dataset,
    read_labels,
    split_rows,
)
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import BadInput, EmotionError

PROJECT = Path(__file__).parent.parent
REAL_CSV = PROJECT / "data" / "my_emotion_train.csv"

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("EMOTION_CACHE", str(folder))
    return folder


def save(folder: Path, content: str | bytes, name: str = "faces.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def quoted(text: str) -> str:
    """The same CSV with every field in quotes."""
    return "".join(",".join(f'"{field}"' for field in line.split(",")) + "\n" for line in text.splitlines())


CSV_FORMS = {
    "coursework": csv_text().encode(),
    "kaggle fer2013.csv": csv_text("emotion,pixels,Usage").encode(),
    "icml_face_data.csv": csv_text("emotion, Usage, pixels").encode(),
    "any case and order": csv_text("PIXELS,Emotion,ID").encode(),
    "unlabelled": csv_text("id,pixels").encode(),
    "pixels alone": csv_text("pixels").encode(),
    "Windows line ends": csv_text().replace("\n", "\r\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + csv_text().encode(),
    "quoted fields": quoted(csv_text()).encode(),
    "quoted with byte order mark": b"\xef\xbb\xbf" + quoted(csv_text()).encode(),
    "no line end at the end": csv_text().rstrip("\n").encode(),
    "blank lines": csv_text().replace("\n", "\n\n").encode() + b" \r\n",
    "double spaces": csv_text().replace(" ", "  ").encode(),
    "tabs between pixels": csv_text().replace(" ", "\t").encode(),
    "spaces around fields": csv_text("emotion,pixels,Usage").replace(",", " , ").encode(),
    "gzip": gzipped(csv_text().encode()),
    "gzip in two parts": gzipped(csv_text().encode()[:9_000]) + gzipped(csv_text().encode()[9_000:]),
    "zip": zipped({"inner/faces.csv": csv_text().encode(), "__MACOSX/._faces.csv": b"x", "notes.txt": b"x"}),
    "emotions by name": csv_text(labels=["Happy", "angry", "NEUTRAL", "disgust"]).encode(),
    "emotions as pandas writes numbers beside gaps": csv_text(labels=[f"{label}.0" for label in LABELS]).encode(),
}

WITH_USAGE = {"kaggle fer2013.csv", "icml_face_data.csv", "spaces around fields"}
WITHOUT_IDS = WITH_USAGE | {"pixels alone"}


@pytest.mark.parametrize("form", CSV_FORMS)
def test_every_form_of_csv_gives_the_same_faces(tmp_path, form):
    dataset = load_dataset(save(tmp_path, CSV_FORMS[form]))
    np.testing.assert_array_equal(dataset.images, FACES)
    assert dataset.images.dtype == np.uint8
    if form in ("unlabelled", "pixels alone"):
        assert dataset.labels is None
    else:
        np.testing.assert_array_equal(dataset.labels, LABELS)
    assert dataset.ids.tolist() == (["0", "1", "2", "3"] if form in WITHOUT_IDS else ["a0", "a1", "a2", "a3"])
    assert (None if dataset.usage is None else tuple(dataset.usage)) == (USAGE if form in WITH_USAGE else None)


def test_ids_stay_exactly_as_in_the_file(tmp_path):
    text = csv_text().replace("a0,", "007,").replace("a1,", " 1.0,").replace("a2,", "é/x.png,")
    assert load_dataset(save(tmp_path, text)).ids.tolist() == ["007", " 1.0", "é/x.png", "a3"]


@pytest.mark.parametrize("kind", ["folder", "folder of folders", "zip", "zip of folders"])
def test_pictures_in_folders_named_after_emotions(tmp_path, kind):
    above = "archive/" if "folders" in kind else ""
    members = {above + name: content for name, content in PICTURES.items()}
    if kind.startswith("zip"):
        source = save(tmp_path, zipped({**members, "__MACOSX/happy/._x.png": b"x", "read.me": b""}), "faces.zip")
    else:
        source = tmp_path / "faces"
        save_tree(source, {**members, "happy/.hidden.png": b"x", "notes.txt": b""})
    dataset = load_dataset(source)
    found = {
        name: (image, label) for name, image, label in zip(dataset.ids, dataset.images, dataset.labels, strict=True)
    }
    assert set(found) == set(members)
    for name, face, label in zip(members, FACES, LABELS, strict=True):
        np.testing.assert_array_equal(found[name][0], face)
        assert found[name][1] == label


def test_rows_of_pictures_are_mixed_so_that_the_first_ones_hold_every_emotion(tmp_path):
    source = tmp_path / "faces"
    content = PICTURES["happy/face0.png"]
    save_tree(source, {f"{name}/{number}.png": content for name in EMOTIONS for number in range(30)})
    dataset = load_dataset(source)
    assert len(np.unique(dataset.labels[:42])) == len(EMOTIONS)


FOLDERS_BY_USAGE = [
    ("train", "Train", "validation", "test"),
    ("Training", "Training", "PublicTest", "PrivateTest"),
    ("train", "training", "dev", "public_test/Private Test"),
]


@pytest.mark.parametrize("parts", FOLDERS_BY_USAGE)
def test_train_and_test_folders_become_usage(tmp_path, parts):
    members = {f"{part}/{name}": PICTURES[name] for part, name in zip(parts, PICTURES, strict=True)}
    save_tree(tmp_path / "fer", members)
    dataset = load_dataset(tmp_path / "fer")
    usage = dict(zip(dataset.ids.tolist(), dataset.usage.tolist(), strict=True))
    assert [usage[name] for name in members] == ["Training", "Training", "PublicTest", "PrivateTest"]


def test_a_picture_outside_the_folders_for_training_and_test_is_not_taken_for_either(tmp_path):
    save_tree(tmp_path / "fer", {f"{part}happy/1.png": PICTURES["happy/face0.png"] for part in ("train/", "test/", "")})
    with pytest.raises(BadInput, match=r"fer: happy/1\.png is not in a folder named train, validation or test"):
        load_dataset(tmp_path / "fer")


@pytest.mark.parametrize(
    ("words", "usage"),
    [("train,Test,valid,Private Test", "Training,PrivateTest,PublicTest,PrivateTest"), ("a,a,b,b", "a,a,b,b")],
)
def test_other_words_of_a_usage_column_are_understood_where_they_can_be(tmp_path, words, usage):
    lines = csv_text("emotion,pixels").splitlines()
    rows = [f"{line},{word}" for line, word in zip(lines, ["Usage", *words.split(",")], strict=True)]
    dataset = load_dataset(save(tmp_path, "\n".join(rows)))
    assert dataset.usage.tolist() == usage.split(",")


def test_the_fingerprint_tells_files_apart_by_their_usage_too(tmp_path):
    with_usage = load_dataset(save(tmp_path, csv_text("emotion,pixels,Usage"), "one.csv"))
    otherwise = load_dataset(save(tmp_path, csv_text("emotion,pixels,Usage").replace("Public", "Private"), "other.csv"))
    without = load_dataset(save(tmp_path, csv_text("emotion,pixels"), "third.csv"))
    assert len({with_usage.fingerprint, otherwise.fingerprint, without.fingerprint}) == 3


@pytest.mark.parametrize("more", [{}, {"labels.csv": b"name,emotion\n"}])
def test_a_zip_of_pictures_may_be_packed_by_windows_and_hold_a_csv(tmp_path, more):
    names = {f"faces\\{name}".replace("/", "\\"): content for name, content in PICTURES.items()}
    dataset = load_dataset(save(tmp_path, zipped(names | more), "faces.zip"))
    assert sorted(dataset.ids) == sorted(f"faces/{name}" for name in PICTURES)
    assert np.bincount(dataset.labels).tolist() == np.bincount(LABELS).tolist()


@pytest.mark.parametrize(
    ("table", "is_of_pictures"), [(csv_text(), False), ("name,emotion\n", True)], ids=["CSV of faces", "CSV of names"]
)
def test_numbered_folders_of_a_zip_are_emotions_unless_a_csv_beside_them_holds_the_faces(
    tmp_path, table, is_of_pictures
):
    members = {"3/a.png": PICTURES["happy/face0.png"], "table.csv": table.encode()}
    dataset = load_dataset(save(tmp_path, zipped(members), "faces.zip"))
    assert len(dataset) == (1 if is_of_pictures else len(FACES))


def save_tree(root: Path, members: dict[str, bytes]) -> None:
    for name, content in members.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


MISSING = "\n".join([*csv_text().splitlines(), "a4,2,", "a5,,", "a6,4,NaN", "a7", f"a8,5,{pixel_text(FACES[0])}", ""])


def test_rows_without_pixels_are_refused_with_the_first_and_their_number(tmp_path):
    path = save(tmp_path, MISSING)
    with pytest.raises(BadInput) as refusal:
        load_dataset(path)
    assert str(refusal.value).startswith("faces.csv: line 6 has no pixels; 4 rows of 9 like it.")
    assert "--drop-incomplete" in str(refusal.value)


def test_rows_without_pixels_are_left_out_and_told_of_if_the_person_agrees(tmp_path):
    dataset = load_dataset(save(tmp_path, MISSING), drop_incomplete=True)
    assert dataset.ids.tolist() == ["a0", "a1", "a2", "a3", "a8"]
    assert dataset.labels.tolist() == [*LABELS.tolist(), 5]
    assert [problem.row for problem in dataset.problems] == [6, 7, 8, 9]
    assert dataset.summary()["problems"][0] == {"row": 6, "message": "has no pixels"}


def test_row_numbers_that_stand_in_for_ids_count_rows_left_out(tmp_path):
    text = f'pixels\n{pixel_text(FACES[0])}\n""\n{pixel_text(FACES[1])}\n'
    assert load_dataset(save(tmp_path, text), drop_incomplete=True).ids.tolist() == ["0", "2"]


def test_agreeing_first_does_not_agree_for_the_next_reader(tmp_path):
    path = save(tmp_path, MISSING)
    load_dataset(path, drop_incomplete=True)
    with pytest.raises(BadInput, match="line 6 has no pixels"):
        load_dataset(path)


SHORT, LONG = pixel_text(FACES[0].ravel()[:2303]), pixel_text(FACES[0]) + " 7"


def spoiled(value: str, place: int = 16) -> str:
    """The pixels of a face with one number, counted from 0, replaced."""
    numbers = pixel_text(FACES[0]).split()
    numbers[place] = value
    return " ".join(numbers)


REFUSED = {
    "too few pixels": (with_field(3, 2, SHORT), "line 3 has 2,303 pixels; expected 2,304 (48 x 48)"),
    "too many pixels": (with_field(3, 2, LONG), "line 3 has 2,305 pixels; expected 2,304"),
    "one row short, the next long": (
        with_field(3, 2, SHORT).replace(pixel_text(FACES[2]), LONG),
        "line 3 has 2,303 pixels",
    ),
    "above 255": (with_field(5, 2, spoiled("256")), "line 5 has '256' as pixel 17; expected a whole number from 0 to"),
    "far above 255": (with_field(2, 2, spoiled("999")), "line 2 has '999' as pixel 17"),
    "four digits": (with_field(2, 2, spoiled("1000")), "line 2 has '1000' as pixel 17"),
    "last pixel": (with_field(2, 2, spoiled("300", 2303)), "line 2 has '300' as pixel 2,304"),
    "first pixel": (with_field(2, 2, spoiled("300", 0)), "line 2 has '300' as pixel 1;"),
    "negative": (with_field(4, 2, spoiled("-1")), "line 4 has '-1' as pixel 17"),
    "fraction": (with_field(4, 2, spoiled("0.5")), "line 4 has '0.5' as pixel 17"),
    "words": (with_field(4, 2, spoiled("abc")), "line 4 has 'abc' as pixel 17"),
    "not pixels at all": (with_field(2, 2, "photo.png"), "line 2 has 1 pixels; expected 2,304"),
    "pixels with commas between": (
        csv_text().replace(pixel_text(FACES[0]), '"' + pixel_text(FACES[0]).replace(" ", ",") + '"'),
        "line 2 has 1 pixels; expected 2,304 (48 x 48), with spaces between.",
    ),
    "label above the classes": (with_field(2, 1, "7"), "line 2 has the emotion '7'; expected 0 to 6 or one of Angry,"),
    "label below the classes": (with_field(2, 1, "-1"), "line 2 has the emotion '-1'"),
    "label between the classes": (with_field(2, 1, "3.5"), "line 2 has the emotion '3.5'"),
    "label with a point and no digits": (with_field(2, 1, "happy.0"), "line 2 has the emotion 'happy.0'"),
    "label unknown": (with_field(4, 1, "bored"), "line 4 has the emotion 'bored'"),
    "label missing": (with_field(4, 1, ""), "line 4 has the emotion ''"),
    "row too long": (with_field(4, 1, "3,3"), "line 4 has 4 fields; expected 3, as in the header"),
    "no pixels column": ("id,emotion\n0,3\n", "line 1 has no column 'pixels'; it has 'id', 'emotion'"),
    "no header": (csv_text().partition("\n")[2], "line 1 has no column 'pixels'; it has 'a0', '3', '"),
    "semicolons": (csv_text().replace(",", ";"), "it has 'id;emotion;pixels'. Save it with commas between the columns"),
    "column twice": ("pixels,id,ID\n1,2,3\n", "line 1 has the column 'id' twice"),
    "empty": ("", "faces.csv is empty"),
    "white space": ("\n\n", "line 1 is empty"),
    "header only": ("id,emotion,pixels\n", "has no rows under its header"),
    "no row has pixels": ("id,pixels\n0,\n1,\n", "none of the 2 rows has pixels"),
    "broken quotes": (
        csv_text() + 'a4,3,"1 2 3\n',
        "line 6 cannot be read as a line of a CSV: a quoted field does not end on it.",
    ),
    "pixels on several lines": (
        csv_text().replace(pixel_text(FACES[0]), '"' + pixel_text(FACES[0]).replace(" ", "\n", 1) + '"'),
        "line 2 cannot be read as a line of a CSV: a quoted field does not end on it.",
    ),
    "binary": (bytes(range(256)) * 40, "is not a text file"),
    "binary with lines": (b"\x89PNG\r\n\x1a\n\0\0\0", "is not a text file"),
    "UTF-16": (csv_text().encode("utf-16"), "is not a text file; expected a CSV in UTF-8"),
    "id not UTF-8": (csv_text().encode().replace(b"a2,", b"\xff,"), "line 4 has bytes in 'id' that are not UTF-8"),
    "endless id": (
        csv_text().replace("a2,", "a" * 5000 + ","),
        "line 4 has 5,000 bytes in 'id'; expected at most 4,096",
    ),
    "endless line": ("pixels\n" + "1 " * 600_000, "line 2 is over 1,048,576 bytes long"),
    "gzip cut off": (gzipped(csv_text().encode())[:-300], "is damaged or cut off"),
    "gzip damaged": (gzipped(csv_text().encode())[:100] + b"\xff" * 200, "is damaged or cut off"),
    "zip cut off": (zipped({"a.csv": csv_text().encode()})[:-300], "is damaged or cut off"),
    "zip of two CSVs": (zipped({"a.csv": b"x", "b.csv": b"y"}), "holds 2 CSVs (a.csv, b.csv); expected one"),
    "zip of nothing useful": (zipped({"read.me": b"x"}), "holds neither a CSV nor pictures"),
    "zip of a zip": (
        zipped({"week 3/data.ZIP": b"x", "read.me": b"x"}),
        "holds neither a CSV nor pictures but week 3/data.ZIP; unpack faces.csv first.",
    ),
    "zip of pictures in no class": (
        zipped({"cats/1.png": PICTURES["happy/face0.png"]}),
        "cats/1.png is not in a folder named after an emotion: Angry, Disgust, Fear, Happy",
    ),
    "zip of what is no picture": (zipped({"happy/1.png": b"x"}), "happy/1.png is not a picture"),
    "tar in gzip": (
        gzipped(b"fer2013/\0\0\0" + b"\0" * 500),
        "is not a text file; expected a CSV in UTF-8. If it is an archive, unpack it first.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused_with_file_line_and_cause(tmp_path, cache, case):
    content, cause = REFUSED[case]
    path = save(tmp_path, content)
    with pytest.raises(BadInput) as refusal:
        load_dataset(path, drop_incomplete=True)
    assert "faces.csv" in str(refusal.value)
    assert cause in str(refusal.value)
    assert not [found for found in (cache.iterdir() if cache.exists() else ()) if found.is_dir()]


def test_lines_are_counted_over_the_whole_file(tmp_path):
    """The fault is in the last of many pieces."""
    faces = make_faces(90)
    lines = csv_text(faces=faces).splitlines()
    lines[88] = "x,3," + spoiled("256")
    with pytest.raises(BadInput, match="line 89 has '256' as pixel 17"):
        load_dataset(save(tmp_path, "\n".join(lines)))


def test_many_pieces_give_every_face_in_order(tmp_path):
    faces = make_faces(150)
    dataset = load_dataset(save(tmp_path, csv_text(faces=faces)))
    np.testing.assert_array_equal(dataset.images, faces)
    assert dataset.ids.tolist() == [f"a{number}" for number in range(150)]


def test_a_locked_zip_is_refused(tmp_path):
    content = bytearray(zipped({"a.csv": b"pixels\n"}))
    content[6] |= 1  # the flag of encryption, in the member's own header and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadInput, match="protected by a password"):
        load_dataset(save(tmp_path, bytes(content), "faces.zip"))


@pytest.mark.parametrize("source", ["nowhere.csv", "no/where", "x" * 5_000, "\0", "~nobody-of-that-name/x.csv"])
def test_a_path_to_nothing_is_refused(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput):
        load_dataset(source)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_what_is_neither_file_nor_folder_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadInput, match="neither a file nor a folder"):
        load_dataset(tmp_path / "pipe.csv")


def test_a_file_that_may_not_be_read_is_named_and_not_the_cache(tmp_path, cache, monkeypatch):
    path, opened = save(tmp_path, csv_text()), Path.open

    def refuse(self, *arguments, **options):
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadInput, match=r"faces\.csv cannot be read: Permission denied\."):
        load_dataset(path)


@pytest.mark.skipif(os.name == "nt", reason="on Windows only administrators make links")
def test_a_picture_that_is_a_link_to_nothing_is_refused_by_name(tmp_path):
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    (tmp_path / "faces" / "happy" / "1.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(BadInput, match=r"1\.png cannot be read"):
        load_dataset(tmp_path / "faces")


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "faces").mkdir()
    with pytest.raises(BadInput, match="holds neither a CSV nor pictures"):
        load_dataset(tmp_path / "faces")


# --- size ---------------------------------------------------------------------------------------------------------


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(1_001 * 2**20)  # a sparse file: no disk is used
    with pytest.raises(BadInput, match=r"huge\.csv is 1,001 MB; at most 1,000 MB can be read"):
        load_dataset(path)


@pytest.mark.parametrize("kind", ["plain", "zip"])
def test_a_file_that_memory_cannot_hold_is_refused_before_it_is_read(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("emotion_core.readers.sources.available_memory", lambda: 15_000)
    content = csv_text().encode() if kind == "plain" else zipped({"a.csv": csv_text().encode()})
    with pytest.raises(BadInput, match="of memory; this machine has 0 MB left"):
        load_dataset(save(tmp_path, content))


def test_a_gzip_is_read_only_to_the_limit_whatever_size_it_states(tmp_path, monkeypatch):
    monkeypatch.setattr("emotion_core.readers.sources.available_memory", lambda: 15_000)
    content = gzipped(csv_text(faces=np.zeros((120, 48, 48), np.uint8)).encode())[:-4] + (100).to_bytes(4, "little")
    assert len(content) < 10_000
    with pytest.raises(BadInput, match="unpacks to more than"):
        load_dataset(save(tmp_path, content))


# --- splits, weights, summaries -----------------------------------------------------------------------------------


def make_dataset(count: int, usage: list[str] | None = None, labels: np.ndarray | None = None) -> Dataset:
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=np.zeros((count, 48, 48), np.uint8),
        labels=np.zeros(count, np.uint8) if labels is None else labels,
        ids=np.array([str(number) for number in range(count)]),
        usage=None if usage is None else np.array(usage),
        problems=(),
        fingerprint="",
    )


@pytest.mark.parametrize(
    ("rows", "count", "validation"), [(28_709, 2_900, 2_900), (3_500, 2_900, 700), (100, 7, 7), (5, 2_900, 1)]
)
def test_first_rows_validate_up_to_a_share(rows, count, validation):
    split = split_rows(make_dataset(rows), FirstRows(count=count), seed=1)
    np.testing.assert_array_equal(split.validation, np.arange(validation))
    np.testing.assert_array_equal(split.training, np.arange(validation, rows))
    assert split.training.dtype == split.validation.dtype == np.int64


def test_first_rows_are_taken_from_training_rows_where_the_file_says_which():
    dataset = make_dataset(12, ["PrivateTest", "Training", "PublicTest"] * 4)
    split = split_rows(dataset, FirstRows(count=2, largest_share=0.5), seed=1)
    assert split.validation.tolist() == [1, 4]
    assert split.training.tolist() == [7, 10]


def test_random_split_shares_out_every_row_once_and_follows_the_seed():
    dataset = make_dataset(50)
    split = split_rows(dataset, RandomSplit(share=0.2), seed=7)
    assert len(split.validation) == 10
    assert sorted([*split.training, *split.validation]) == list(range(50))
    np.testing.assert_array_equal(split.validation, split_rows(dataset, RandomSplit(share=0.2), seed=7).validation)
    assert split.validation.tolist() != split_rows(dataset, RandomSplit(share=0.2), seed=8).validation.tolist()
    assert split.validation.tolist() != list(range(10))


def test_usage_split_follows_the_file():
    split = split_rows(make_dataset(4, ["PublicTest", "Training", "PrivateTest", "Training"]), UsageSplit(), seed=1)
    assert (split.training.tolist(), split.validation.tolist()) == ([1, 3], [0])


@pytest.mark.parametrize(
    ("dataset", "split", "cause"),
    [
        (make_dataset(4), FirstRows(), "faces would train and 0 validate"),
        (make_dataset(2), RandomSplit(share=0.1), "faces would train and 0 validate"),
        (make_dataset(2), RandomSplit(share=0.9), "0 of its faces would train and 2 validate"),
        (make_dataset(4), UsageSplit(), "no Usage column"),
        (make_dataset(4, ["Training"] * 4), UsageSplit(), "faces would train and 0 validate"),
        (
            make_dataset(4, ["PrivateTest"] * 4),
            FirstRows(),
            "no face is marked Training, so there is none to learn from; found: PrivateTest.",
        ),
        (make_dataset(4, ["", "", "foo", "x"]), FirstRows(), "found: foo, nothing, x."),
    ],
)
def test_a_split_that_leaves_a_part_empty_is_refused(dataset, split, cause):
    with pytest.raises(BadInput, match=cause):
        split_rows(dataset, split, seed=1)


def in_turn(count: int) -> np.ndarray:
    return (np.arange(count) % 7).astype(np.uint8)


def run_with(split: Split, seed: int = 1) -> RunConfig:
    return RunConfig(data=Data(split=split), model=LinearModel(), training=Training(seed=seed))


@pytest.mark.parametrize("split", [FirstRows(), RandomSplit(), UsageSplit()])
def test_every_face_keeps_its_own_label(split):
    dataset = make_dataset(50, labels=in_turn(50))
    np.testing.assert_array_equal(labels_of_run(dataset, run_with(split)), dataset.labels)


def test_the_misaligned_split_repeats_the_notebook_s_mistake():
    """Rows are shared out as at random, but a face gets a label that has nothing to do with it."""
    dataset = make_dataset(7_000, labels=in_turn(7_000))
    labels = labels_of_run(dataset, run_with(MisalignedSplit()))
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(dataset.labels))
    assert (labels == dataset.labels).mean() == pytest.approx(1 / 7, abs=0.02)
    assert (labels_of_run(dataset, run_with(MisalignedSplit(), seed=2)) != labels).any()
    np.testing.assert_array_equal(labels_of_run(dataset, run_with(MisalignedSplit())), labels)
    rows, aligned = split_rows(dataset, MisalignedSplit(), seed=1), split_rows(dataset, RandomSplit(), seed=1)
    np.testing.assert_array_equal(rows.validation, aligned.validation)


def test_labels_of_rows_that_take_no_part_stay_as_they_are():
    dataset = make_dataset(30, usage=["Training"] * 20 + ["PublicTest"] * 10, labels=in_turn(30))
    labels = labels_of_run(dataset, run_with(MisalignedSplit()))
    np.testing.assert_array_equal(labels[20:], dataset.labels[20:])
    assert (labels[:20] != dataset.labels[:20]).any()


def test_class_weights_of_the_coursework():
    labels = np.repeat(np.arange(7, dtype=np.uint8), [3995, 436, 4097, 7215, 4830, 3171, 4965])
    balanced = class_weights(labels, "balanced")
    np.testing.assert_allclose(balanced, [1.0266, 9.4066, 1.0010, 0.5684, 0.8491, 1.2934, 0.8260], atol=5e-5)
    np.testing.assert_allclose(class_weights(labels, "square_root") ** 2, balanced)
    np.testing.assert_array_equal(class_weights(labels, "none"), np.ones(7))


def test_an_absent_class_weighs_nothing():
    weights = class_weights(np.array([0, 0, 1, 2], np.uint8), "balanced")
    np.testing.assert_allclose(weights, [2 / 7, 4 / 7, 4 / 7, 0, 0, 0, 0])


def test_a_summary_tells_what_is_in_the_file(tmp_path):
    summary = load_dataset(save(tmp_path, csv_text("emotion,pixels,Usage"))).summary()
    assert summary["images"] == 4
    assert summary["labelled"] is True
    assert summary["counts"] == {
        "Angry": 1, "Disgust": 1, "Fear": 0, "Happy": 1, "Sad": 0, "Surprise": 0, "Neutral": 1
    }  # fmt: skip
    assert summary["imbalance_ratio"] is None
    assert summary["usage"] == {"Training": 2, "PublicTest": 1, "PrivateTest": 1}
    assert summary["problems"] == []


def test_imbalance_is_the_commonest_over_the_rarest():
    labels = np.repeat(np.arange(7, dtype=np.uint8), [4, 2, 4, 9, 4, 4, 4])
    assert make_dataset(31, labels=labels).imbalance_ratio() == 4.5


def test_equal_content_has_an_equal_fingerprint_and_other_content_another(tmp_path):
    first = load_dataset(save(tmp_path, csv_text(), "a.csv"))
    same = load_dataset(save(tmp_path, gzipped(csv_text().encode()), "b.csv.gz"))
    other_label = load_dataset(save(tmp_path, with_field(2, 1, "4"), "c.csv"))
    assert first.fingerprint == same.fingerprint != other_label.fingerprint


def test_a_class_that_lies_behind_a_link_is_read_once(tmp_path):
    save_tree(tmp_path / "faces", PICTURES)
    (tmp_path / "faces" / "happy").rename(tmp_path / "elsewhere")
    (tmp_path / "faces" / "happy").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "faces")
    assert sorted(load_dataset(tmp_path / "faces").ids) == sorted(PICTURES)


def test_a_jpeg_as_windows_saves_it_from_the_web_is_read(tmp_path):
    save_tree(tmp_path / "faces", {"happy/a.jfif": PICTURES["happy/face0.png"], "sad/b.JFIF": PICTURES["6/face2.png"]})
    assert sorted(load_dataset(tmp_path / "faces").ids) == ["happy/a.jfif", "sad/b.JFIF"]


def test_pictures_of_other_kinds_are_not_left_out_in_silence(tmp_path):
    pictures = {**PICTURES, "happy/scan.TIFF": b"II*"}
    save_tree(tmp_path / "faces", pictures)
    for source in (tmp_path / "faces", save(tmp_path, zipped(pictures), "faces.zip")):
        with pytest.raises(BadInput, match=r"happy/scan\.TIFF is of a kind that cannot be read; expected JPEG"):
            load_dataset(source)


def test_what_a_system_leaves_in_a_folder_of_pictures_does_no_harm(tmp_path):
    save_tree(tmp_path / "faces", {**PICTURES, "disgust/Thumbs.db": b"x", "scan.tiff": b"II*"})
    assert len(load_dataset(tmp_path / "faces")) == len(PICTURES)


def test_a_class_that_one_may_not_look_into_is_named(tmp_path, monkeypatch):
    save_tree(tmp_path / "faces", PICTURES)
    look = os.scandir

    def refuse(path):
        if str(path).endswith("happy"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadInput, match="happy cannot be looked into: Permission denied"):
        load_dataset(tmp_path / "faces")


def test_for_a_folder_of_tables_they_are_named(tmp_path):
    for name in ("b.csv", "a.csv.gz", "notes.txt"):
        save(tmp_path, csv_text(), name)
    with pytest.raises(BadInput, match=r"is a folder; name one of its files instead: a\.csv\.gz, b\.csv\."):
        load_dataset(tmp_path)


def test_candidates_are_found_by_name_and_header(tmp_path):
    for name in ("b.csv.gz", "c.zip", ".hidden.csv", "notes.txt"):
        save(tmp_path, b"", name)
    save(tmp_path, csv_text(), "a.csv")
    save(tmp_path, "id,emotion\n0,3\n", "answers.csv")
    save_tree(tmp_path / "photos", PICTURES)
    (tmp_path / "other").mkdir()
    assert [path.name for path in find_datasets(tmp_path)] == ["a.csv", "b.csv.gz", "c.zip", "photos"]
    assert find_datasets(tmp_path / "nowhere") == []


def test_nothing_is_offered_of_a_folder_that_can_be_listed_but_not_entered(tmp_path, monkeypatch):
    def refuse(path: Path) -> bool:
        if path.parent == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        return True

    (tmp_path / "faces.zip").touch()
    monkeypatch.setattr(Path, "is_dir", refuse)
    assert find_datasets(tmp_path) == []


def test_no_picture_is_looked_at_to_find_a_folder_of_them(tmp_path, monkeypatch):
    save_tree(tmp_path / "direct", PICTURES)
    save_tree(tmp_path / "deeper" / "train", PICTURES)
    opened, look_into = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda place: opened.append(Path(place).name) or look_into(place))
    assert [path.name for path in find_datasets(tmp_path)] == ["deeper", "direct"]
    assert not {"happy", "angry"} & set(opened)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_text_is_refused_and_a_picture_s_gets_one(tmp_path, cache):
    with pytest.raises(BadInput, match="is not UTF-8 text"):
        load_dataset(save(tmp_path, csv_text(), os.fsdecode(b"caf\xe9.csv")))
    (tmp_path / "photos" / "happy").mkdir(parents=True)
    for name in (b"a\xe9.png", b"b.png"):
        (tmp_path / "photos" / "happy" / os.fsdecode(name)).write_bytes(PICTURES["happy/face0.png"])
    assert sorted(load_dataset(tmp_path / "photos").ids) == ["happy/a?.png", "happy/b.png"]


def test_a_picture_of_another_kind_that_is_added_later_is_not_lost_in_silence(tmp_path, cache):
    (tmp_path / "photos" / "happy").mkdir(parents=True)
    (tmp_path / "photos" / "happy" / "a.png").write_bytes(PICTURES["happy/face0.png"])
    assert len(load_dataset(tmp_path / "photos")) == 1
    (tmp_path / "photos" / "happy" / "b.gif").write_bytes(b"GIF89a")
    with pytest.raises(BadInput, match=r"b\.gif is of a kind that cannot be read"):
        load_dataset(tmp_path / "photos")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_candidate_whose_name_is_no_text_is_left_out(tmp_path):
    save(tmp_path, csv_text(), os.fsdecode(b"caf\xe9.csv"))
    save(tmp_path, csv_text(), "caf\u00e9.csv")
    assert [path.name for path in find_datasets(tmp_path)] == ["caf\u00e9.csv"]


# --- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"id,emotion\na,3\nb,0\n",
        b"\xef\xbb\xbfEmotion, ID\r\n3,a\r\n0,b\r\n\r\n",
        b'"id","emotion"\n"a","Happy"\n"b","angry"',
        gzipped(b"id,emotion\na,3\nb,0\n"),
    ],
)
def test_answers_are_read_in_every_form(tmp_path, content):
    answers = read_labels(save(tmp_path, content, "answers.csv"))
    assert answers.ids.tolist() == ["a", "b"]
    assert answers.labels.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("id,pixels\n", "line 1 has no column 'emotion'"),
        ("id,emotion\n", "holds no labels"),
        ("", "is empty"),
        ("id,emotion\na,9\n", "line 2 has the emotion '9'"),
        ("id,emotion\na,3\na,4\n", "line 3 repeats the id 'a'"),
        ("id,emotion\na\n", "line 2 has 1 fields; expected 2"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(tmp_path, content, cause):
    with pytest.raises(BadInput) as refusal:
        read_labels(save(tmp_path, content, "answers.csv"))
    assert cause in str(refusal.value)


# --- the cache ----------------------------------------------------------------------------------------------------


def caches(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.is_dir())


def test_the_second_read_maps_what_the_first_one_parsed(tmp_path, cache, monkeypatch):
    path = save(tmp_path, csv_text())
    load_dataset(path)
    monkeypatch.setattr("emotion_core.dataset.loading.parse_csv", lambda *_: pytest.fail("parsed again"))
    dataset = load_dataset(path)
    assert isinstance(dataset.images, np.memmap)
    assert not dataset.images.flags.writeable
    np.testing.assert_array_equal(dataset.images, FACES)
    assert len(caches(cache)) == 1


@pytest.mark.parametrize("change", ["content", "time only"])
def test_a_changed_file_is_read_again_and_its_old_cache_goes(tmp_path, cache, change):
    path = save(tmp_path, csv_text())
    load_dataset(path)
    before = caches(cache)
    if change == "content":
        save(tmp_path, csv_text(faces=make_faces(3, seed=5)))
    else:
        os.utime(path, ns=(1, 1))
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.images, make_faces(3, seed=5) if change == "content" else FACES)
    assert len(caches(cache)) == 1
    assert caches(cache) != before


def test_a_change_deep_in_a_folder_of_pictures_is_noticed(tmp_path, cache):
    save_tree(tmp_path / "faces", PICTURES)
    assert len(load_dataset(tmp_path / "faces")) == 4
    (tmp_path / "faces" / "happy" / "face0.png").unlink()
    assert len(load_dataset(tmp_path / "faces")) == 3
    assert len(caches(cache)) == 1


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "ids.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "cut", "overwritten", "emptied"])
def test_a_damaged_cache_is_made_anew(tmp_path, cache, name, damage):
    path = save(tmp_path, csv_text())
    load_dataset(path)
    victim = caches(cache)[0] / name
    content = victim.read_bytes()
    if damage == "missing":
        victim.unlink()
    else:
        victim.write_bytes(
            {"cut": content[: len(content) // 2], "overwritten": bytes(len(content)), "emptied": b""}[damage]
        )
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.images, FACES)
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert len(caches(cache)) == 1


def test_what_a_killed_reader_left_behind_is_cleared_away(tmp_path, cache):
    path = save(tmp_path, csv_text())
    load_dataset(path)
    finished = caches(cache)[0]
    finished.rename(cache / f".new-{finished.name}")
    (cache / f".new-{finished.name}" / "images.npy").write_bytes(b"half")
    np.testing.assert_array_equal(load_dataset(path).images, FACES)
    assert caches(cache) == [finished]


def test_a_cache_folder_that_cannot_be_written_to_is_told_of(tmp_path, cache):
    cache.write_text("a file in the way")
    with pytest.raises(EmotionError, match="cannot be saved in"):
        load_dataset(save(tmp_path, csv_text()))


READ = """
import sys, time
from emotion_core.dataset import load_dataset
while time.time() < float(sys.argv[2]): pass
dataset = load_dataset(sys.argv[1])
print(len(dataset), int(dataset.images.sum()), int(dataset.labels.sum()))
"""


def test_two_processes_at_once_both_get_the_whole(tmp_path, cache):
    faces = make_faces(1_000)
    path = save(tmp_path, csv_text(faces=faces))
    start = time.time() + 2.5  # both have imported by then
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(path), str(start)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    answers = [reader.communicate(timeout=60)[0] for reader in readers]
    labels = sum(int(LABELS[number % len(LABELS)]) for number in range(len(faces)))
    assert answers == [f"1000 {int(faces.sum())} {labels}\n"] * 2
    assert len(caches(cache)) == 1


@pytest.mark.skipif(not REAL_CSV.exists(), reason="the coursework's CSV is not in data/")
def test_the_coursework_file_has_its_known_counts():
    dataset = load_dataset(REAL_CSV)
    assert list(dataset.counts().values()) == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    with REAL_CSV.open() as file:
        file.readline()
        assert dataset.images[0].ravel().tolist() == [int(pixel) for pixel in file.readline().split(",")[2].split()]
