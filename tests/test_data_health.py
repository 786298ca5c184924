"""The health of a data set on a page: findings and their faces, doubts of a run, the table, and a cleaned copy."""

from pathlib import Path

import numpy as np
import pytest
from conftest import checked, figures, said, shown
from planted_faces import brightened, dataset, draw, mirrored, save_judge
from streamlit.testing.v1 import AppTest

from emotion_core.cleaned import save_cleaned
from emotion_core.config import FirstRows
from emotion_core.dataset import Dataset, load_dataset
from emotion_core.errors import BadInput
from emotion_core.kept_copies import is_kept_copy
from emotion_core.runs import Runs
from ui import cache, cleaned_copy, examining

FIRST_ROWS = {"data.split": FirstRows()}


def health_page(source: str) -> None:
    import streamlit as st

    from emotion_core.dataset import load_dataset
    from ui.data_health import show_health

    st.set_page_config(layout="wide")
    show_health(load_dataset(source))


def open_health(source: str | Path, **parameters: str) -> AppTest:
    page = AppTest.from_function(health_page, kwargs={"source": str(source)}, default_timeout=60)
    for name, value in parameters.items():
        page.query_params[name] = value
    return checked(page.run())


def choose(page: AppTest, finding: str) -> AppTest:
    page.segmented_control(key="health-finding").set_value(finding)
    return checked(page.run())


def buttons(page: AppTest) -> list[str]:
    """What the choice of findings offers, without bold."""
    return [option.content.replace("*", "") for option in page.segmented_control(key="health-finding").proto.options]


def save(folder: Path, faces: Dataset) -> Path:
    path = folder.parent / "data" / "faces.csv"
    save_cleaned(faces, np.arange(len(faces)), path)
    return path


def faulty_images() -> np.ndarray:
    """Row 20 copies 1, row 25 is like 10, row 30 is blank; of 40 rows the first eight validate."""
    images = draw(40)
    images[20], images[25], images[30] = images[1], mirrored(images[10]), 0
    return images


@pytest.fixture
def faulty(runs_folder: Path) -> Path:
    """A CSV with one fault of each kind; rows 10 and 25 have different labels, 1 and 20 the same."""
    labels = [number % 7 for number in range(40)]
    labels[20] = labels[1]
    return save(runs_folder, dataset(faulty_images(), labels))


def test_each_finding_has_its_count(faulty: Path):
    assert buttons(open_health(faulty)) == [
        "Exact copies 1", "Near copies 1", "Across the split 1", "Under two labels 1", "Doubted labels", "Blank 1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "ids", "sentence"),
    [
        ("exact", ["1", "20"], "2 faces** show only 1 picture"),
        ("near", ["10", "25"], "2 faces** show only 1 picture"),
        ("across", ["1", "20"], "1 of 8 validation faces** (12.5%) have a copy in training, 1 of them an exact one"),
        ("labels", ["10", "25"], "people labelled differently"),
        ("blank", ["30"], "1 face** has a single brightness"),
    ],
)
def test_a_finding_of_the_url_shows_its_faces_beside_each_other(
    faulty: Path, finding: str, ids: list[str], sentence: str
):
    page = open_health(faulty, finding=finding)
    html = figures(page)
    assert [name for name in map(str, range(40)) if f'id face {name}"' in html] == ids
    assert sentence in said(page)


def test_the_faces_of_a_card_say_label_and_part(faulty: Path):
    html = figures(open_health(faulty, finding="across"))
    assert html.index("Disgust") < html.index(">validation<") < html.index("id face 20") < html.index(">training<")


def test_a_chosen_finding_stands_in_the_url(faulty: Path):
    page = choose(open_health(faulty), "blank")
    assert page.query_params["finding"] == "blank"
    assert "id face 30" in figures(page)


def test_a_finding_that_does_not_exist_gives_way_to_the_first_with_faces(runs_folder: Path):
    images = draw(12)
    images[11] = 0
    page = open_health(save(runs_folder, dataset(images, [0, 1, 2] * 4)), finding="nonsense")
    assert page.query_params["finding"] == "blank"


