"""The Run page: scores, curves, mistakes with their faces, confidence, and what can be done with a run."""

import io
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from conftest import checked, figures, history_row, open_app, said, save_csv, save_finished_run, shown, the_button
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from emotion_core import archive
from emotion_core.archive import pack
from emotion_core.config import SAMPLE, with_settings
from emotion_core.dataset import labels_of_run, load_dataset, rows_of_run
from emotion_core.emotions import EMOTIONS
from emotion_core.engine import LocalEngine
from emotion_core.errors import BadInput
from emotion_core.evaluation import Evaluation, HeldOutEvaluation, RunEvaluation, evaluate
from emotion_core.presets import find_preset
from emotion_core.runs import About, Checkpoint, Run, Runs, State, Validation
from ui import cache, charts, run_sections, tables

HAPPY, FEAR = EMOTIONS.index("Happy"), EMOTIONS.index("Fear")

PREPARED = "Preparing it takes about a minute"
TAKEN_UP_AGAIN = "once its training is taken up again and ends"

Opener = Callable[..., AppTest]


@pytest.fixture
def open_page(runs_folder: Path) -> Opener:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, "pages/inspect_run.py")


@pytest.fixture
def judged_run(runs_folder: Path, faces_csv: Path) -> Run:
    """A run that took all fourteen validation faces of a file, two of each emotion, for Happy."""
    return save_judged_run(Runs(runs_folder), faces_csv)


def save_judged_run(runs: Runs, data: Path, preset: str = "sgd", **settings: object) -> Run:
    """Save a run that is the surer of Happy the later a face comes."""
    split = {} if preset == "sgd-misaligned" else {"data.split": {"kind": "first_rows"}}
    run = runs.create(
        with_settings(find_preset(preset).config, {"data.source": str(data), "name": "Judged", **split, **settings})
    )
    run.append_history(history_row(1, 1))
    dataset, config = load_dataset(data), run.config
    rows = rows_of_run(dataset, config).validation
    labels = labels_of_run(dataset, config)[rows]
    sure = np.linspace(0.3, 0.95, len(rows))
    probabilities = ((1 - sure) / 6)[:, None].repeat(7, axis=1).astype(np.float32)
    probabilities[:, HAPPY] = sure
    scores = RunEvaluation(
        **evaluate(labels, probabilities).model_dump(),
        best_epoch=1,
        training_accuracy=0.5,
        parameters=16_135,
        seconds=60.0,
        images_per_second=900.0,
    )
    run.save_evaluation(scores, Validation(rows, labels, probabilities))
    run.record(state=State.FINISHED, epoch=1, parameters=16_135)
    return run


def headlines(page: AppTest) -> str:
    """The figures at the top as text: each with its name before and its note behind."""
    return re.sub(r"(<[^>]+>)+", "|", page.html[0].value)


def headings(page: AppTest) -> list[str]:
    return [heading.value for heading in page.subheader]


def ids(page: AppTest) -> list[str]:
    """The faces in the gallery by their ids in the file, in order."""
    return re.findall(r"\(id (\d+)\)", figures(page))


def matrix(page: AppTest) -> dict[str, str]:
    """What the clickable matrix was given."""
    (component,) = page.get("bidi_component")
    return json.loads(component.proto.json)


def click(page: AppTest, cell: str) -> AppTest:
    """Click a cell of the matrix, as its script tells the server of it."""
    (component,) = page.get("bidi_component")
    states = page._tree.get_widget_states()  # a component of one's own has no hands in AppTest
    states.widgets.append(
        WidgetState(
            id=f"$$STREAMLIT_INTERNAL_KEY_{component.proto.id}__events",
            json_trigger_value=json.dumps([{"event": "cell", "value": cell}]),
        )
    )
    return checked(page._run(states))


# --- what there is to see, and to do -------------------------------------------------------------------------------


