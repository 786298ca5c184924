"""The Train page: from a choice to a queued run, and the live view of runs in every state."""

import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from conftest import checked, open_app, save_csv, save_finished_run, shown
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from emotion_core.config import Augmentation, Training, with_settings
from emotion_core.coursework import SEEDS
from emotion_core.dataset import load_dataset
from emotion_core.engine import LocalEngine, devices
from emotion_core.errors import EmotionError
from emotion_core.hardware import this_machine
from emotion_core.models.counts import count_parameters
from emotion_core.presets import PRESETS, find_preset
from emotion_core.reproduction import table_of
from emotion_core.runs import Run, Runs, State
from tests.engine_helpers import L4
from ui import expected

PAGE = "pages/train_models.py"


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def open_page(runs: Runs) -> Callable[..., AppTest]:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, PAGE)


def texts(page: AppTest) -> str:
    elements = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    lines = [str(element.value) for element in elements] + [bar.proto.text for bar in page.get("progress")]
    return "\n".join(lines).replace("\\", "")  # as a person reads it: Markdown's escapes are not seen


def parameter(page: AppTest, name: str) -> str:
    value = page.query_params[name]  # a text where a page wrote it, a list where the address did
    return value if isinstance(value, str) else value[0]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def keys(page: AppTest) -> set[str]:
    return {button.key for button in page.button}


def cards(page: AppTest) -> list[str]:
    return [button.key.removeprefix("choose-") for button in page.button if (button.key or "").startswith("choose-")]


def choose(page: AppTest, preset: str) -> None:
    """Choose a preset as a person does: its family, then its card."""
    page.segmented_control(key="train.family").set_value(find_preset(preset).config.model.family).run()
    if not page.button(key=f"choose-{preset}").disabled:
        page.button(key=f"choose-{preset}").click().run()


def open_table(page: AppTest) -> None:
    page.button(key="reproduce").click().run()


def leave_out_all_but(page: AppTest, *presets: str) -> None:
    for box in page.checkbox:
        name = (box.key or "").removeprefix("reproduce-")
        if name in SEEDS and name not in presets:
            box.uncheck()
    page.run()


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
    assert cards(page) == ["sgd", "sgd-misaligned"]
    assert not page.button(key="train").disabled
    assert "16,135 parameters" in texts(page)


def test_the_url_names_the_preset(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="cnn")
    assert page.button(key="choose-cnn").disabled
    assert page.number_input(key="cnn.training.epochs").value == 200
    choose(page, "dense-5")
    assert parameter(page, "preset") == "dense-5"
    assert page.number_input(key="dense-5.training.epochs").value == 100


@pytest.mark.parametrize("preset", ["sgd-misaligned", "dense-7", "gru-attention", "cnn", "cnn-small"])
def test_a_link_to_any_preset_opens_its_family_with_its_size_and_time(
    open_page: Callable[..., AppTest], preset: str
) -> None:
    page = open_page(preset=preset)
    family = find_preset(preset).config.model.family
    assert cards(page) == [name for name in PRESETS if find_preset(name).config.model.family == family]
    assert page.segmented_control(key="train.family").value == family
    assert page.button(key=f"choose-{preset}").disabled
    card = rf"{count_parameters(find_preset(preset).config.model):,} parameters · (up to|about) \d+"
    assert re.search(card, texts(page))
    assert ("Ours, not the coursework's." in texts(page)) is (preset == "cnn-small")


def test_another_family_comes_with_the_preset_that_was_chosen_in_it_last(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="dense-4")
    page.segmented_control(key="train.family").set_value("cnn").run()
    assert parameter(page, "preset") == "cnn"
    page.segmented_control(key="train.family").set_value("dense").run()
    assert parameter(page, "preset") == "dense-4"


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


def test_a_network_s_settings_do_not_follow_to_a_linear_model(open_page: Callable[..., AppTest], runs: Runs) -> None:
    page = open_page(preset="cnn")
    checked(page.selectbox(key="cnn.model.family").set_value("linear").run())
    with FileLock(runs.engine_folder / "worker.lock"):  # nothing is computed
        checked(page.button(key="train").click().run())
    (run,) = runs.all()
    assert run.config.augmentation == Augmentation()
    assert run.config.training.batch_size == Training().batch_size != find_preset("cnn").config.training.batch_size


def test_only_residual_networks_are_asked_how_small_their_images_begin(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="residual")
    side, family = "residual.training.first_side", "residual.model.family"
    assert page.number_input(key=side).value == 32
    checked(page.selectbox(key=family).set_value("cnn").run())
    assert side not in {field.key for field in page.number_input}
    assert not page.error
    assert not page.button(key="train").disabled