def test_a_sound_set_is_told_so(runs_folder: Path):
    page = open_health(save(runs_folder, dataset(draw(12), [0, 1, 2] * 4)))
    assert "No two faces have the same pixels." in said(page)
    assert "<img" not in figures(page)
    assert page.button(key="save-cleaned").disabled


def test_pages_are_turned_and_each_finding_keeps_its_own(runs_folder: Path):
    images = draw(60)
    images[30:] = images[:30]
    page = open_health(save(runs_folder, dataset(images, [0] * 60)))
    assert "1-12 of 30" in said(page)
    assert figures(page).count("<img") == 24
    checked(page.pagination[0].set_value(3).run())
    assert "25-30 of 30" in said(page)
    assert figures(page).count("<img") == 12
    assert figures(choose(page, "across")).count("<img") == 24  # a page of twelve
    assert "25-30 of 30" in said(choose(page, "exact"))


def test_a_picture_that_is_there_often_shows_some_copies_with_every_label(runs_folder: Path):
    images = draw(20)
    images[8:] = images[8]
    html = figures(open_health(save(runs_folder, dataset(images, [0] * 8 + [3] * 11 + [4])), finding="labels"))
    assert html.count("<img") == 6
    assert "and 6 more" in html
    assert "id face 19" in html


def test_rows_that_usage_holds_back_are_called_so(runs_folder: Path):
    images = draw(12)
    images[11] = images[5]
    usage = ["Training"] * 10 + ["PublicTest"] * 2
    html = figures(open_health(save(runs_folder, dataset(images, [0] * 12, usage))))
    assert ">training<" in html
    assert "held back" in html


def test_faces_without_labels_have_no_labels_to_find_fault_with(runs_folder: Path):
    images = draw(12)
    images[11] = images[5]
    page = open_health(save(runs_folder, dataset(images)), finding="labels")
    assert buttons(page) == ["Exact copies 1", "Near copies 0", "Blank 0"]
    assert {toggle.label for toggle in page.toggle} == {"Blank faces", "Exact repeats", "Near repeats"}
    assert "needs all its rows" in said(page)


def test_a_set_too_small_to_split_is_examined_all_the_same(runs_folder: Path):
    images = draw(2)
    images[1] = brightened(images[0])
    page = open_health(save(runs_folder, dataset(images, [0, 1])))
    assert "Across the split 0" not in buttons(page)
    assert "Under two labels 1" in buttons(page)


def test_drawn_faces_that_look_alike_are_no_fault(runs_folder: Path, monkeypatch: pytest.MonkeyPatch):
    images, labels = draw(12), np.arange(12, dtype=np.uint8) % 7
    images[11] = brightened(images[5])
    monkeypatch.setattr("emotion_core.dataset.loading.draw_sample", lambda: (images, labels))
    page = open_health("sample")
    assert "artefact of drawing" in said(page)
    assert "no file to clean" in said(page)
    assert not page.toggle


def test_a_data_set_is_examined_once(faulty: Path, monkeypatch: pytest.MonkeyPatch):
    looks = []
    examine = examining.examine
    monkeypatch.setattr(examining, "examine", lambda *given: looks.append(given) or examine(*given))
    choose(open_health(faulty), "blank")
    open_health(faulty)
    assert len(looks) == 1


# --- doubted labels ------------------------------------------------------------------------------------------------


def test_without_a_run_on_these_faces_the_page_says_what_to_do(faulty: Path):
    page = open_health(faulty, finding="doubted")
    assert "No saved run was validated on these faces; train one" in said(page)
    assert "Doubted labels" not in {toggle.label for toggle in page.toggle}


def test_the_labels_that_a_run_doubts_are_shown_with_what_it_says(runs_folder: Path, faulty: Path):
    save_judge(Runs(runs_folder), load_dataset(faulty), FIRST_ROWS, wrong={2: 5})
    page = open_health(faulty, finding="doubted")
    assert "Doubted labels 1" in buttons(page)
    assert "1 of 8 labels** are doubted" in said(page)
    assert "Only validation faces are judged" in said(page)
    assert "Labelled Fear (1.0%), the model says Surprise (95.0%); id face 2" in figures(page)