def test_run_shows_scores_and_confusion(open_page: Opener, finished_run: Run):
    page = open_page(run=finished_run.id)
    scores = finished_run.evaluation()
    assert f"|Validation accuracy|{scores.accuracy:.1%}|210 faces|" in headlines(page)
    assert "|Kept epoch|5|of 6|" in headlines(page)
    assert len(page.get("vega_lite_chart")) == 2
    page = open_page(run=finished_run.id, section="Mistakes")
    assert f"predicted Happy: {scores.confusion[3][3]} faces" in matrix(page)["html"]


def test_the_epoch_that_is_kept_has_the_dot_also_where_another_had_the_lowest_loss(
    open_page: Opener, finished_run: Run
):
    finished_run.record(best_epoch=3)  # as of a run that keeps its last epoch
    page = open_page(run=finished_run.id)
    assert "|Kept epoch|5|of 6|" in headlines(page)
    for chart in page.get("vega_lite_chart"):
        points = convert_arrow_bytes_to_pandas_df(chart.proto.data.data)
        assert list(points[points["part"] == "best"]["epoch"]) == [5]


def test_run_without_a_name_in_the_url_opens_the_newest_and_names_it(open_page: Opener, finished_run: Run):
    page = open_page()
    assert page.query_params["run"] == finished_run.id
    assert "Fixture run" in page.subheader[0].value


def test_run_that_is_not_there_is_said_and_another_shown(open_page: Opener, finished_run: Run):
    page = open_page(run="20200101-nothing")
    assert "20200101-nothing" in shown(page.warning[0].value)
    assert headlines(page)


def test_a_name_that_was_typed_is_no_markup(open_page: Opener, runs_folder: Path):
    run = save_finished_run(Runs(runs_folder), name="*best* <b>one</b> $5")
    page = open_page(run=run.id)
    assert page.subheader[0].value == r"\*best\* \<b\>one\</b\> \$5"


def test_a_live_run_leads_to_train(open_page: Opener, runs_folder: Path):
    run = Runs(runs_folder).create(find_preset("sgd").config)
    with run.alive():
        run.record(state=State.RUNNING)
        page = open_page(run=run.id)
        labels = [button.label for button in page.button]
    assert "Watch it train" in labels
    assert "Delete" not in labels


def test_a_failed_run_says_why(open_page: Opener, runs_folder: Path):
    run = Runs(runs_folder).create(with_settings(find_preset("sgd").config, {"name": "Unlucky"}))
    run.record(state=State.FAILED, reason="The loss became nan in epoch 3.")
    assert "The loss became nan in epoch 3." in said(open_page(run=run.id))


@pytest.mark.parametrize(
    ("state", "has_checkpoint", "sentence"),
    [
        (State.FINISHED, True, PREPARED),
        (State.STOPPED, True, PREPARED),
        (State.FAILED, True, TAKEN_UP_AGAIN),
        (State.INTERRUPTED, True, TAKEN_UP_AGAIN),
        (State.INTERRUPTED, False, ""),
    ],
)
def test_a_run_whose_model_cannot_serve_says_what_it_waits_for(
    open_page: Opener, judged_run: Run, state: State, has_checkpoint: bool, sentence: str
):
    judged_run.keras_path.write_bytes(b"the kept epoch")
    judged_run.record(state=state)
    if has_checkpoint:
        judged_run.checkpoints.save(Checkpoint(1, {"weights": np.zeros(3)}, {}))
    sentences = said(open_page(run=judged_run.id))
    assert [words for words in (PREPARED, TAKEN_UP_AGAIN) if words in sentences] == ([sentence] if sentence else [])


def test_a_model_that_nothing_prepares_any_more_is_prepared_when_a_person_asks(
    open_page: Opener, finished_run: Run, monkeypatch: pytest.MonkeyPatch
):
    """The machine may have been shut down just after an import."""
    begun: list[str] = []
    monkeypatch.setattr(archive, "prepare", lambda run: begun.append(run.id))
    monkeypatch.setattr(archive, "is_being_prepared", lambda run: run.id in begun)
    finished_run.linear_path.unlink()
    finished_run.keras_path.write_bytes(b"the kept epoch")
    page = open_page(run=finished_run.id)
    assert "It is being prepared" not in said(page)
    page.button(key=f"prepare-{finished_run.id}").click().run()
    assert begun == [finished_run.id]
    assert "It is being prepared, which takes about a minute." in said(checked(page))


