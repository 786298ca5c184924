"""The Train page: from a choice to a queued run, and the live view of runs in every state."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from conftest import open_app, save_finished_run
from streamlit.testing.v1 import AppTest

from emotion_core.config import Augmentation, with_settings
from emotion_core.presets import PRESETS, find_preset
from emotion_core.runs import Run, Runs, State

PAGE = "pages/train_models.py"


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def open_page(runs: Runs) -> Callable[..., AppTest]:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, PAGE)


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    return "\n".join([str(element.value) for element in shown] + [bar.proto.text for bar in page.get("progress")])


def parameter(page: AppTest, name: str) -> str:
    value = page.query_params[name]  # a text where a page wrote it, a list where the address did
    return value if isinstance(value, str) else value[0]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def keys(page: AppTest) -> set[str]:
    return {button.key for button in page.button}


def queued(runs: Runs, name: str, sequence: int = 0, preset: str = "dense-5") -> Run:
    return runs.create(with_settings(find_preset(preset).config, {"name": name}), sequence)


def written_epoch(run: Run, epoch: int) -> None:
    scores = {"loss": 1.8, "accuracy": 0.3, "val_loss": 1.7, "val_accuracy": 0.35}
    run.append_history(scores | {"epoch": epoch, "learning_rate": 1e-3, "seconds": 60})
    run.record(epoch=epoch, best_epoch=epoch, best_val_loss=1.7, best_val_accuracy=0.35)


# --- a new run ----------------------------------------------------------------------------------------------------


def test_with_no_runs_the_form_is_open_and_ready_on_the_sample(open_page: Callable[..., AppTest]) -> None:
    page = open_page()
    assert page.segmented_control(key="train.view").value == "New run"
    assert {f"choose-{name}" for name in PRESETS} <= keys(page)
    assert not page.button(key="train").disabled
    assert "16,135 parameters" in texts(page)


def test_the_url_names_the_preset(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="cnn")
    assert page.button(key="choose-cnn").disabled
    assert page.number_input(key="cnn.training.epochs").value == 200
    page.button(key="choose-dense-5").click().run()
    assert parameter(page, "preset") == "dense-5"
    assert page.number_input(key="dense-5.training.epochs").value == 100


def test_a_preset_that_does_not_exist_opens_the_first_one(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="nonsense")
    assert page.button(key=f"choose-{next(iter(PRESETS))}").disabled


def test_what_is_typed_outlives_a_look_at_another_page(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="dense-5")
    page.number_input(key="dense-5.training.epochs").set_value(7)
    page.number_input(key="dense-5.augmentation.rotation").set_value(5.0).run()
    page.switch_page("pages/compare_runs.py").run()
    page.switch_page(PAGE).run()
    assert page.number_input(key="dense-5.training.epochs").value == 7
    assert page.number_input(key="dense-5.augmentation.rotation").value == 5.0


def test_a_linear_model_is_not_asked_what_it_has_no_use_for(open_page: Callable[..., AppTest]) -> None:
    linear = {box.key for box in open_page(preset="sgd").number_input}
    network = {box.key for box in open_page(preset="dense-5").number_input}
    assert "sgd.training.batch_size" not in linear
    assert "sgd.augmentation.rotation" not in linear
    assert {"dense-5.training.batch_size", "dense-5.augmentation.rotation"} <= network


def test_what_is_wrong_is_said_and_nothing_can_be_started(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="dense-5")
    page.number_input(key="dense-5.model.dense.hidden_layers").set_value(6).run()
    (problem,) = page.error
    assert problem.value.startswith("Model, Dense: 6 hidden layers from 500 units")
    assert page.button(key="train").disabled


def test_data_without_labels_is_refused_before_it_is_queued(open_page: Callable[..., AppTest], runs: Runs) -> None:
    pixels = " ".join(["7"] * 48 * 48)
    (Path(os.environ["EMOTION_DATA"]) / "faces.csv").write_text(f"id,pixels\n1,{pixels}\n", encoding="utf-8")
    page = open_page(data="faces.csv")
    assert "has no emotion column" in page.error[0].value
    assert page.button(key="train").disabled
    assert not runs.all()


def test_the_augmentation_of_the_augment_page_opens_the_form_and_is_taken_over_once(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    queued(runs, "In hand")
    page = open_page(preset="dense-5")
    assert page.segmented_control(key="train.view").value == "Watch"
    page.session_state["augmentation"] = Augmentation(rotation=11, horizontal_flip=True)
    page.run()
    assert page.segmented_control(key="train.view").value == "New run"
    assert "taken over from the Augment page" in texts(page)
    assert page.number_input(key="dense-5.augmentation.rotation").value == 11
    assert page.toggle(key="dense-5.augmentation.horizontal_flip").value
    page.number_input(key="dense-5.augmentation.rotation").set_value(12).run()
    assert page.number_input(key="dense-5.augmentation.rotation").value == 12
    page.button(key="choose-sgd").click().run()
    assert "A linear model takes no augmentation" in texts(page)
    page.segmented_control(key="train.view").set_value("Watch").run()
    assert page.segmented_control(key="train.view").value == "Watch"


def test_the_expected_time_is_told_from_a_measured_run_only(open_page: Callable[..., AppTest], runs: Runs) -> None:
    save_finished_run(runs).record(images_per_second=2_000.0)
    for preset, told in (("sgd", True), ("dense-5", False)):
        st.cache_data.clear()
        page = open_page(preset=preset)
        page.segmented_control(key="train.view").set_value("New run").run()
        assert ("at the speed of the last such run" in texts(page)) is told


def test_two_clicks_train_one_run_to_its_end_and_a_later_click_another(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    page = open_page(preset="sgd")
    page.text_input(key="sgd.name").set_value("Clicked")
    page.number_input(key="sgd.training.epochs").set_value(2).run()
    page.button(key="train").click().run()
    (run,) = runs.all()
    assert page.segmented_control(key="train.view").value == "Watch"
    assert parameter(page, "run") == run.id
    assert (run.config.name, run.config.training.epochs) == ("Clicked", 2)

    click_again(page, seconds_later=-60)  # however slow this machine is, the same moment
    assert [other.id for other in runs.all()] == [run.id]
    click_again(page, seconds_later=60)
    assert len(runs.all()) == 2

    for other in runs.all():
        wait_until_over(other)
        assert other.state() is State.FINISHED
    page.run()
    assert "Finished after 2 epochs" in texts(page)
    assert metrics(page)["Epoch"] == "2 of 2"


def click_again(page: AppTest, seconds_later: float) -> None:
    page.session_state["train.last_submission"]["at"] = time.monotonic() - seconds_later
    page.segmented_control(key="train.view").set_value("New run").run()
    page.button(key="train").click().run()


def wait_until_over(run: Run) -> None:
    deadline = time.monotonic() + 120
    while not run.state().is_over and time.monotonic() < deadline:
        time.sleep(0.2)


# --- watching -----------------------------------------------------------------------------------------------------


def test_watching_with_no_runs_says_what_to_do(open_page: Callable[..., AppTest]) -> None:
    page = open_page()
    page.segmented_control(key="train.view").set_value("Watch").run()
    assert "Nothing has been trained here yet" in texts(page)


def test_a_finished_run_shows_how_it_went_and_where_to_go_on(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = save_finished_run(runs, name="Shown", epochs=6)
    page = open_page(run=run.id)
    assert page.subheader[0].value == "Shown"
    assert metrics(page)["Epoch"] == "6 of 1,000"
    assert metrics(page)["Validation accuracy"] == f"{run.evaluation().accuracy:.1%}"
    assert {"open-run", "open-results"} <= keys(page)
    assert "stop" not in keys(page)
    assert "<b>not markup</b>" in page.code[0].value


def test_a_run_in_mid_epoch_shows_the_same_after_a_reload(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = queued(runs, "Under way")
    run.record(state=State.RUNNING, backend="jax", device="CPU", batches=10, images_per_second=700)
    written_epoch(run, 1)
    run.append_progress({"epoch": 2, "batch": 5, "loss": 1.7, "accuracy": 0.35, "seconds": 30})
    run.record(batch=5)
    with run.alive():
        first, second = open_page(), open_page(run=run.id)
        assert metrics(first) == metrics(second)
        assert metrics(first)["Epoch"] == "2 of 100"
        assert metrics(first)["Time left"] == "1 h 38 min"
        assert first.segmented_control(key="train.view").value == "Watch"
        assert {"stop"} <= keys(first)


def test_the_newest_run_in_hand_is_shown_and_the_queue_leads_to_the_others(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    computing, waiting = queued(runs, "First", 1), queued(runs, "Second", 2)
    computing.record(state=State.RUNNING)
    with computing.alive():
        page = open_page()
        assert page.subheader[0].value == "Second"
        assert "Waits for 1 run before it." in texts(page)
        assert page.button(key=f"queue-{waiting.id}").disabled
        page.button(key=f"queue-{computing.id}").click().run()
        assert parameter(page, "run") == computing.id
        assert page.subheader[0].value == "First"


def test_a_queued_run_is_stopped_by_its_button(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = queued(runs, "Not needed")
    page = open_page(run=run.id)
    page.button(key="stop").click().run()
    assert run.state() is State.STOPPED
    assert "Stopped by a person before it began." in texts(page)


def test_a_run_that_does_not_stop_can_be_ended_at_once_after_a_while(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    run = queued(runs, "Stubborn")
    run.record(state=State.RUNNING, backend="jax")
    with run.alive():
        page = open_page(run=run.id)
        page.button(key="stop").click().run()
        assert run.stop_requested()
        assert page.button(key="stopping").disabled
        long_ago = time.time() - 60
        os.utime(run.folder / "stop", (long_ago, long_ago))
        page.run()
        assert not page.button(key="end").disabled


def test_a_failed_run_says_why_and_shows_its_log(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = queued(runs, "Doomed")
    run.record(state=State.FAILED, reason="The loss became nan in epoch 3. Try a lower learning rate.")
    run.log_path.write_text("Traceback\n", encoding="utf-8")
    page = open_page(run=run.id)
    assert "Try a lower learning rate" in page.error[0].value
    assert page.code[0].value == "Traceback"


def test_an_unknown_run_in_the_url_is_said_and_the_latest_is_shown(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    save_finished_run(runs, name="Still here")
    page = open_page(run="20990101-nothing")
    assert "There is no run '20990101-nothing'" in page.warning[0].value
    assert page.subheader[0].value == "Still here"


def test_a_damaged_run_is_one_sentence(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = save_finished_run(runs)
    (run.folder / "status.json").write_text("{", encoding="utf-8")
    page = open_page(run=run.id)
    assert "does not hold a run's status" in page.error[0].value