def test_a_run_judges_once_it_is_scored_also_where_the_page_was_open_before(runs_folder: Path, faulty: Path):
    run = save_judge(Runs(runs_folder), load_dataset(faulty), FIRST_ROWS, wrong={2: 5})
    scores, aside = run.folder / "evaluation.json", run.folder.with_name("aside.json")
    run.record(best_val_accuracy=run.evaluation().accuracy)
    scores.rename(aside)
    assert "Doubted labels 1" not in buttons(open_health(faulty, finding="doubted"))
    aside.rename(scores)
    cache.list_anew()
    assert "Doubted labels 1" in buttons(open_health(faulty, finding="doubted"))


def test_copies_across_the_split_are_set_against_the_score_of_the_run(runs_folder: Path, faulty: Path):
    save_judge(Runs(runs_folder), load_dataset(faulty), FIRST_ROWS, wrong={2: 5})
    assert "scores 100.0% on them and 85.7% on the others, 87.5% overall" in said(open_health(faulty, finding="across"))


def test_a_run_that_was_validated_on_other_rows_is_not_set_against_them(runs_folder: Path, faulty: Path):
    save_judge(Runs(runs_folder), load_dataset(faulty), wrong={2: 5})  # a random fifth
    words = said(open_health(faulty, finding="across"))
    assert "copies flatter its score" in words
    assert "100.0%" not in words


# --- what is taken away --------------------------------------------------------------------------------------------


def test_the_findings_are_offered_as_a_table_with_the_doubts(
    runs_folder: Path, faulty: Path, monkeypatch: pytest.MonkeyPatch
):
    offered = {}
    monkeypatch.setattr(
        cleaned_copy.st, "download_button", lambda label, data, name, *_, **__: offered.update({name: data})
    )
    save_judge(Runs(runs_folder), load_dataset(faulty), FIRST_ROWS, wrong={2: 5})
    open_health(faulty)
    lines = offered["faces-findings.csv"]().splitlines()
    assert lines[0].startswith("row,id,finding,group,crosses_split,label,emotion,suggested")
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["30", "face 30", "blank"],
        ["1", "face 1", "exact duplicate"],
        ["20", "face 20", "exact duplicate"],
        ["10", "face 10", "near duplicate"],
        ["25", "face 25", "near duplicate"],
        ["10", "face 10", "contradictory labels"],
        ["25", "face 25", "contradictory labels"],
        ["2", "face 2", "doubted label"],
    ]


def test_a_cleaned_copy_is_saved_and_opened(runs_folder: Path, faulty: Path):
    page = open_health(faulty)
    assert "38** of 40 faces are kept, 2 left out" in said(page)
    page.toggle(key="cleaning-merge_near").set_value(True)
    checked(page.run())
    assert "36** of 40 faces are kept, 4 left out" in said(page)  # of two near copies with different labels both go
    checked(page.button(key="save-cleaned").click().run())
    (copy,) = faulty.parent.glob("faces-cleaned-*.csv")
    assert load_dataset(copy).ids.tolist() == [f"face {row}" for row in range(40) if row not in (10, 20, 25, 30)]
    assert copy.name in shown(page.success[0].value)
    checked(page.button(key="open-cleaned").click().run())
    assert page.query_params["data"] == copy.name
    assert is_kept_copy(copy)


def test_a_copy_that_is_there_is_not_written_again(faulty: Path):
    checked(open_health(faulty).button(key="save-cleaned").click().run())
    (copy,) = faulty.parent.glob("faces-cleaned-*.csv")
    page = open_health(faulty)
    assert copy.name in shown(page.success[0].value)
    assert "save-cleaned" not in {button.key for button in page.button}


def test_a_folder_that_refuses_the_copy_is_told_in_a_sentence(faulty: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*given: object) -> None:
        raise BadInput("The disk is full.")

    page = open_health(faulty)
    monkeypatch.setattr(cleaned_copy, "save_cleaned", refuse)
    checked(page.button(key="save-cleaned").click().run())
    assert shown(page.error[0].value) == "The disk is full."
    assert not page.success
