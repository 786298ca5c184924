"""The view of mean faces, brightness and contrast."""

import re

import numpy as np
import pytest
from conftest import checked, figures, said
from streamlit.testing.v1 import AppTest

from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTION_COLOURS
from emotion_core.face_statistics import EmotionsCompared
from ui.class_faces import BRIGHTNESS, CONTRAST, lesson, ridges


def faces(labels: list[int] | None, count: int = 40) -> Dataset:
    images = np.random.default_rng(4).integers(0, 256, (count, 48, 48), dtype=np.uint8)
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=images,
        labels=None if labels is None else np.array(labels, np.uint8),
        ids=np.arange(count).astype(str),
        usage=None,
        problems=(),
        fingerprint=str(labels),
    )


def class_faces_page(dataset: "Dataset") -> None:
    from ui.class_faces import show_class_faces

    show_class_faces(dataset)


def opened(dataset: Dataset, view: str = "Mean") -> AppTest:
    page = AppTest.from_function(class_faces_page, kwargs={"dataset": dataset}, default_timeout=20)
    page.query_params["mean_faces"] = view
    return checked(page.run())


def test_every_emotion_has_its_mean_face_and_one_without_faces_its_place():
    html = figures(opened(faces([3] * 30 + [4] * 10)))
    assert 'alt="Happy, average of 30 faces"' in html
    assert 'alt="Sad, average of 10 faces"' in html
    assert html.count("no faces") == 5


@pytest.mark.parametrize(("view", "words"), [("Variation", "standard deviations"), ("Difference", "stands out most")])
def test_the_url_names_the_view_and_each_shows_other_pictures(view: str, words: str):
    pages = [opened(faces([3] * 30 + [4] * 10), each) for each in ("Mean", view)]
    means, others = (set(re.findall(r"data:image[^\"]+", figures(page))) for page in pages)
    assert len(means) == len(others) == 2
    assert means.isdisjoint(others)
    assert words in said(pages[1])


def test_unlabelled_faces_are_one_group_that_differs_from_none():
    page = opened(faces(None))
    assert "All faces, average of 40 faces" in figures(page)
    assert list(page.segmented_control(key="mean_faces").options) == ["Mean", "Variation"]
    assert "variance" not in said(page)


def test_one_emotion_is_compared_with_none():
    page = opened(faces([3] * 40))
    assert "Happy, average of 40 faces" in figures(page)
    assert "variance" not in said(page)


def test_one_emotion_stands_out_from_nothing_and_two_of_one_size_equally():
    assert "stands out" not in said(opened(faces([3] * 40), "Difference"))
    assert "All stand out equally." in said(opened(faces([3, 4] * 20), "Difference"))


def test_emotions_of_one_brightness_are_called_so():
    words = lesson(EmotionsCompared("Angry", "Angry", 0, 0, 0), EmotionsCompared("Angry", "Angry", 0, 0, 0))
    assert words.startswith("All emotions are equally bright on average, while")


def test_no_faces_are_passed_over():
    assert not figures(opened(faces([], count=0)))


def test_hills_have_the_colours_and_means_of_their_emotions():
    html = ridges(BRIGHTNESS, {"Happy": np.array([100.0, 120.0]), "Sad": np.array([40.0])})
    assert "Happy: mean 110, standard deviation 10" in html
    assert "Sad: mean 40, standard deviation 0" in html
    assert all(f"background:{EMOTION_COLOURS[name]};" in html for name in ("Happy", "Sad"))
    every = float(re.search(r"left:([\d.]+)%;border-left:2px dashed", html).group(1))
    assert every == pytest.approx(100 * 260 / 3 / 255, abs=0.01)


def test_one_hill_alone_has_no_mean_of_all_beside_its_own():
    assert "dashed" not in ridges(BRIGHTNESS, {"All faces": np.array([100.0, 120.0])})


def test_the_highest_hill_fills_its_height_and_others_are_drawn_to_its_scale():
    html = ridges(CONTRAST, {"Happy": np.full(100, 50.0), "Sad": np.linspace(20, 100, 100)})
    happy, sad = (
        min(float(y) for y in re.findall(r"% ([\d.]+)%", outline))
        for outline in re.findall(r"polygon\(([^)]*)\)", html)
    )
    assert happy == 0
    assert 80 < sad < 100


@pytest.mark.parametrize(
    ("explained", "verdict"),
    [(0.05, "almost nothing about emotion"), (0.4, "light alone says something about emotion")],
)
def test_the_lesson_follows_from_the_share_of_variance_explained(explained: float, verdict: str):
    words = lesson(
        EmotionsCompared("Surprise", "Sad", 25, 33, explained), EmotionsCompared("Fear", "Happy", 2, 14, 0.003)
    )
    assert "Surprise is brightest on average and Sad darkest, 25 grey levels apart" in words
    assert "differ by 33" in words
    assert f"{explained:.1%}" in words
    assert verdict in words
