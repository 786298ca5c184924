"""Finding the data set that a run was judged on, and telling it from others."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from conftest import save_csv, save_finished_run

from emotion_core.config import RunConfig, with_settings
from emotion_core.dataset import Dataset, labels_of_run, load_dataset, rows_of_run
from emotion_core.origins import find_sources, holds_faces, learnt_from, seen_rows, sources_of_knowledge
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, Validation


def config(source: str, preset: str = "sgd") -> RunConfig:
    return with_settings(find_preset(preset).config, {"data.source": source})


@pytest.fixture
def dataset(faces_csv: Path) -> Dataset:
    return load_dataset(faces_csv)


def validation_of(dataset: Dataset, run: RunConfig) -> Validation:
    """The outcome on the run's validation rows."""
    rows = rows_of_run(dataset, run).validation
    labels = labels_of_run(dataset, run)[rows]
    return Validation(rows, labels, np.full((len(rows), 7), 1 / 7, np.float32))


@pytest.mark.parametrize("source", ["/home/someone/faces.csv", r"C:\Users\someone\faces.csv", "data/faces.csv"])
def test_a_file_is_known_by_its_name_whatever_system_named_it(source):
    assert config(source).data.name == "faces.csv"


@pytest.mark.parametrize("source", ["/home/someone/faces.csv", r"C:\Users\someone\faces.csv", "data/faces.csv"])
def test_a_file_that_is_elsewhere_is_found_in_the_data_folder(faces_csv, source):
    assert find_sources(config(source)) == [str(faces_csv)]


def test_a_file_where_the_run_says_comes_before_one_of_its_name(faces_csv, tmp_path):
    own = save_csv(tmp_path / "faces.csv", [0, 1])
    assert find_sources(config(str(own))) == [str(own), str(faces_csv)]


def test_a_file_that_is_both_is_named_once(faces_csv):
    assert find_sources(config(str(faces_csv))) == [str(faces_csv)]


def test_the_sample_is_always_there(runs_folder):
    assert find_sources(config("sample")) == ["sample"]


def test_a_file_that_is_gone_is_nowhere(runs_folder):
    assert find_sources(config("/home/someone/faces.csv")) == []


@pytest.mark.parametrize("source", [r"\\host\share\faces.csv", "//host/share/faces.csv"])
def test_a_path_into_a_network_is_not_looked_at(faces_csv, monkeypatch, source):
    looked_at = []
    monkeypatch.setattr(Path, "exists", lambda path: looked_at.append(str(path)) or False)
    find_sources(config(source))
    assert looked_at == [str(faces_csv)]


@pytest.mark.parametrize("source", ["/", "..", "../..", "."])
def test_a_folder_that_is_no_data_set_is_not_looked_through(runs_folder, source):
    assert find_sources(config(source)) == []


def test_a_folder_of_emotions_is_one(runs_folder):
    (runs_folder.parent / "data" / "photos" / "happy").mkdir(parents=True)
    assert find_sources(config("/elsewhere/photos")) == [str(runs_folder.parent / "data" / "photos")]


def test_a_path_that_could_be_none_is_passed_over(faces_csv):
    assert find_sources(config("x\0/faces.csv")) == [str(faces_csv)]


@pytest.mark.parametrize("preset", ["sgd", "sgd-misaligned"])
def test_the_data_set_of_a_run_holds_its_faces(dataset, preset):
    run = config(dataset.source, preset)
    assert run.data.is_misaligned == (preset == "sgd-misaligned")
    assert holds_faces(dataset, run, validation_of(dataset, run))


def test_other_labels_are_other_faces(dataset):
    run = config(dataset.source)
    validation = validation_of(dataset, run)
    other = replace(validation, labels=(validation.labels + 1) % 7)
    assert not holds_faces(dataset, run, other)


