"""The map of faces on a page."""

import base64

import cv2
import numpy as np
import pytest
from conftest import checked, figures, said, save_finished_run, shown
from streamlit.testing.v1 import AppTest
from test_face_map import save_dense

from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.face_map import NEIGHBOURS, FaceMap
from emotion_core.runs import Run, Runs
from ui.face_map import PICKED, lesson, map_chart, map_points

COUNT = 210
"""Faces, of which a fifth validate."""


def faces(*, labelled: bool = True, count: int = COUNT) -> Dataset:
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=np.random.default_rng(4).integers(0, 256, (count, 48, 48), dtype=np.uint8),
        labels=np.arange(count, dtype=np.uint8) % 7 if labelled else None,
        ids=np.array([f"face-{number}" for number in range(count)]),
        usage=None,
        problems=(),
        fingerprint=f"{labelled} {count}",
    )


def map_page(dataset: "Dataset") -> None:
    from ui.face_map import show_face_map

    show_face_map(dataset)


def opened(dataset: Dataset, **parameters: str) -> AppTest:
    page = AppTest.from_function(map_page, kwargs={"dataset": dataset}, default_timeout=60)
    for name, value in parameters.items():
        page.query_params[name] = value
    return checked(page.run())


@pytest.fixture
def network_run(runs_folder) -> Run:
    run = save_finished_run(Runs(runs_folder), name="Some [network]")
    run.linear_path.unlink()
    save_dense(run.onnx_path, np.random.default_rng(2).normal(0, 0.05, (48 * 48, 5)).astype(np.float32))
    return run


# --- the page ------------------------------------------------------------------------------------------------------


def test_without_a_network_the_map_is_made_from_pixels(finished_run: Run):
    page = opened(faces())
    assert list(page.segmented_control(key="map").options) == ["Pixels"]
    assert "similar pixels" in said(page)
    assert "Once the best trained model is a network" in said(page)
    assert "chance alone would give" in said(page)


def test_a_network_has_a_map_of_its_own(network_run: Run):
    page = opened(faces(), map="Network")
    assert "Faces that the best network here, Some [network], finds similar" in said(page)
    assert not page.info


def test_the_face_that_the_url_names_is_shown_with_its_neighbours_on_both_maps(network_run: Run):
    for kind in ("Pixels", "Network"):
        page = opened(faces(), map=kind, mapped=str(row_on_the_map()))
        html = figures(page)
        assert f"id face-{row_on_the_map()}" in html
        assert html.count("<img") == 1 + NEIGHBOURS
        assert "The network says" in said(page)
        assert f"of {NEIGHBOURS}** share its emotion" in said(page)


def row_on_the_map() -> int:
    """A row that validates in the split of the saved run."""
    from emotion_core.dataset import rows_of_run
    from emotion_core.presets import find_preset

    config = find_preset("sgd").config
    return int(rows_of_run(faces(), config).validation[5])


@pytest.mark.parametrize("asked", ["-1", "0.5", "x", "9" * 30, "209000"])
def test_a_row_that_is_not_on_the_map_is_passed_over(runs_folder, asked: str):
    page = opened(faces(), mapped=asked)
    assert "Click it to keep it here" in said(page)
    assert "id face-" not in figures(page)


def test_unlabelled_faces_have_a_map_without_emotions(network_run: Run):
    page = opened(faces(labelled=False), map="Network", mapped="3")
    assert "A face without a label" in figures(page)
    assert "share its emotion" not in said(page)


def test_a_damaged_network_gets_one_sentence(network_run: Run):
    network_run.onnx_path.write_bytes(b"no network")
    page = opened(faces(), map="Network")
    assert ["model.onnx" in shown(note.value) for note in page.info] == [True]


def test_too_few_faces_get_one_sentence(runs_folder):
    page = opened(faces(count=12))
    assert ["A map needs at least 20 faces" in note.value for note in page.info] == [True]


# --- points and chart ----------------------------------------------------------------------------------------------


def face_map(rows: list[int]) -> FaceMap:
    points = np.linspace(-1, 1, 2 * len(rows), dtype=np.float32).reshape(-1, 2)
    return FaceMap(np.array(rows), points, np.zeros((len(rows), NEIGHBOURS), np.int64))


def test_a_point_has_its_face_its_id_and_its_emotion():
    dataset = faces()
    dataset.images[3:5] = [[[40]], [[200]]]
    points = map_points(dataset, face_map([3, 4]))
    assert list(points["face"]) == ["id face-3", "id face-4"]
    assert list(points["emotion"]) == ["Happy", "Sad"]
    assert list(points["row"]) == [3, 4]
    pictures = [decoded(url) for url in points["image"]]
    assert [picture.shape for picture in pictures] == [(48, 48), (48, 48)]
    assert [round(picture.mean(), -1) for picture in pictures] == [40, 200]


def decoded(url: str) -> np.ndarray:
    content = np.frombuffer(base64.b64decode(url.removeprefix("data:image/jpeg;base64,")), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_UNCHANGED)


def test_points_of_unlabelled_faces_have_no_emotion():
    assert "emotion" not in map_points(faces(labelled=False), face_map([3, 4]))


def test_the_chart_shows_the_face_under_the_mouse_and_has_every_emotion_in_its_colour():
    chart = map_chart(is_labelled=True)
    assert [channel["field"] for channel in chart["encoding"]["tooltip"]] == ["image", "emotion", "face"]
    scale = chart["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == EMOTION_COLOURS
    assert chart["encoding"]["x"]["axis"] is None


def test_a_chart_without_labels_has_no_legend_and_filters_nothing():
    chart = map_chart(is_labelled=False)
    assert "transform" not in chart
    assert list(chart["encoding"]["color"]) == ["value"]


def test_the_picked_face_is_picked_to_begin_with():
    picked = {name: next(p for p in map_chart(True, row)["params"] if p["name"] == PICKED)
              for name, row in (("none", None), ("some", 12))}  # fmt: skip
    assert picked["some"]["value"] == [{"row": 12}]
    assert "value" not in picked["none"]


@pytest.mark.parametrize(
    ("shared", "words"), [(range(7), "Emotions hardly cluster"), ([3], "Happy clusters best (100%)")]
)
def test_the_lesson_names_emotions_only_where_they_keep_together(shared: range | list[int], words: str):
    labels = np.repeat(np.arange(7, dtype=np.uint8), 20)
    rng = np.random.default_rng(0)
    neighbours = rng.integers(0, len(labels), (len(labels), NEIGHBOURS))
    if shared == [3]:
        neighbours[labels == 3] = np.flatnonzero(labels == 3)[:NEIGHBOURS]
    found = lesson(FaceMap(np.arange(140), np.zeros((140, 2), np.float32), neighbours), labels)
    assert words in found
    assert f"chance alone would give {19 / 139:.0%}" in found
    assert EMOTIONS[3] in words or "best" not in found
