"""What curves say: each rule on curves that show its trouble, and on near misses that do not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_core.config import with_settings
from emotion_core.diagnosis import GUESSING_LOSS, Trouble, diagnose, diagnose_run
from emotion_core.emotions import NUM_EMOTIONS
from emotion_core.presets import find_preset
from emotion_core.runs import HISTORY_COLUMNS, Run, Runs, State

SHIPPED = Path(__file__).parent.parent / "trained"

FALLING = np.geomspace(1.8, 0.8, 20)


def curves(loss, val_loss=None, accuracy=0.6, val_accuracy=0.55) -> pd.DataFrame:
    """A history of as many epochs as there are losses; what is not given goes along with the training loss."""
    loss = np.asarray(loss, float)
    columns = {
        "epoch": np.arange(1, len(loss) + 1),
        "loss": loss,
        "accuracy": accuracy,
        "val_loss": loss + 0.1 if val_loss is None else val_loss,
        "val_accuracy": val_accuracy + np.arange(len(loss)) / 1_000 if np.isscalar(val_accuracy) else val_accuracy,
        "learning_rate": 1e-3,
        "seconds": 10.0,
    }
    return pd.DataFrame(columns, columns=list(HISTORY_COLUMNS), dtype=float)


def trouble(history: pd.DataFrame, **known: object) -> Trouble | None:
    found = diagnose(history, **known)
    return found.trouble if found else None


def test_curves_that_fall_together_say_nothing() -> None:
    assert trouble(curves(FALLING)) is None


@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=12, unique=True))
def test_a_loss_that_only_falls_is_never_said_to_climb_or_leap(losses: list[float]) -> None:
    assert trouble(curves(sorted(losses, reverse=True))) is not Trouble.RATE_TOO_HIGH


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_too_few_epochs_say_nothing(epochs: int) -> None:
    assert trouble(curves([1.5, 9.0][:epochs])) is None


@pytest.mark.parametrize("epochs", range(31))
def test_the_shipped_run_was_healthy_at_every_moment_of_its_life(epochs: int) -> None:
    (run,) = (run for run in Runs(SHIPPED).all() if run.id == "20261122-164133-cnn-small-a0f8")
    assert diagnose(run.history().iloc[:epochs]) is None


# --- learning rate too high ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["loss", "val_loss"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_no_number_names_its_epoch_however_early(name: str, value: float) -> None:
    found = diagnose(curves([1.5, 1.6]).assign(**{name: [1.5, value]}))
    assert found is not None
    assert found.trouble is Trouble.RATE_TOO_HIGH
    assert "stopped being a finite number in epoch 2" in found.sentence
    assert found.sentence.endswith("Try a learning rate ten times lower.")


def test_a_loss_that_climbs_above_guessing_is_a_rate_too_high() -> None:
    found = diagnose(curves([1.7, 1.6, 2.1, 3.4, 5.0]))
    assert found is not None
    assert found.trouble is Trouble.RATE_TOO_HIGH
    assert "climbed from 1.60 to 3.40, while guessing gives 1.95" in found.sentence


@pytest.mark.parametrize(
    "loss",
    [
        [9.0, 6.0, 4.0, 3.5, 3.2],  # a strong penalty, coming down
        [1.7, 1.6, 1.55, 9.0, 1.5],  # one bad epoch
        [1.2, 1.2, 1.5, 1.6, 1.7],  # climbs, but knows more than a guess
        [GUESSING_LOSS] * 5,  # learns nothing, but does not climb
    ],
)
def test_other_high_losses_are_no_explosion(loss: list[float]) -> None:
    assert trouble(curves(loss)) is not Trouble.RATE_TOO_HIGH


def test_a_training_loss_that_leaps_again_and_again_is_a_rate_too_high() -> None:
    found = diagnose(curves([1.5, 1.2, 1.6, 1.1, 1.5, 1.2, 1.7]))
    assert found is not None
    assert found.trouble is Trouble.RATE_TOO_HIGH
    assert "jumped in 3 of the last 6 epochs, between 1.10 and 1.70" in found.sentence


@pytest.mark.parametrize(
    "loss",
    [
        [1.5, 1.2, 1.6, 1.1, 1.5, 1.2, 1.2],  # leaps twice
        [1.5, 1.4, 1.5, 1.4, 1.5, 1.4, 1.5],  # by seven in a hundred
        [1.5, 1.2, 1.6, 1.1, 1.5, 1.2, 1.7, *np.linspace(1.4, 1.1, 8)],  # has settled since
    ],
)
def test_a_training_loss_that_moves_a_little_is_no_rate_too_high(loss: list[float]) -> None:
    assert trouble(curves(loss)) is not Trouble.RATE_TOO_HIGH


def test_a_validation_loss_may_leap() -> None:
    assert trouble(curves(FALLING, val_loss=np.where(np.arange(20) % 2, 1.4, 1.0))) is None


def test_a_linear_model_has_no_rate_to_try() -> None:
    found = diagnose(curves([1.5, 1.2, 1.6, 1.1, 1.5, 1.2, 1.7]), linear=True)
    assert found is not None
    assert "larger alpha" in found.sentence
    assert "learning rate" not in found.sentence


# --- constant prediction ------------------------------------------------------------------------------------------


def test_an_accuracy_that_never_moves_is_a_constant_prediction() -> None:
    history = curves([1.83] * 6, accuracy=0.251, val_accuracy=[0.17, *[0.2472414] * 5])
    found = diagnose(history)
    assert found is not None
    assert found.trouble is Trouble.CONSTANT
    assert "has been exactly 24.7% since epoch 2" in found.sentence


@pytest.mark.parametrize(
    ("accuracy", "val_accuracy", "val_loss"),
    [
        (0.25, [0.2, 0.21, 0.2472, 0.2472, 0.2472], 1.8),  # three epochs only
        (0.25, [0.2, 0.2472, 0.2472, 0.2472, 0.2476], 1.8),  # one face moved
        (0.40, [0.2, 0.2472, 0.2472, 0.2472, 0.2472], 1.8),  # training faces are told apart
        ([0.22, 0.22, 0.24, 0.26, 0.28], [0.2, 0.2472, 0.2472, 0.2472, 0.2472], 1.8),  # training moves
        (0.5, [0.4, 0.5, 0.5, 0.5, 0.5], 0.6),  # a loss that no constant answer reaches
        (1.0, [0.9, 1.0, 1.0, 1.0, 1.0], 0.1),  # all right
    ],
)
def test_an_accuracy_that_stays_by_chance_is_no_constant_prediction(accuracy, val_accuracy, val_loss) -> None:
    history = curves(np.linspace(1.8, 1.7, 5), accuracy=accuracy, val_accuracy=val_accuracy, val_loss=val_loss)
    assert trouble(history) is not Trouble.CONSTANT


def confusion_of(*answers: int) -> list[list[int]]:
    """A hundred faces of each emotion, all taken for the emotions in turn."""
    matrix = np.zeros((NUM_EMOTIONS, NUM_EMOTIONS), int)
    for true in range(NUM_EMOTIONS):
        for answer in answers:
            matrix[true, answer] += 100 // len(answers)
    return matrix.tolist()


def test_a_column_that_holds_every_face_is_a_constant_prediction_named() -> None:
    found = diagnose(curves(FALLING), confusion=confusion_of(3))
    assert found is not None
    assert found.trouble is Trouble.CONSTANT
    assert "predicted as Happy, which is right for 14.3% of them." in found.sentence


def test_how_often_the_one_answer_is_right_is_of_the_faces_that_get_it() -> None:
    confusion = np.array(confusion_of(3))
    confusion[3] = 0, 0, 0, 94, 6, 0, 0
    found = diagnose(curves(FALLING), confusion=confusion.tolist())
    assert found is not None
    assert "which is right for 13.5% of them" in found.sentence  # 94 of 694


def test_two_columns_or_one_emotion_only_are_no_constant_prediction() -> None:
    assert trouble(curves(FALLING), confusion=confusion_of(3, 4)) is None
    only_happy = np.zeros((NUM_EMOTIONS, NUM_EMOTIONS), int)
    only_happy[3, 3] = 500
    assert trouble(curves(FALLING), confusion=only_happy.tolist()) is None
    assert trouble(curves(FALLING), confusion=np.zeros((NUM_EMOTIONS, NUM_EMOTIONS), int).tolist()) is None


# --- overfitting --------------------------------------------------------------------------------------------------


def turning_up(rise: float, last: int) -> np.ndarray:
    """A validation loss that falls to 1.0 and ends `rise` higher, for `last` epochs."""
    return np.concatenate([np.linspace(1.5, 1.0, 20 - last), np.full(last, 1.0 + rise)])


def test_a_validation_loss_that_turned_up_while_training_fell_is_overfitting() -> None:
    found = diagnose(curves(FALLING, val_loss=turning_up(0.2, 8)))
    assert found is not None
    assert found.trouble is Trouble.OVERFITTING
    assert "has risen since epoch 12, from 1.00 to 1.20" in found.sentence


@pytest.mark.parametrize(
    ("loss", "val_loss"),
    [
        (FALLING, turning_up(0.04, 8)),  # up by less than a twentieth
        (FALLING, turning_up(0.2, 2)),  # two epochs only
        (FALLING, [*turning_up(0.2, 8)[:-1], 1.02]),  # has just come back
        (np.geomspace(1.8, 0.8, 12).tolist() + [0.9] * 8, turning_up(0.2, 8)),  # training got worse, too
    ],
)
def test_a_validation_loss_that_turns_for_a_while_is_no_overfitting(loss, val_loss) -> None:
    assert trouble(curves(loss, val_loss=val_loss)) is not Trouble.OVERFITTING


def test_a_network_that_knew_nothing_yet_forgets_nothing() -> None:
    """Four epochs of the small CNN on drawn faces, whose batch normalisation has yet to settle."""
    history = curves([2.0, 1.6, 1.0, 0.7], val_loss=[2.4, 2.6, 3.2, 2.6], val_accuracy=[0.141, 0.149, 0.29, 0.35])
    assert trouble(history) is not Trouble.OVERFITTING


# --- underfitting -------------------------------------------------------------------------------------------------


def test_training_that_settled_low_is_underfitting() -> None:
    loss = [1.9, 1.8, *[1.7] * 10]
    found = diagnose(curves(loss, accuracy=0.31, val_accuracy=0.3))
    assert found is not None
    assert found.trouble is Trouble.UNDERFITTING
    assert "settled at 1.70, and only 31% of the training faces" in found.sentence
    assert "a network instead" in diagnose(curves(loss, accuracy=0.31, val_accuracy=0.3), linear=True).sentence


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "settled at 2.58, and only 31% of the training faces are recognised: the model is too simple"),
        ({"penalised": True}, "settled at 2.58, penalty included, and only 31%"),
        ({"penalised": True}, "recognised: a strong penalty may be the reason, which runs without would show, or"),
        ({"penalised": True, "weighted": True}, "recognised: a strong penalty or the class weights may be the reason"),
    ],
)
def test_penalty_and_class_weights_are_named_before_the_model_is_blamed(known: dict[str, bool], words: str) -> None:
    found = diagnose(curves([4.0, 3.0, *[2.58] * 10], accuracy=0.31, val_accuracy=0.3), **known)
    assert found is not None
    assert words in found.sentence
    assert ("Try a weaker penalty" in found.sentence) == known.get("penalised", False)


def test_a_shipped_run_with_penalty_and_class_weights_is_told_of_both() -> None:
    (run,) = (run for run in Runs(SHIPPED).all() if run.id == "20261123-084443-dense-5-d65ce0e9")
    found = diagnose_run(run)
    assert found is not None
    assert "a strong penalty or the class weights may be the reason" in found.sentence


@pytest.mark.parametrize(
    ("loss", "accuracy", "val_accuracy"),
    [
        ([1.9, *[1.7] * 8], 0.31, 0.3),  # nine epochs
        (np.geomspace(1.9, 1.5, 12), 0.31, 0.3),  # still falling
        ([1.9, 1.8, *[1.2] * 10], 0.62, 0.6),  # settled well
        ([1.9, 1.8, *[1.5] * 10], 0.42, 0.64),  # blended faces are hard, those of validation are found
        ([1.9, 1.8, *[1.5] * 10], 0.45, 0.3),  # knows the training faces better: another trouble
    ],
)
def test_training_that_goes_on_or_does_well_is_no_underfitting(loss, accuracy, val_accuracy) -> None:
    assert trouble(curves(loss, accuracy=accuracy, val_accuracy=val_accuracy)) is not Trouble.UNDERFITTING


# --- a saved run --------------------------------------------------------------------------------------------------


def test_a_run_is_diagnosed_from_its_own_files(tmp_path: Path) -> None:
    (shipped,) = (run for run in Runs(SHIPPED).all() if run.id == "20261122-164133-cnn-small-a0f8")
    run = Run(Path(shutil.copytree(shipped.folder, tmp_path / shipped.id)))
    assert diagnose_run(run) is None
    scores = json.loads((run.folder / "evaluation.json").read_text())
    (run.folder / "evaluation.json").write_text(json.dumps(scores | {"confusion": confusion_of(0)}))
    found = diagnose_run(run)
    assert found is not None
    assert "predicted as Angry" in found.sentence
    run.record(state=State.RUNNING)  # those scores are of an earlier sitting
    assert diagnose_run(run) is None


def test_a_linear_run_is_told_of_a_linear_models_settings(tmp_path: Path) -> None:
    for preset, advice in (("sgd", "larger alpha"), ("dense-5", "ten times lower")):
        run = Runs(tmp_path).create(with_settings(find_preset(preset).config, {"name": preset}))
        for epoch, loss in enumerate([1.5, 2.5, 9.0, 9.0], start=1):
            row = {"loss": loss, "accuracy": 0.2, "val_loss": loss, "val_accuracy": 0.2}
            run.append_history(row | {"epoch": epoch, "learning_rate": float("nan"), "seconds": 1.0})
        found = diagnose_run(run)
        assert found is not None
        assert advice in found.sentence


def test_a_shipped_run_that_has_another_answer_for_a_few_faces_is_not_said_to_have_one_alone() -> None:
    (run,) = (run for run in Runs(SHIPPED).all() if run.id == "20261122-223217-dense-l2-dropout-3e85cc21")
    scores, found = run.evaluation(), diagnose_run(run)
    assert scores is not None
    assert found is not None
    assert np.count_nonzero(np.sum(scores.confusion, axis=0)) == 3
    assert "gives nearly every face the same answer" in found.sentence


def test_a_run_on_labels_of_other_faces_is_told_so_and_not_that_its_model_is_too_simple() -> None:
    misaligned = [run for run in Runs(SHIPPED).all() if run.config.preset == "sgd-misaligned"]
    assert len(misaligned) == 3
    for run in misaligned:
        found = diagnose_run(run)
        assert found is not None
        assert found.trouble is Trouble.WRONG_LABELS
        assert "shuffled apart from the faces" in found.sentence