def test_why_a_model_could_not_be_prepared_is_said(open_page: Opener, finished_run: Run):
    finished_run.linear_path.unlink()
    finished_run.keras_path.write_bytes(b"no network")
    log = Runs(finished_run.folder.parent).engine_folder / f"prepare-{finished_run.id}.log"
    log.write_text("A line.\nTensorFlow is not installed.\n", encoding="utf-8")
    page = open_page(run=finished_run.id)
    assert "This run's model could not be prepared: TensorFlow is not installed." in shown(said(page))
    assert not page.button(key=f"prepare-{finished_run.id}").disabled


def test_a_run_is_deleted_only_after_a_second_yes(open_page: Opener, finished_run: Run):
    page = open_page(run=finished_run.id)
    do(page, "Delete")
    assert finished_run.folder.exists()
    checked(page.button(key="delete-for-good").click().run())
    assert not finished_run.folder.exists()
    assert "There is no run yet." in said(page)


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("role", ["teachers", "start_from"])
def test_a_run_that_one_in_hand_needs_is_not_deleted(open_page: Opener, finished_run: Run, role: str):
    runs = Runs(finished_run.folder.parent)
    learns = {"name": "A *pupil*", f"training.{role}": [finished_run.id]}
    pupil = runs.create(with_settings(find_preset("cnn-small").config, learns), sequence=1)
    page = open_page(run=finished_run.id)
    do(page, "Delete")
    assert "It is needed to train **A *pupil***" in shown(page.warning[0].value)
    assert page.button(key="delete-for-good").disabled
    with pytest.raises(BadInput, match=r"needed to train A \*pupil\*;"):
        LocalEngine(runs).delete(finished_run)
    pupil.record(state=State.STOPPED)
    do(page, "Delete")
    checked(page.button(key="delete-for-good").click().run())
    assert not finished_run.folder.exists()


