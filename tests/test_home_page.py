"""Home: what is here in one look, and the next thing to do."""

from pathlib import Path

import pytest
import streamlit as st
from conftest import PROJECT, checked, open_app, said, save_finished_run, shown, the_button
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from emotion_core.config import with_settings
from emotion_core.presets import find_preset
from emotion_core.runs import Runs, RunSummary, State
from ui import cache
from ui.home import next_step

HOME = "pages/home.py"


def metrics(page: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, shown(metric.delta)) for metric in page.metric}


def line(state: State = State.FINISHED, **known) -> RunSummary:
    return RunSummary(id="some-id", name="A run", state=state, **known)


@pytest.mark.parametrize(
    ("lines", "files", "action"),
    [
        ((), (), "Train a first model"),
        ((line(has_model=True),), (), "Add data"),
        ((line(has_model=True),), (Path("faces.csv"),), "Classify a face"),
        ((line(State.RUNNING, epoch=3, epochs=10), line(has_model=True)), (Path("faces.csv"),), "Watch it learn"),
        ((line(State.QUEUED),), (Path("faces.csv"),), "Train a first model"),
    ],
)
def test_next_thing_to_do_follows_from_what_is_here(lines, files, action):
    assert next_step(lines, files).action == action


def test_run_that_computes_is_named_with_its_epoch_and_its_address():
    step = next_step([line(State.RUNNING, epoch=3, epochs=10)], [])
    assert "epoch 4 of 10" in step.words
    assert step.parameters == {"run": "some-id"}


def test_app_opens_with_home(runs_folder):
    page = checked(AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run())
    assert [title.value for title in page.title] == ["Facial emotions"]


def test_home_without_runs_and_data_leads_on(runs_folder):
    page = open_app(HOME)
    cards = metrics(page)
    assert cards["Best model"] == ("None yet", "Train one first")
    assert cards["Saved runs"] == ("0", "none in progress")
    assert "Sample (drawn faces)" in cards["Faces"][1]
    assert the_button(page, "next-step-").label == "Train a first model"
    assert "What you train appears here" in said(page)


def test_home_shows_data_best_model_and_runs(faces_csv, runs_folder):
    runs = Runs(runs_folder)
    save_finished_run(runs, name="The worse", skill=0.1)
    best = save_finished_run(runs, name="The better", skill=0.8)
    runs.create(find_preset("dense-5").config)
    page = open_app(HOME)
    cards = metrics(page)
    assert cards["Faces"] == ("70", "faces.csv")
    assert cards["Best model, validation"] == (f"{best.evaluation().accuracy:.1%}", "The better (drawn faces)")
    assert cards["Saved runs"] == ("3", "1 in progress")
    assert [page.button(key=f"best-{run}").label for run in ranked_ids(page)] == ["The better", "The worse"]


def test_models_of_drawn_faces_stand_last_and_are_marked(faces_csv, runs_folder):
    runs = Runs(runs_folder)
    drawn = save_finished_run(runs, name="Drawn", skill=0.9)
    real = save_finished_run(runs, name="Real", skill=0.2)
    config = with_settings(real.config, {"data.source": str(faces_csv)})
    (real.folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    page = open_app(HOME)
    assert ranked_ids(page) == [real.id, drawn.id]
    assert said(page).count("drawn faces") == 1


def test_the_best_model_is_marked_where_it_learnt_from_drawn_faces(finished_run, faces_csv):
    page = open_app(HOME)
    assert metrics(page)["Best model, validation"][1] == "Fixture run (drawn faces)"
    assert "**Fixture run** (learnt from drawn faces) is ready to read a face" in said(page)


def test_a_run_without_model_or_scores_is_no_model_to_rank(runs_folder):
    runs = Runs(runs_folder)
    failed = runs.create(find_preset("dense-5").config)
    failed.record(state=State.FAILED, best_val_accuracy=0.9)
    scored = save_finished_run(runs, name="Scored")
    assert ranked_ids(open_app(HOME)) == [scored.id]
    scored.linear_path.unlink()
    cache.list_anew()
    assert ranked_ids(open_app(HOME)) == []


def test_a_click_for_a_step_that_is_no_longer_the_next_does_nothing(finished_run, runs_folder):
    page = open_app(HOME)
    asked = the_button(page, "next-step-").click()
    running = Runs(runs_folder).create(finished_run.config)
    running.record(state=State.RUNNING, epochs=5)
    cache.list_anew()
    with FileLock(running.folder / "lock"):
        checked(asked.run())
        assert page.title[0].value == "Facial emotions"
        assert the_button(page, "next-step-").label == "Watch it learn"


def ranked_ids(page: AppTest) -> list[str]:
    return [button.key.removeprefix("best-") for button in page.button if button.key.startswith("best-")]


def test_home_survives_data_that_cannot_be_read(runs_folder):
    (runs_folder.parent / "data" / "bad.csv").write_text("id,emotion,pixels\n0,3,1 2 3\n", encoding="utf-8")
    assert metrics(open_app(HOME))["Data"] == ("Not readable", "bad.csv")


def test_home_counts_the_faces_that_are_left_where_a_person_left_rows_out(faces_csv):
    lines = faces_csv.read_text(encoding="utf-8").splitlines()
    faces_csv.write_text("\n".join([*lines[:5], "4,3,", *lines[6:]]) + "\n", encoding="utf-8")
    page = open_app("pages/explore_data.py")
    (leave_out,) = [button for button in page.button if button.label == "Leave such rows out"]
    checked(leave_out.click().run())
    page.query_params.clear()
    checked(page.switch_page(HOME).run())
    assert metrics(page)["Faces"] == ("69", faces_csv.name)


def test_a_run_opens_on_its_page(finished_run):
    page = open_app(HOME)
    checked(page.button(key=f"latest-{finished_run.id}").click().run())
    assert page.query_params["run"] == finished_run.id
    assert page.title[0].value == "Run"


def test_home_says_why_even_the_sample_cannot_be_read(runs_folder, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    st.cache_resource.clear()  # other tests of this process have drawn the sample
    monkeypatch.setenv("EMOTION_CACHE", str(tmp_path / "file" / "cache"))
    page = open_app(HOME)
    assert metrics(page)["Data"] == ("Not readable", "Sample (drawn faces)")
    assert not page.exception
