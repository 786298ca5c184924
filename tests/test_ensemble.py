"""Several models at the same faces."""

from pathlib import Path

import numpy as np
import pytest
from conftest import save_finished_run
from numpy.testing import assert_allclose, assert_array_equal

from emotion_core.__main__ import main
from emotion_core.classifier import BATCH_SIZE, load_classifier
from emotion_core.dataset import load_dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.ensemble import Ensemble, ask_each, load_ensemble
from emotion_core.errors import BadInput, ModelUnavailable
from emotion_core.runs import Run, Runs

FACES = np.random.default_rng(3).integers(0, 256, (BATCH_SIZE + 9, 48, 48)).astype(np.uint8)


@pytest.fixture
def three(runs_folder: Path) -> list[Run]:
    """Three runs whose models disagree."""
    return [run_of_its_own(Runs(runs_folder), f"Run {seed}", seed) for seed in range(3)]


def run_of_its_own(runs: Runs, name: str, seed: int) -> Run:
    run = save_finished_run(runs, name=name, seed=seed)
    np.savez(
        run.linear_path,
        coefficients=np.random.default_rng(seed).normal(0, 0.02, (7, 48 * 48)).astype(np.float32),
        intercepts=np.zeros(7, np.float32),
        temperature=np.float32(1.0),
    )
    return run


def test_probabilities_are_the_mean_over_the_members(three):
    alone = [load_classifier(run).probabilities(FACES) for run in three]
    together = load_ensemble(three).probabilities(FACES)
    assert together.dtype == np.float32
    assert_allclose(together, sum(alone) / 3, atol=1e-6)
    assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    assert any((together.argmax(axis=1) != answer.argmax(axis=1)).any() for answer in alone)


def test_one_member_answers_bit_for_bit_as_it_does_alone(three):
    model = load_classifier(three[0])
    assert_array_equal(Ensemble([model]).probabilities(FACES), model.probabilities(FACES))


def test_average_says_how_far_it_is_in_faces(three):
    told = []
    load_ensemble(three).probabilities(FACES, lambda done, total: told.append((done, total)))
    assert told == [(BATCH_SIZE, len(FACES)), (len(FACES), len(FACES))]


def test_a_run_named_twice_is_refused(three):
    with pytest.raises(BadInput, match=f"Run {three[0].id} is named twice"):
        load_ensemble([three[0], three[1], three[0]])


def test_a_run_without_a_model_is_named(three):
    three[1].linear_path.unlink()
    with pytest.raises(ModelUnavailable, match=three[1].id):
        load_ensemble(three)


def test_each_run_answers_as_it_does_alone_and_a_damaged_one_holds_up_no_other(three):
    three[1].linear_path.write_bytes(b"torn")
    told = []
    answers = ask_each(three, FACES, lambda done, total: told.append((done, total)))
    assert list(answers.labels) == [three[0].id, three[2].id]
    for run in (three[0], three[2]):
        assert_array_equal(answers.labels[run.id], load_classifier(run).probabilities(FACES).argmax(axis=1))
    assert list(answers.refused) == [three[1].id]
    assert "linear.npz cannot be used as a model" in answers.refused[three[1].id]
    count = len(FACES)
    assert told == [(done, 3 * count) for done in (BATCH_SIZE, count, 2 * count + BATCH_SIZE, 3 * count)]


# --- command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def test_csv(tmp_path: Path) -> Path:
    path = tmp_path / "test.csv"
    lines = [f"{100 + row},{' '.join(map(str, face.ravel()))}\n" for row, face in enumerate(FACES[:20])]
    path.write_text("id,pixels\n" + "".join(lines))
    return path


def rows(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_predict_writes_the_average_under_the_header_and_with_the_names_asked_for(three, test_csv, tmp_path, capsys):
    output = tmp_path / "out.csv"
    others = ["--average-with", three[1].id, "--average-with", three[2].id]
    words = ["predict", three[0].id, str(test_csv), "--output", str(output), *others]
    assert main([*words, "--header", "emotion", "--names"]) == 0
    said = capsys.readouterr().out
    assert all(run.id in said for run in three)
    labels = load_ensemble(three).probabilities(load_dataset(test_csv).images).argmax(axis=1)
    expected = [f"{100 + row},{EMOTIONS[label]}" for row, label in enumerate(labels)]
    assert rows(output) == ["id,emotion", *expected]


def test_predict_without_options_writes_the_coursework_s_file(three, test_csv, tmp_path):
    output = tmp_path / "out.csv"
    assert main(["predict", three[0].id, str(test_csv), "--output", str(output)]) == 0
    labels = load_classifier(three[0]).probabilities(load_dataset(test_csv).images).argmax(axis=1)
    text = "id,predicted class\n" + "".join(f"{100 + row},{label}\n" for row, label in enumerate(labels))
    assert output.read_bytes() == text.encode()


def test_averaging_a_run_with_itself_is_one_sentence_and_leaves_the_old_file(three, test_csv, tmp_path, capsys):
    output = tmp_path / "out.csv"
    output.write_text("old")
    words = ["predict", three[0].id, str(test_csv), "--output", str(output), "--average-with", three[0].id]
    assert main(words) == 2
    assert "is named twice" in capsys.readouterr().err
    assert output.read_text() == "old"
