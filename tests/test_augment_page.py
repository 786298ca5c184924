"""The Augment page: controls, ready-made settings, every view, and the way to Train."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from conftest import checked, figures, open_app, said, save_csv, shown
from streamlit.testing.v1 import AppTest

from emotion_core.config import Augmentation
from emotion_core.presets import COURSEWORK_AUGMENTATION, PRESETS
from emotion_core.runs import Run
from ui.augmentation import VARIANTS, VIEWS

Opener = Callable[..., AppTest]


@pytest.fixture
def open_page(runs_folder: Path) -> Opener:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, "pages/preview_augmentation.py")


def pictures(page: AppTest) -> list[str]:
    return [part.partition('"')[0] for part in figures(page).split('src="')[1:]]


def press(page: AppTest, label: str) -> AppTest:
    return checked(next(button for button in page.button if button.label == label).click().run())


def choose_ready_made(page: AppTest, name: str) -> AppTest:
    return checked(page.segmented_control(key="augment-ready-made").set_value(name).run())


# --- settings and face ---------------------------------------------------------------------------------------------


def test_augment_begins_with_the_coursework(open_page: Opener, faces_csv: Path):
    page = open_page()
    assert page.slider(key="augment-rotation").value == 30
    assert page.slider(key="augment-zoom").value == 0.1
    assert page.segmented_control(key="augment-ready-made").value == "Coursework"
    assert figures(page).count("<img") == 1 + VARIANTS


def test_without_augmentation_every_variant_is_the_original(open_page: Opener, faces_csv: Path):
    page = open_page()
    assert len(set(pictures(page))) > 10
    choose_ready_made(page, "None")
    assert len(set(pictures(page))) == 1


def test_new_variants_differ_and_the_original_stays(open_page: Opener, faces_csv: Path):
    page = open_page()
    before = pictures(page)
    press(page, "New variants")
    assert pictures(page)[0] == before[0]
    assert set(pictures(page)[1:]).isdisjoint(before[1:])


def test_settings_face_and_view_come_back_from_the_url(open_page: Opener, faces_csv: Path):
    page = open_page()
    page.slider(key="augment-rotation").set_value(75.0)
    page.number_input(key="augment-face").set_value(12)
    page.segmented_control(key="augment-view").set_value("alone")
    checked(page.run())
    address = {name: page.query_params[name] for name in ("augmentation", "face", "show")}
    again = open_page(**address)
    assert again.slider(key="augment-rotation").value == 75
    assert again.number_input(key="augment-face").value == 12
    assert again.segmented_control(key="augment-view").value == "alone"
    assert pictures(again) == pictures(page)


def test_settings_stay_while_another_page_is_looked_at(open_page: Opener, faces_csv: Path):
    page = open_page()
    page.slider(key="augment-rotation").set_value(75.0)
    checked(page.run())
    checked(page.switch_page("pages/explore_data.py").run())
    page.query_params.clear()
    checked(page.switch_page("pages/preview_augmentation.py").run())
    assert page.slider(key="augment-rotation").value == 75


def test_the_address_is_followed_while_the_page_is_open(open_page: Opener, faces_csv: Path):
    page = open_page(face="3", show="alone")
    page.query_params.update(face="5", show="draws")  # as Back does, or a link
    checked(page.run())
    assert page.number_input(key="augment-face").value == 5
    assert page.segmented_control(key="augment-view").value == "draws"
    assert page.query_params["face"] == "5"


def test_choosing_an_emotion_goes_to_a_face_of_it_and_taking_it_back_or_one_without_a_face_stays(
    open_page: Opener, runs_folder: Path
):
    save_csv(runs_folder.parent / "data" / "two.csv", [3, 3, 0, 3])
    page = open_page(data="two.csv")
    checked(page.selectbox(key="augment-emotion").set_value("Angry").run())
    assert page.number_input(key="augment-face").value == 3
    checked(page.selectbox(key="augment-emotion").set_value(None).run())
    assert page.number_input(key="augment-face").value == 3
    checked(page.selectbox(key="augment-emotion").set_value("Fear").run())
    assert page.number_input(key="augment-face").value == 3
    assert page.selectbox(key="augment-emotion").value is None


@pytest.mark.parametrize("nonsense", ["rotation:9999", "rotation:x", "what", "speed:3", ","])
def test_nonsense_in_the_url_is_passed_over(open_page: Opener, faces_csv: Path, nonsense: str):
    page = open_page(augmentation=nonsense, face="-5", show=nonsense)
    assert page.slider(key="augment-rotation").value == COURSEWORK_AUGMENTATION.rotation
    assert page.number_input(key="augment-face").value == 1
    assert page.segmented_control(key="augment-view").value == "together"
    assert open_page(face="9" * 5_000).number_input(key="augment-face").value == 1  # too long a number for int()


def test_the_residual_network_s_augmentation_is_one_click_away(open_page: Opener, faces_csv: Path):
    page = choose_ready_made(open_page(), "Flagship")
    wanted = PRESETS["residual"].config.augmentation
    assert page.slider(key="augment-blur").value == wanted.blur
    assert page.slider(key="augment-erasing").value == wanted.erasing
    assert page.toggle(key="augment-horizontal_flip").value
    assert page.segmented_control(key="augment-ready-made").value == "Flagship"


def test_what_is_marked_follows_the_sliders(open_page: Opener, faces_csv: Path):
    page = open_page()
    checked(page.slider(key="augment-zoom").set_value(0.3).run())
    marked = page.segmented_control(key="augment-ready-made")
    assert (marked.value, marked.options) == ("Custom", ["None", "Coursework", "Flagship", "Custom"])
    checked(page.slider(key="augment-zoom").set_value(0.1 + 1e-12).run())
    marked = page.segmented_control(key="augment-ready-made")
    assert (marked.value, marked.options) == ("Coursework", ["None", "Coursework", "Flagship"])


def test_next_face_keeps_to_the_chosen_emotion(open_page: Opener, faces_csv: Path):
    page = open_page()
    page.selectbox(key="augment-emotion").set_value("Disgust")
    checked(page.run())
    assert page.number_input(key="augment-face").value == 2
    press(page, "Next face")
    assert page.number_input(key="augment-face").value == 9
    assert "Disgust" in figures(page)


def test_use_in_a_run_takes_the_settings_to_train(open_page: Opener, faces_csv: Path):
    page = open_page()
    page.toggle(key="augment-horizontal_flip").set_value(True)
    press(page, "Use in a run")
    assert page.session_state["augmentation"] == COURSEWORK_AUGMENTATION.model_copy(update={"horizontal_flip": True})
    assert isinstance(page.session_state["augmentation"], Augmentation)
    assert page.title[0].value == "Train"


# --- views ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_with_all_that_there_is_and_with_nothing_on(open_page: Opener, finished_run: Run, view: str):
    everything = "rotation:9,width_shift:.1,height_shift:.1,zoom:.1,brightness:.2,blur:1,compression:.3,erasing:.2"
    page = open_page(show=view, augmentation=f"{everything},horizontal_flip:1")
    assert "Nothing is on" not in said(page)
    choose_ready_made(page, "None")
    assert "Nothing is on" in said(page) or view == "input"


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_works_on_faces_without_labels(open_page: Opener, finished_run: Run, view: str):
    save_csv(finished_run.folder.parent.parent / "data" / "test.csv", None)
    page = open_page(show=view, data="test.csv")
    assert len(pictures(page)) > 0
    assert not page.error


def test_each_transform_has_a_line_of_its_own_with_what_was_drawn(open_page: Opener, faces_csv: Path):
    page = open_page(show="alone", augmentation="rotation:20,erasing:.3")
    lines = figures(page)
    assert "Rotation" in lines
    assert "Erasing" in lines
    assert "Zoom" not in lines
    assert "up to 20°" in lines
    assert len(pictures(page)) == 1 + 2 * 5


def test_the_distribution_is_that_of_many_draws(open_page: Opener, faces_csv: Path):
    page = open_page(show="draws", augmentation="rotation:30,horizontal_flip:1")
    assert "−30° to +30°" in figures(page)
    assert "mirrored" in figures(page)
    assert "Brightness" not in figures(page)


def test_the_network_s_input_lies_between_0_and_1(open_page: Opener, faces_csv: Path):
    page = open_page(show="input", augmentation="rotation:0")
    assert figures(page).count("0–255") == 2  # in the file and, with nothing on, after the changes
    assert "0.00–1.00" in figures(page)
    assert "float32 (48, 48, 1)" in figures(page)


def test_the_effect_on_a_model_is_said_and_its_run_stands_in_the_url(open_page: Opener, finished_run: Run):
    page = open_page(show="effect", augmentation="rotation:180,brightness:.9")
    assert "of 64</b> variants keep" in figures(page)
    assert page.query_params["run"] == finished_run.id
    assert said(page).count("Drawn faces") == 2  # the data and the model
    choose_ready_made(page, "None")
    assert "<b>64 of 64</b> variants keep" in figures(page)


def test_without_a_model_the_effect_leads_to_training(open_page: Opener, faces_csv: Path):
    page = open_page(show="effect")
    assert "no trained model" in shown(said(page))
    checked(page.button(key="empty-state-action").click().run())
    assert page.title[0].value == "Train"


def test_a_model_that_cannot_be_used_is_said_in_a_sentence(open_page: Opener, finished_run: Run):
    finished_run.linear_path.write_bytes(b"no model")
    page = open_page(show="effect")
    assert len(page.error) == 1
    assert page.slider(key="augment-rotation").value == 30
