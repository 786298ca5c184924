"""Saved runs that teach another."""

import numpy as np
import pytest
from conftest import save_csv, save_finished_run

from emotion_core.classifier import Classifier, load_classifier
from emotion_core.config import Augmentation, FirstRows, RunConfig, refuse_unused, with_settings
from emotion_core.dataset import Dataset, load_dataset
from emotion_core.engine.local import freeze
from emotion_core.errors import BadInput, ModelUnavailable, RunNotFound
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs
from emotion_core.teachers import Teachers, load_teachers, resolve_teachers

FACES = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
LABELS = np.eye(7, dtype=np.float32)[[0, 1, 2, 3, 4]]

HAPPY, SAD = 3, 4


class Stubborn(Classifier):
    """Sees the same emotion in every face."""

    def __init__(self, emotion: int) -> None:
        self._emotion = emotion

    def classify_inputs(self, inputs):
        return np.eye(7, dtype=np.float32)[[self._emotion] * len(inputs)]


@pytest.fixture
def runs(runs_folder) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def faces(faces_csv) -> Dataset:
    return load_dataset(faces_csv)


def taught_by(*teachers: str, **settings: object) -> RunConfig:
    return with_settings(find_preset("cnn-small").config, {"training.teachers": list(teachers)} | settings)


# --- what is taught -----------------------------------------------------------------------------------------------


def test_what_is_taught_is_the_teacher_s_answer_and_the_label_by_their_shares():
    taught = Teachers([Stubborn(HAPPY)], share=0.75).teach(FACES, LABELS, turn=0)
    assert taught.dtype == np.float32
    np.testing.assert_allclose(taught, 0.75 * np.eye(7)[[HAPPY] * 5] + 0.25 * LABELS, atol=1e-6)


def test_teachers_take_turns():
    teachers = Teachers([Stubborn(HAPPY), Stubborn(SAD)], share=1)
    asked = [teachers.teach(FACES, LABELS, turn)[0].argmax() for turn in range(4)]
    assert asked == [HAPPY, SAD, HAPPY, SAD]


def test_a_teacher_answers_as_it_classifies(finished_run, runs):
    config = taught_by(finished_run.id, **{"training.teacher_share": 1.0})
    taught = load_teachers(config, runs).teach(FACES, LABELS, turn=0)
    np.testing.assert_array_equal(taught, load_classifier(finished_run).probabilities(FACES))


def test_without_teachers_there_are_none(runs):
    assert load_teachers(find_preset("cnn-small").config, runs) is None


# --- who may teach ------------------------------------------------------------------------------------------------


def test_settings_hold_whole_ids_whatever_was_written(finished_run, runs, faces):
    for written in ("latest", finished_run.id, finished_run.id[:-2]):
        assert resolve_teachers(taught_by(written), runs, faces).training.teachers == (finished_run.id,)


def test_teachers_are_named_when_settings_are_frozen(finished_run, runs, faces_csv):
    frozen = freeze(taught_by("latest", **{"data.source": str(faces_csv)}), runs)
    assert frozen.training.teachers == (finished_run.id,)


def test_who_is_no_run_has_no_model_or_is_named_twice_is_refused(finished_run, runs, faces):
    with pytest.raises(RunNotFound, match="There is no run 'nobody'"):
        resolve_teachers(taught_by("nobody"), runs, faces)
    with pytest.raises(BadInput, match=f"Run {finished_run.id} is named twice"):
        resolve_teachers(taught_by(finished_run.id, "latest"), runs, faces)
    untrained = runs.create(find_preset("cnn").config)
    with pytest.raises(ModelUnavailable, match=f"Run {untrained.id} has saved no model"):
        resolve_teachers(taught_by(untrained.id), runs, faces)


def learnt_from(source: str, runs: Runs, **settings: object) -> Run:
    """Save a run with a model that learnt from a file."""
    config = freeze(with_settings(find_preset("cnn-small").config, {"data.source": source} | settings), runs)
    run = runs.create(config)
    (run.folder / "linear.npz").write_bytes((save_finished_run(runs).folder / "linear.npz").read_bytes())
    return run


@pytest.mark.parametrize(
    ("theirs", "ours", "fair"),
    [
        ({}, {}, True),
        ({"training.seed": 1}, {"training.seed": 2}, True),
        ({"data.split": FirstRows(count=7)}, {}, False),
        ({}, {"data.split": FirstRows(count=7)}, True),  # which the teacher did not learn from either
        ({"data.split.kind": "random"}, {"data.split.kind": "random"}, True),
        ({"data.split.kind": "random", "training.seed": 1}, {"data.split.kind": "random", "training.seed": 2}, False),
    ],
)
def test_a_teacher_may_not_have_learnt_from_faces_that_validate(runs, faces_csv, theirs, ours, fair):
    teacher = learnt_from(str(faces_csv), runs, **theirs)
    student = taught_by(teacher.id, **{"data.source": str(faces_csv)}, **ours)
    if fair:
        assert freeze(student, runs).training.teachers == (teacher.id,)
    else:
        with pytest.raises(BadInput, match=rf"Run {teacher.id} learnt from \d+ of the validation faces here"):
            freeze(student, runs)


def test_a_teacher_may_have_learnt_from_other_data_split_as_one_likes(runs, faces_csv, tmp_path):
    other = save_csv(tmp_path / "other.csv", list(range(7)) * 12, count=84)
    teacher = learnt_from(str(other), runs, **{"data.split.kind": "random"})
    assert freeze(taught_by(teacher.id, **{"data.source": str(faces_csv)}), runs).training.teachers == (teacher.id,)


@pytest.mark.parametrize("written", ["a, b", "a,b,", ["a", "b"]])
def test_teachers_may_be_written_on_one_line(written):
    config = with_settings(find_preset("cnn").config, {"training.teachers": written})
    assert config.training.teachers == ("a", "b")


def test_a_linear_model_has_no_teachers():
    with pytest.raises(BadInput, match=r"linear have no use for training\.teachers"):
        refuse_unused(with_settings(find_preset("sgd").config, {"training.teachers": ["latest"]}))


# --- learning -----------------------------------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_a_student_learns_what_it_is_taught_and_is_scored_by_the_labels():
    from emotion_core.batches import FaceBatches, as_shares, beside
    from emotion_core.images import to_network_input
    from emotion_core.models.build import build_model
    from emotion_core.trainers import TrainingData
    from emotion_core.trainers.network import compile_network

    config = taught_by(
        "anyone",
        **{
            "training.epochs": 12,
            "training.batch_size": 5,
            "training.teacher_share": 1.0,
            "training.schedule": {"kind": "constant", "rate": 0.01},
        },
    ).model_copy(update={"model": find_preset("dense-single").config.model, "augmentation": Augmentation()})
    labels = np.array([HAPPY, SAD, HAPPY, HAPPY, 0], np.uint8)
    data = TrainingData(FACES, labels, FACES, labels, np.arange(5), np.ones(7))
    batches = FaceBatches(data, config, teachers=Teachers([Stubborn(SAD)], share=1.0))
    network = build_model(config.model)
    compile_network(network, config, steps_per_epoch=len(batches))
    truth = beside(as_shares(labels), as_shares(labels))
    history = network.fit(batches, epochs=12, validation_data=(to_network_input(FACES), truth), verbose=0).history
    assert (network.predict(to_network_input(FACES), verbose=0).argmax(axis=1) == SAD).all()
    assert history["loss"][-1] < 0.1
    assert history["accuracy"][-1] == history["val_accuracy"][-1] == pytest.approx(1 / 5)
    assert history["val_loss"][-1] > 1
