"""The live view: what is shown of runs in hand and runs that are over, and what can be done with them.

Where runs wait, the tests hold the worker's lock, so that nothing computes them.
"""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import open_app, save_finished_run, the_button
from streamlit.testing.v1 import AppTest

from emotion_core.config import with_settings
from emotion_core.errors import EmotionError
from emotion_core.presets import find_preset
from emotion_core.runs import Checkpoint, Run, Runs, RunSummary, State
from ui import attempts, cache
from ui.live_queue import ROWS

PAGE = "pages/train_models.py"


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


def queued(runs: Runs, name: str, sequence: int = 0, **settings: object) -> Run:
    return runs.create(with_settings(find_preset("sgd").config, {"name": name, **settings}), sequence)


def over(runs: Runs, name: str, state: State, epoch: int = 2, **settings: object) -> Run:
    """A run that ended after some epochs and kept the last."""
    run = queued(runs, name, **settings)
    for number in range(1, epoch + 1):
        scores = {"loss": 1.8, "accuracy": 0.3, "val_loss": 1.7, "val_accuracy": 0.35}
        run.append_history(scores | {"epoch": number, "learning_rate": 1e-3, "seconds": 60})
    run.checkpoints.save(Checkpoint(epoch, {"weights": np.zeros(3)}, {}))
    run.record(state=state, epoch=epoch, batches=10, seconds=90.0)
    return run


def shown(page: AppTest) -> str:
    elements = [*page.markdown, *page.caption, *page.error, *page.warning]
    lines = [str(element.value) for element in elements] + [bar.proto.text for bar in page.get("progress")]
    return "\n".join(lines).replace("\\", "")


def keys(page: AppTest) -> set[str]:
    return {button.key for button in page.button}


def names(runs: Runs) -> list[str]:
    return [line.name for line in runs.in_hand()]


def press(page: AppTest, key: str) -> None:
    """Press a button as the first one in a while."""
    if "live.last_action" in page.session_state:
        asked, at = page.session_state["live.last_action"]
        page.session_state["live.last_action"] = (asked, at - 60)
    page.button(key=key).click().run()
    assert not page.exception


# --- what cannot be read -------------------------------------------------------------------------------------------


def test_runs_that_cannot_be_listed_while_one_is_watched_are_said_in_a_sentence(runs: Runs, monkeypatch) -> None:
    over(runs, "Watched", State.STOPPED)
    page = open_app(PAGE, show="Watch")
    looks = iter([cache.lines()])  # the page's own; what is refreshed below it can no longer look

    def list_once() -> list[RunSummary]:
        for lines in looks:
            return lines
        raise EmotionError("The runs cannot be listed.")

    monkeypatch.setattr(cache, "lines", list_once)
    page.run()
    assert not page.exception
    assert [error.value for error in page.error] == [r"The runs cannot be listed\."]


@pytest.mark.parametrize(
    ("state", "why"),
    [(State.INTERRUPTED, "the lowest validation loss so far"), (State.FINISHED, "which is kept")],
)
def test_which_epoch_is_kept_is_said_once_it_is_scored(runs: Runs, state: State, why: str) -> None:
    """The residual network keeps its last epoch, which need not be the best so far."""
    run = save_finished_run(runs, preset="residual")
    run.record(state=state)
    if state is State.INTERRUPTED:
        (run.folder / "evaluation.json").unlink()
    (metric,) = (metric for metric in open_app(PAGE, run=run.id).metric if metric.label == "Validation accuracy")
    assert metric.help == f"Of epoch 5, {why}."


# --- going on -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("state", [State.STOPPED, State.FAILED, State.INTERRUPTED])
def test_a_run_that_ended_early_is_resumed_by_its_button(runs: Runs, state: State) -> None:
    run = over(runs, "Ended", state)
    page = open_app(PAGE, run=run.id)
    assert page.button(key=f"resume-of-{run.id}").help == "Continues after epoch 2."
    press(page, f"resume-of-{run.id}")
    assert run.state() is State.QUEUED
    assert run.status().resumed == 1
    assert "Next in line" in shown(page)