@pytest.fixture
def lasting_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of runs that is made anew only where that is asked for, however slow this machine is."""
    monkeypatch.setattr(cache, "_listed", st.cache_resource(lambda folder: Runs(Path(folder)).summaries()))


@pytest.mark.usefixtures("lasting_list")
def test_every_page_lists_a_run_as_it_was_named_until_it_is_deleted(open_page: Opener, finished_run: Run):
    assert "Fixture run" in home_buttons()
    page = open_page(run=finished_run.id)
    do(page, "Name, notes and tags")
    page.text_input(key="about-name").set_value("Another name")
    checked(page.button(key="save-about").click().run())
    assert "Another name" in home_buttons()
    do(page, "Delete")
    checked(page.button(key="delete-for-good").click().run())
    assert "Another name" not in home_buttons()


@pytest.mark.usefixtures("lasting_list")
def test_every_page_lists_a_run_that_was_imported(finished_run: Run):
    content = io.BytesIO()
    pack(finished_run, content)
    Runs(finished_run.folder.parent).delete(finished_run)
    assert "Fixture run" not in home_buttons()
    page = open_app("pages/compare_runs.py")
    page.file_uploader(key="import").upload("run.zip", content.getvalue())
    checked(page.run())
    assert "Fixture run" in home_buttons()


def home_buttons() -> list[str]:
    return [button.label for button in open_app("pages/home.py").button]


def test_a_run_is_named_and_written_about(open_page: Opener, finished_run: Run):
    page = open_page(run=finished_run.id)
    do(page, "Name, notes and tags")
    assert page.text_input(key="about-name").placeholder == "Fixture run"
    page.text_input(key="about-name").set_value("Best *so* far")
    page.text_area(key="about-notes").set_value("First line\n<b>second</b> $x$")
    checked(page.button(key="save-about").click().run())
    assert finished_run.about() == About(name="Best *so* far", notes="First line\n<b>second</b> $x$")
    assert page.subheader[0].value == r"Best \*so\* far"
    assert page.text[0].value == "First line\n<b>second</b> $x$"
    assert any("Best *so* far" in option for option in page.selectbox(key="run-inspected").options)


def test_a_run_that_is_deleted_elsewhere_while_it_is_named_is_said_to_be_gone(open_page: Opener, runs_folder: Path):
    run, other = (save_finished_run(Runs(runs_folder), name=name) for name in ("First", "Second"))
    page = open_page(run=run.id)
    do(page, "Name, notes and tags")
    Runs(runs_folder).delete(run)
    checked(page.button(key="save-about").click().run())
    assert [toast.value for toast in page.toast] == [r"This run has been deleted meanwhile\."]
    assert page.subheader[0].value == other.name
    assert not page.warning


def test_tags_are_kept_shown_and_offered_to_other_runs(open_page: Opener, runs_folder: Path):
    tagged, other = (save_finished_run(Runs(runs_folder)) for _ in range(2))
    tagged.write_about(About(tags=("lecture 3", "keep")))
    page = open_page(run=tagged.id)
    assert "lecture 3" in said(page)
    page = open_page(run=other.id)
    do(page, "Name, notes and tags")
    assert page.multiselect(key="about-tags").options == ["keep", "lecture 3"]
    page.multiselect(key="about-tags").set_value(["keep"])
    checked(page.button(key="save-about").click().run())
    assert other.about().tags == ("keep",)
    assert "lecture 3" not in said(open_page(run=other.id))


def test_what_was_written_about_a_run_may_be_damaged(open_page: Opener, finished_run: Run):
    (finished_run.folder / "about.json").write_text("{", encoding="utf-8")
    assert open_page(run=finished_run.id).subheader[0].value == "Fixture run"


def test_a_clone_opens_the_form_with_the_run(open_page: Opener, finished_run: Run):
    page = open_page(run=finished_run.id)
    do(page, "Clone")
    assert page.title[0].value == "Train"
    assert "Fixture run" in said(page)
    assert page.query_params["clone"] == finished_run.id


@pytest.mark.usefixtures("no_worker")
def test_an_interrupted_run_is_resumed_and_watched(open_page: Opener, runs_folder: Path):
    run = interrupted(Runs(runs_folder))
    page = open_page(run=run.id)
    assert page.error
    checked(the_button(page, "next-step-").click().run())
    assert page.title[0].value == "Train"
    assert page.query_params["run"] == run.id
    assert run.status().resumed == 1
    assert run.state() is State.QUEUED


@pytest.mark.usefixtures("no_worker")
def test_a_finished_run_is_trained_longer(open_page: Opener, runs_folder: Path):
    run = interrupted(Runs(runs_folder))
    run.record(state=State.FINISHED, epoch=1, epochs=1)
    run.set_epochs(1)
    page = open_page(run=run.id)
    checked(the_button(page, "next-step-").click().run())
    assert page.number_input(key="epochs-in-all").min == 2
    assert "continues after 1 epoch, with" in said(page)
    page.number_input(key="epochs-in-all").set_value(3)
    checked(page.button(key="train-longer").click().run())
    assert page.title[0].value == "Train"
    assert Run(run.folder).config.training.epochs == 3
    assert run.state() is State.QUEUED


def test_a_run_without_checkpoints_offers_no_way_to_lose_its_model(open_page: Opener, runs_folder: Path):
    finished = save_finished_run(Runs(runs_folder))
    assert not {"Resume", "Train longer", "Start again"} & set(choices(open_page(run=finished.id)))
    finished.record(state=State.INTERRUPTED)
    assert not {"Resume", "Train longer", "Start again"} & set(choices(open_page(run=finished.id)))


def test_classify_is_offered_only_where_there_is_a_model_to_serve(open_page: Opener, finished_run: Run):
    assert "Classify faces" in choices(open_page(run=finished_run.id))
    finished_run.linear_path.unlink()
    assert not {"Classify faces", "Predict for Kaggle"} & set(choices(open_page(run=finished_run.id)))


def test_a_run_says_where_its_folder_is(open_page: Opener, finished_run: Run):
    assert str(finished_run.folder) in [code.value for code in open_page(run=finished_run.id, section="Files").code]


@pytest.mark.parametrize("name", ["config.json", "status.json", "evaluation.json"])
def test_a_damaged_run_says_what_is_damaged_shows_the_rest_and_can_be_deleted(
    open_page: Opener, finished_run: Run, name: str
):
    (finished_run.folder / name).write_text("{", encoding="utf-8")
    page = open_page(run=finished_run.id)
    assert name in shown(page.error[0].value)
    assert len(page.get("vega_lite_chart")) == 2
    page = open_page(run=finished_run.id, section="Files")
    assert finished_run.log_tail() in [code.value for code in page.code]
    assert choices(page) == ["Delete"]
    do(page, "Delete")
    checked(page.button(key="delete-for-good").click().run())
    assert not finished_run.folder.exists()


def choices(page: AppTest) -> list[str]:
    """What can be done with the run: the one next step, and the entries of the menu."""
    menu = [option.partition(" ")[2] for more in page.menu_button for option in more.options]
    return [the_button(page, "next-step-").label, *menu]


def do(page: AppTest, what: str) -> None:
    """Choose one of the things that can be done with the run."""
    if the_button(page, "next-step-").label == what:
        checked(the_button(page, "next-step-").click().run())
    else:
        (menu,) = page.menu_button
        checked(menu.set_value(next(option for option in menu.options if option.endswith(f" {what}"))).run())


def interrupted(runs: Runs) -> Run:
    """A run of two epochs that was cut off after the first."""
    run = runs.create(with_settings(find_preset("sgd").config, {"training.epochs": 2}))
    run.append_history(history_row(1, 2))
    run.checkpoints.save(Checkpoint(1, {"weights": np.zeros(3)}, {}))
    run.record(state=State.INTERRUPTED, epoch=1)
    return run


def test_every_file_of_a_run_can_be_downloaded(open_page: Opener, finished_run: Run):
    labels = " ".join(button.label for button in open_page(run=finished_run.id, section="Files").get("download_button"))
    for name in ("config.json", "history.csv", "evaluation.json", "linear.npz", "log.txt"):
        assert name in labels


# --- scores --------------------------------------------------------------------------------------------------------


def give_test_scores(run: Run, right: int, images: int) -> None:
    """Put scores on test faces beside the run's own, most of them its own too."""
    scores = run.evaluation().model_dump(include=set(HeldOutEvaluation.model_fields)) | {
        "images": images,
        "accuracy": right / images,
        "data": "some_*test*.csv",
    }
    run.save_test_scores(HeldOutEvaluation(**scores))


