"""The Classify page: pictures in, faces and bars out. The webcam needs a browser, so the browser test has it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import open_app, save_finished_run, shown
from portrait import draw_portrait
from streamlit.testing.v1 import AppTest

from emotion_core.emotions import EMOTIONS
from emotion_core.runs import Run, Runs


@pytest.fixture
def open_page(runs_folder: Path) -> Callable[..., AppTest]:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, "pages/classify_faces.py")


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def upload(page: AppTest, **pictures: bytes) -> AppTest:
    files = [(f"{name}.png", content, "image/png") for name, content in pictures.items()]
    page.file_uploader(key="pictures").set_value(files).run()
    assert not page.exception
    return page


def panels(page: AppTest) -> list[str]:
    return [element.proto.body for element in page.get("html")]


def test_without_a_model_the_page_leads_to_training(open_page):
    page = open_page()
    assert [button.label for button in page.button] == ["Train a model"]
    assert not page.file_uploader


def test_face_in_a_picture_gets_its_box_and_seven_bars(open_page, finished_run: Run):
    page = upload(open_page(), portrait=png(draw_portrait()))
    (panel,) = panels(page)
    assert all(f"<div>{emotion}</div>" in panel for emotion in EMOTIONS)
    assert "data:image/png;base64," in panel
    assert "portrait.png" in [shown(caption.value) for caption in page.caption]
    assert not page.warning or "drawn faces" in shown(page.warning[0].value)


def test_each_picture_stands_for_itself(open_page, finished_run: Run):
    empty = np.full((200, 300, 3), 120, np.uint8)
    page = upload(open_page(), portrait=png(draw_portrait()), empty=png(empty), broken=b"no picture")
    assert len(panels(page)) == 1
    assert any("No face found" in warning.value for warning in page.warning)
    assert ["broken.png" in shown(error.value) for error in page.error] == [True]


def test_whole_picture_is_used_only_where_asked_and_no_face_is_found(open_page, finished_run: Run):
    crop = np.random.default_rng(0).integers(90, 160, (48, 48, 3), dtype=np.uint8)
    page = upload(open_page(), crop=png(crop))
    assert panels(page) == []
    page.toggle(key="whole-picture").set_value(True)
    page = upload(page, crop=png(crop))
    assert len(panels(page)) == 1


def test_model_says_how_far_it_can_be_trusted(open_page, finished_run: Run):
    page = open_page()
    accuracy = finished_run.evaluation().accuracy
    assert f"Right about {accuracy:.1%} of 210 validation faces." in [caption.value for caption in page.caption]
    assert "drawn faces" in shown(page.warning[0].value)


def test_link_chooses_run_and_mode(open_page, runs_folder: Path):
    save_finished_run(Runs(runs_folder), name="better", skill=0.9)
    worse = save_finished_run(Runs(runs_folder), name="worse", skill=0.1)
    page = open_page(run=worse.id, mode="Snapshot")
    assert page.selectbox(key="classify-run").value == worse.id
    assert page.segmented_control(key="mode").value == "Snapshot"
    assert not page.file_uploader, "only the chosen mode runs"


def test_most_accurate_run_is_chosen_first(open_page, runs_folder: Path):
    better = save_finished_run(Runs(runs_folder), name="better", skill=0.9)
    save_finished_run(Runs(runs_folder), name="worse", skill=0.1)
    assert open_page().selectbox(key="classify-run").value == better.id


def test_damaged_model_is_one_sentence(open_page, finished_run: Run):
    finished_run.linear_path.write_bytes(b"torn")
    page = open_page()
    assert "linear.npz cannot be used as a model" in shown(page.error[0].value)
    assert not page.file_uploader