@pytest.mark.usefixtures("no_worker")
def test_the_second_click_of_a_double_click_does_nothing(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "DOUBLE_CLICK_SECONDS", 30)  # the clicks of a test on a busy machine lie far apart
    run = over(runs, "Ended", State.STOPPED)
    page = open_app(PAGE, run=run.id)
    press(page, f"resume-of-{run.id}")
    page.button(key=f"stop-of-{run.id}").click().run()  # it has taken the place of Resume
    assert run.state() is State.QUEUED
    press(page, f"stop-of-{run.id}")
    assert run.state() is State.STOPPED
    page.button(key=f"resume-of-{run.id}").click().run()
    assert run.state() is State.STOPPED


def test_a_run_that_kept_nothing_begins_anew(runs: Runs) -> None:
    run = queued(runs, "Nothing kept")
    run.record(state=State.FAILED, reason="No such file.")
    button = open_app(PAGE, run=run.id).button(key=f"resume-of-{run.id}")
    assert button.help == "Starts from the first epoch: none was saved."


@pytest.mark.usefixtures("no_worker")
def test_a_finished_run_is_trained_longer(runs: Runs) -> None:
    run = over(runs, "Done", State.FINISHED)
    run.set_epochs(2)
    run.record(epochs=2)
    page = open_app(PAGE, run=run.id)
    box = page.number_input(key=f"live.longer-{run.id}")
    assert (box.min, box.value) == (3, 4)
    box.set_value(7).run()
    press(page, f"longer-of-{run.id}")
    assert (run.state(), run.status().epochs) == (State.QUEUED, 7)
    assert Run(run.folder).config.training.epochs == 7


def test_a_finished_run_that_kept_no_checkpoint_cannot_be_trained_longer(runs: Runs) -> None:
    run = save_finished_run(runs)
    page = open_app(PAGE, run=run.id)
    assert not any(key.startswith("longer") for key in keys(page))
    assert {f"clone-of-{run.id}", f"inspect-of-{run.id}", f"results-of-{run.id}"} <= keys(page)


def test_a_clone_opens_the_form(runs: Runs) -> None:
    run = save_finished_run(runs, name="To be cloned")
    page = open_app(PAGE, run=run.id)
    page.button(key=f"clone-of-{run.id}").click().run()
    assert page.segmented_control(key="train.view").value == "New run"
    assert page.query_params["clone"] == run.id


@pytest.mark.parametrize("beginning", ["clone-of-", "inspect-of-"])
def test_a_click_never_reaches_the_run_that_has_taken_the_place_of_another(runs: Runs, beginning: str) -> None:
    save_finished_run(runs, name="Clicked")
    page = open_app(PAGE)
    page.segmented_control(key="train.view").set_value("Watch").run()
    clicked = the_button(page, beginning).click()
    save_finished_run(runs, name="Newer")
    clicked.run()
    assert (page.title[0].value, page.subheader[0].value) == ("Train", "Newer")
    assert "clone" not in page.query_params


# --- runs that were cut off ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_worker")
def test_interrupted_runs_are_resumed_together_except_those_that_a_person_ended(runs: Runs) -> None:
    save_finished_run(runs)
    first, second, ended = (over(runs, name, State.INTERRUPTED) for name in ("First", "Second", "Ended"))
    first.record(submitted=1_000.0)
    ended.request_kill()
    page = open_app(PAGE, run=ended.id)
    assert "2 runs were interrupted." in shown(page)
    press(page, "resume-all")
    assert names(runs) == ["First", "Second"]
    assert [run.state() for run in (first, second, ended)] == [State.QUEUED, State.QUEUED, State.INTERRUPTED]
    assert "interrupted." not in shown(page)


def test_who_does_not_want_to_resume_is_not_asked_again(runs: Runs) -> None:
    over(runs, "Cut off", State.INTERRUPTED)
    page = open_app(PAGE, run=save_finished_run(runs).id)
    assert "1 run was interrupted." in shown(page)
    press(page, "resume-none")
    page.run()
    assert "interrupted." not in shown(page)


