"""The Kaggle page: a test file in, its predictions out, a score where the labels are known."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import open_app, shown
from streamlit.testing.v1 import AppTest

from emotion_core.classifier import load_classifier
from emotion_core.dataset import load_dataset
from emotion_core.runs import Run

IDS = ("10", "7", "abc", "11", "12")


@pytest.fixture
def test_file(runs_folder: Path) -> Path:
    """Five faces without labels, in the data folder, with ids that no row number could replace."""
    faces = np.random.default_rng(1).integers(0, 256, (len(IDS), 48 * 48))
    path = runs_folder.parent / "data" / "faces.csv"
    lines = [f"{name},{' '.join(map(str, face))}\n" for name, face in zip(IDS, faces, strict=True)]
    path.write_text("id,pixels\n" + "".join(lines))
    return path


@pytest.fixture
def open_page(runs_folder: Path) -> Callable[..., AppTest]:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, "pages/predict_kaggle.py")


@pytest.fixture
def predicted(open_page, finished_run: Run, test_file: Path) -> AppTest:
    page = open_page()
    page.button(key="predict").click().run()
    assert not page.exception
    return page


def give_labels(page: AppTest, text: str) -> AppTest:
    page.file_uploader(key="kaggle-labels").set_value(("labels.csv", text.encode(), "text/csv")).run()
    assert not page.exception
    return page


def expected_labels(run: Run, path: Path) -> list[int]:
    return load_classifier(run).probabilities(load_dataset(path).images).argmax(axis=1).tolist()


def test_without_a_model_the_page_leads_to_training(open_page):
    assert [button.label for button in open_page().button] == ["Train a model"]


def test_nothing_is_predicted_before_it_is_asked(open_page, finished_run: Run, test_file: Path):
    page = open_page()
    assert page.button(key="predict").label == "Predict"
    assert not page.get("download_button")
    assert any("5 faces" in caption.value for caption in page.caption)


def test_download_holds_the_models_answer_for_each_id(predicted: AppTest, finished_run: Run, test_file: Path):
    (download,) = predicted.get("download_button")
    assert download.label == "Download CSV"
    labels = expected_labels(finished_run, test_file)
    rows = "".join(f"{name},{label}\n" for name, label in zip(IDS, labels, strict=True))
    assert predicted.session_state["prediction"].csv(load_dataset(test_file)) == "id,predicted class\n" + rows


def test_preview_shows_the_rows_with_their_faces(predicted: AppTest, finished_run: Run, test_file: Path):
    rows = predicted.dataframe[0].value
    assert rows["id"].tolist() == list(IDS)
    assert rows["predicted class"].tolist() == expected_labels(finished_run, test_file)
    assert all(face.startswith("data:image/png;base64,") for face in rows["Face"])


def test_result_is_still_there_after_a_visit_to_another_page(predicted: AppTest):
    predicted.switch_page("pages/classify_faces.py").run().switch_page("pages/predict_kaggle.py").run()
    assert len(predicted.dataframe) == 1


def test_result_of_another_file_is_not_shown(predicted: AppTest, test_file: Path):
    (test_file.parent / "other.csv").write_text("id,pixels\n1," + " ".join(["9"] * 2304) + "\n")
    predicted.run()
    predicted.selectbox(key="kaggle-data").select("other.csv").run()
    assert not predicted.dataframe
    assert predicted.button(key="predict").label == "Predict"


def test_labels_in_any_order_give_the_score(predicted: AppTest, finished_run: Run, test_file: Path):
    truth = dict(zip(IDS, expected_labels(finished_run, test_file), strict=True))
    truth["abc"] = (truth["abc"] + 1) % 7
    page = give_labels(predicted, "id,emotion\n" + "".join(f"{name},{truth[name]}\n" for name in reversed(IDS)))
    assert {metric.label: metric.value for metric in page.metric}["Accuracy"] == "80.0%"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("id,emotion\n10,3\n", "1 of 5"), ("id,emotion\n10,9\n", "labels.csv: line 2"), ("nonsense", "labels.csv")],
)
def test_unusable_labels_are_one_sentence_and_the_download_stays(predicted: AppTest, text: str, reason: str):
    page = give_labels(predicted, text)
    assert reason in shown(page.error[0].value)
    assert len(page.get("download_button")) == 1


def test_labels_of_the_file_itself_are_used(open_page, finished_run: Run, runs_folder: Path):
    path = runs_folder.parent / "data" / "labelled.csv"
    path.write_text(
        "emotion,pixels\n" + "".join(f"{label},{' '.join([str(40 * label)] * 2304)}\n" for label in range(7))
    )
    page = open_page()
    page.button(key="predict").click().run()
    share = np.mean(np.array(expected_labels(finished_run, path)) == np.arange(7))
    assert {metric.label: metric.value for metric in page.metric}["Accuracy"] == f"{share:.1%}"
    assert not any("flatters" in caption.value for caption in page.caption)


def test_score_on_its_own_training_file_is_said_to_flatter(open_page, finished_run: Run):
    page = open_page()  # no file in the data folder: the sample, which the run learnt from
    page.button(key="predict").click().run()
    assert any("flatters" in caption.value for caption in page.caption)


def test_damaged_model_is_one_sentence(open_page, finished_run: Run, test_file: Path):
    finished_run.linear_path.write_bytes(b"torn")
    page = open_page()
    page.button(key="predict").click().run()
    assert "linear.npz cannot be used as a model" in shown(page.error[0].value)