def test_a_network_is_offered_teachers_that_have_a_model_and_then_their_share(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    worse, better = (
        save_finished_run(runs, preset="dense-5", name=name, skill=skill)
        for name, skill in (("Ada", 0.3), ("Ben", 0.9))
    )
    queued(runs, "No model yet")
    page = open_page(preset="cnn-small")
    page.segmented_control(key="train.view").set_value("New run").run()
    teachers, share = "cnn-small.training.teachers", "cnn-small.training.teacher_share"
    assert [label.partition(" ")[0] for label in page.multiselect(key=teachers).options] == ["Ben", "Ada"]
    assert share not in {element.key for element in page.number_input}
    page.multiselect(key=teachers).set_value([worse.id, better.id]).run()
    page.number_input(key=share).set_value(0.6).run()
    checked(page).button(key="train").click().run()
    training = next(run for run in runs.all() if run.config.training.teachers).config.training
    assert (training.teachers, training.teacher_share) == ((worse.id, better.id), 0.6)


def test_a_network_is_offered_the_runs_that_it_can_begin_with(open_page: Callable[..., AppTest], runs: Runs) -> None:
    ada = save_finished_run(runs, name="Ada")  # a linear one, which has no weights for a network
    network = runs.create(with_settings(find_preset("cnn-small").config, {"name": "Ben"}))
    for name in ("status.json", "evaluation.json", "history.csv"):
        (network.folder / name).write_bytes((ada.folder / name).read_bytes())
    for name in ("model.keras", "model.onnx"):
        (network.folder / name).touch()
    assert "residual.training.start_from" not in {box.key for box in open_page(preset="residual").multiselect}
    page, start = open_page(preset="cnn-small"), "cnn-small.training.start_from"
    assert [label.partition(" ")[0] for label in page.multiselect(key=start).options] == ["Ben"]
    page.multiselect(key=start).set_value([network.id]).run()
    checked(page).button(key="train").click().run()
    assert any(run.config.training.start_from == (network.id,) for run in runs.all())


def test_a_teacher_that_is_gone_is_said_and_nothing_is_queued(open_page: Callable[..., AppTest], runs: Runs) -> None:
    clone = cloned(runs, "sample", **{"training.teachers": ["20200101"]})
    page = open_page(clone=clone.id)
    assert page.multiselect(key=f"clone-{clone.id}.training.teachers").value == ["20200101"]
    page.button(key="train").click().run()
    assert "There is no run '20200101'" in texts(page)
    assert [run.id for run in runs.all()] == [clone.id]


def test_what_is_wrong_is_said_and_nothing_can_be_started(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="dense-5")
    page.number_input(key="dense-5.model.dense.hidden_layers").set_value(6).run()
    (problem,) = problems(page)
    assert problem.startswith("Model, Dense: 6 hidden layers from 500 units")
    assert page.button(key="train").disabled


def test_emotions_that_the_first_rows_do_not_hold_are_named_and_the_random_split_is_suggested(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    in_order = save_csv(runs.folder.parent / "data" / "sorted.csv", sorted(number % 7 for number in range(70)))
    page = open_page(preset="dense-5", data=in_order.name)
    assert "No validation face shows Fear, Happy, Sad, Surprise, Neutral" in texts(page)
    assert not page.button(key="train").disabled
    page.selectbox(key="dense-5.data.split.kind").set_value("random").run()
    assert "No validation face" not in texts(page)


def test_data_without_labels_is_refused_before_it_is_queued(open_page: Callable[..., AppTest], runs: Runs) -> None:
    pixels = " ".join(["7"] * 48 * 48)
    (Path(os.environ["EMOTION_DATA"]) / "faces.csv").write_text(f"id,pixels\n1,{pixels}\n", encoding="utf-8")
    page = open_page(data="faces.csv")
    assert "has no emotion column" in shown(page.error[0].value)
    assert page.button(key="train").disabled
    assert not runs.all()


def test_the_augmentation_of_the_augment_page_opens_the_form_and_is_taken_over_once(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    queued(runs, "In hand")
    page = open_page(preset="dense-5", show="Watch")
    assert page.segmented_control(key="train.view").value == "Watch"
    page.session_state["augmentation"] = Augmentation(rotation=11, horizontal_flip=True)
    page.run()
    assert page.segmented_control(key="train.view").value == "New run"
    assert "comes from the Augment page" in texts(page)
    assert page.number_input(key="dense-5.augmentation.rotation").value == 11
    assert page.toggle(key="dense-5.augmentation.horizontal_flip").value
    page.number_input(key="dense-5.augmentation.rotation").set_value(12).run()
    assert page.number_input(key="dense-5.augmentation.rotation").value == 12
    choose(page, "sgd")
    assert "A linear model takes no augmentation" in texts(page)
    page.segmented_control(key="train.view").set_value("Watch").run()
    assert page.segmented_control(key="train.view").value == "Watch"


@pytest.mark.parametrize("linear", [{}, {"preset": "sgd-misaligned"}])
def test_augmentation_is_brought_to_a_network(open_page: Callable[..., AppTest], linear: dict[str, str]) -> None:
    page = open_page(**linear)
    page.session_state["augmentation"] = Augmentation(rotation=11)
    page.run()
    assert page.number_input(key="cnn-small.augmentation.rotation").value == 11
    assert "comes from the Augment page" in texts(page)


def test_the_expected_time_is_that_of_such_runs_on_this_machine(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    measured(save_finished_run(runs), images_per_second=10)
    page = open_page(preset="sgd", data=faces_csv.name)
    page.segmented_control(key="train.view").set_value("New run").run()
    assert "16,135 parameters · up to 1 h 30 min" in texts(page)  # 1,000 times 56 faces, 10 a second
    page.number_input(key="sgd.training.epochs").set_value(100)
    page.number_input(key="sgd.training.early_stopping_patience").set_value(None).run()
    assert "56 faces for training, 14 for validation · 16,135 parameters · about 9 min" in texts(page)


def test_a_gpu_that_has_computed_nothing_is_said_to_be_unmeasured(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "may_train_on_gpu", lambda: True)
    page = open_page(preset="cnn")
    assert "7,260,075 parameters · not measured yet" in texts(page)
    assert re.search(r"not measured on this GPU yet; up to .* on the processor", texts(page))
    choose(page, "sgd")
    assert "not measured" not in texts(page)


def measured(run: Run, images_per_second: float) -> None:
    """Say of a run that this machine computed it so fast."""
    seconds = 12.5 * run.status().epoch  # as its history says
    images = images_per_second * seconds / run.status().epoch
    run.record(machine=this_machine(), images=round(images), seconds=seconds, device="CPU")
    st.cache_resource.clear()


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

    noted = "train", f"sgd on {runs.all()[0].config.data_fingerprint}"
    page.session_state["train.clicked"] = noted  # a second click that comes after the page has moved on
    page.run()
    page.segmented_control(key="train.view").set_value("New run").run()
    assert [other.id for other in runs.all()] == [run.id]

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


@pytest.fixture
def lists_of_queued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The lists of runs that the page wants to be queued, of which none is."""
    wanted: list[Any] = []
    monkeypatch.setattr(LocalEngine, "submit_all", lambda _, configs: wanted.append(configs) or refuse())
    return wanted


@pytest.mark.parametrize("is_table", [False, True])
@pytest.mark.parametrize("becomes", ["damaged", "gone"])
def test_a_click_while_the_data_cannot_be_read_queues_nothing_later(
    open_page: Callable[..., AppTest], faces_csv: Path, lists_of_queued: list[Any], is_table: bool, becomes: str
) -> None:
    content = faces_csv.read_bytes()
    save_csv(faces_csv.with_name("other.csv"), [number % 7 for number in range(77)])
    page = open_page(preset="sgd", data=faces_csv.name)
    if is_table:
        open_table(page)
    clicked = page.button(key="reproduce-queue" if is_table else "train").click()
    if becomes == "gone":
        faces_csv.unlink()
    else:
        faces_csv.write_text("id,emotion,pixels\n0,3,1 2 3\n", encoding="utf-8")
    checked(clicked.run())
    faces_csv.write_bytes(content)
    for name in ("other.csv", faces_csv.name):
        checked(page.selectbox(key="train-data").set_value(name).run())
    assert not lists_of_queued


def test_a_click_for_the_clone_of_a_run_that_was_deleted_queues_no_preset(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path, lists_of_queued: list[Any]
) -> None:
    run = cloned(runs, str(faces_csv))
    page = open_page(clone=run.id)
    clicked = page.button(key="train").click()
    runs.delete(run)
    checked(clicked.run())
    assert "There is no run" in texts(page)
    assert [toast.value for toast in page.toast] == ["Nothing was queued: what you clicked for has changed meanwhile."]
    assert cards(page)
    page.run()
    assert not lists_of_queued


# --- several runs -------------------------------------------------------------------------------------------------


def several(form: str, name: str) -> str:
    return f"{form}.several.{name}"


def vary(page: AppTest, form: str, row: int, path: str) -> None:
    page.selectbox(key=several(form, str(row))).set_value(path).run()


def write_values(page: AppTest, form: str, path: str, text: str) -> None:
    page.text_input(key=several(form, path)).set_value(text).run()


def problems(page: AppTest) -> list[str]:
    return [error.value.replace("\\", "") for error in page.error]


def test_several_runs_are_counted_first_queued_in_order_by_one_action_and_the_first_is_shown(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    measured(save_finished_run(runs, epochs=10), images_per_second=10)
    page = open_page(preset="sgd", data=faces_csv.name)
    page.segmented_control(key="train.view").set_value("New run").run()
    page.text_input(key="sgd.name").set_value("Many")
    page.number_input(key="sgd.training.epochs").set_value(3).run()
    assert page.button(key="train").label == "Train"
    write_values(page, "sgd", "seeds", "42, 43")
    vary(page, "sgd", 0, "model.alpha")
    write_values(page, "sgd", "model.alpha", "1e-4, 1e-3")
    vary(page, "sgd", 1, "model.penalty")
    assert page.button(key="train").label == "Train 4 runs"
    page.multiselect(key=several("sgd", "model.penalty")).set_value(["l2", "l1"]).run()
    assert page.button(key="train").label == "Train 8 runs"
    assert "up to 2 min in all" in texts(page)  # 8 times 3 times 56 faces, 10 a second
    assert "8 runs, from " in texts(page)

    before = {run.id for run in runs.all()}
    with FileLock(runs.engine_folder / "worker.lock"):  # nothing is computed
        page.button(key="train").click().run()
    made = sorted((run for run in runs.all() if run.id not in before), key=lambda run: run.status().sequence)
    assert [run.name for run in made][:3] == [
        "Many · seed 42, alpha 0.0001, penalty l2",
        "Many · seed 42, alpha 0.0001, penalty l1",
        "Many · seed 42, alpha 0.001, penalty l2",
    ]
    assert len({run.config for run in made}) == 8
    assert parameter(page, "run") == made[0].id
    assert page.segmented_control(key="train.view").value == "Watch"

    click_again(page, seconds_later=-60)
    assert len(runs.all()) == 1 + 8


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("seeds", "42, many", "Training, Seed: many is not a whole number."),
        ("seeds", "42, 42", "Dense 5: L2, batch norm · seed 42 would be trained twice; give each value once."),
        ("seeds", " ".join(map(str, range(201))), "That makes 201 runs; at most 200 can be queued at once."),
        ("training.batch_size", "32, 0", "Training, Batch size: 0 should be greater than or equal to 1."),
        ("training.schedule.rate", "1e-4, fast", "Training, Schedule, Exponential, Rate: fast is not a number."),
        ("model.hidden_layers", "5, 6", "Model, Dense: 6 hidden layers from 500 units"),
        ("data.split.largest_share", "0.2, 0.0001", "faces.csv"),
    ],
)
def test_values_that_cannot_be_are_said_and_nothing_can_be_started(
    open_page: Callable[..., AppTest], faces_csv: Path, path: str, text: str, problem: str
) -> None:
    page = open_page(preset="dense-5", data=faces_csv.name)
    if path != "seeds":
        vary(page, "dense-5", 0, path)
    write_values(page, "dense-5", path, text)
    (said,) = problems(page)
    assert problem in said
    assert page.button(key="train").disabled


def test_what_can_vary_is_what_the_form_asks(open_page: Callable[..., AppTest]) -> None:
    def offered(form: str) -> set[str]:
        return set(page.selectbox(key=several(form, "0")).options)

    page = open_page(preset="sgd")
    assert {"Model, Alpha", "Training, Epochs", "Training, Class weights"} <= offered("sgd")
    assert not {"Training, Batch size", "Training, Schedule, Rate", "Device, Backend"} & offered("sgd")
    choose(page, "dense-5")
    assert {"Training, Schedule, Decay", "Augmentation, Zoom", "Model, Dropout", "Device, Backend"} <= offered(
        "dense-5"
    )
    assert not {"Training, Seed", "Name", "Model, Alpha"} & offered("dense-5")
    vary(page, "dense-5", 0, "training.schedule.decay")
    page.selectbox(key="dense-5.training.schedule.kind").set_value("step").run()
    assert page.selectbox(key=several("dense-5", "0")).value is None
    assert "Training, Schedule, Every" in offered("dense-5")
    choose(page, "cnn")
    assert {"Model, Blocks 1, Dropout", "Model, Blocks 4, Pooling"} <= offered("cnn")
    assert "Training, First side" not in offered("cnn")
    choose(page, "residual")
    assert "Training, First side" in offered("residual")


def test_one_setting_varies_once_and_an_empty_one_may_be_empty(open_page: Callable[..., AppTest]) -> None:
    page = open_page(preset="dense-5")
    vary(page, "dense-5", 0, "training.early_stopping_patience")
    assert "Training, Early stopping patience" not in page.selectbox(key=several("dense-5", "1")).options
    write_values(page, "dense-5", "training.early_stopping_patience", "5, empty")
    assert page.button(key="train").label == "Train 2 runs"
    assert not page.error
    page.selectbox(key=several("dense-5", "0")).set_value(None).run()
    assert page.button(key="train").label == "Train"


# --- the coursework -----------------------------------------------------------------------------------------------


def test_the_whole_coursework_is_queued_by_one_action_once_however_often_it_is_clicked(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    waiting = queued(runs, "Before", 1)
    page = open_page(preset="cnn", data=faces_csv.name)
    page.segmented_control(key="train.view").set_value("New run").run()
    open_table(page)
    assert "faces.csv** (70 faces)" in texts(page)
    assert page.button(key="reproduce-queue").label == "Queue 28 runs"
    assert re.search(r"up to .* in all on this machine, one after the other, after the 1 in progress", texts(page))
    with FileLock(runs.engine_folder / "worker.lock"):  # nothing is computed
        page.button(key="reproduce-queue").click().run()
    made = sorted((run for run in runs.all() if run.id != waiting.id), key=lambda run: run.status().sequence)
    assert [(run.config.preset, run.config.training.seed) for run in made] == [
        (preset, seed) for preset, seeds in SEEDS.items() for seed in seeds
    ]
    assert {run.config.data.source for run in made} == {str(faces_csv)}
    assert page.segmented_control(key="train.view").value == "Watch"
    assert parameter(page, "run") == made[0].id

    noted = "reproduce-queue", made[0].config.data_fingerprint
    page.session_state["train.clicked"] = noted  # the second click comes after the page has moved on
    page.run()
    page.segmented_control(key="train.view").set_value("New run").run()
    assert "reproduce-queue" not in keys(page)
    open_table(page)
    assert len(runs.all()) == 1 + 28
    assert page.button(key="reproduce-queue").disabled


def test_the_table_does_not_open_by_itself_when_one_comes_back_to_the_page(open_page: Callable[..., AppTest]) -> None:
    page = open_page()
    open_table(page)
    assert "reproduce-queue" in keys(page)
    page.switch_page("pages/explore_data.py").run()
    page.switch_page(PAGE).run()
    assert "reproduce-queue" not in keys(page)
    open_table(page)
    assert "reproduce-queue" in keys(page)


def test_the_table_of_data_too_small_to_be_split_is_refused_in_a_sentence(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    few = save_csv(runs.folder.parent / "data" / "few.csv", [0, 1, 2])
    page = open_page(data=few.name)
    open_table(page)
    assert not page.exception
    assert "cannot be split" in texts(page)


def test_a_table_that_another_tab_has_queued_meanwhile_is_watched(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    page = open_page(data=faces_csv.name)
    open_table(page)
    leave_out_all_but(page, "sgd")
    asked = page.button(key="reproduce-queue").click()
    with FileLock(runs.engine_folder / "worker.lock"):
        made = LocalEngine(runs).submit_all(
            [config for entry in table_of(["sgd"], {"data.source": str(faces_csv)}, []) for config in entry.configs]
        )
        asked.run()
        assert not page.exception
        assert page.segmented_control(key="train.view").value == "Watch"
    assert {run.id for run in runs.all()} == {run.id for run in made}


def test_what_the_engine_refuses_can_be_asked_for_again(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(preset="sgd", data=faces_csv.name)
    with monkeypatch.context() as patched:
        patched.setattr(LocalEngine, "submit_all", refuse)
        page.button(key="train").click().run()
    assert "The disk is full." in texts(page)
    assert not page.button(key="train").disabled
    with FileLock(runs.engine_folder / "worker.lock"):
        page.button(key="train").click().run()
    assert len(runs.all()) == 1
    assert "The disk is full." not in texts(page)


def refuse(*_: object) -> None:
    raise EmotionError("The disk is full.")


def test_presets_of_the_table_can_be_left_out(open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path) -> None:
    page = open_page(data=faces_csv.name)
    open_table(page)
    leave_out_all_but(page)
    assert page.button(key="reproduce-queue").disabled
    page.checkbox(key="reproduce-sgd").check()
    page.checkbox(key="reproduce-cnn").check().run()
    assert page.button(key="reproduce-queue").label == "Queue 5 runs"
    with FileLock(runs.engine_folder / "worker.lock"):
        page.button(key="reproduce-queue").click().run()
    assert sorted(run.config.preset for run in runs.all()) == ["cnn", "cnn", "sgd", "sgd", "sgd"]


def test_runs_that_are_there_already_are_left_out_unless_asked_for(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    shared = {"data.source": str(faces_csv), "data_fingerprint": load_dataset(faces_csv).fingerprint}
    for entry in table_of(["sgd", "dense-5"], shared, []):
        for config in entry.configs[:2]:
            runs.create(config).record(state=State.FINISHED)
    page = open_page(preset="sgd", data=faces_csv.name)
    page.segmented_control(key="train.view").set_value("New run").run()
    open_table(page)
    leave_out_all_but(page, "sgd", "dense-5")
    assert page.checkbox(key="reproduce-dense-5").disabled
    assert "already there" in texts(page)
    assert "1 of 3" in texts(page)
    assert page.button(key="reproduce-queue").label == "Queue 1 run"
    page.toggle(key="reproduce-again").set_value(True).run()
    assert page.button(key="reproduce-queue").label == "Queue 5 runs"


def test_the_drawn_sample_is_said_to_be_no_match_for_the_coursework_s_figures(
    open_page: Callable[..., AppTest],
) -> None:
    page = open_page(data="sample")
    open_table(page)
    assert any("cannot be compared with the coursework's figures" in warning.value for warning in page.warning)


def test_data_without_labels_cannot_reproduce_anything(open_page: Callable[..., AppTest], runs: Runs) -> None:
    save_csv(Path(os.environ["EMOTION_DATA"]) / "test.csv", None)
    page = open_page(data="test.csv")
    assert page.button(key="reproduce").disabled


# --- clones -------------------------------------------------------------------------------------------------------


def cloned(runs: Runs, source: str, **changes: Any) -> Run:
    settings = {"name": "To *clone*", "data.source": source, "training.epochs": 7, "augmentation.rotation": 11}
    return runs.create(with_settings(find_preset("dense-5").config, settings | changes))


def test_a_clone_opens_the_form_as_the_run_was_with_its_data(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    run = cloned(runs, str(faces_csv))
    page = open_page(clone=run.id)
    form = f"clone-{run.id}"
    assert page.segmented_control(key="train.view").value == "New run"
    assert any("Settings of **To \\*clone\\***" in element.value for element in page.markdown)
    assert page.text_input(key=f"{form}.name").value == "To *clone*"
    assert page.number_input(key=f"{form}.training.epochs").value == 7
    assert page.number_input(key=f"{form}.augmentation.rotation").value == 11
    assert page.selectbox(key="train-data").value == "faces.csv"
    assert not page.button(key="train").disabled
    assert not cards(page)
    page.button(key="leave-clone").click().run()
    assert "clone" not in page.query_params
    assert cards(page)


def test_what_is_changed_in_a_clone_stays_until_it_is_cloned_anew(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    run = cloned(runs, "sample")
    page = open_page(clone=run.id)
    epochs = f"clone-{run.id}.training.epochs"
    page.number_input(key=epochs).set_value(9).run()
    page.selectbox(key="train-data").set_value("faces.csv").run()
    page.switch_page("pages/compare_runs.py").run()
    page.switch_page(PAGE).run()
    assert page.number_input(key=epochs).value == 9
    assert page.selectbox(key="train-data").value == "faces.csv"
    page.query_params["clone"] = run.id
    page.session_state["train.go_to"] = "New run"
    page.run()
    assert page.number_input(key=epochs).value == 7
    assert page.selectbox(key="train-data").value == "sample"


def test_a_clone_whose_data_is_gone_says_so_and_takes_other_data(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    page = open_page(clone=cloned(runs, str(faces_csv.with_name("gone.csv"))).id)
    assert "gone.csv" in page.warning[0].value.replace("\\", "")
    assert page.selectbox(key="train-data").value == "faces.csv"
    assert not page.button(key="train").disabled


def test_a_clone_says_that_its_data_set_is_gone_until_its_faces_are_chosen(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    save_csv(faces_csv.with_name("again.csv"), [0, 1] * 20)
    again = load_dataset(faces_csv.with_name("again.csv"))
    page = open_page(clone=cloned(runs, "gone.csv", data_fingerprint=again.fingerprint).id, data="faces.csv")
    page.selectbox(key="train-data").set_value("faces.csv").run()
    assert [warning.value for warning in page.warning if "is gone" in warning.value]
    page.selectbox(key="train-data").set_value("again.csv").run()
    assert not [warning.value for warning in page.warning if "is gone" in warning.value]


def test_a_clone_says_that_its_file_holds_other_faces_today(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    save_csv(faces_csv.with_name("others.csv"), [0, 1] * 20)
    page = open_page(clone=cloned(runs, str(faces_csv), data_fingerprint="of other faces").id)
    assert "faces.csv** holds other faces than when it was trained" in shown(page.warning[0].value)
    page.selectbox(key="train-data").set_value("others.csv").run()  # on purpose
    assert not [warning.value for warning in page.warning if "holds other faces" in warning.value]


def test_a_clone_keeps_its_augmentation_until_another_is_brought_from_the_augment_page(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    run = cloned(runs, "sample")
    rotation = f"clone-{run.id}.augmentation.rotation"
    page = open_page()
    page.session_state["augmentation"] = Augmentation(rotation=20)
    page.run()
    page.query_params["clone"] = run.id
    page.session_state["train.go_to"] = "New run"
    page.run()
    assert page.number_input(key=rotation).value == 11
    assert "Augment page; you can" not in texts(page)
    page.session_state["augmentation"] = Augmentation(rotation=30)
    page.run()
    assert page.number_input(key=rotation).value == 30
    assert "Augment page; you can" in texts(page)


@pytest.mark.parametrize(("preset", "stays"), [("residual", True), ("sgd", False)])
def test_an_open_clone_of_a_network_takes_what_is_brought_from_the_augment_page(
    open_page: Callable[..., AppTest], runs: Runs, preset: str, stays: bool
) -> None:
    run = cloned(runs, "sample", model=find_preset(preset).config.model)
    page = open_page(clone=run.id)
    assert f"Settings of **{run.name}**".replace("*", "") in texts(page).replace("*", "")
    page.switch_page("pages/preview_augmentation.py").run()  # another page, whose address names no clone
    page.session_state["augmentation"] = Augmentation(rotation=30)
    page.switch_page(PAGE).run()
    assert not page.exception
    assert ("Settings of" in texts(page)) is stays
    rotation = f"clone-{run.id}.augmentation.rotation" if stays else "cnn-small.augmentation.rotation"
    assert page.number_input(key=rotation).value == 30


@pytest.mark.parametrize("asked", ["nothing", "../../etc", "<b>x</b>"])
def test_an_unknown_run_to_clone_is_said_and_the_presets_are_shown(
    open_page: Callable[..., AppTest], asked: str
) -> None:
    page = open_page(clone=asked)
    assert "There is no run" in shown(page.warning[0].value)
    assert "sgd" in cards(page)
    assert "clone" not in page.query_params


def test_a_damaged_run_to_clone_is_said_too(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = cloned(runs, "sample")
    (run.folder / "config.json").write_text("{", encoding="utf-8")
    page = open_page(clone=run.id)
    assert "does not hold a run" in page.warning[0].value.replace("\\", "")
    assert "sgd" in cards(page)


def test_a_run_that_is_damaged_while_its_clone_is_open_is_said_too(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    run = cloned(runs, "sample")
    page = open_page(clone=run.id)
    assert run.name in texts(page)
    (run.folder / "config.json").write_text("{", encoding="utf-8")
    page.run()
    assert not page.exception
    assert "does not hold a run" in shown(page.warning[0].value)
    assert "sgd" in cards(page)


def test_a_run_of_a_clone_learns_from_the_data_as_it_is_now(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path
) -> None:
    model = {"model": find_preset("sgd").config.model, "training.epochs": 2, "data_fingerprint": "of other faces"}
    run = cloned(runs, str(faces_csv), **model)
    run.record(state=State.STOPPED)
    page = open_page(clone=run.id)
    with FileLock(runs.engine_folder / "worker.lock"):  # nothing is computed
        page.button(key="train").click().run()
    (made,) = [other for other in runs.all() if other.id != run.id]
    assert made.name == "To *clone*"
    assert made.config.data_fingerprint == load_dataset(faces_csv).fingerprint


@pytest.mark.parametrize("is_clone", [False, True])
def test_augmentation_that_is_brought_again_counts_again(
    open_page: Callable[..., AppTest], runs: Runs, faces_csv: Path, is_clone: bool
) -> None:
    page = use_in_a_run(open_page(preset="cnn-small"))
    wanted = page.session_state["augmentation"].rotation
    form = "cnn-small"
    if is_clone:
        run = cloned(runs, "sample")
        page.query_params["clone"] = run.id
        page.session_state["train.go_to"] = "New run"
        page.run()
        form = f"clone-{run.id}"
    page.number_input(key=f"{form}.augmentation.rotation").set_value(wanted + 1).run()
    assert page.number_input(key=f"{form}.augmentation.rotation").value == wanted + 1
    page.segmented_control(key="train.view").set_value("Watch").run()
    page = use_in_a_run(page)
    assert page.segmented_control(key="train.view").value == "New run"
    assert page.number_input(key=f"{form}.augmentation.rotation").value == wanted


def use_in_a_run(page: AppTest) -> AppTest:
    page.switch_page("pages/preview_augmentation.py").run()
    (button,) = [button for button in page.button if button.label == "Use in a run"]
    button.click().run()
    assert not page.exception
    assert page.title[0].value == "Train"
    return page.switch_page(PAGE).run()  # where the page itself has led; the test's next run would not follow


# --- devices ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_gpu_is_shown_where_a_backend_sees_it(
    open_page: Callable[..., AppTest],
    install_driver: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    is_seen: bool,
) -> None:
    install_driver(L4, L4)
    monkeypatch.setattr(devices, "may_see_gpu", lambda backend: is_seen)
    page = open_page(preset="cnn-small")
    assert ("GPU 0: NVIDIA L4, 24 GB · GPU 1: NVIDIA L4, 24 GB" in texts(page)) is is_seen
    assert ("This machine has no GPU that a backend can use" in texts(page)) is not is_seen


def test_without_a_gpu_nothing_is_asked_of_one_and_missing_backends_are_marked(
    open_page: Callable[..., AppTest], runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "installed_backends", lambda: ("tensorflow",))
    run = cloned(runs, "sample", **{"device.kind": "gpu", "device.gpu": 1, "device.backend": "jax"})
    page = open_page(clone=run.id)
    form = f"clone-{run.id}.device"
    assert "This machine has no GPU that a backend can use" in texts(page)
    boxes = {box.key for box in [*page.selectbox, *page.number_input, *page.toggle]}
    assert {f"{form}.backend", f"{form}.mixed_precision", f"{form}.deterministic"} <= boxes
    assert not {f"{form}.kind", f"{form}.gpu"} & boxes
    assert page.selectbox(key=f"{form}.backend").options == [
        "Auto",
        "TensorFlow",
        "JAX (not installed)",
        "PyTorch (not installed)",
    ]
    assert problems(page) == [
        "The backend jax is not installed (installed here: tensorflow). Install it: pip install jax"
    ]
    assert page.button(key="train").disabled
    page.selectbox(key=f"{form}.backend").set_value("auto").run()
    assert not page.button(key="train").disabled


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
    assert {f"inspect-of-{run.id}", f"results-of-{run.id}"} <= keys(page)
    assert f"stop-of-{run.id}" not in keys(page)
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
        assert f"stop-of-{run.id}" in keys(first)


def test_the_run_that_computes_is_shown_and_the_queue_leads_to_the_others(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    computing, waiting = queued(runs, "First", 1), queued(runs, "Second", 2)
    computing.record(state=State.RUNNING)
    with computing.alive(), FileLock(runs.engine_folder / "worker.lock"):
        assert open_page().subheader[0].value == "First"
        page = open_page(run=waiting.id)
        assert page.subheader[0].value == "Second"
        assert "Waiting for 1 run ahead of it." in texts(page)
        page.button(key=f"queue-{computing.id}").click().run()
        assert parameter(page, "run") == computing.id
        assert page.subheader[0].value == "First"


@pytest.mark.usefixtures("no_worker")
def test_a_link_to_a_preset_opens_the_form_also_while_something_computes(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    queued(runs, "Somebody else's")
    assert open_page().segmented_control(key="train.view").value == "Watch"
    page = open_page(preset="cnn")
    assert page.segmented_control(key="train.view").value == "New run"
    assert page.button(key="choose-cnn").disabled


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("view", ["New run", "Watch"])
def test_a_reload_comes_up_with_the_view_that_was_open_and_back_leads_to_the_one_before(
    open_page: Callable[..., AppTest], runs: Runs, view: str
) -> None:
    run = queued(runs, "Somebody else's")
    page = open_page(run=run.id)
    page.segmented_control(key="train.view").set_value(view).run()
    address = {name: parameter(page, name) for name in page.query_params}
    assert open_page(**address).segmented_control(key="train.view").value == view
    other = "Watch" if view == "New run" else "New run"
    page.query_params["show"] = other
    page.run()
    assert page.segmented_control(key="train.view").value == other
    assert open_page(show="<b>").segmented_control(key="train.view").value == "Watch"


def test_a_queued_run_is_stopped_by_its_button(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = queued(runs, "Not needed")
    page = open_page(run=run.id)
    page.button(key=f"stop-of-{run.id}").click().run()
    assert run.state() is State.STOPPED
    assert "Stopped by the user before it began." in texts(page)


def test_a_run_that_does_not_stop_can_be_ended_at_once_after_a_while(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    run = queued(runs, "Stubborn")
    run.record(state=State.RUNNING, backend="jax")
    with run.alive():
        page = open_page(run=run.id)
        assert "keeps the whole epochs" in page.button(key=f"stop-of-{run.id}").help
        page.button(key=f"stop-of-{run.id}").click().run()
        assert run.stop_requested()
        assert page.button(key="stopping").disabled
        assert "once a whole one is done" in page.button(key="stopping").help
        long_ago = time.time() - 60
        os.utime(run.folder / "stop", (long_ago, long_ago))
        page.run()
        assert not page.button(key=f"end-of-{run.id}").disabled


def test_a_failed_run_says_why_and_shows_its_log(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = queued(runs, "Doomed")
    run.record(state=State.FAILED, reason="The loss became nan in epoch 3. Try a lower learning rate.")
    run.log_path.write_text("Traceback\n", encoding="utf-8")
    page = open_page(run=run.id)
    assert "Try a lower learning rate" in shown(page.error[0].value)
    assert page.code[0].value == "Traceback"


def test_an_unknown_run_in_the_url_is_said_and_the_latest_is_shown(
    open_page: Callable[..., AppTest], runs: Runs
) -> None:
    save_finished_run(runs, name="Still here")
    page = open_page(run="20990101-nothing")
    assert "There is no run '20990101-nothing'" in shown(page.warning[0].value)
    assert page.subheader[0].value == "Still here"


def test_a_damaged_run_is_one_sentence(open_page: Callable[..., AppTest], runs: Runs) -> None:
    run = save_finished_run(runs)
    (run.folder / "status.json").write_text("{", encoding="utf-8")
    page = open_page(run=run.id)
    assert "does not hold a run's status" in shown(page.error[0].value)