def test_test_accuracy_has_its_interval_and_its_file(open_page: Opener, finished_run: Run):
    give_test_scores(finished_run, 81, 263)  # Newcombe (1998), table I: 0.2553 to 0.3662
    page = open_page(run=finished_run.id)
    assert "|Test accuracy|30.8%|25.5 to 36.6%|" in headlines(page)
    assert "263 rows of some_*test*.csv" in said(page)
    low, high = finished_run.evaluation().test.macro_f1_interval()
    assert f"macro-F1 {low:.3f} to {high:.3f}" in said(page)


def test_without_test_scores_none_are_shown(open_page: Opener, finished_run: Run):
    page = open_page(run=finished_run.id, section="Emotions")
    assert "Test" not in headlines(page)
    assert not any("Test" in name for name in page.dataframe[0].value.columns)


def test_scores_by_emotion_stand_beside_those_on_test_faces(open_page: Opener, finished_run: Run):
    give_test_scores(finished_run, 100, 210)
    row = open_page(run=finished_run.id, section="Emotions").dataframe[0].value.iloc[HAPPY]
    scores = finished_run.evaluation().test.per_class["Happy"]
    assert (row["Recall"], row["Test recall"]) == pytest.approx((100 * scores.recall, 100 * scores.recall))
    assert (row["Faces"], row["Test faces"]) == (30, 30)