@pytest.mark.parametrize(
    ("digest", "source", "learnt"),
    [
        ("its own", "/home/someone/other.csv", True),
        ("another", "/home/someone/faces.csv", False),
        ("", r"C:\Users\someone\faces.csv", True),
        ("", "/home/someone/other.csv", False),
    ],
)
def test_what_a_run_learnt_from_is_told_by_its_digest_or_else_by_the_file_s_name(dataset, digest, source, learnt):
    given = {"its own": dataset.fingerprint, "another": "0" * 32}.get(digest, "")
    assert learnt_from(with_settings(config(source), {"data_fingerprint": given}), dataset) is learnt


def test_a_run_of_old_is_known_to_have_learnt_from_the_sample():
    assert learnt_from(config("sample"), load_dataset("sample"))


def test_too_few_rows_are_other_faces(dataset):
    run = config(dataset.source)
    validation = validation_of(dataset, run)
    for rows in (validation.rows + len(dataset), validation.rows - len(dataset)):
        assert not holds_faces(dataset, run, replace(validation, rows=rows))


def test_faces_without_labels_are_other_faces(dataset):
    run = config(dataset.source)
    assert not holds_faces(replace(dataset, labels=None), run, validation_of(dataset, run))


@pytest.mark.parametrize("digest", ["", "its own", "another"])
def test_a_digest_decides_where_the_run_has_one(dataset, digest):
    run = config(dataset.source)
    given = {"its own": dataset.fingerprint, "another": "0" * 32}.get(digest, "")
    run = with_settings(run, {"data_fingerprint": given})
    assert holds_faces(dataset, run, validation_of(dataset, run)) == (digest != "another")


# --- what a run knows through others -------------------------------------------------------------------------------


@pytest.fixture
def runs(runs_folder) -> Runs:
    return Runs(runs_folder)


def changed(run: Run, settings: dict[str, object], preset: str = "residual") -> Run:
    """Return a run as if it had been submitted with these settings."""
    text = with_settings(find_preset(preset).config, settings).model_dump_json()
    (run.folder / "config.json").write_text(text, encoding="utf-8")
    return Run(run.folder)


def test_knowledge_comes_from_starts_and_teachers_and_theirs_each_once(runs):
    start, teacher, run = (save_finished_run(runs) for _ in range(3))
    changed(teacher, {"training.start_from": [start.id]})
    run = changed(run, {"training.start_from": [start.id, "of-long-ago"], "training.teachers": [teacher.id]})
    ids = [source.id for source in sources_of_knowledge(run, runs)]
    assert ids[0] == run.id
    assert sorted(ids) == sorted([start.id, teacher.id, run.id])


def test_runs_that_name_each_other_are_looked_at_once(runs):
    one, other = save_finished_run(runs), save_finished_run(runs)
    changed(other, {"training.teachers": [one.id]})
    one = changed(one, {"training.teachers": [other.id]})
    assert [source.id for source in islice(sources_of_knowledge(one, runs), 9)] == [one.id, other.id]


def test_a_face_that_one_run_learnt_and_another_was_validated_on_counts_as_learnt(runs, dataset):
    here = {"data.source": dataset.source, "data_fingerprint": dataset.fingerprint}
    teacher, run = (save_finished_run(runs) for _ in range(2))
    halves = {"data.split.kind": "random", "data.split.share": 0.5}
    teacher = changed(teacher, here | halves | {"training.seed": 1})
    run = changed(run, here | halves | {"training.seed": 2, "training.teachers": [teacher.id]})
    learnt = {*rows_of_run(dataset, teacher.config).training, *rows_of_run(dataset, run.config).training}
    seen = seen_rows(run, runs, dataset)
    assert seen is not None
    assert set(seen.training) == learnt
    assert set(seen.validation) == set(range(len(dataset))) - learnt
    assert len(seen.validation) < len(dataset) / 2  # some of either's validation faces the other one learnt


def test_of_faces_that_nothing_it_knows_comes_from_a_run_has_seen_none(runs, dataset):
    assert seen_rows(save_finished_run(runs), runs, dataset) is None
