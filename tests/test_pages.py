"""Every page, with nothing to show and with something; and Explore and Run in detail."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import checked, figures, open_app, said, save_csv, save_finished_run, shown
from face_files import make_faces, png
from streamlit.testing.v1 import AppTest

from emotion_core.archive import pack
from emotion_core.cleaned import save_cleaned
from emotion_core.config import SAMPLE, with_settings
from emotion_core.dataset import load_dataset
from emotion_core.kept_copies import keep_copy
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs, State

PROJECT = Path(__file__).parent.parent
EXPLORE, AUGMENT = "pages/explore_data.py", "pages/preview_augmentation.py"
RESULTS, RUN = "pages/compare_runs.py", "pages/inspect_run.py"
PAGES = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "pages").glob("*.py"))

Opener = Callable[..., AppTest]


@pytest.fixture
def open_page(runs_folder: Path) -> Opener:
    """Open a page with query parameters, as a link or a reload does."""
    return open_app


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


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (EXPLORE, {"view": ""}),
        (RESULTS, {"compare": ""}),
        (RESULTS, {"compare": "Cost", "cost": "", "score": ""}),
        ("pages/classify_faces.py", {"mode": ""}),
    ],
)
def test_an_address_that_names_a_view_and_leaves_it_empty_opens_the_first(
    open_page: Opener, path: str, named: dict[str, str], faces_csv: Path, finished_run: Run
):
    assert elements(open_page(path, **named)) == elements(
        open_page(path, **{name: word for name, word in named.items() if word})
    )


def elements(page: AppTest) -> list[str]:
    """What kinds of elements are on the page, in their order."""
    return [element.type for element in page]


def test_all_pages_are_in_the_navigation():
    app = (PROJECT / "app.py").read_text(encoding="utf-8")
    assert len(PAGES) == 8
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


def test_explore_says_that_evenly_filled_classes_are_equally_large(open_page: Opener, faces_csv: Path):
    page = open_page(EXPLORE)
    assert metrics(page) == {"Faces": "70", "Every class": "14.3%", "Imbalance": "none"}
    assert "Always “Angry”" in figures(page)
    assert "Neutral recall" in figures(page)
    assert "All emotions have equally many faces here" in said(page)


def test_explore_shows_weights_by_policy(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "uneven.csv", [3] * 40 + [1] * 4 + [0, 2, 4, 5, 6] * 6)
    page = open_page(EXPLORE)
    assert "<b>2.14</b>" in figures(page)  # 60 / (7 x 4) for Disgust
    page.segmented_control(key="policy").set_value("none")
    checked(page.run())
    assert figures(page).count("<b>1.00</b>") == 7


def test_explore_turns_the_pages_of_an_emotion(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "many.csv", [0, 3] * 40)
    page = open_page(EXPLORE, view="Faces")
    assert "Page 1 of 2" in said(page)
    turn = {button.label: button for button in page.button}
    assert turn["Previous"].disabled
    checked(turn["Next"].click().run())
    assert "Page 2 of 2" in said(page)
    page.pills(key="emotion").set_value("All")
    checked(page.run())
    assert "Page 1 of 3" in said(page)
    page.pills(key="emotion").set_value("Sad")
    checked(page.run())
    assert "There is no Sad face" in said(page)


def test_the_pages_of_other_data_begin_within_them(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "many.csv", [0] * 80)
    save_csv(runs_folder.parent / "data" / "some.csv", [0] * 40)
    page = open_page(EXPLORE, view="Faces", data="many.csv")
    for _ in range(2):
        checked({button.label: button for button in page.button}["Next"].click().run())
    assert "Page 3 of 3" in said(page)
    page.selectbox(key="explored-data").set_value("some.csv")
    checked(page.run())
    assert "Page 2 of 2" in said(page)


def test_explore_shows_whose_loss_it_is_and_what_always_the_same_scores(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "uneven.csv", [3] * 40 + [1] * 4 + [0, 2, 4, 5, 6] * 6)
    page = open_page(EXPLORE)
    assert "Loss: Angry 14.3%, Disgust 14.3%" in figures(page)
    assert "Always “Happy”" in figures(page)
    assert "Train a model on these faces" in said(page)


def test_explore_tells_models_apart_counts_a_seed_once_and_names_other_splits(open_page: Opener, faces_csv: Path):
    runs, digest = Runs(faces_csv.parent.parent / "runs"), load_dataset(faces_csv).fingerprint
    for policy, split in (
        ("none", "first_rows"),
        ("none", "first_rows"),
        ("balanced", "first_rows"),
        ("none", "random"),
        ("balanced", "random"),
    ):
        run = save_finished_run(runs, preset="dense-5", name="One name")
        settings = {"training.class_weights": policy, "data.split.kind": split, "data_fingerprint": digest}
        (run.folder / "config.json").write_text(with_settings(run.config, settings).model_dump_json(), encoding="utf-8")
    page = open_page(EXPLORE)
    rows = re.findall(r'<th scope="row"[^>]*>([^<]*) <span[^>]*>(.*?)</span>', figures(page))
    assert sorted(words for _, words in rows) == [
        "balanced weights", "balanced weights, random split", "no weights", "no weights, random split"
    ]  # fmt: skip
    assert len({name for name, _ in rows}) == 2
    assert "Models that name a split are scored on others." in said(page)


def test_explore_counts_labelled_faces_that_cannot_train(open_page: Opener, runs_folder: Path):
    path = save_csv(runs_folder.parent / "data" / "test.csv", [0] * 6 + [3] * 18)
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = [f"{header},Usage", *(f"{line},PrivateTest" for line in lines)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    page = open_page(EXPLORE)
    assert "no face is marked Training" in shown(page.info[0].value)
    assert "<b>18</b> &nbsp;75.0%" in figures(page)
    assert not page.error


def test_explore_says_that_unlabelled_faces_are_for_predicting(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "test.csv", None)
    page = open_page(EXPLORE)
    assert "70 faces without labels" in said(page)
    assert page.segmented_control(key="view").options == ["Faces", "Map", "Health"]


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
    with faces_csv.open("a", encoding="utf-8") as file:
        file.write("71,3,\n")
    checked(page.run())
    assert "Leave such rows out" in [button.label for button in page.button]  # those of another file, as it were


def test_a_path_typed_by_a_person_is_read_and_stands_in_the_url(open_page: Opener, tmp_path: Path, faces_csv: Path):
    elsewhere = save_csv(tmp_path / "elsewhere.csv", [0] * 15 + [1] * 10)
    page = open_page(EXPLORE)
    checked(page.text_input(key="explored-data-path").set_value(str(elsewhere)).run())
    assert metrics(page)["Faces"] == "25"
    assert page.query_params["data"] == str(elsewhere)


def test_a_path_may_be_in_quotes_and_be_entered_twice(open_page: Opener, tmp_path: Path, faces_csv: Path):
    elsewhere = save_csv(tmp_path / "elsewhere.csv", [0] * 15 + [1] * 10)
    page = open_page(EXPLORE)
    for _ in range(2):
        checked(page.text_input(key="explored-data-path").set_value(f'"{elsewhere}"').run())
        assert metrics(page)["Faces"] == "25"
        assert page.text_input(key="explored-data-path").value == ""
        checked(page.selectbox(key="explored-data").set_value(faces_csv.name).run())
        assert metrics(page)["Faces"] == "70"


def test_a_name_that_is_no_longer_there_is_looked_for_in_the_data_folder(open_page: Opener, faces_csv: Path):
    page = open_page(EXPLORE, data="mine-1a2b3c4d.csv")
    assert f"{faces_csv.parent}/mine-1a2b3c4d.csv does not exist" in shown(page.error[0].value)


def test_removing_data_of_one_page_leaves_the_choice_of_another(open_page: Opener, faces_csv: Path, finished_run: Run):
    test = save_csv(faces_csv.parent / "test.csv", None)
    content = save_csv(faces_csv.parent / "train.csv", [0] * 15 + [1] * 11).read_bytes()
    train = keep_copy(content, "train.csv", faces_csv.parent)
    page = open_page("pages/predict_kaggle.py", data=test.name)
    page.query_params.clear()
    checked(page.switch_page(EXPLORE).run())
    checked(page.selectbox(key="explored-data").set_value(train.name).run())
    checked(page.button(key=f"explored-data-remove-{train.name}").click().run())
    checked(page.button(key="remove-for-good").click().run())
    page.query_params.clear()
    checked(page.switch_page("pages/predict_kaggle.py").run())
    assert page.selectbox(key="kaggle-data").value == test.name


def test_an_upload_is_kept_and_chosen(open_page: Opener, tmp_path: Path, faces_csv: Path):
    content = save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()
    page = open_page(EXPLORE)
    page.file_uploader(key="explored-data-upload").upload("mine.csv", content)
    checked(page.run())
    assert metrics(page)["Faces"] == "26"
    assert len(list(faces_csv.parent.glob("mine-*.csv"))) == 1


def test_what_someone_uploaded_or_cleaned_opens_for_nobody_else(open_page: Opener, tmp_path: Path, faces_csv: Path):
    content = save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()
    uploaded = keep_copy(content, "a-upload.csv", faces_csv.parent)
    save_cleaned(load_dataset(uploaded), np.arange(20), faces_csv.parent / "a-upload-cleaned.csv")
    page = open_page(EXPLORE)
    assert page.query_params["data"] == faces_csv.name
    assert metrics(open_page("pages/home.py"))["Faces"] == metrics(page)["Faces"]
    faces_csv.unlink()
    assert open_page(EXPLORE).query_params["data"] == SAMPLE


def test_an_unusable_upload_gets_a_sentence_and_is_not_kept(open_page: Opener, faces_csv: Path):
    before = set(faces_csv.parent.iterdir())
    page = open_page(EXPLORE)
    page.file_uploader(key="explored-data-upload").upload("holiday.csv", b"when,where\n1,2\n")
    checked(page.run())
    assert "holiday.csv: line 1 has no column 'pixels'" in shown(page.error[0].value)
    assert set(faces_csv.parent.iterdir()) == before


def test_an_upload_is_removed_when_a_person_asks_twice(open_page: Opener, tmp_path: Path, faces_csv: Path):
    content = save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()
    page = open_page(EXPLORE)
    assert not [button for button in page.button if button.label == "Remove"]  # a file that a person put there
    page.file_uploader(key="explored-data-upload").upload("mine.csv", content)
    checked(page.run())
    (kept,) = faces_csv.parent.glob("mine-*.csv")
    checked(page.button(key=f"explored-data-remove-{kept.name}").click().run())
    assert kept.exists()
    checked(page.button(key="remove-for-good").click().run())
    assert [path.name for path in faces_csv.parent.iterdir()] == [faces_csv.name]
    assert page.query_params["data"] == faces_csv.name
    assert metrics(page)["Faces"] == "70"


def test_an_upload_that_cannot_be_kept_gets_a_sentence(open_page: Opener, tmp_path: Path, monkeypatch):
    content = save_csv(tmp_path / "mine.csv", [0] * 15 + [1] * 11).read_bytes()
    (tmp_path / "file").write_text("")
    page = open_page(EXPLORE)
    monkeypatch.setenv("EMOTION_DATA", str(tmp_path / "file"))
    page.file_uploader(key="explored-data-upload").upload("mine.csv", content)
    checked(page.run())
    assert "mine.csv cannot be saved in" in shown(page.error[0].value)


def test_rows_that_are_added_to_a_file_are_seen(open_page: Opener, faces_csv: Path):
    page = open_page(EXPLORE)
    before = int(metrics(page)["Faces"])
    last = faces_csv.read_text(encoding="utf-8").splitlines()[-1]
    with faces_csv.open("a", encoding="utf-8") as file:
        file.write(f"{last}\n")
    assert int(metrics(checked(page.run()))["Faces"]) == before + 1


def test_pictures_that_are_added_to_a_folder_are_seen(open_page: Opener, runs_folder: Path, monkeypatch):
    monkeypatch.setattr("ui.stamps.REST", 0)
    folder = runs_folder.parent / "data" / "faces"
    for name in ("angry", "happy"):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            (folder / name / f"{number}.png").write_bytes(png(make_faces(1, seed=number)[0]))
    page = open_page(EXPLORE, data="faces")
    assert metrics(page)["Faces"] == "12"
    (folder / "happy" / "more.png").write_bytes(png(make_faces(1, seed=9)[0]))
    checked(page.run())
    assert metrics(page)["Faces"] == "13"


def test_a_picture_that_takes_another_s_place_is_seen(runs_folder: Path, monkeypatch):
    monkeypatch.setattr("ui.stamps.REST", 0)
    folder = runs_folder.parent / "data" / "faces"
    for name in ("angry", "happy"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(png(make_faces(1)[0]))
    from ui import cache

    before = cache.dataset(str(folder)).images.copy()
    (folder / "happy" / "1.png").write_bytes(png(make_faces(1, seed=9)[0]))
    assert (cache.dataset(str(folder)).images != before).any()


def test_a_link_to_data_that_is_gone_says_so(open_page: Opener, faces_csv: Path):
    page = open_page(EXPLORE, data="/nowhere/gone.csv")
    assert "gone.csv" in shown(page.error[0].value)


# --- Results -------------------------------------------------------------------------------------------------------


def test_results_without_runs_leads_to_train(open_page: Opener):
    page = open_page(RESULTS)
    checked(page.button(key="empty-state-action").click().run())
    assert page.title[0].value == "Train"


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
    assert [shown(error.value) for error in page.error] == [
        "holiday.zip is not a complete zip file, or not one of a run."
    ]
    assert Runs(runs_folder).all() == []


# --- data set picker -----------------------------------------------------------------------------------------------


def test_the_data_first_chosen_suits_the_page(open_page: Opener, runs_folder: Path):
    save_csv(runs_folder.parent / "data" / "a_test.csv", None)
    save_csv(runs_folder.parent / "data" / "b_train.csv", [0, 1] * 10)
    with zipfile.ZipFile(runs_folder.parent / "data" / "a_download.zip", "w") as download:
        for name in ("a_test.csv", "b_train.csv"):
            download.write(runs_folder.parent / "data" / name, name)
    save_finished_run(Runs(runs_folder))
    assert open_page(EXPLORE).query_params["data"] == "b_train.csv"
    assert metrics(open_page("pages/home.py"))["Faces"] == "20"
    assert open_page("pages/predict_kaggle.py").query_params["data"] == "a_test.csv"


def test_the_data_chosen_on_one_page_is_chosen_on_the_next(open_page: Opener, runs_folder: Path):
    for name in ("first.csv", "second.csv"):
        save_csv(runs_folder.parent / "data" / name, [0, 1] * 10)
    page = open_page(EXPLORE, data="second.csv")
    page.query_params.clear()
    checked(page.switch_page(AUGMENT).run())
    assert page.selectbox(key="augmented-data").value == "second.csv"


def test_two_files_of_the_same_name_are_told_apart(open_page: Opener, tmp_path: Path, faces_csv: Path):
    elsewhere = save_csv(tmp_path / faces_csv.name, [0] * 15 + [1] * 10)
    page = open_page(EXPLORE, data=str(elsewhere))
    assert metrics(page)["Faces"] == "25"
    assert page.selectbox(key="explored-data").options == [faces_csv.name, str(elsewhere), "Sample (drawn faces)"]
    checked(page.selectbox(key="explored-data").set_value(faces_csv.name).run())
    assert metrics(page)["Faces"] == "70"


# --- run picker ----------------------------------------------------------------------------------------------------


def test_a_run_without_a_model_stays_chosen_while_another_classifies(open_page: Opener, finished_run: Run):
    failed = Runs(finished_run.folder.parent).create(find_preset("sgd").config)
    failed.record(state=State.FAILED)
    page = open_page(RUN, run=failed.id)
    for path, key, run in (
        ("pages/classify_faces.py", "classify-run", finished_run),
        ("pages/predict_kaggle.py", "kaggle-run", finished_run),
        (RUN, "run-inspected", failed),
    ):
        page.query_params.clear()
        checked(page.switch_page(path).run())
        assert page.selectbox(key=key).value == run.id