def test_only_settings_that_a_run_has_are_shown_and_runs_by_their_names(open_page: Opener, runs_folder: Path):
    runs = Runs(runs_folder)
    teacher = save_finished_run(runs, name="The teacher")
    words = settings_of(open_page(run=teacher.id, section="Settings"))
    assert words["Epochs"] == "1000"
    assert not {"Optimiser", "Batch size", "Schedule", "Teachers", "Rotation"} & set(words)
    taught = runs.create(with_settings(find_preset("cnn").config, {"training.teachers": [teacher.id]}))
    assert settings_of(open_page(run=taught.id, section="Settings"))["Teachers"] == "The teacher"


def settings_of(page: AppTest) -> dict[str, str]:
    """The settings on the page with their values in words."""
    return {str(name): shown(str(value)) for table in page.table for name, value in table.value.iloc[:, 0].items()}


@pytest.mark.parametrize(
    ("source", "epochs", "said_there"), [("faces.csv", 100, True), ("faces.csv", 7, False), (SAMPLE, 100, False)]
)
def test_the_coursework_s_figures_stand_by_its_own_settings_and_photographs_only(
    open_page: Opener, runs_folder: Path, source: str, epochs: int, said_there: bool
):
    run = save_finished_run(Runs(runs_folder), preset="dense-5")
    settings = {"data.source": source, "training.epochs": epochs}
    (run.folder / "config.json").write_text(with_settings(run.config, settings).model_dump_json())
    assert ("Coursework: 41.8% on validation faces, 42% on Kaggle." in said(open_page(run=run.id))) == said_there


def test_the_story_names_the_best_the_worst_and_the_commonest_confusion(open_page: Opener, judged_run: Run):
    story = said(open_page(run=judged_run.id))
    assert "It recognises **Happy** best (100% of its faces) and **Angry** and 5 others worst (0%)." in story
    assert "100% of Angry faces are taken for Happy." in story


@pytest.mark.parametrize(
    ("recalls", "words"),
    [
        ({"Happy": 0.02}, "It recognises 2% of the faces, all of which are **Happy**."),
        ({"Angry": 0.0, "Sad": 0.0}, "It recognises every emotion alike: 0% of its faces."),
        (
            {"Angry": 0.1, "Sad": 0.5, "Fear": 0.1},
            "It recognises **Sad** best (50% of its faces) and **Angry** and 1 other worst (10%).",
        ),
    ],
)
def test_emotions_that_are_recognised_alike_are_neither_best_nor_worst(recalls: dict[str, float], words: str):
    assert run_sections._range_of_recalls(recalls) == words


def test_a_run_whose_labels_were_shuffled_says_so(open_page: Opener, runs_folder: Path, faces_csv: Path):
    run = save_judged_run(Runs(runs_folder), faces_csv, preset="sgd-misaligned")
    page = open_page(run=run.id, section="Mistakes")
    assert "shuffled separately on purpose" in said(page)
    assert ids(page)


def test_a_run_without_weights_says_so_and_leads_to_a_clone(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id)
    assert "This run came without its weights" in said(page)
    checked(the_button(page, "train-anew-").click().run())
    assert page.title[0].value == "Train"
    assert page.query_params["clone"] == judged_run.id


def test_a_click_for_a_run_that_is_gone_clones_no_other(open_page: Opener, runs_folder: Path, faces_csv: Path):
    _, clicked = (save_judged_run(Runs(runs_folder), faces_csv) for _ in range(2))
    page = open_page(run=clicked.id)
    click = page.button(key=f"train-anew-{clicked.id}").click()
    Runs(runs_folder).delete(clicked)
    assert checked(click.run()).title[0].value == "Run"


def test_a_run_with_weights_is_not_said_to_lack_them(open_page: Opener, finished_run: Run):
    assert "without its weights" not in said(open_page(run=finished_run.id))


