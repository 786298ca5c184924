"""The command line as scripts use it: answers, JSON shapes, exit codes, one sentence for each mistake."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from filelock import FileLock

from emotion_core import detector_file, doctor
from emotion_core.commands import catalogue, main, saved_runs
from emotion_core.commands.output import Narrator
from emotion_core.config import with_settings
from emotion_core.coursework import SEEDS
from emotion_core.dataset import load_dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.intervals import macro_f1_interval, wilson_interval
from emotion_core.presets import PRESETS, find_preset
from emotion_core.runs import About, Run, Runs, State
from emotion_core.watch import runs_before
from tests.conftest import save_finished_run
from tests.face_files import make_faces, pixel_text
from tests.portrait import draw_portrait
from tests.test_engine import wait_until

PROJECT = Path(__file__).parent.parent

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

ENDLESS = ("--epochs", "10000", "--set", "training.early_stopping_patience=null")


@pytest.fixture
def faces_csv(tmp_path: Path) -> Path:
    """42 faces of noise, six of each emotion."""
    return write_csv(tmp_path / "faces.csv", labelled=True)


@pytest.fixture
def test_csv(tmp_path: Path) -> Path:
    """The same faces without their labels."""
    return write_csv(tmp_path / "test.csv", labelled=False)


def write_csv(path: Path, *, labelled: bool, count: int = 42, last_row: str = "") -> Path:
    rng = np.random.default_rng(0)
    lines = ["id,emotion,pixels" if labelled else "id,pixels"]
    for number in range(count):
        pixels = " ".join(map(str, rng.integers(0, 256, 2304)))
        lines.append(f"{number},{number % 7},{pixels}" if labelled else f"{number},{pixels}")
    path.write_text("\n".join([*lines, last_row]) + "\n")
    return path


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), draw_portrait())
    return path


@pytest.fixture
def ask(runs_folder: Path, capsys: pytest.CaptureFixture[str]):
    """Carry out a command that must succeed, and return the JSON document that it prints."""

    def ask_(*arguments: str) -> Any:
        exit_code = main([*arguments, "--json"])
        printed = capsys.readouterr()
        assert exit_code == 0, printed.err
        return json.loads(printed.out)

    return ask_


@pytest.fixture
def refuse(runs_folder: Path, capsys: pytest.CaptureFixture[str]):
    """Carry out a command that must fail; return its exit code and its one sentence."""

    def refuse_(*arguments: str) -> tuple[int, str]:
        exit_code = main(arguments)
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1, printed.err
        return exit_code, printed.err.strip()

    return refuse_


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "emotion_core", *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- words --------------------------------------------------------------------------------------------------------


def test_help_comes_at_once_because_nothing_heavy_is_loaded():
    code = (
        "import sys; from emotion_core.commands import main\n"
        "try: main(['--help'])\nexcept SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'pydantic', 'pandas', 'filelock', 'cv2'} & set(sys.modules); assert not heavy, heavy"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    for command in (
        "presets",
        "data",
        "train",
        "submit",
        "reproduce",
        "runs",
        "evaluate",
        "predict",
        "classify",
        "fetch-detector",
        "doctor",
    ):
        assert re.search(rf"^    {command}\s", answer.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["train"], "PRESET"),
        (["train", "sgd", "--epochs", "many"], "many"),
        (["runs"], "VERB"),
        (["predict", "latest", "faces.csv"], "--output"),
        (["train", "resnet-9000"], "There is no preset 'resnet-9000'; the presets are: sgd,"),
        (["train", "sgd", "--epochs", "0"], "training.epochs: 0 should be greater than or equal to 1."),
        (["train", "sgd", "--set", "training.epoch=3"], "There is no setting 'training.epoch'"),
        (["train", "sgd", "--set", "training.epochs"], "--set takes path=value"),
        (
            ["train", "sgd", "--data", "sample", "--set", "training.mixup=1", "--set", "augmentation.rotation=9"],
            "Models of the family linear have no use for augmentation.rotation, training.mixup;",
        ),
        (
            ["submit", "sgd", "--data", "sample", "--grid", "training.batch_size=16,64"],
            "no use for training.batch_size",
        ),
        (["submit", "sgd", "sgd", "dens"], "There is no preset 'dens'"),
        (["submit", "sgd", "--data", "nowhere.csv"], "nowhere.csv does not exist"),
        (["submit", "sgd", "--seeds", "42,43", "--grid", "data.source=nowhere.csv"], "nowhere.csv does not exist"),
        (["submit", "sgd", "--grid", "data.source=sample,nowhere.csv"], "nowhere.csv does not exist"),
        (["submit", "sgd", "--seeds", "42,many"], "training.seed: many is not a whole number."),
        (
            ["submit", "sgd", "--seeds", "42,42"],
            "baseline · seed 42 would be trained twice; give each value once",
        ),
        (["submit", "sgd", "sgd", "--data", "sample"], "sgd would be trained twice"),
        (["submit", "sgd", "--seeds", ""], "training.seed needs at least one value"),
        (
            ["train", "cnn", "--set", "model.dense_units.0=100"],
            "set all values at once, for example model",
        ),
        (["train", "cnn", "--set", "model.dense_units=100,200"], "100,200 is not a list in square brackets"),
        (["train", "cnn", "--set", "training.schedule=cosine"], "cosine chooses nothing here; set its kind"),
        (["submit", "sgd", "--seed", "1", "--seeds", "42,43"], "--seeds: not allowed with argument --seed"),
        (["submit", "sgd", "--seeds", "1,2", "--grid", "training.seed=3,4"], "name a setting twice"),
        (["submit", "sgd", "--grid", "training.epochs"], "--grid takes path=value,value,..."),
        (["submit", "sgd", "--grid", "training.epoch=1,2"], "There is no setting 'training.epoch'"),
        (["submit", "sgd", "dense-5", "--seeds", ",".join(map(str, range(101)))], "That makes 202 runs; at most 200"),
        (["reproduce"], "--data"),
        (["reproduce", "--data", "nowhere.csv"], "nowhere.csv does not exist"),
        (["reproduce", "cnn-small", "--data", "sample"], "The coursework's table has no 'cnn-small'; it has: sgd,"),
        (["reproduce", "sgd", "--data", "sample", "--epochs", "0"], "training.epochs: 0 should be greater than"),
        (["submit", "sgd", "--epochs", "5", "--grid", "training.epochs=1,2"], "training.epochs is given twice"),
        (["train", "sgd", "--epochs", "1", "--set", "training.epochs=2"], "training.epochs is given twice"),
        (["train", "sgd", "--set", "preset=mine"], "preset follows from the preset and the data"),
        (["data", ""], "No data was named"),
        (["runs", "show", "nothing"], "There is no run 'nothing'"),
        (["data", "nowhere.csv"], "nowhere.csv does not exist"),
        (["classify", "nowhere.jpg"], "There is no trained model"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2_and_leave_no_run(refuse, runs_folder, words, sentence):
    exit_code, answer = refuse(*words)
    assert sentence in answer
    assert exit_code == (1 if words[0:1] == ["classify"] else 2)
    assert Runs(runs_folder).all() == []


def test_a_folder_that_cannot_be_written_to_is_named(refuse, runs_folder, tmp_path, faces_csv):
    (tmp_path / "file").touch()
    exit_code, answer = refuse("train", "sgd", "--data", str(faces_csv), "--runs", str(tmp_path / "file"))
    assert (exit_code, answer) == (1, f"No run can be made in {tmp_path / 'file'}: Not a directory.")


def test_an_output_that_takes_no_more_is_said_in_a_sentence(refuse, monkeypatch):
    def fail(_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalogue, "presets", fail)
    assert refuse("presets") == (1, "The output cannot be used: No space left on device.")


def test_the_unexpected_gets_one_sentence_too(refuse, monkeypatch):
    def fail(_options: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(catalogue, "presets", fail)
    exit_code, answer = refuse("presets")
    assert exit_code == 1
    assert answer.startswith("ZeroDivisionError: by nothing")


# --- presets and data ---------------------------------------------------------------------------------------------


def test_presets_are_listed_with_their_sizes(ask):
    by_name = {preset["name"]: preset for preset in ask("presets")}
    assert by_name["cnn"]["parameters"] == 7_260_075
    assert by_name["cnn"]["family"] == "cnn"
    assert (by_name["dense-5"]["epochs"], by_name["dense-5"]["batch_size"]) == (100, 32)
    assert set(by_name) == set(PRESETS)
    assert [name for name, preset in by_name.items() if not preset["coursework"]] == [
        "cnn-small",
        "residual",
        "residual-wide",
    ]


def test_data_is_summarised(ask, faces_csv, test_csv):
    summary = ask("data", str(faces_csv))
    assert summary["images"] == 42
    assert summary["counts"] == dict.fromkeys(EMOTIONS, 6)
    assert summary["problems"] == []
    assert ask("data", str(test_csv))["labelled"] is False


def test_incomplete_rows_are_refused_by_line_and_left_out_where_the_person_agrees(ask, refuse, tmp_path):
    path = write_csv(tmp_path / "gaps.csv", labelled=True, last_row="42,0,")
    exit_code, answer = refuse("data", str(path))
    assert exit_code == 2
    assert "gaps.csv: line 44 " in answer
    summary = ask("data", str(path), "--drop-incomplete")
    assert summary["images"] == 42
    assert [problem["row"] for problem in summary["problems"]] == [44]


def test_a_value_out_of_range_is_refused_by_file_and_line(refuse, tmp_path):
    path = write_csv(tmp_path / "wrong.csv", labelled=True, last_row="42,0," + "300 " * 2303 + "1")
    exit_code, answer = refuse("data", str(path))
    assert exit_code == 2
    assert "wrong.csv: line 44 " in answer
    assert "300" in answer


# --- training -----------------------------------------------------------------------------------------------------


def test_train_prints_the_run_and_nothing_else(runs_folder, faces_csv, capfd):
    options = ("--data", str(faces_csv), "--epochs", "5", "--seed", "7", "--name", "Näme", "--json")
    exit_code = main(["train", "sgd", *options, "--set", "training.early_stopping_patience=null"])
    printed = capfd.readouterr()
    assert exit_code == 0, printed.err
    document = json.loads(printed.out)
    run = Runs(runs_folder).find(document["id"])
    assert (document["state"], document["epoch"], document["epochs"]) == ("finished", 5, 5)
    assert document["best"]["val_accuracy"] == run.evaluation().accuracy
    assert document["name"] == "Näme"
    assert (document["config"]["training"]["seed"], document["config"]["data"]["source"]) == (7, str(faces_csv))
    assert "epoch 5: " in printed.err
    assert "epoch 5: " in run.log_tail()


@pytest.mark.parametrize(("split", "way_out"), [("first_rows", True), ("random", False)])
def test_emotions_that_nothing_would_validate_are_named_before_a_training(
    resting_engine, tmp_path, capsys, split, way_out
):
    path = tmp_path / "sorted.csv"
    path.write_text("emotion,pixels\n" + "".join(f"{number // 4},{'7 ' * 2304}\n" for number in range(28)))
    assert main(["submit", "sgd", "--data", str(path), "--set", f"data.split.kind={split}"]) == 0
    note = capsys.readouterr().err
    assert "No validation face shows " in note
    assert "Neutral, so nothing will tell" in note
    assert ("data.split.kind=random" in note) is way_out


def test_data_that_cannot_train_is_refused_before_there_is_a_run(refuse, runs_folder, test_csv):
    for command in ("train", "submit"):
        exit_code, answer = refuse(command, "sgd", "--data", str(test_csv))
        assert exit_code == 2
        assert "no emotion column" in answer
    assert Runs(runs_folder).all() == []


@pytest.fixture
def endless_training(runs_folder: Path, faces_csv: Path) -> Iterator["subprocess.Popen[str]"]:
    process = start("train", "sgd", "--data", str(faces_csv), "--json", *ENDLESS)
    yield process
    process.kill()
    process.communicate()


def only_run(folder: Path) -> Run:
    wait_until(lambda: Runs(folder).all())
    return Runs(folder).all()[0]


@on_posix
def test_ctrl_c_stops_a_training_and_keeps_what_it_learnt(runs_folder, endless_training):
    run = only_run(runs_folder)
    wait_until(lambda: run.status().epoch)
    endless_training.send_signal(signal.SIGINT)
    out, err = endless_training.communicate(timeout=120)
    assert endless_training.returncode == 0, err
    assert json.loads(out)["state"] == "stopped"
    assert "press Ctrl-C again" in err
    assert run.linear_path.exists()


def test_submitted_runs_are_computed_in_the_background_and_can_be_waited_for_and_stopped(
    ask, runs_folder, capsys, faces_csv
):
    quick = ("--data", str(faces_csv), "--epochs", "2")
    first = ask("submit", "sgd", *quick)["id"]
    endless, waiting = ask("submit", "sgd", "--seeds", "42,43", "--data", str(faces_csv), *ENDLESS)["ids"]
    assert ask("runs", "wait", first)["state"] == "finished"
    assert ask("runs", "stop", waiting)["state"] == "stopped"
    wait_until(Runs(runs_folder).find(endless).is_alive)
    assert ask("runs", "stop", endless, "--now")["reason"] == "Ended by the user."
    assert main(["runs", "wait", endless]) == 1
    assert capsys.readouterr().err.strip().endswith("interrupted: Ended by the user.")
    assert [line["state"] for line in ask("runs", "list")] == ["stopped", "interrupted", "finished"]


def test_several_seeds_and_a_grid_queue_a_run_for_each_combination(ask, runs_folder, faces_csv):
    (runs_folder / ".engine").mkdir()
    with FileLock(runs_folder / ".engine" / "worker.lock"):  # nothing is computed
        ids = ask(
            *("submit", "sgd", "--data", str(faces_csv), "--epochs", "1", "--name", "Mine"),
            *("--seeds", "42,43", "--grid", "model.alpha=1e-4,1e-3"),
        )["ids"]
    runs = [Runs(runs_folder).find(run_id) for run_id in ids]
    assert [(run.config.training.seed, run.config.model.alpha) for run in runs] == [
        (42, 1e-4),
        (42, 1e-3),
        (43, 1e-4),
        (43, 1e-3),
    ]
    assert runs[3].name == "Mine · seed 43, alpha 0.001"
    assert [run.status().sequence for run in runs] == [1, 2, 3, 4]
    assert {run.state() for run in runs} == {State.QUEUED}


# --- the coursework -----------------------------------------------------------------------------------------------


@pytest.fixture
def resting_engine(runs_folder: Path) -> Iterator[None]:
    """Have nothing computed that is queued."""
    (runs_folder / ".engine").mkdir()
    with FileLock(runs_folder / ".engine" / "worker.lock"):
        yield


def test_the_whole_coursework_is_queued_and_its_time_is_told_first(resting_engine, runs_folder, faces_csv, capsys):
    assert main(["reproduce", "--data", str(faces_csv), "--epochs", "3", "--json"]) == 0
    printed = capsys.readouterr()
    runs = [Runs(runs_folder).find(run_id) for run_id in json.loads(printed.out)["ids"]]
    assert [(run.config.preset, run.config.training.seed) for run in runs] == [
        (preset, seed) for preset, seeds in SEEDS.items() for seed in seeds
    ]
    assert [run.status().sequence for run in runs] == list(range(1, 29))
    assert {(run.config.data.source, run.config.training.epochs) for run in runs} == {(str(faces_csv), 3)}
    assert re.search(r"^sgd +3 to train, up to \d+ ", printed.err, re.MULTILINE)
    assert re.search(r"^28 runs to train one after the other, up to \d+ ", printed.err, re.MULTILINE)
    assert "drawn" not in printed.err


def test_what_is_there_of_the_coursework_is_queued_again_only_if_asked_for(
    resting_engine, ask, runs_folder, faces_csv, capsys
):
    some = ("reproduce", "sgd", "dense-5", "--data", str(faces_csv), "--epochs", "1")
    first = ask(*some)["ids"]
    assert len(first) == 5
    assert ask(*some) == {"ids": []}
    Runs(runs_folder).find(first[0]).record(state=State.FAILED)
    assert main([*some]) == 0
    printed = capsys.readouterr()
    assert "1 to train" in printed.err
    assert "2 already there" in printed.err
    assert printed.out.split() == [run.id for run in Runs(runs_folder).all() if run.id not in first]
    assert len(ask(*some, "--again")["ids"]) == 5


def test_drawn_faces_are_said_to_be_no_match_for_the_coursework_s_figures(resting_engine, runs_folder, capsys):
    assert main(["reproduce", "sgd", "--data", "sample", "--epochs", "1"]) == 0
    assert "cannot be compared with the coursework's figures" in capsys.readouterr().err


def test_data_without_labels_reproduces_nothing(refuse, runs_folder, test_csv):
    exit_code, answer = refuse("reproduce", "--data", str(test_csv))
    assert exit_code == 2
    assert "no emotion column" in answer
    assert Runs(runs_folder).all() == []


# --- saved runs ---------------------------------------------------------------------------------------------------


def test_runs_are_listed_and_shown(ask, finished_run):
    (line,) = ask("runs", "list")
    assert (line["id"], line["name"], line["preset"], line["state"]) == (
        finished_run.id,
        "Fixture run",
        "sgd",
        "finished",
    )
    shown = ask("runs", "show", "latest")
    assert (shown["id"], shown["epoch"], shown["epochs"]) == (finished_run.id, 6, 1_000)
    assert shown["best"]["epoch"] == 5
    assert shown["best"]["val_accuracy"] == finished_run.evaluation().accuracy
    assert shown["config"]["model"]["family"] == "linear"


def test_runs_of_another_folder_are_found_by_option(ask, finished_run, monkeypatch):
    monkeypatch.setenv("EMOTION_RUNS", str(finished_run.folder / "elsewhere"))
    assert ask("runs", "list") == []
    assert ask("runs", "list", "--runs", str(finished_run.folder.parent))[0]["id"] == finished_run.id


def test_a_damaged_run_is_listed_as_such_and_showing_it_fails_with_the_file(ask, refuse, finished_run):
    (finished_run.folder / "status.json").write_text("{")
    assert ask("runs", "list")[0]["state"] == "damaged"
    exit_code, answer = refuse("runs", "show", finished_run.id)
    assert exit_code == 1
    assert "status.json" in answer


def test_a_deleted_run_is_gone(ask, refuse, finished_run):
    assert ask("runs", "delete", finished_run.id) == {"id": finished_run.id, "deleted": True}
    assert refuse("runs", "show", finished_run.id)[0] == 2


def test_a_finished_run_is_trained_longer(ask, refuse, faces_csv):
    run_id = ask("train", "sgd", "--data", str(faces_csv), "--epochs", "1")["id"]
    assert "has done all its 1 epochs" in refuse("runs", "resume", run_id)[1]
    assert ask("runs", "resume", run_id, "--epochs", "2")["config"]["training"]["epochs"] == 2
    outcome = ask("runs", "wait", run_id)
    assert (outcome["state"], outcome["epoch"]) == ("finished", 2)
    assert "would be fewer" in refuse("runs", "resume", run_id, "--epochs", "1")[1]


def test_a_run_that_is_not_over_is_given_no_more_epochs(refuse, runs_folder):
    run = Runs(runs_folder).create(find_preset("sgd").config, sequence=1)
    assert refuse("runs", "resume", run.id, "--epochs", "9999") == (
        2,
        f"Run {run.id} is queued; only one that is over can go on.",
    )


def test_a_waiting_run_is_moved_and_no_other(ask, refuse, runs_folder, finished_run):
    first, second, third = (Runs(runs_folder).create(finished_run.config, place).id for place in (1, 2, 3))
    assert ask("runs", "move", third, "-2") == {"id": third, "queue": [third, first, second]}
    assert ask("runs", "move", third, "1")["queue"] == [first, third, second]
    assert "is finished; only a waiting run" in refuse("runs", "move", finished_run.id, "1")[1]


def test_a_run_goes_out_as_a_zip_and_comes_in_again(ask, finished_run, tmp_path):
    file = tmp_path / "run.zip"
    assert ask("runs", "export", "latest", str(file)) == {
        "id": finished_run.id,
        "file": str(file),
        "bytes": file.stat().st_size,
    }
    imported = ask("runs", "import", str(file), "--runs", str(tmp_path / "elsewhere"))
    assert (imported["id"], imported["state"], imported["name"]) == (finished_run.id, "finished", "Fixture run")
    assert ask("runs", "import", str(file))["id"] != finished_run.id


def test_a_zip_that_cannot_be_written_or_read_is_refused(refuse, finished_run, tmp_path):
    assert "There is no folder" in refuse("runs", "export", "latest", str(tmp_path / "nowhere" / "run.zip"))[1]
    assert "name a file to write" in refuse("runs", "export", "latest", str(tmp_path))[1]
    (tmp_path / "holiday.zip").write_bytes(b"PK")
    assert refuse("runs", "import", str(tmp_path / "holiday.zip")) == (
        2,
        "holiday.zip is not a complete zip file, or not one of a run.",
    )


def test_a_run_that_is_over_cannot_be_stopped(refuse, finished_run):
    assert refuse("runs", "stop", finished_run.id) == (2, f"Run {finished_run.id} is over already: finished.")


def test_waiting_for_a_failed_run_fails_with_its_reason(finished_run, capsys):
    finished_run.record(state=State.FAILED, reason="The loss became nan in epoch 3.")
    assert main(["runs", "wait", finished_run.id, "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["state"] == "failed"
    assert printed.err == f"Run {finished_run.id} failed: The loss became nan in epoch 3.\n"


# --- serving ------------------------------------------------------------------------------------------------------


def test_a_run_is_scored_on_labelled_faces(ask, finished_run, faces_csv):
    scores = ask("evaluate", "latest", str(faces_csv))
    assert scores["images"] == 42
    assert list(scores["per_class"]) == list(EMOTIONS)
    assert np.array(scores["confusion"]).sum(axis=1).tolist() == [6] * 7
    assert scores["accuracy"] == pytest.approx(np.trace(scores["confusion"]) / 42)
    assert scores["accuracy_interval"] == pytest.approx(wilson_interval(scores["accuracy"], 42))
    assert scores["macro_f1_interval"] == pytest.approx(macro_f1_interval(scores["confusion"]))


def test_scores_in_words_have_their_intervals_and_none_for_what_was_never_predicted(finished_run, tmp_path, capsys):
    faces = tmp_path / "one.csv"
    faces.write_text(f"emotion,pixels\n3,{pixel_text(make_faces(1)[0])}\n")
    assert main(["evaluate", finished_run.id, str(faces)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^accuracy [01]\.0000 \(0\.\d{4} to [01]\.\d{4}\)$", printed, re.MULTILINE)
    assert re.search(r"^macro-F1 0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)$", printed, re.MULTILINE)
    assert re.search(r"^Disgust  +-  +-  +-  +0$", printed, re.MULTILINE)


PARTS = {"T": "Training", "V": "PublicTest", "X": "PrivateTest"}


@pytest.fixture
def trained_on(runs_folder, tmp_path):
    """Make a finished run that learnt from a data set with a Usage column as given, and return it with its file."""

    def make(usage: str) -> tuple[Run, Path]:
        faces = zip(make_faces(len(usage)), usage, strict=True)
        rows = [f"{row % 7},{pixel_text(face)},{PARTS[part]}" for row, (face, part) in enumerate(faces)]
        path = tmp_path / "parts.csv"
        path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
        run = save_finished_run(Runs(runs_folder))
        changes = {"data.split.kind": "usage", "data_fingerprint": load_dataset(path).fingerprint}
        (run.folder / "config.json").write_text(with_settings(run.config, changes).model_dump_json())
        return run, path

    return make


def test_of_the_data_that_a_run_learnt_from_only_the_rest_is_scored(trained_on, capsys):
    run, path = trained_on("TTTTTVVXXX")
    assert main(["evaluate", run.id, str(path), "--save", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["images"] == 3
    assert (
        "learnt from 5 faces of parts.csv and was validated on 2 others; it is scored on the remaining 3" in printed.err
    )
    assert run.evaluation().test.images == 3


def test_faces_that_a_run_has_all_seen_are_scored_with_a_warning_and_never_as_a_test(trained_on, capsys, refuse):
    run, path = trained_on("TTTTTVV")
    assert main(["evaluate", run.id, str(path), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["images"] == 7
    assert "so the score flatters it" in printed.err
    assert "none are left to test it on" in refuse("evaluate", run.id, str(path), "--save")[1]
    assert run.evaluation().test is None


@pytest.mark.parametrize("way", ["training.start_from", "training.teachers"])
def test_nor_do_faces_that_a_run_knows_through_another_one(trained_on, capsys, refuse, way):
    first, path = trained_on("TTTTTVV")
    run = save_finished_run(Runs(first.folder.parent))
    changed = with_settings(find_preset("residual").config, {"data.source": "elsewhere.csv", way: [first.id]})
    (run.folder / "config.json").write_text(changed.model_dump_json())
    assert "none are left to test it on" in refuse("evaluate", run.id, str(path), "--save")[1]
    assert main(["evaluate", run.id, str(path), "--json"]) == 0
    printed = capsys.readouterr()
    assert "learnt, through the runs that it began with or that taught it, from 5 faces of parts.csv" in printed.err


def test_a_run_that_was_scored_anew_meanwhile_gets_no_test_of_its_former_model(trained_on, capsys, monkeypatch):
    run, path = trained_on("TTTTTVVXXX")

    def train_on_meanwhile(classifier, images):
        run.save_evaluation(run.evaluation().model_copy(update={"best_epoch": 1}), run.validation())
        return np.full((len(images), 7), 1 / 7, np.float32)

    monkeypatch.setattr("emotion_core.commands.serve._probabilities", train_on_meanwhile)
    assert main(["evaluate", run.id, str(path), "--save"]) == 2
    assert "was scored anew meanwhile" in capsys.readouterr().err
    assert run.evaluation().test is None


def test_labels_in_a_file_of_their_own_make_no_test_of_faces_that_a_run_has_seen(trained_on, ask, refuse, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("id,emotion\n" + "".join(f"{number},{number % 7}\n" for number in range(10)))
    run, path = trained_on("TTTTTVVXXX")
    assert ask("evaluate", run.id, str(path), "--labels", str(labels))["images"] == 3
    run, path = trained_on("TTTTTVV")
    assert "none are left" in refuse("evaluate", run.id, str(path), "--labels", str(labels), "--save")[1]


def test_a_run_without_a_digest_of_its_data_is_spared_the_faces_of_a_file_of_that_name(trained_on, ask):
    run, path = trained_on("TTTTTVVXXX")
    changes = {"data_fingerprint": "", "data.source": "/home/someone/parts.csv"}
    config = with_settings(Run(run.folder).config, changes)
    (run.folder / "config.json").write_text(config.model_dump_json())
    assert ask("evaluate", run.id, str(path))["images"] == 3


def test_labels_may_come_from_a_file_of_their_own_in_any_order(
    ask, refuse, finished_run, faces_csv, test_csv, tmp_path
):
    labels = tmp_path / "labels.csv"
    labels.write_text("id,emotion\n" + "".join(f"{number},{number % 7}\n" for number in reversed(range(42))))
    apart = ask("evaluate", "latest", str(test_csv), "--labels", str(labels))
    together = ask("evaluate", "latest", str(faces_csv))
    assert apart["confusion"] == together["confusion"]
    exit_code, answer = refuse("evaluate", "latest", str(test_csv))
    assert exit_code == 2
    assert "--labels" in answer


def test_predictions_are_written_as_kaggle_takes_them(ask, finished_run, test_csv, tmp_path):
    output = tmp_path / "predictions.csv"
    assert ask("predict", "latest", str(test_csv), "--output", str(output))["images"] == 42
    header, *rows = output.read_text().splitlines()
    assert header == "id,predicted class"
    assert [row.split(",")[0] for row in rows] == [str(number) for number in range(42)]
    assert {int(row.split(",")[1]) for row in rows} <= set(range(7))


def test_predictions_that_lack_rows_without_pixels_say_so(finished_run, tmp_path, capsys):
    path, output = write_csv(tmp_path / "gaps.csv", labelled=False, last_row="42,"), tmp_path / "predictions.csv"
    assert main(["predict", finished_run.id, str(path), "--drop-incomplete", "--output", str(output)]) == 0
    assert "1 row without pixels is left out. Kaggle expects an answer for every row." in capsys.readouterr().err


def test_predictions_replace_neither_what_they_are_made_from_nor_a_device(refuse, finished_run, test_csv, tmp_path):
    before = test_csv.read_bytes()
    _, answer = refuse("predict", finished_run.id, str(test_csv), "--output", str(test_csv))
    assert "is the file to be read" in answer
    assert test_csv.read_bytes() == before
    os.mkfifo(tmp_path / "pipe.csv")
    _, answer = refuse("predict", finished_run.id, str(test_csv), "--output", str(tmp_path / "pipe.csv"))
    assert "no ordinary file" in answer
    assert (tmp_path / "pipe.csv").is_fifo()


def test_home_is_known_by_its_tilde_wherever_a_path_is_given(ask, refuse, finished_run, test_csv, monkeypatch):
    monkeypatch.setenv("HOME", str(test_csv.parent))
    monkeypatch.setenv("USERPROFILE", str(test_csv.parent))
    tilde = f"~/{test_csv.name}"
    assert "is the file to be read" in refuse("predict", finished_run.id, tilde, f"--output={test_csv}")[1]
    assert "is the file to be read" in refuse("predict", finished_run.id, str(test_csv), f"--output={tilde}")[1]
    ask("predict", finished_run.id, tilde, "--output=~/answers.csv")
    assert (test_csv.parent / "answers.csv").exists()
    assert "names the home of nobody" in refuse("runs", "list", "--runs", "~nobody-here/runs")[1]


def test_predictions_go_where_a_link_leads(ask, finished_run, test_csv, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    ask("predict", finished_run.id, str(test_csv), "--output", str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("id,predicted class")


def test_predictions_into_no_folder_are_refused_and_a_failure_leaves_the_old_file(
    refuse, finished_run, test_csv, tmp_path
):
    exit_code, answer = refuse("predict", "latest", str(test_csv), "--output", str(tmp_path / "no" / "p.csv"))
    assert exit_code == 2
    assert "There is no folder" in answer
    assert refuse("predict", "latest", str(test_csv), "--output", str(tmp_path))[0] == 2
    output = tmp_path / "p.csv"
    output.write_text("old")
    finished_run.linear_path.write_bytes(b"damaged")
    assert refuse("predict", finished_run.id, str(test_csv), "--output", str(output))[0] == 1
    assert output.read_text() == "old"


def test_faces_are_found_and_classified(ask, finished_run, portrait, tmp_path):
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.full((200, 300), 128, np.uint8))
    found, nothing = ask("classify", str(portrait), str(empty))
    assert (found["image"], nothing) == (str(portrait), {"image": str(empty), "faces": []})
    (face,) = found["faces"]
    x, y, width, height = face["box"]
    assert x < 320 < x + width
    assert y < 230 < y + height
    assert list(face["probabilities"]) == list(EMOTIONS)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert face["emotion"] == max(face["probabilities"], key=face["probabilities"].get)


def test_whole_picture_is_taken_for_a_face_only_where_asked(ask, finished_run, tmp_path):
    crop = tmp_path / "crop.png"
    cv2.imwrite(str(crop), np.random.default_rng(0).integers(90, 160, (60, 80), np.uint8))
    assert ask("classify", str(crop))[0]["faces"] == []
    (face,) = ask("classify", str(crop), "--whole")[0]["faces"]
    assert face["box"] == [10, 0, 60, 60]


def test_detector_is_chosen_by_name(ask, refuse, finished_run, portrait):
    assert len(ask("classify", str(portrait), "--detector", "haar")[0]["faces"]) == 1
    exit_code, answer = refuse("classify", str(portrait), "--detector", "eyes")
    assert (exit_code, answer.strip()) == (2, "There is no face detector 'eyes'; there are yunet, haar.")
    exit_code, answer = refuse("classify", str(portrait), "--detector", "yunet")
    assert exit_code == 1
    assert "fetch-detector" in answer


def test_detector_that_cannot_be_fetched_says_how_to_get_it_by_hand(refuse, runs_folder, monkeypatch):
    monkeypatch.setattr(detector_file, "ADDRESS", "http://127.0.0.1:9/yunet.onnx")  # nobody listens there
    exit_code, answer = refuse("fetch-detector")
    assert exit_code == 1
    assert "save http://127.0.0.1:9/yunet.onnx as " in answer


def test_what_is_no_picture_is_named(refuse, finished_run, portrait, faces_csv):
    exit_code, answer = refuse("classify", str(portrait), str(faces_csv))
    assert exit_code == 2
    assert "faces.csv" in answer


# --- doctor -------------------------------------------------------------------------------------------------------


def test_the_doctor_tells_what_is_here(ask, runs_folder):
    report = ask("doctor")
    assert report["folders"]["runs"] == report["folders"]["runs"] | {
        "path": str(runs_folder),
        "exists": True,
        "writable": True,
    }
    assert report["packages"]["numpy"] == np.__version__
    assert report["python"] == sys.version.split()[0]
    assert report["engine_is_working"] is False
    assert report["detector"] == "haar"


def test_the_doctor_tells_which_folder_to_move_and_how(ask, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMOTION_CACHE", "/proc/nothing" if os.name == "posix" else str(tmp_path / "file" / "cache"))
    report = ask("doctor", "--runs", str(tmp_path / "new" / "runs"))
    assert not report["folders"]["cache"]["writable"]
    assert any("EMOTION_CACHE" in sentence for sentence in report["missing"])
    assert report["folders"]["runs"]["writable"]
    assert not (tmp_path / "new").exists()


def test_the_doctor_looks_at_a_drive_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr("os.path.isdir", lambda path: False)
    folder = doctor._look_at(tmp_path)
    assert (folder.exists, folder.writable, folder.free_gigabytes) == (False, False, 0.0)
    (sentence,) = doctor._poor_folders({"runs": folder})
    assert sentence.endswith("cannot be written to; move it with EMOTION_RUNS.")


@pytest.mark.parametrize("missing", ["cv2", "psutil", "filelock"])
def test_a_package_that_is_missing_is_named_with_the_way_to_it(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from emotion_core.commands import main; exit(main(['doctor']))"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert answer.stderr == f"{missing} is not installed: pip install -r requirements.txt\n"


def test_who_waits_for_a_run_is_told_how_many_come_before_it(runs_folder):
    runs = Runs(runs_folder)
    first, last = (runs.create(find_preset("sgd").config, number) for number in (1, 2))
    assert runs_before(last, runs.in_hand()) == 1
    assert saved_runs.progress_of(last, 1) == "Waiting for 1 run ahead of it"
    assert saved_runs.progress_of(first) == "Next in line; the worker is starting"


# --- printing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["presets"], "cnn               cnn        7,260,075     200  Coursework CNN"),
        (["runs", "list"], "Fixture run"),
        (["runs", "show", "latest"], "state     finished"),
        (["doctor"], "Keras backends: "),
    ],
)
def test_without_json_a_person_can_read_it(finished_run, capsys, words, line):
    assert main(words) == 0
    assert line in capsys.readouterr().out


def test_the_epoch_that_is_kept_is_not_called_the_most_accurate(finished_run, capsys):
    accuracy = finished_run.evaluation().accuracy
    assert main(["runs", "show", "latest"]) == 0
    assert f"kept      epoch 5, validation accuracy {accuracy:.4f}\n" in capsys.readouterr().out
    (finished_run.folder / "evaluation.json").unlink()
    finished_run.record(state=State.INTERRUPTED)
    assert main(["runs", "show", finished_run.id]) == 0
    assert f"best loss epoch 5, validation accuracy {accuracy:.4f}\n" in capsys.readouterr().out


def test_a_name_that_the_console_cannot_show_does_not_end_the_list(finished_run):
    (finished_run.folder / "config.json").write_text(
        finished_run.config.model_copy(update={"name": "Ünï 😀"}).model_dump_json(), encoding="utf-8"
    )
    answer = subprocess.run(
        [sys.executable, "-m", "emotion_core", "runs", "list"],
        cwd=PROJECT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "?n? ?" in answer.stdout


def test_what_a_name_or_a_reason_could_steer_a_terminal_with_is_written_out(finished_run, capsys):
    finished_run.write_about(About(name="red\x1b[31m\nnext \u202eturned"))
    finished_run.record(state=State.FAILED, reason="bell\a")
    assert main(["runs", "list"]) == 0
    assert r"red\x1b[31m\nnext \u202eturned" in capsys.readouterr().out
    assert main(["runs", "wait", "latest"]) == 1
    assert r"bell\x07" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error(finished_run):
    process = start("runs", "list")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=120) == 0
    process.stderr.close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_lines_stand_above_the_one_that_changes(monkeypatch):
    terminal, copy = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    narrator = Narrator(copy)
    narrator.show_count(1, 2)
    narrator.write("a whole line\n")
    narrator.show("almost done")
    narrator.clear()
    screen = [line.split("\r")[-1].rstrip() for line in terminal.getvalue().split("\n")]
    assert screen == ["a whole line", ""]
    assert "[" + "#" * 15 + "." * 15 + "] 1 of 2" in terminal.getvalue()
    assert copy.getvalue() == "a whole line\n"


def test_the_line_that_changes_fits_into_a_narrow_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    narrator = Narrator()
    narrator.show("Epoch 100 of 200: evaluating on the validation faces 100%, about 10 h 20 min left")
    narrator.clear()
    assert max(map(len, terminal.getvalue().split("\r"))) < 40


def test_without_a_terminal_nothing_changes_on_one_line(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    narrator = Narrator()
    narrator.show("half way")
    narrator.write("done\n")
    assert stream.getvalue() == "done\n"
