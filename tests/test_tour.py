"""The guided tour: four steps, from page to page, kept over a reload."""

import pytest
from conftest import PROJECT, checked, open_app, said
from streamlit.testing.v1 import AppTest

from ui.tour import STEPS


def is_touring(page: AppTest) -> bool:
    return any(button.key == "tour-end" for button in page.button)


def test_every_step_is_a_page_of_the_app():
    assert [(PROJECT / step.page).is_file() for step in STEPS] == [True] * 4


def test_home_starts_it_with_the_first_step(runs_folder):
    page = open_app("pages/home.py")
    checked(page.button(key="tour-start").click().run())
    assert page.title[0].value == "Explore"
    assert page.session_state["tour"] == 1


@pytest.mark.parametrize(
    ("number", "button", "title"),
    [
        (1, "next", "Train"),
        (2, "next", "Results"),
        (3, "next", "Classify"),
        (3, "back", "Train"),
        (4, "back", "Results"),
    ],
)
def test_each_step_leads_on_and_back(finished_run, number, button, title):
    page = open_app(STEPS[number - 1].page, tour=str(number))
    checked(page.button(key=f"tour-{button}").click().run())
    assert page.title[0].value == title
    assert page.session_state["tour"] == number + (1 if button == "next" else -1)


def test_last_step_ends_it(finished_run):
    page = open_app(STEPS[-1].page, tour="4")
    assert page.button(key="tour-end").label == "Done"
    assert not [button for button in page.button if button.key == "tour-next"]
    checked(page.button(key="tour-end").click().run())
    assert not is_touring(page)
    assert "tour" not in page.query_params


def test_a_reload_goes_on_with_the_tour(runs_folder):
    assert "2 of 4" in said(open_app("pages/train_models.py", tour="2"))


@pytest.mark.parametrize("asked", ["", "0", "5", "two", "1e0"])
def test_an_address_that_names_no_step_opens_none(runs_folder, asked):
    assert not is_touring(open_app("pages/explore_data.py", tour=asked))
