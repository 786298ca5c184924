"""Boxes and labels on pictures."""

import numpy as np
import pytest

from emotion_core.annotate import (
    PERSON_COLOURS,
    UNSURE_COLOUR,
    draw_box,
    draw_faces,
    draw_label,
    person_colour,
)
from emotion_core.boxes import Box
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.faces import ClassifiedFace

COLOUR = "#56B4E9"
BORDERS = [
    Box(0, 0, 60, 60),
    Box(240, 140, 60, 60),
    Box(0, 140, 60, 60),
    Box(240, 0, 60, 60),
    Box(0, 0, 300, 200),
    Box(150, 3, 40, 40),  # less room above than the strip is high
]
OVER_THE_BORDER = [Box(-20, -20, 60, 60), Box(-20, 90, 60, 60), Box(120, -10, 60, 60), Box(270, 170, 60, 60)]


def face_of(label: int, box: Box) -> ClassifiedFace:
    return ClassifiedFace(box, np.zeros((48, 48), np.uint8), np.eye(7, dtype=np.float32)[label])


def plain(height: int = 200, width: int = 300) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def rgb(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def mask_of(image: np.ndarray, colour: str) -> np.ndarray:
    return (image == rgb(colour)).all(axis=2)


@pytest.mark.parametrize("label", range(7))
def test_face_has_its_emotions_colour_and_the_picture_stays(label):
    image = plain()
    drawn = draw_faces(image, [face_of(label, Box(100, 80, 60, 60))])
    assert drawn[139, 100].tolist() == drawn[110, 159].tolist() == rgb(EMOTION_COLOURS[EMOTIONS[label]])
    assert (image == 90).all()
    assert (drawn[90:130, 110:150] == 90).all(), "the face itself stays free"
    assert (drawn[50:78, 100:140] != 90).any(), "a label stands above"


def test_every_face_is_drawn():
    drawn = draw_faces(plain(), [face_of(0, Box(20, 80, 60, 60)), face_of(3, Box(200, 80, 60, 60))])
    for emotion, columns in (("Angry", np.s_[:, :150]), ("Happy", np.s_[:, 150:])):
        assert mask_of(drawn[columns], EMOTION_COLOURS[emotion]).sum() > 2 * 4 * 60


def test_picture_without_faces_is_copied():
    image = plain()
    drawn = draw_faces(image, [])
    np.testing.assert_array_equal(drawn, image)
    assert not np.shares_memory(drawn, image)


@pytest.mark.parametrize("box", BORDERS)
def test_box_and_label_stay_in_the_picture_at_its_borders(box):
    image = plain()
    draw_box(image, box, COLOUR)
    framed = mask_of(image, COLOUR).sum()
    assert framed > 4 * (box.width - 4), "a line on each side"
    draw_label(image, box, "Surprise 98%", COLOUR)
    assert mask_of(image, COLOUR).sum() > framed + 500, "box and label are both visible"


@pytest.mark.parametrize("box", OVER_THE_BORDER)
def test_box_that_hangs_over_the_border_is_drawn_and_labelled_as_far_as_there_is_picture(box):
    image = plain()
    draw_box(image, box, COLOUR)
    framed = mask_of(image, COLOUR).sum()
    assert framed > 0
    draw_label(image, box, "Surprise 98%", COLOUR)
    assert mask_of(image, COLOUR).sum() > framed + 500


@pytest.mark.parametrize("shape", [(200, 20), (5, 300), (5, 5), (1, 1)])
def test_label_in_a_picture_too_small_for_it_is_cut_off(shape):
    image = plain(*shape)
    draw_label(image, Box(0, 0, *shape[::-1]), "Surprise 98%", COLOUR)
    assert mask_of(image, COLOUR)[0, 0]


def test_label_stands_on_its_box():
    image = plain()
    draw_label(image, Box(100, 80, 60, 60), "Sad 51%", COLOUR)
    rows, columns = np.nonzero((image != 90).any(axis=2))
    assert rows.max() == 79
    assert columns.min() == 100


def test_label_hangs_inside_a_box_that_has_no_room_above():
    image = plain()
    draw_label(image, Box(100, 3, 60, 60), "Sad 51%", COLOUR)
    rows, _ = np.nonzero((image != 90).any(axis=2))
    assert rows.min() == 3


def test_box_is_drawn_on_its_edge_with_a_shadow_inside():
    image = plain()
    draw_box(image, Box(100, 80, 60, 50), COLOUR)
    rows, columns = np.nonzero((image != 90).any(axis=2))
    assert (rows.min(), rows.max()) == pytest.approx((80, 129), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((100, 159), abs=1)
    profile = image[105, 98:110]
    coloured = np.nonzero((profile == rgb(COLOUR)).all(axis=1))[0]
    dark = np.nonzero((profile < 40).all(axis=1))[0]
    assert len(dark) == 1
    assert dark[0] == coloured.max() + 1
    assert (image[90:120, 110:150] == 90).all()


def test_lines_and_labels_grow_with_the_picture():
    small, large = plain(), plain(2_000, 3_000)
    for image, scale in ((small, 1), (large, 10)):
        draw_box(image, Box(100 * scale, 80 * scale, 60 * scale, 60 * scale), COLOUR)
    thickness = [int(mask_of(image, COLOUR)[image.shape[0] * 11 // 20].sum()) for image in (small, large)]
    assert thickness[1] > 3 * thickness[0]
    for image in (small, large):
        image[:] = 90
        draw_label(image, Box(100, 100, 60, 60), "Sad 51%", COLOUR)
    heights = [np.ptp(np.nonzero((image != 90).any(axis=2))[0]) for image in (small, large)]
    assert heights[1] > 3 * heights[0]


@pytest.mark.parametrize(("colour", "ink"), [("#56B4E9", 0), ("#E69F00", 0), (UNSURE_COLOUR, 255), ("#0072B2", 255)])
def test_text_is_dark_on_light_colours_and_light_on_dark_ones(colour, ink):
    image = plain()
    draw_label(image, Box(20, 120, 60, 60), "WWWW", colour)
    strip = image[(image != 90).any(axis=2)].astype(int)
    distance = np.abs(strip - ink).max(axis=1)
    assert distance.min() < 30
    assert (np.abs(strip - (255 - ink)).max(axis=1) < 30).sum() == 0


def test_drawing_one_label_leaves_the_next_as_it_was():
    first, second = plain(), plain()
    draw_label(first, Box(20, 120, 60, 60), "Happy 90%", COLOUR)
    before = first.copy()
    first[:] = 0
    draw_label(second, Box(20, 120, 60, 60), "Happy 90%", COLOUR)
    np.testing.assert_array_equal(second, before)


def test_people_have_colours_of_their_own_that_repeat():
    colours = [person_colour(number) for number in range(len(PERSON_COLOURS))]
    assert len(set(colours)) == len(colours)
    assert not set(colours) & {*EMOTION_COLOURS.values(), UNSURE_COLOUR}
    assert person_colour(len(PERSON_COLOURS)) == person_colour(0)
    assert person_colour(2 * len(PERSON_COLOURS) + 3) == person_colour(3)
