"""The Classify page: pictures in, faces and bars out. The webcam needs a browser, so the browser test has it."""

import io
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from conftest import open_app, save_finished_run, shown
from portrait import draw_portrait
from streamlit.testing.v1 import AppTest

from emotion_core import detector_file
from emotion_core.boxes import Box
from emotion_core.detection import HaarDetector
from emotion_core.emotions import EMOTIONS
from emotion_core.faces import ClassifiedFace, find_faces
from emotion_core.runs import Run, Runs
from emotion_core.video import Sighting
from ui import closer
from ui.faces import Picture, read_picture
from ui.pictures import Answer, answers_table
from ui.timeline import shares_over_time


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
    """Pieces of HTML that show a face with its seven bars."""
    return [body for body in bodies(page) if all(f"<div>{emotion}</div>" in body for emotion in EMOTIONS)]


def bodies(page: AppTest) -> list[str]:
    return [element.proto.body for element in page.get("html")]


def video(seconds: float) -> bytes:
    """A clip in which a drawn face moves a little, ten frames a second."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number in range(round(10 * seconds)):
            picture = draw_portrait(center=(300 + 2 * number, 230))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def test_without_a_model_the_page_leads_to_training(open_page):
    page = open_page()
    assert [button.label for button in page.button] == ["Train a model"]
    assert not page.file_uploader


def test_face_in_a_picture_gets_its_box_and_seven_bars(open_page, finished_run: Run):
    page = upload(open_page(), portrait=png(draw_portrait()))
    (panel,) = panels(page)
    assert "data:image/png;base64," in panel
    assert "portrait.png" in [shown(caption.value) for caption in page.caption]
    assert not page.warning or "drawn faces" in shown(page.warning[0].value)


def test_each_of_several_pictures_stands_for_itself(open_page, finished_run: Run):
    empty = np.full((200, 300, 3), 120, np.uint8)
    page = upload(open_page(), portrait=png(draw_portrait()), empty=png(empty), broken=b"no picture")
    (gallery,) = [body for body in bodies(page) if 'alt="portrait.png"' in body]
    assert gallery.count("<figure") == 2
    assert gallery.count("No face found") == 1
    assert any("No face found in empty" in shown(warning.value) for warning in page.warning)
    assert ["broken.png" in shown(error.value) for error in page.error] == [True]


def test_one_of_several_faces_is_looked_at_closely(open_page, finished_run: Run):
    two = np.hstack([draw_portrait(320, 480, (160, 230), 70), draw_portrait(320, 480, (160, 230), 110)])
    page = upload(open_page(), one=png(draw_portrait()), two=png(two))
    choice = page.selectbox(key="closer-face")
    assert len(choice.options) == 3
    assert [option.partition(":")[0] for option in choice.options] == ["one.png", "two.png, face 1", "two.png, face 2"]
    choice.select_index(2).run()
    (way,) = [body for body in bodies(page) if "averaged over areas" in body]
    sides = re.findall(r"(\d+) x \1<", way)
    assert len(sides) == 1
    assert int(sides[0]) < 130, "the smaller face of the second picture"


def test_the_face_that_is_looked_at_stays_when_another_picture_is_taken_away(open_page, finished_run: Run):
    two = np.hstack([draw_portrait(320, 480, (160, 230), 70), draw_portrait(320, 480, (160, 230), 110)])
    page = upload(open_page(), one=png(draw_portrait()), two=png(two))
    page.selectbox(key="closer-face").select_index(2).run()
    (before,) = [body for body in bodies(page) if "averaged over areas" in body]
    upload(page, two=png(two))
    assert [body for body in bodies(page) if "averaged over areas" in body] == [before]


def test_pictures_of_the_same_name_are_told_apart(open_page, finished_run: Run):
    page, portraits = open_page(), (draw_portrait(), draw_portrait(320, 480, (160, 230), 110))
    page.file_uploader(key="pictures").set_value([("image.png", png(each), "image/png") for each in portraits]).run()
    assert not page.exception
    options = page.selectbox(key="closer-face").options
    assert [option.partition(":")[0] for option in options] == ["image.png", "image.png (2)"]


def test_what_an_answer_hangs_on_is_shown_for_the_emotion_asked_about(open_page, finished_run: Run):
    page = upload(open_page(), portrait=png(draw_portrait()))
    page.segmented_control(key="closer-view").set_value("What mattered").run()
    page.pills(key="closer-explain").set_value("Disgust").run()
    assert not page.exception
    assert any("What Disgust depends on" in body for body in bodies(page))


def test_every_saved_model_is_asked_about_the_same_face(open_page, runs_folder: Path):
    for skill in (0.9, 0.2):
        save_finished_run(Runs(runs_folder), name=f"skill {skill}", skill=skill)
    damaged = save_finished_run(Runs(runs_folder), name="damaged", skill=0.5)
    damaged.linear_path.write_bytes(b"torn")
    page = upload(open_page(), portrait=png(draw_portrait()))
    page.segmented_control(key="closer-view").set_value("Every saved model").run()
    (table,) = [body for body in bodies(page) if "<table" in body]
    assert table.index("skill 0.9") < table.index("skill 0.2"), "the most accurate comes first"
    assert "damaged" not in table
    assert any("damaged" in caption.value for caption in page.caption)


def test_how_a_face_is_looked_at_outlives_a_moment_without_a_face(open_page, finished_run):
    page = upload(open_page(run=finished_run.id), portrait=png(draw_portrait()))
    page.segmented_control(key="closer-view").set_value("Every saved model").run()
    upload(page)
    assert not [control for control in page.segmented_control if control.key == "closer-view"]
    upload(page, portrait=png(draw_portrait()))
    assert page.segmented_control(key="closer-view").value == "Every saved model"


def test_of_very_many_models_the_best_are_asked(open_page, runs_folder: Path, finished_run: Run, monkeypatch):
    monkeypatch.setattr(closer, "_MOST_MODELS", 2)
    for skill in (0.1, 0.3, 0.9):
        save_finished_run(Runs(runs_folder), name=f"skill {skill}", skill=skill)
    page = upload(open_page(run=finished_run.id), portrait=png(draw_portrait()))  # right about half of the faces
    page.segmented_control(key="closer-view").set_value("Every saved model").run()
    (table,) = [body for body in bodies(page) if "<table" in body]
    assert [name in table for name in ("skill 0.9", finished_run.name, "skill 0.3", "skill 0.1")] == [
        True,
        True,
        False,
        False,
    ]
    assert "The 2 best of 4." in [caption.value for caption in page.caption]
    assert table.count("(drawn faces)</td>") == 2


def test_the_chosen_model_is_asked_even_where_others_are_better(open_page, runs_folder: Path, monkeypatch):
    monkeypatch.setattr(closer, "_MOST_MODELS", 2)
    runs = [save_finished_run(Runs(runs_folder), name=f"skill {skill}", skill=skill) for skill in (0.9, 0.5, 0.3, 0.1)]
    page = upload(open_page(run=runs[-1].id), portrait=png(draw_portrait()))
    page.segmented_control(key="closer-view").set_value("Every saved model").run()
    assert "The 2 best of 4, and the chosen one." in [caption.value for caption in page.caption]


def test_results_are_offered_as_a_table(open_page, finished_run: Run):
    portrait, crop = draw_portrait(), np.zeros((48, 48), np.uint8)
    face = ClassifiedFace(Box(1, 2, 30, 30), crop, np.array([0, 0, 0, 0.9, 0.1, 0, 0], np.float32))
    answers = [
        Answer("a.png", Picture(portrait, ()), (face, face)),
        Answer("b.png", Picture(portrait, ())),
        Answer("c.png", refusal="c.png is damaged."),
    ]
    table = answers_table(answers)
    assert table["file"].tolist() == ["a.png", "a.png", "b.png", "c.png"]
    assert table["emotion"].fillna("").tolist() == ["Happy", "Happy", "", ""]
    assert table["Happy"].tolist()[:2] == pytest.approx([0.9, 0.9])
    assert table["note"].fillna("").tolist() == ["", "", "no face found", "c.png is damaged."]
    page = upload(open_page(), portrait=png(portrait))
    assert [button.label for button in page.get("download_button")] == ["Results as CSV"]


def test_boxes_in_the_table_are_in_pixels_of_the_file_however_large_it_is():
    portrait = draw_portrait()
    large = cv2.resize(portrait, None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR)
    (found,) = find_faces(large, HaarDetector())
    picture = read_picture.__wrapped__(png(large), "large.png", HaarDetector.name, None)
    assert picture.image.shape[1] == 1_280 < large.shape[1]
    faces = tuple(ClassifiedFace(face.box, face.crop, np.full(7, 1 / 7, np.float32)) for face in picture.faces)
    row = answers_table([Answer("large.png", picture, faces)]).iloc[0]
    assert Box(*row[["x", "y", "width", "height"]]).overlap(found.box) > 0.8


def test_video_gets_a_timeline(open_page, finished_run: Run):
    page = open_page(mode="Video")
    page.file_uploader(key="video").set_value([("clip.mp4", video(2), "video/mp4")]).run()
    assert not page.exception
    assert any("10 frames read over 2 seconds, a face found in 10." in caption.value for caption in page.caption)
    assert page.get("vega_lite_chart")


def test_the_frames_of_a_video_with_any_face_are_counted_whoever_is_shown():
    def show() -> None:
        import numpy as np

        from emotion_core.boxes import Box
        from emotion_core.faces import ClassifiedFace
        from emotion_core.video import Sighting, Timeline
        from ui.timeline import show_timeline

        face = ClassifiedFace(Box(1, 2, 30, 30), np.zeros((48, 48), np.uint8), np.full(7, 1 / 7, np.float32))
        seen = [Sighting(place > 2, place / 5, face) for place in range(5)]
        show_timeline(Timeline(1.0, 5, tuple(seen), was_cut=False), "two.mp4")

    page = AppTest.from_function(show).run()
    assert not page.exception
    assert [caption.value for caption in page.caption] == ["5 frames read over 1 second, a face found in 5."]


def test_the_chart_of_a_video_is_empty_while_the_person_is_away():
    face = ClassifiedFace(Box(1, 2, 30, 30), np.zeros((48, 48), np.uint8), np.full(7, 1 / 7, np.float32))
    seen = [Sighting(0, seconds, face) for seconds in (0.0, 0.2, 0.4, 60.0, 60.2)]
    points = shares_over_time(seen)
    assert points.groupby("stretch")["seconds"].agg(["min", "max"]).to_numpy().tolist() == [[0, 0.4], [60, 60.2]]


def test_video_is_read_again_by_a_model_that_was_trained_further(open_page, finished_run: Run):
    page = open_page(mode="Video")
    page.file_uploader(key="video").set_value([("clip.mp4", video(1), "video/mp4")]).run()
    before = page.session_state["timeline"][1]
    assert page.run().session_state["timeline"][1] is before
    written = finished_run.linear_path.stat().st_mtime
    os.utime(finished_run.linear_path, (written + 5, written + 5))
    assert page.run().session_state["timeline"][1] is not before


def test_file_that_is_no_video_gets_a_sentence(open_page, finished_run: Run):
    page = open_page(mode="Video")
    page.file_uploader(key="video").set_value([("clip.mp4", b"no video" * 100, "video/mp4")]).run()
    assert "clip.mp4 is not a video" in shown(page.error[0].value)


def test_failing_to_fetch_a_detector_is_a_sentence(open_page, finished_run: Run, monkeypatch):
    monkeypatch.setattr(detector_file, "ADDRESS", "http://127.0.0.1:9/yunet.onnx")  # nobody listens there
    page = open_page()
    assert page.radio(key="detector").options == ["Haar cascades"]
    (button,) = [button for button in page.button if button.label == "Fetch YuNet"]
    button.click().run()
    assert "cannot be reached" in shown(page.error[0].value)
    assert page.file_uploader


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
    assert f"Gets {accuracy:.1%} of 210 validation faces right." in [caption.value for caption in page.caption]
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