# --- mistakes ------------------------------------------------------------------------------------------------------


def test_a_click_on_a_cell_shows_its_faces_the_surest_first_and_stands_in_the_url(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, section="Mistakes")
    assert "Most confident mistakes" in headings(page)
    click(page, "Fear-Happy")
    assert page.query_params["cell"] == "Fear-Happy"
    assert matrix(page)["chosen"] == "Fear-Happy"
    assert "Fear taken for Happy" in headings(page)
    assert ids(page) == ["9", "2"]


def test_a_link_to_a_cell_opens_its_faces(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, cell="Sad-Happy")
    assert ids(page) == ["11", "4"]
    assert "Sad, taken for Happy" in figures(page)
    sure = judged_run.validation().probabilities[11, HAPPY]
    assert f">{sure:.0%}</span>" in figures(page)


def test_a_second_click_closes_the_cell(open_page: Opener, judged_run: Run):
    page = click(open_page(run=judged_run.id, cell="Sad-Happy"), "Sad-Happy")
    assert "cell" not in page.query_params
    assert "Most confident mistakes" in headings(page)


def test_all_mistakes_closes_the_cell(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, cell="Happy-Happy")
    assert "Happy found" in headings(page)
    checked(page.button(key="close-cell").click().run())
    assert "cell" not in page.query_params
    assert len(ids(page)) == 12


@pytest.mark.parametrize("cell", ["nonsense", "Fear", "Fear-Sad-Happy", "-", "fear-sad", "<b>-<i>"])
def test_nonsense_for_a_cell_is_passed_over(open_page: Opener, judged_run: Run, cell: str):
    assert "Most confident mistakes" in headings(open_page(run=judged_run.id, cell=cell))


def test_a_cell_without_faces_says_so(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, cell="Happy-Sad")
    assert "No face falls in this cell." in said(page)
    assert not ids(page)


def test_mistakes_come_the_surest_first_and_by_emotion(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, section="Mistakes")
    assert ids(page) == ["13", "12", "11", "9", "8", "7", "6", "5", "4", "2", "1", "0"]
    checked(page.pills(key="mistakes").set_value("Angry").run())
    assert ids(page) == ["7", "0"]
    assert ids(open_page(run=judged_run.id, section="Mistakes", mistakes="Angry")) == ["7", "0"]


def test_many_faces_come_in_pages(open_page: Opener, runs_folder: Path):
    data = save_csv(runs_folder.parent / "data" / "angry.csv", [0] * 80)
    run = save_judged_run(Runs(runs_folder), data)
    page = open_page(run=run.id, cell="Angry-Happy")
    assert ids(page) == [str(number) for number in range(15, 3, -1)]
    checked(page.pagination[0].set_value(2).run())
    assert ids(page) == ["3", "2", "1", "0"]


def test_counts_are_shown_instead_of_shares(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, section="Mistakes")
    assert ">100%</td>" in matrix(page)["html"]
    checked(page.segmented_control(key="unit").set_value("Counts").run())
    assert ">2</td>" in matrix(page)["html"]
    assert "%</td>" not in matrix(page)["html"]


def test_only_cells_with_faces_can_be_clicked(open_page: Opener, judged_run: Run):
    html = matrix(open_page(run=judged_run.id, section="Mistakes"))["html"]
    assert re.findall('data-cell="([^"]+)"', html) == [f"{name}-Happy" for name in EMOTIONS]


# --- faces that are not here ---------------------------------------------------------------------------------------


def test_faces_of_a_file_that_is_gone_are_asked_for(open_page: Opener, judged_run: Run, faces_csv: Path):
    faces_csv.unlink()
    page = open_page(run=judged_run.id, cell="Fear-Happy")
    assert f"Put **faces.csv** into {faces_csv.parent}" in said(page)
    assert "2 faces, most confident first." in said(page)
    assert not ids(page)


