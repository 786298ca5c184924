"""Every page, with nothing to show and with something; and Explore, Augment, Results and Run in detail."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import history_row, open_app, save_csv, save_finished_run, shown
from streamlit.testing.v1 import AppTest

from emotion_core.archive import pack
from emotion_core.config import Augmentation, with_settings
from emotion_core.presets import COURSEWORK_AUGMENTATION, find_preset
from emotion_core.runs import About, Checkpoint, Run, Runs, State
from ui.tables import DRAWN

PROJECT = Path(__file__).parent.parent
EXPLORE, AUGMENT = "pages/explore_data.py", "pages/preview_augmentation.py"
RESULTS, RUN, TRAIN = "pages/compare_runs.py", "pages/inspect_run.py", "pages/train_models.py"
PAGES = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "pages").glob("*.py"))

Opener = Callable[..., AppTest]


@pytest.fixture
def open_page(runs_folder: Path) -> Opener:
    """Open a page with query parameters, as a link or a reload does."""
    return open_app


def checked(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def said(page: AppTest) -> str:
    """All sentences on the page."""
    return "\n".join(
        shown(str(element.value))
        for kind in ("markdown", "caption", "info", "warning", "error", "subheader", "title")
        for element in getattr(page, kind)
    )


def figures(page: AppTest) -> str:
    return "\n".join(element.value for element in page.html)


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


# --- all pages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_page_opens_with_nothing_to_show(open_page: Opener, path: str, faces_csv: Path):
    assert len(open_page(path).title) == 1


@pytest.mark.parametrize("path", PAGES)
def test_page_opens_with_runs_of_every_state(open_page: Opener, path: str, faces_csv: Path, runs_folder: Path):
    save_run_of_every_state(Runs(runs_folder))
    assert len(open_page(path).title) == 1


def test_all_seven_pages_are_in_the_navigation():
    app = (PROJECT / "app.py").read_text(encoding="utf-8")
    assert len(PAGES) == 7
    assert all(f'"{path}"' in app for path in PAGES)


def save_run_of_every_state(runs: Runs) -> None:
    save_finished_run(runs, name="Finished one")
    for state in (State.QUEUED, State.RUNNING, State.STOPPED, State.FAILED):  # no one computes it: interrupted
        runs.create(find_preset("dense-5").config).record(state=state, reason="Why it is so.")
    damage(runs.create(find_preset("sgd").config))


def damage(run: Run) -> None:
    (run.folder / "config.json").write_text("{half", encoding="utf-8")


# --- Explore -------------------------------------------------------------------------------------------------------


def test_explore_counts_the_faces_of_a_file(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "uneven.csv", [3] * 40 + [1] * 4 + [0, 2, 4, 5, 6] * 6)
    page = open_page(EXPLORE)
    assert metrics(page) == {
        "Faces": "74", "Largest class": "Happy", "Smallest class": "Disgust", "Imbalance": "10.0 : 1"
    }  # fmt: skip
    assert "<b>40</b>" in figures(page)


def test_explore_shows_weights_by_policy(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "uneven.csv", [3] * 40 + [1] * 4 + [0, 2, 4, 5, 6] * 6)
    page = open_page(EXPLORE)
    assert "<b>2.14</b>" in figures(page)  # 60 / (7 x 4) for Disgust
    page.segmented_control(key="policy").set_value("none")
    checked(page.run())
    assert figures(page).count("<b>1.00</b>") == 7


def test_explore_shows_other_faces_and_other_emotions(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "many.csv", [0, 3] * 40)
    page = open_page(EXPLORE)
    first = page.html[-1].value
    assert first.count("<img") == 30
    other_faces = next(button for button in page.button if button.label == "Other faces")
    checked(other_faces.click().run())
    assert page.html[-1].value != first
    page.pills(key="emotion").set_value("Sad")
    checked(page.run())
    assert "There is no Sad face" in said(page)


def test_explore_says_that_unlabelled_faces_are_for_predicting(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "test.csv", None)
    page = open_page(EXPLORE)
    assert metrics(page) == {"Faces": "70"}
    assert "no labels" in said(page)


def test_explore_works_on_drawn_faces_where_there_is_no_file(open_page: Opener):
    page = open_page(EXPLORE)
    assert "Drawn faces" in said(page)
    assert page.query_params["data"] == "sample"


def test_a_damaged_file_gets_one_sentence(open_page: Opener, runs_folder: Path):
    (runs_folder.parent / "data" / "bad.csv").write_text("id,emotion,pixels\n0,3,1 2 3\n", encoding="utf-8")
    page = open_page(EXPLORE)
    assert [error.value for error in page.error]
    assert "bad.csv" in shown(page.error[0].value)
    assert not page.metric


def test_rows_without_pixels_are_left_out_only_when_the_person_agrees(open_page: Opener, faces_csv: Path):
    with faces_csv.open("a", encoding="utf-8") as file:
        file.write("70,3,\n")
    page = open_page(EXPLORE)
    assert "72" in shown(page.error[0].value)
    agree = next(button for button in page.button if button.label == "Leave such rows out")
    checked(agree.click().run())
    assert metrics(page)["Faces"] == "70"


def test_a_path_typed_by_a_person_is_read_and_stands_in_the_url(open_page: Opener, tmp_path: Path, faces_csv: Path):
    elsewhere = save_csv(tmp_path / "elsewhere.csv", [0] * 15 + [1] * 10)
    page = open_page(EXPLORE)
    checked(page.text_input(key="explored-data-path").set_value(str(elsewhere)).run())
    assert metrics(page)["Faces"] == "25"
    assert page.query_params["data"] == str(elsewhere)


def test_an_upload_is_kept_and_chosen(open_page: Opener, tmp_path: Path, faces_csv: Path):
    content = save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()
    page = open_page(EXPLORE)
    page.file_uploader(key="explored-data-upload").upload("mine.csv", content)
    checked(page.run())
    assert metrics(page)["Faces"] == "26"
    assert len(list(faces_csv.parent.glob("mine-*.csv"))) == 1


def test_an_unusable_upload_gets_a_sentence_and_is_not_kept(open_page: Opener, faces_csv: Path):
    before = set(faces_csv.parent.iterdir())
    page = open_page(EXPLORE)
    page.file_uploader(key="explored-data-upload").upload("holiday.csv", b"when,where\n1,2\n")
    checked(page.run())
    assert "holiday.csv: line 1 has no column 'pixels'" in shown(page.error[0].value)
    assert set(faces_csv.parent.iterdir()) == before


def test_a_link_to_data_that_is_gone_says_so(open_page: Opener, faces_csv: Path):
    page = open_page(EXPLORE, data="/nowhere/gone.csv")
    assert "gone.csv" in shown(page.error[0].value)


# --- Augment -------------------------------------------------------------------------------------------------------


def test_augment_begins_with_the_coursework(open_page: Opener, faces_csv: Path):
    page = open_page(AUGMENT)
    assert page.slider(key="augment-rotation").value == 30
    assert page.slider(key="augment-zoom").value == 0.1
    assert figures(page).count("<img") == 1 + 18


def test_without_augmentation_every_variant_is_the_original(open_page: Opener, faces_csv: Path):
    page = open_page(AUGMENT)
    assert len(set(pictures(page))) > 10
    none = next(button for button in page.button if button.label == "None")
    checked(none.click().run())
    assert len(set(pictures(page))) == 1


def test_new_variants_differ_and_the_original_stays(open_page: Opener, faces_csv: Path):
    page = open_page(AUGMENT)
    before = pictures(page)
    again = next(button for button in page.button if button.label == "New variants")
    checked(again.click().run())
    assert pictures(page)[0] == before[0]
    assert set(pictures(page)[1:]).isdisjoint(before[1:])


def test_settings_and_face_come_back_from_the_url(open_page: Opener, faces_csv: Path):
    page = open_page(AUGMENT)
    page.slider(key="augment-rotation").set_value(75.0)
    page.number_input(key="augment-face").set_value(12)
    checked(page.run())
    again = open_page(AUGMENT, augmentation=page.query_params["augmentation"], face=page.query_params["face"])
    assert again.slider(key="augment-rotation").value == 75
    assert again.number_input(key="augment-face").value == 12
    assert pictures(again) == pictures(page)


@pytest.mark.parametrize("nonsense", ["rotation:9999", "rotation:x", "what", "speed:3", ","])
def test_nonsense_in_the_url_is_passed_over(open_page: Opener, faces_csv: Path, nonsense: str):
    page = open_page(AUGMENT, augmentation=nonsense, face="-5")
    assert page.slider(key="augment-rotation").value == COURSEWORK_AUGMENTATION.rotation
    assert page.number_input(key="augment-face").value == 1


def test_next_face_keeps_to_the_chosen_emotion(open_page: Opener, faces_csv: Path):
    page = open_page(AUGMENT)
    page.selectbox(key="augment-emotion").set_value("Disgust")
    checked(page.run())
    assert page.number_input(key="augment-face").value == 2
    following = next(button for button in page.button if button.label == "Next face")
    checked(following.click().run())
    assert page.number_input(key="augment-face").value == 9
    assert "Disgust" in figures(page)


def test_use_in_a_run_takes_the_settings_to_train(open_page: Opener, faces_csv: Path):
    page = open_page(AUGMENT)
    page.toggle(key="augment-horizontal_flip").set_value(True)
    use = next(button for button in page.button if button.label == "Use in a run")
    checked(use.click().run())
    assert page.session_state["augmentation"] == COURSEWORK_AUGMENTATION.model_copy(update={"horizontal_flip": True})
    assert isinstance(page.session_state["augmentation"], Augmentation)
    assert page.title[0].value == "Train"


def pictures(page: AppTest) -> list[str]:
    return [part.partition('"')[0] for part in figures(page).split('src="')[1:]]


# --- Results -------------------------------------------------------------------------------------------------------


def test_results_without_runs_leads_to_train(open_page: Opener):
    page = open_page(RESULTS)
    checked(page.button(key="empty-state-action").click().run())
    assert page.title[0].value == "Train"


def test_results_lists_every_run_with_damaged_ones(open_page: Opener, runs_folder: Path):
    save_run_of_every_state(Runs(runs_folder))
    table = open_page(RESULTS).dataframe[0].value
    assert sorted(state for states in table["State"] for state in states) == [
        "Damaged", "Failed", "Finished", "Interrupted", "Queued", "Stopped"
    ]  # fmt: skip


def test_results_shows_scores_of_the_best_epoch_and_drawn_data(open_page: Opener, finished_run: Run):
    row = open_page(RESULTS).dataframe[0].value.iloc[0]
    assert row["Validation accuracy"] == pytest.approx(100 * finished_run.evaluation().accuracy)
    assert row["Best epoch"] == finished_run.evaluation().best_epoch
    assert row["Data"] == DRAWN


def test_results_compares_curves_of_the_best_runs(open_page: Opener, runs_folder: Path):
    for seed in (42, 43):
        save_finished_run(Runs(runs_folder), preset="dense-5", seed=seed)
    figures = [chart.proto.spec for chart in open_page(RESULTS).get("plotly_chart")]
    assert len(figures) == 2
    assert all(f"dense-5 (seed {seed})" in figure for figure in figures for seed in (42, 43))


def test_a_run_s_zip_is_imported_and_leads_to_the_run(open_page: Opener, finished_run: Run):
    content = io.BytesIO()
    pack(finished_run, content)
    page = open_page(RESULTS)
    page.file_uploader(key="import").upload("run.zip", content.getvalue())
    checked(page.run())
    known, imported = Runs(finished_run.folder.parent).all()
    assert page.title[0].value == "Run"
    assert page.query_params["run"] == ({known.id, imported.id} - {finished_run.id}).pop()


def test_a_zip_that_is_no_run_is_refused_in_one_sentence(open_page: Opener, runs_folder: Path):
    page = open_page(RESULTS)
    page.file_uploader(key="import").upload("holiday.zip", b"PK no zip")
    checked(page.run())
    assert [shown(error.value) for error in page.error] == ["holiday.zip is not a whole zip file, or not one of a run."]
    assert Runs(runs_folder).all() == []


# --- Run -----------------------------------------------------------------------------------------------------------


def test_run_shows_scores_and_confusion(open_page: Opener, finished_run: Run):
    page = open_page(RUN, run=finished_run.id)
    scores = finished_run.evaluation()
    assert metrics(page)["Validation accuracy"] == f"{scores.accuracy:.1%}"
    assert metrics(page)["Best epoch"] == "5 of 6"
    assert f"predicted Happy: {scores.confusion[3][3]} faces" in figures(page)
    assert len(page.get("vega_lite_chart")) == 2


def test_run_without_a_name_in_the_url_opens_the_newest_and_names_it(open_page: Opener, finished_run: Run):
    page = open_page(RUN)
    assert page.query_params["run"] == finished_run.id
    assert "Fixture run" in page.subheader[0].value


def test_run_that_is_not_there_is_said_and_another_shown(open_page: Opener, finished_run: Run):
    page = open_page(RUN, run="20200101-nothing")
    assert "20200101-nothing" in shown(page.warning[0].value)
    assert metrics(page)


def test_a_name_that_was_typed_is_no_markup(open_page: Opener, runs_folder: Path):
    run = save_finished_run(Runs(runs_folder), name="*best* <b>one</b> $5")
    page = open_page(RUN, run=run.id)
    assert page.subheader[0].value == r"\*best\* \<b\>one\</b\> \$5"


def test_a_live_run_leads_to_train(open_page: Opener, runs_folder: Path):
    run = Runs(runs_folder).create(find_preset("sgd").config)
    with run.alive():
        run.record(state=State.RUNNING)
        page = open_page(RUN, run=run.id)
        labels = [button.label for button in page.button]
    assert "Watch it train" in labels
    assert "Delete" not in labels


def test_a_failed_run_says_why(open_page: Opener, runs_folder: Path):
    run = Runs(runs_folder).create(with_settings(find_preset("sgd").config, {"name": "Unlucky"}))
    run.record(state=State.FAILED, reason="The loss became nan in epoch 3.")
    assert "The loss became nan in epoch 3." in said(open_page(RUN, run=run.id))


def test_a_run_is_deleted_only_after_a_second_yes(open_page: Opener, finished_run: Run):
    page = open_page(RUN, run=finished_run.id)
    do(page, "Delete")
    assert finished_run.folder.exists()
    checked(page.button(key="delete-for-good").click().run())
    assert not finished_run.folder.exists()
    assert "There is no run yet." in said(page)


def test_a_run_is_named_and_written_about(open_page: Opener, finished_run: Run):
    page = open_page(RUN, run=finished_run.id)
    do(page, "Name, notes and tags")
    assert page.text_input(key="about-name").placeholder == "Fixture run"
    page.text_input(key="about-name").set_value("Best *so* far")
    page.text_area(key="about-notes").set_value("First line\n<b>second</b> $x$")
    checked(page.button(key="save-about").click().run())
    assert finished_run.about() == About(name="Best *so* far", notes="First line\n<b>second</b> $x$")
    assert page.subheader[0].value == r"Best \*so\* far"
    assert page.text[0].value == "First line\n<b>second</b> $x$"
    assert any("Best *so* far" in option for option in page.selectbox(key="run-inspected").options)


def test_tags_are_kept_shown_and_offered_to_other_runs(open_page: Opener, runs_folder: Path):
    tagged, other = (save_finished_run(Runs(runs_folder)) for _ in range(2))
    tagged.write_about(About(tags=("lecture 3", "keep")))
    page = open_page(RUN, run=tagged.id)
    assert "lecture 3" in said(page)
    page = open_page(RUN, run=other.id)
    do(page, "Name, notes and tags")
    assert page.multiselect(key="about-tags").options == ["keep", "lecture 3"]
    page.multiselect(key="about-tags").set_value(["keep"])
    checked(page.button(key="save-about").click().run())
    assert other.about().tags == ("keep",)
    assert [list(tags) for tags in open_page(RESULTS).dataframe[0].value["Tags"]] == [["keep"], ["lecture 3", "keep"]]


def test_what_was_written_about_a_run_may_be_damaged(open_page: Opener, finished_run: Run):
    (finished_run.folder / "about.json").write_text("{", encoding="utf-8")
    assert open_page(RUN, run=finished_run.id).subheader[0].value == "Fixture run"


def test_a_clone_opens_the_form_with_the_run(open_page: Opener, finished_run: Run):
    page = open_page(RUN, run=finished_run.id)
    do(page, "Clone")
    assert page.title[0].value == "Train"
    assert "Fixture run" in said(page)
    assert page.query_params["clone"] == finished_run.id


def test_an_interrupted_run_is_resumed_and_watched(open_page: Opener, runs_folder: Path):
    run = interrupted(Runs(runs_folder))
    page = open_page(RUN, run=run.id)
    assert page.error
    checked(page.button(key="next-step").click().run())
    assert page.title[0].value == "Train"
    assert page.query_params["run"] == run.id
    assert run.status().resumed == 1
    wait_until_over(run)


def test_a_finished_run_is_trained_longer(open_page: Opener, runs_folder: Path):
    run = interrupted(Runs(runs_folder))
    run.record(state=State.FINISHED, epoch=1, epochs=1)
    run.set_epochs(1)
    page = open_page(RUN, run=run.id)
    checked(page.button(key="next-step").click().run())
    assert page.number_input(key="epochs-in-all").min == 2
    page.number_input(key="epochs-in-all").set_value(3)
    checked(page.button(key="train-longer").click().run())
    assert page.title[0].value == "Train"
    assert Run(run.folder).config.training.epochs == 3
    wait_until_over(run)


def test_a_run_without_checkpoints_offers_no_way_to_lose_its_model(open_page: Opener, runs_folder: Path):
    finished = save_finished_run(Runs(runs_folder))
    assert not {"Resume", "Train longer", "Start again"} & set(choices(open_page(RUN, run=finished.id)))
    finished.record(state=State.INTERRUPTED)
    assert not {"Resume", "Train longer", "Start again"} & set(choices(open_page(RUN, run=finished.id)))


def test_classify_is_offered_only_where_there_is_a_model_to_serve(open_page: Opener, finished_run: Run):
    assert "Classify faces" in choices(open_page(RUN, run=finished_run.id))
    finished_run.linear_path.unlink()
    assert not {"Classify faces", "Predict for Kaggle"} & set(choices(open_page(RUN, run=finished_run.id)))


def test_a_run_says_where_its_folder_is(open_page: Opener, finished_run: Run):
    assert str(finished_run.folder) in [code.value for code in open_page(RUN, run=finished_run.id).code]


@pytest.mark.parametrize("name", ["config.json", "status.json", "evaluation.json"])
def test_a_damaged_run_says_what_is_damaged_shows_the_rest_and_can_be_deleted(
    open_page: Opener, finished_run: Run, name: str
):
    (finished_run.folder / name).write_text("{", encoding="utf-8")
    page = open_page(RUN, run=finished_run.id)
    assert name in shown(page.error[0].value)
    assert len(page.get("vega_lite_chart")) == 2
    assert finished_run.log_tail() in [code.value for code in page.code]
    assert choices(page) == ["Delete"]
    do(page, "Delete")
    checked(page.button(key="delete-for-good").click().run())
    assert not finished_run.folder.exists()


def choices(page: AppTest) -> list[str]:
    """What can be done with the run: the one next step, and the entries of the menu."""
    menu = [option.partition(" ")[2] for more in page.menu_button for option in more.options]
    return [page.button(key="next-step").label, *menu]


def do(page: AppTest, what: str) -> None:
    """Choose one of the things that can be done with the run."""
    if page.button(key="next-step").label == what:
        checked(page.button(key="next-step").click().run())
    else:
        menu = page.menu_button(key="more")
        checked(menu.set_value(next(option for option in menu.options if option.endswith(f" {what}"))).run())


def interrupted(runs: Runs) -> Run:
    """A run of two epochs that was cut off after the first, whose checkpoint is unreadable: it begins anew."""
    run = runs.create(with_settings(find_preset("sgd").config, {"training.epochs": 2}))
    run.append_history(history_row(1, 2))
    run.checkpoints.save(Checkpoint(1, {"nothing": np.zeros(1)}, {}))
    next((run.folder / "checkpoint").iterdir()).write_bytes(b"damaged")
    run.record(state=State.INTERRUPTED, epoch=1)
    return run


def wait_until_over(run: Run) -> None:
    """Let a run that a page has queued end before its folder goes."""
    deadline = time.monotonic() + 60
    while not run.state().is_over and time.monotonic() < deadline:
        time.sleep(0.2)
    assert run.state() is State.FINISHED, run.log_tail()


def test_every_file_of_a_run_can_be_downloaded(open_page: Opener, finished_run: Run):
    labels = " ".join(button.label for button in open_page(RUN, run=finished_run.id).get("download_button"))
    for name in ("config.json", "history.csv", "evaluation.json", "linear.npz", "log.txt"):
        assert name in labels


# --- data set picker -----------------------------------------------------------------------------------------------


def test_the_data_first_chosen_suits_the_page(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "a_test.csv", None)
    save_csv(runs_folder.parent / "data" / "b_train.csv", [0, 1] * 10)
    save_finished_run(Runs(runs_folder))
    assert open_page(EXPLORE).query_params["data"] == "b_train.csv"
    assert open_page("pages/predict_kaggle.py").query_params["data"] == "a_test.csv"


def test_the_data_chosen_on_one_page_is_chosen_on_the_next(open_page: Opener, runs_folder: Path):
    for name in ("first.csv", "second.csv"):
        save_csv(runs_folder.parent / "data" / name, [0, 1] * 10)
    page = open_page(EXPLORE, data="second.csv")
    page.query_params.clear()
    checked(page.switch_page(AUGMENT).run())
    assert page.selectbox(key="augmented-data").value == "second.csv"
