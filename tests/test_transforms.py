"""Words and settings of the augmentation controls."""

import numpy as np
import pytest

from emotion_core.config import Augmentation
from emotion_core.presets import COURSEWORK_AUGMENTATION, PRESETS
from ui import transforms
from ui.fields import Kind


@pytest.mark.parametrize("settings", [Augmentation(), COURSEWORK_AUGMENTATION, PRESETS["residual"].config.augmentation])
def test_settings_come_back_from_their_text(settings: Augmentation):
    assert transforms.as_settings(transforms.as_text(settings)) == settings


@pytest.mark.parametrize("text", ["", ",", "rotation:9999", "rotation:x", "what", "speed:3"])
def test_text_that_says_no_settings_gives_none(text: str):
    assert transforms.as_settings(text) is None


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Augmentation(), "None"),
        (COURSEWORK_AUGMENTATION, "Coursework"),
        (PRESETS["residual"].config.augmentation, "Flagship"),
        (Augmentation(rotation=1), "Custom"),
    ],
)
def test_ready_made_settings_are_known_by_their_name(settings: Augmentation, name: str):
    assert transforms.ready_made(settings) == name


def test_every_slider_has_its_unit():
    sliders = {name for name, field in transforms.FIELDS.items() if field.kind is not Kind.SWITCH}
    assert set(transforms.UNITS) == sliders


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("rotation", [-12.4], "−12°"),
        ("rotation", [-0.2], "+0°"),
        ("width_shift", [3.14], "+3.1 px"),
        ("zoom", [0.93, 1.05], "93 x 105%"),
        ("brightness", [0.8], "80%"),
        ("blur", [0.44], "0.4 px"),
        ("erasing", [0.0], "none"),
        ("erasing", [0.12], "12%"),
        ("horizontal_flip", [1.0], "mirrored"),
        ("horizontal_flip", [0.0], "as it is"),
    ],
)
def test_what_was_drawn_is_said(name: str, numbers: list[float], words: str):
    assert transforms.say_drawn(name, np.array(numbers)) == words


def test_ranges_ends_and_settings_are_said():
    assert transforms.say_range("rotation", np.array([-30.0, 5, 29.6])) == "−30° to +30°"
    assert transforms.say_end("height_shift", -24.0) == "−24 px"
    assert transforms.say_end("zoom", 1.5) == "150%"
    assert transforms.say_setting("blur", Augmentation(blur=0.8)) == "up to 0.8 px"
    assert transforms.say_setting("zoom", Augmentation(zoom=0.15)) == "up to 15%"
    assert transforms.say_setting("horizontal_flip", Augmentation(horizontal_flip=True)) == "on"
