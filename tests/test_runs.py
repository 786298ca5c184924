"""Run folders: what is true of a run, whatever happened to its files and its trainer."""

import errno
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion_core.config import with_settings
from emotion_core.errors import BadInput, DamagedRun, EmotionError, RunNotFound
from emotion_core.presets import find_preset
from emotion_core.runs import HISTORY_COLUMNS, PROGRESS_COLUMNS, About, Run, Runs, State, summarise
from tests.conftest import save_finished_run

PROJECT = Path(__file__).parent.parent
SGD = find_preset("sgd").config

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

one_folder_for_all_examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def run(runs: Runs) -> Run:
    return runs.create(SGD)


@contextmanager
def trainer_of(run: Run) -> Iterator["subprocess.Popen[str]"]:
    """A second process that holds the run's lock, as a trainer does, until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from emotion_core.runs import Run\n"
        "with Run(Path(sys.argv[1])).alive(): print('alive', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "alive\n"
        yield process
    finally:
        process.kill()
        process.communicate()


# --- making and finding -------------------------------------------------------------------------------------------


def test_a_new_run_is_queued_with_its_settings(runs):
    run = runs.create(SGD, sequence=3)
    status = run.status()
    assert (status.state, status.sequence, status.epochs) == (State.QUEUED, 3, SGD.training.epochs)
    assert abs(status.submitted - time.time()) < 60
    assert run.config == SGD
    assert run.name == "Linear baseline"
    assert [found.id for found in runs.all()] == [run.id]
    assert sorted(path.name for path in runs.folder.iterdir()) == [run.id]


def test_settings_that_are_not_the_preset_s_do_not_bear_its_title(runs):
    changed = {"training.seed": 7, "training.class_weights": "balanced"}
    assert runs.create(with_settings(SGD, changed)).name == "sgd"


@given(preset=st.text(max_size=80), name=st.text(max_size=200))
@one_folder_for_all_examples
def test_what_a_person_typed_never_reaches_the_path(runs, preset, name):
    run = runs.create(with_settings(SGD, {"preset": preset, "name": name}))
    assert run.folder.parent == runs.folder
    assert re.fullmatch(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]+-[0-9a-f]{8}", run.id)
    assert Run(run.folder).name == (" ".join(name.split()) or preset)


def test_runs_are_found_by_id_and_unique_beginning(runs, run):
    assert runs.find(run.id).id == run.id
    assert runs.find(run.id[:-2]).id == run.id


@pytest.mark.parametrize("reference", ["", "nothing", "..", "../runs"])
def test_what_names_no_run_is_refused(runs, run, reference):
    with pytest.raises(RunNotFound):
        runs.find(reference)


def test_a_beginning_of_several_runs_is_refused(runs):
    first, second = runs.create(SGD), runs.create(SGD)
    common = first.id[: len([1 for a, b in zip(first.id, second.id, strict=False) if a == b][:8])]
    with pytest.raises(RunNotFound, match="matches 2 runs"):
        runs.find(common)


def test_latest_is_the_run_submitted_last_or_the_last_that_can_classify(runs):
    older, newer = save_finished_run(runs), save_finished_run(runs)
    older.record(submitted=1.0)
    newer.record(submitted=2.0)
    last = runs.create(SGD)  # has no model yet
    assert runs.find("latest").id == last.id
    assert runs.find("latest", latest_with_model=True).id == newer.id


@pytest.mark.parametrize(("with_model", "what"), [(False, "There is no run in"), (True, "There is no trained run in")])
def test_where_there_is_none_the_latest_is_said_to_be_missing(runs, with_model, what):
    with pytest.raises(RunNotFound, match=what):
        runs.find("latest", latest_with_model=with_model)


def test_lists_come_newest_first_and_pass_over_what_is_no_run(runs):
    ids = [runs.create(SGD, sequence).id for sequence in (1, 2, 3)]
    for sequence, run_id in enumerate(ids):
        Run(runs.folder / run_id).record(submitted=float(sequence))
    (runs.folder / "notes.txt").write_text("")
    (runs.folder / ".engine").mkdir()
    assert [line.id for line in runs.summaries()] == ids[::-1]


def test_a_folder_that_is_not_there_holds_no_runs(tmp_path):
    runs = Runs(tmp_path / "nowhere")
    assert runs.all() == []
    assert runs.summaries() == []
    assert not (tmp_path / "nowhere").exists()


# --- living and dying ---------------------------------------------------------------------------------------------


def test_a_run_lives_as_long_as_the_process_that_computes_it(run):
    assert not run.is_alive()
    with trainer_of(run) as trainer:
        run.record(state=State.RUNNING)
        assert run.is_alive()
        assert run.state() is State.RUNNING
        trainer.kill()
        trainer.wait()
        assert not run.is_alive()
        assert run.state() is State.INTERRUPTED
        assert run.status().state is State.RUNNING  # as it was left


def test_a_living_run_that_was_asked_to_stop_is_stopping(run):
    with trainer_of(run):
        run.record(state=State.RUNNING)
        run.request_stop()
        assert run.state() is State.STOPPING
        assert not run.state().is_over


@on_posix
def test_who_may_only_read_the_folder_sees_that_a_run_lives(run, monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with trainer_of(run):
        monkeypatch.setattr("emotion_core.runs.lock.FileLock.acquire", refuse)
        assert run.is_alive()
    assert not run.is_alive()


@on_posix
def test_who_looks_at_a_run_is_not_taken_for_its_trainer_by_others_who_look(run):
    import fcntl

    (run.folder / "lock").touch()
    with (run.folder / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as a look that the system has interrupted
        assert not run.is_alive()


@on_posix
@pytest.mark.filterwarnings("ignore:.*flock")
def test_a_run_is_seen_to_live_on_a_disk_that_knows_no_locks(run, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", refuse)
    assert not run.is_alive()
    with run.alive():
        assert run.is_alive()
    assert not run.is_alive()


def test_two_processes_never_compute_one_run(run):
    with trainer_of(run), pytest.raises(EmotionError, match="another process"), run.alive():
        pass


def test_looking_again_and_again_does_not_keep_a_trainer_out(run):
    for _ in range(50):
        assert not run.is_alive()
        with run.alive():
            assert run.is_alive()


@pytest.mark.parametrize("state", [State.STOPPED, State.FINISHED, State.FAILED, State.INTERRUPTED])
def test_an_ended_run_is_what_was_recorded(run, state):
    run.record(state=state, reason="So it was.")
    assert run.state() is state
    assert state.is_over
    assert summarise(run).reason == "So it was."


def test_recording_changes_the_named_fields_only(run):
    before = run.status()
    run.record(epoch=4, best_val_loss=1.5)
    assert run.status() == before.model_copy(update={"epoch": 4, "best_val_loss": 1.5})


def test_a_loss_that_is_no_number_can_be_recorded_and_read(run):
    run.record(best_val_loss=float("nan"), images_per_second=float("inf"))
    assert run.state() is State.QUEUED


# --- deleting -----------------------------------------------------------------------------------------------------


def test_a_deleted_run_is_gone_and_looking_at_it_does_not_bring_it_back(runs, run):
    runs.delete(run)
    assert not run.is_alive()
    with pytest.raises(DamagedRun):
        run.state()
    assert runs.all() == []
    assert list(runs.folder.iterdir()) == []


def test_a_computing_run_is_not_deleted(runs, run):
    with trainer_of(run), pytest.raises(BadInput, match="stop it before"):
        runs.delete(run)
    assert run.config == SGD


# --- damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "status.json", "evaluation.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"state": "asleep"}', b"\xff\xfe\x00", b"null"])
def test_a_damaged_file_makes_a_damaged_line_and_spares_the_others(runs, name, content):
    whole, damaged = save_finished_run(runs), save_finished_run(runs)
    (damaged.folder / name).write_bytes(content)
    lines = {line.id: line for line in runs.summaries()}
    assert lines[damaged.id].state is State.DAMAGED
    assert name in lines[damaged.id].reason
    assert lines[whole.id].state is State.FINISHED


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seed":', '"sead": 1, "seed":', "training.sead: there is no such setting."),
        ('"linear"', '"transformer"', "model: transformer is none of 'linear'"),
        ('"preset"', '"preset', "it is cut off, or no JSON."),
        ('{"', '{"' + "x" * 900 + '": 1, "', f"{'x' * 57}...: there is no such setting."),
    ],
)
def test_settings_that_cannot_be_read_are_said_to_be_wrong_where_they_are(finished_run, old, new, said):
    path = finished_run.folder / "config.json"
    path.write_text(finished_run.config.model_dump_json().replace(old, new, 1))
    reason = summarise(Run(finished_run.folder)).reason
    assert reason.startswith(f"{path} does not hold a run's settings: ")
    assert said in reason
    assert len(reason) < len(str(path)) + 200


@pytest.mark.parametrize("name", ["config.json", "status.json"])
def test_a_missing_file_makes_a_damaged_line(runs, finished_run, name):
    (finished_run.folder / name).unlink()
    assert [line.state for line in runs.summaries()] == [State.DAMAGED]


def test_a_run_that_could_not_be_read_for_a_moment_is_not_damaged_for_good(runs, finished_run, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as moment:
        moment.setattr(Path, "read_bytes", refuse)
        assert [line.state for line in runs.summaries()] == [State.DAMAGED]
    assert [line.state for line in runs.summaries()] == [State.FINISHED]


def test_a_folder_that_cannot_be_looked_into_is_named(runs, finished_run, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(EmotionError, match=r"The runs in .* cannot be listed: Permission denied\."):
        runs.summaries()


def test_a_run_is_deleted_whatever_an_earlier_deletion_left(runs, finished_run):
    (runs.folder / f".deleted-{finished_run.id}" / "held").mkdir(parents=True)
    runs.delete(finished_run)
    assert runs.all() == []


def test_an_empty_folder_makes_a_damaged_line(runs):
    (runs.folder / "20260101-000000-sgd-0000").mkdir()
    assert [line.state for line in runs.summaries()] == [State.DAMAGED]


def test_a_run_without_scores_is_not_damaged(runs, finished_run):
    (finished_run.folder / "evaluation.json").unlink()
    assert finished_run.evaluation() is None
    assert summarise(finished_run).state is State.FINISHED


@given(content=st.binary(max_size=300), name=st.sampled_from(["config.json", "status.json", "evaluation.json"]))
@one_folder_for_all_examples
def test_no_bytes_in_a_run_s_files_take_a_list_down(runs_folder, content, name):
    runs = Runs(runs_folder)
    run = runs.create(SGD)
    (run.folder / name).write_bytes(content)
    assert summarise(Run(run.folder)).state is State.DAMAGED
    runs.delete(run)


@given(cut=st.integers(0, 5_000), noise=st.binary(max_size=20))
@one_folder_for_all_examples
def test_damaged_probabilities_are_told_as_such(runs_folder, cut, noise):
    runs = Runs(runs_folder)
    run = save_finished_run(runs)
    path = run.folder / "validation.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole) - 1)] + noise)
    with suppress(DamagedRun):  # and nothing else
        assert len(run.validation().labels) == 210
    runs.delete(run)


# --- curves, scores, logs -----------------------------------------------------------------------------------------


def epoch_row(epoch: int) -> dict[str, float]:
    return {column: epoch + index / 8 for index, column in enumerate(HISTORY_COLUMNS)}


def test_history_reads_back_row_by_row(run):
    assert run.history().empty
    for epoch in (1, 2, 3):
        run.append_history(epoch_row(epoch))
    history = run.history()
    assert list(history.columns) == list(HISTORY_COLUMNS)
    assert history.to_dict("records") == [epoch_row(epoch) for epoch in (1, 2, 3)]


@given(share=st.floats(0, 1))
@one_folder_for_all_examples
def test_a_torn_history_gives_its_whole_lines(runs_folder, share):
    run = Runs(runs_folder).create(SGD)
    for epoch in (1, 2, 3):
        run.append_history(epoch_row(epoch))
    path = run.folder / "history.csv"
    whole = path.read_bytes()
    torn = whole[: round(share * len(whole))]
    path.write_bytes(torn)
    epochs = max(0, torn.count(b"\n") - 1)
    assert run.history().to_dict("records") == [epoch_row(epoch) for epoch in range(1, epochs + 1)]
    Runs(runs_folder).delete(run)


@given(content=st.binary(max_size=200) | st.text(alphabet='0123456789.,\n"ne', max_size=200).map(str.encode))
@one_folder_for_all_examples
def test_no_bytes_in_the_curves_take_a_page_down(runs_folder, content):
    run = Runs(runs_folder).create(SGD)
    (run.folder / "history.csv").write_bytes(b"epoch,loss\n" + content)
    history = run.history()
    assert list(history.columns) == list(HISTORY_COLUMNS)
    assert all(np.issubdtype(kind, np.number) for kind in history.dtypes)
    assert history["epoch"].notna().all()
    Runs(runs_folder).delete(run)


def test_a_line_with_too_much_in_it_shifts_no_column(run):
    (run.folder / "history.csv").write_text(",".join(HISTORY_COLUMNS) + "\n1,1.9,0.2,1.8,0.3,0.001,12,99\n")
    assert run.history().empty


@contextmanager
def refused(monkeypatch, error: OSError, times: int, system: str = os.name) -> Iterator[None]:
    """Have the system refuse to read any file a number of times."""
    read, left = Path.read_bytes, [error] * times
    with monkeypatch.context() as patch:
        patch.setattr("emotion_core.files.os.name", system)
        patch.setattr(Path, "read_bytes", lambda path: read(path) if not left else _raise(left.pop()))
        yield


def _raise(error: OSError) -> bytes:
    raise error


def test_a_history_that_cannot_be_read_for_the_moment_is_not_lost(run, monkeypatch):
    run.append_history(epoch_row(1))
    with refused(monkeypatch, OSError(5, "Input/output error"), 1), pytest.raises(OSError, match="Input/output"):
        run.keep_history(1)
    assert len(run.history()) == 1


def test_what_windows_refuses_to_open_while_it_is_replaced_is_read_a_moment_later(run, monkeypatch):
    run.append_history(epoch_row(1))
    run.write_about(About(name="Mine"))
    for look in (run.status, run.about, lambda: Run(run.folder).config, lambda: len(run.history())):
        before = look()
        with refused(monkeypatch, PermissionError(13, "Permission denied"), 2, "nt"):
            assert look() == before


def test_a_diverged_loss_stays_in_the_history(run):
    run.append_history(epoch_row(1) | {"loss": float("nan"), "val_loss": float("inf")})
    row = run.history().iloc[0]
    assert np.isnan(row["loss"])
    assert np.isinf(row["val_loss"])


def test_progress_holds_the_epoch_in_hand_only(run):
    row = dict.fromkeys(PROGRESS_COLUMNS, 1.0)
    run.append_progress(row)
    run.clear_progress()
    assert run.progress().empty
    run.append_progress(row | {"epoch": 2.0})
    assert run.progress()["epoch"].tolist() == [2.0]


def test_scores_and_probabilities_read_back(runs):
    run = save_finished_run(runs, skill=0.8)
    evaluation, validation = run.evaluation(), run.validation()
    assert evaluation.images == len(validation.labels) == len(validation.rows) == 210
    assert validation.probabilities.shape == (210, 7)
    right = (validation.probabilities.argmax(axis=1) == validation.labels).mean()
    assert right == pytest.approx(evaluation.accuracy, abs=0.01)
    assert summarise(run).val_accuracy == evaluation.accuracy


def test_the_log_s_tail_is_its_last_lines_whatever_is_in_it(run):
    assert run.log_tail() == ""
    run.log_path.write_bytes(b"".join(b"line %d\n" % number for number in range(5_000)) + b"\xff odd byte\n")
    assert run.log_tail(3).splitlines() == ["line 4998", "line 4999", "� odd byte"]


def test_the_log_s_tail_leaves_out_what_tensorflow_tells_of_itself(run):
    run.log_path.write_text(
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1795903696.770343   16732 cudart_stub.cc:31] Could not find cuda drivers on your machine.\n"
        "E0000 00:00:1795903699.132598   16732 allocator.cc:52] out of memory\n"
        "epoch 1: loss 2.1\n"
    )
    assert [line[:5] for line in run.log_tail().splitlines()] == ["E0000", "epoch"]


def test_files_handed_out_leave_out_locks_and_requests(runs, finished_run):
    with finished_run.alive():
        finished_run.request_stop()
        finished_run.request_kill()
    names = [path.name for path in finished_run.files()]
    assert names == sorted(names)
    assert {"config.json", "history.csv", "linear.npz", "log.txt"} <= set(names)
    assert not {"lock", "stop", "kill"} & set(names)


def test_files_that_cannot_be_listed_are_said_in_a_sentence(finished_run):
    shutil.rmtree(finished_run.folder)
    with pytest.raises(DamagedRun, match=r"The files in .* cannot be listed"):
        finished_run.files()