def test_faces_are_found_in_the_data_folder_whatever_machine_trained(open_page: Opener, judged_run: Run):
    config = with_settings(judged_run.config, {"data.source": r"D:\\class\\faces.csv"})
    (judged_run.folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    assert ids(open_page(run=judged_run.id, cell="Fear-Happy")) == ["9", "2"]


def test_another_file_of_that_name_is_not_taken_for_it(open_page: Opener, judged_run: Run, faces_csv: Path):
    save_csv(faces_csv, [6 - number % 7 for number in range(70)])
    page = open_page(run=judged_run.id, cell="Fear-Happy")
    assert "holds different faces from this run's" in said(page)
    assert not ids(page)


def test_the_same_labels_with_another_digest_are_other_faces(open_page: Opener, judged_run: Run):
    config = with_settings(judged_run.config, {"data_fingerprint": "0" * 32})
    (judged_run.folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    assert not ids(open_page(run=judged_run.id, cell="Fear-Happy"))


def test_a_file_that_cannot_be_read_says_why(open_page: Opener, judged_run: Run, faces_csv: Path):
    faces_csv.write_text("nothing,of,use\n1,2,3\n", encoding="utf-8")
    page = open_page(run=judged_run.id, cell="Fear-Happy")
    assert "faces.csv: line 1 has no column 'pixels'" in said(page)
    assert not ids(page)


def test_drawn_faces_are_shown_as_such(open_page: Opener, runs_folder: Path):
    run = save_judged_run(Runs(runs_folder), Path("sample"))
    page = open_page(run=run.id, cell="Fear-Happy")
    assert len(ids(page)) == 12
    assert any("Drawn faces" in badge for badge in said(page).splitlines())


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"garbage"])
@pytest.mark.parametrize("section", ["Mistakes", "Confidence"])
def test_without_its_probabilities_a_run_shows_all_the_rest(
    open_page: Opener, judged_run: Run, section: str, content: bytes | None
):
    path = judged_run.folder / "validation.npz"
    path.unlink() if content is None else path.write_bytes(content)
    page = open_page(run=judged_run.id, section=section, cell="Fear-Happy")
    assert "This run kept no record" in said(page)
    assert ("True Fear, predicted Happy" in figures(page)) == (section == "Mistakes")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probabilities", np.zeros((14, 5), np.float32)),
        ("probabilities", np.full((14, 7), np.nan, np.float32)),
        ("labels", np.full(14, 7, np.uint8)),
        ("labels", np.zeros(3, np.uint8)),
        ("labels", np.zeros(14, np.float32)),
    ],
)
def test_probabilities_that_are_none_are_passed_over(open_page: Opener, judged_run: Run, name: str, value: np.ndarray):
    path = judged_run.folder / "validation.npz"
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, name: value})
    assert "This run kept no record" in said(open_page(run=judged_run.id, section="Mistakes"))


# --- confidence ----------------------------------------------------------------------------------------------------


def test_confidence_is_set_against_accuracy(open_page: Opener, judged_run: Run):
    page = open_page(run=judged_run.id, section="Confidence")
    assert len(page.get("vega_lite_chart")) == 1
    assert re.search(r"When it says \d+%, it is right \d+% of the time \(\d+ faces?\)", said(page))
    assert page.metric[0].label == "Expected calibration error"


# --- the matrix by itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("true", range(7))
@pytest.mark.parametrize("predicted", range(7))
def test_a_cell_is_found_by_its_name(true: int, predicted: int):
    assert charts.cell_of(charts.cell_name(EMOTIONS[true], EMOTIONS[predicted])) == (true, predicted)


def test_test_scores_stand_beside_the_others_in_the_class_table():
    row = tables.class_table(angry(2), angry(3)).iloc[0]
    assert (row["Recall"], row["Test recall"]) == (50, 75)
    assert list(tables.class_table(angry(2))) == ["Emotion", "Precision", "Recall", "F1", "Faces"]


def angry(found: int) -> Evaluation:
    """Scores on four angry faces, of which so many are found."""
    answers = [0] * found + [1] * (4 - found)
    return evaluate(np.zeros(4, int), np.eye(len(EMOTIONS))[answers])