def test_a_run_that_says_itself_that_it_was_interrupted_is_not_announced(runs: Runs) -> None:
    run = over(runs, "Cut off", State.INTERRUPTED)
    assert "resume-all" not in keys(open_app(PAGE, run=run.id))


# --- the queue ----------------------------------------------------------------------------------------------------


def open_queue(run: Run) -> AppTest:
    return unfold(open_app(PAGE, run=run.id))


def unfold(page: AppTest) -> AppTest:
    """Open the list of waiting runs, which a test's page forgets where a browser does not."""
    page.session_state["live-queue"] = True
    return page.run()


@pytest.mark.usefixtures("no_worker")
def test_waiting_runs_are_moved_and_cancelled(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (queued(runs, name, place) for place, name in enumerate(("A", "B", "C"), start=1))
    page = open_queue(first)
    assert page.button(key=f"earlier-{first.id}").disabled
    assert page.button(key=f"later-{third.id}").disabled
    press(page, f"later-{first.id}")
    assert names(runs) == ["B", "A", "C"]
    press(unfold(page), f"earlier-{third.id}")
    assert names(runs) == ["B", "C", "A"]
    press(unfold(page), f"stop-{second.id}")
    assert names(runs) == ["C", "A"]
    monkeypatch.setattr(attempts, "DOUBLE_CLICK_SECONDS", 60)  # a slow machine takes its time
    unfold(page).button(key=f"stop-{third.id}").click().run()  # has just come to where B was
    assert names(runs) == ["C", "A"]


@pytest.mark.usefixtures("no_worker")
def test_a_closed_queue_says_how_many_wait_and_builds_no_rows(runs: Runs) -> None:
    run, *_ = [queued(runs, f"Run {place}", place) for place in range(1, 4)]
    page = open_app(PAGE, run=run.id)
    assert not {key for key in keys(page) if key and key.startswith("later-")}
    assert "3 waiting" in shown(page)
    assert "Queue" in [popover.proto.popover.label for popover in page.get("popover")]


@pytest.mark.usefixtures("no_worker")
def test_a_long_queue_has_pages(runs: Runs) -> None:
    waiting = [queued(runs, f"Run {place}", place) for place in range(1, ROWS + 3)]
    page = open_queue(waiting[0])
    assert len([key for key in keys(page) if key and key.startswith("later-")]) == ROWS
    assert not page.button(key=f"later-{waiting[ROWS - 1].id}").disabled
    page.session_state["live-queue-page"] = 2
    page.run()
    assert page.button(key=f"later-{waiting[-1].id}").disabled


@pytest.mark.usefixtures("no_worker")
def test_all_runs_that_compute_are_at_the_top_with_their_slots(runs: Runs) -> None:
    computing = [queued(runs, name, place) for place, name in enumerate(("*One*", "Two"), start=1)]
    for run, slot in zip(computing, ("gpu-0", "cpu"), strict=True):
        run.record(state=State.RUNNING, backend="jax", slot=slot, epoch=4)
    with computing[0].alive(), computing[1].alive():
        page = open_app(PAGE)
        assert page.subheader[0].value.replace("\\", "") == "*One*"
        labels = [page.button(key=f"queue-{run.id}").label for run in computing]
    assert labels == [r"\*One\* · epoch 5 of 1,000 · GPU 0", "Two · epoch 5 of 1,000 · CPU"]


def test_a_run_that_waits_without_a_worker_is_taken_up(runs: Runs) -> None:
    run = queued(runs, "Left behind", 1, **{"training.epochs": 1})
    open_app(PAGE, run=run.id)
    deadline = time.monotonic() + 120
    while not run.state().is_over and time.monotonic() < deadline:
        time.sleep(0.2)
    assert run.state() is State.FINISHED


# --- what is shown ------------------------------------------------------------------------------------------------


def test_the_moment_tells_learning_rate_memory_and_gpu(runs: Runs) -> None:
    run = over(runs, "On a GPU", State.RUNNING)
    run.record(backend="jax", memory=3 * 2**29, gpu_use=0.87, gpu_memory=2**32, gpu_memory_total=80 * 2**30)
    with run.alive():
        text = shown(open_app(PAGE, run=run.id))
    assert "Learning rate 0.001 · Memory 1.5 GB · GPU busy 87% · GPU memory 4.0 of 80.0 GB" in text


@pytest.mark.parametrize(("name", "said"), [("dense seed 42", True), ("dense seed 4", False), ("dense", True)])
def test_the_seed_is_told_unless_the_name_tells_it(runs: Runs, name: str, said: bool) -> None:
    run = over(runs, name, State.FINISHED, **{"training.seed": 4})
    facts = next(element.value for element in open_app(PAGE, run=run.id).markdown if "after 2 epochs" in element.value)
    assert ("seed 4" in facts) is said


def test_what_the_curves_say_is_under_them(runs: Runs) -> None:
    run = over(runs, "Exploding", State.STOPPED)
    assert "too early to say" in shown(open_app(PAGE, run=run.id))
    for epoch, loss in ((3, 9.0), (4, 9.5), (5, 9.9)):
        row = {"loss": loss, "accuracy": 0.2, "val_loss": loss, "val_accuracy": 0.2}
        run.append_history(row | {"epoch": epoch, "learning_rate": 1e-3, "seconds": 60})
    assert "The training loss climbed from 1.80 to 9.50" in shown(open_app(PAGE, run=run.id))


def test_the_way_curves_are_drawn_outlives_a_look_at_another_page(runs: Runs) -> None:
    page = open_app(PAGE, run=over(runs, "Seen", State.STOPPED).id)
    page.segmented_control(key="live.axis").set_value("Time")
    page.toggle(key="live.log").set_value(True)
    page.slider(key="live.smoothing").set_value(0.6).run()
    for elsewhere in ("New run", "Watch"):
        page.segmented_control(key="train.view").set_value(elsewhere).run()
    page.switch_page("pages/compare_runs.py").run()
    page.switch_page(PAGE).run()
    assert page.segmented_control(key="live.axis").value == "Time"
    assert page.toggle(key="live.log").value
    assert page.slider(key="live.smoothing").value == 0.6


def test_a_refresh_changes_the_points_and_not_the_chart(runs: Runs) -> None:
    run = over(runs, "Learning", State.RUNNING)
    with run.alive():
        page = open_app(PAGE, run=run.id)
        before = charts(page)
        row = {"loss": 1.5, "accuracy": 0.4, "val_loss": 1.6, "val_accuracy": 0.38}
        run.append_history(row | {"epoch": 3, "learning_rate": 1e-3, "seconds": 60})
        run.record(epoch=3)
        page.run()
        after = charts(page)
    assert [chart.id for chart in before] == [chart.id for chart in after]
    assert [chart.spec for chart in before] == [chart.spec for chart in after]
    assert before[0].data.data != after[0].data.data


def test_the_end_of_a_log_is_in_view(runs: Runs) -> None:
    run = over(runs, "Talkative", State.FAILED)
    run.log_path.write_text("\n".join(map(str, range(100))), encoding="utf-8")
    page = open_app(PAGE, run=run.id)
    (log,) = page.code
    assert log.value.endswith("99")
    (place,) = [block for block in page.main if log in getattr(block, "children", {}).values()]
    assert place.proto.autoscroll


def test_the_live_curves_grow_with_the_presenter_s_view(runs: Runs) -> None:
    run = over(runs, "Done", State.FINISHED)
    page = open_app(PAGE, run=run.id)
    plain = charts(page)
    page.session_state["presenter"] = True
    larger = charts(page.run())
    for before, after in zip(plain[:2], larger[:2], strict=True):
        assert json.loads(after.spec)["height"] == pytest.approx(1.3 * json.loads(before.spec)["height"])
        assert before.id != after.id


def charts(page: AppTest) -> list:
    return [chart.proto for chart in page.get("vega_lite_chart")]
