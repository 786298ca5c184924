"""Rectangles: how they lie to each other and in their picture."""

import pytest

from emotion_core.boxes import Box, CropRule, square_crop


def test_middle_and_area_are_those_of_the_rectangle():
    box = Box(10, 20, 30, 45)
    assert box.middle == (25, 42.5)
    assert box.area == 1_350


@pytest.mark.parametrize(
    ("point", "is_inside"),
    [((10, 20), True), ((39.9, 64.9), True), ((9.9, 30), False), ((40, 30), False), ((20, 65), False)],
)
def test_box_holds_its_first_pixel_and_not_the_one_after_its_last(point, is_inside):
    assert Box(10, 20, 30, 45).holds(*point) is is_inside


def test_box_is_mirrored_within_its_picture():
    assert Box(10, 5, 20, 30).mirrored(100) == Box(70, 5, 20, 30)
    assert Box(10, 5, 20, 30).mirrored(100).mirrored(100) == Box(10, 5, 20, 30)


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (Box(0, 0, 10, 10), 1),
        (Box(5, 0, 10, 10), 50 / 150),
        (Box(5, 5, 10, 10), 25 / 175),
        (Box(2, 2, 5, 4), 20 / 100),  # inside
        (Box(10, 0, 10, 10), 0),  # side by side
        (Box(30, 0, 10, 10), 0),
        (Box(30, 30, 10, 10), 0),  # two negative distances make no area
        (Box(3, 3, 0, 0), 0),
    ],
)
def test_overlap_is_the_shared_part_of_all_that_both_cover(other, overlap):
    box = Box(0, 0, 10, 10)
    assert box.overlap(other) == pytest.approx(overlap)
    assert other.overlap(box) == box.overlap(other)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(100, 50, 40, 40), Box(100, 50, 40, 40)),
        (Box(100, 50, 20, 40), Box(90, 50, 40, 40)),  # around the middle of the narrower side
        (Box(100, 50, 40, 20), Box(100, 40, 40, 40)),
        (Box(-10, -5, 40, 40), Box(0, 0, 40, 40)),  # moved in at the upper left
        (Box(190, 90, 40, 40), Box(160, 60, 40, 40)),  # and at the lower right
        (Box(0, -50, 200, 200), Box(50, 0, 100, 100)),  # no larger than the picture
        (Box(70, 30, 0, 0), Box(70, 30, 1, 1)),  # never empty
    ],
)
def test_crop_is_a_square_inside_the_picture(box, expected):
    assert square_crop(box, (100, 200)) == expected


def test_crop_of_a_colour_picture_is_that_of_a_gray_one():
    assert square_crop(Box(190, 90, 40, 40), (100, 200, 3)) == square_crop(Box(190, 90, 40, 40), (100, 200))


@pytest.mark.parametrize(
    ("box", "rule", "expected"),
    [
        (Box(100, 100, 40, 40), CropRule(scale=1.5), Box(90, 90, 60, 60)),
        (Box(100, 100, 40, 40), CropRule(scale=0.5), Box(110, 110, 20, 20)),
        (Box(100, 100, 20, 40), CropRule(scale=1.5), Box(80, 90, 60, 60)),  # of the longer side
        (Box(100, 100, 40, 40), CropRule(down=0.25), Box(100, 110, 40, 40)),
        (Box(100, 100, 20, 40), CropRule(down=0.25), Box(90, 110, 40, 40)),
        (Box(100, 100, 40, 20), CropRule(down=-0.5), Box(100, 80, 40, 40)),  # of the height
        (Box(100, 100, 40, 40), CropRule(scale=1.5, down=0.1), Box(90, 94, 60, 60)),
        (Box(360, 360, 40, 40), CropRule(scale=1.5, down=0.5), Box(340, 340, 60, 60)),  # moved in all the same
        (Box(100, 100, 300, 300), CropRule(scale=2), Box(0, 0, 400, 400)),
    ],
)
def test_crop_lies_around_a_box_as_the_detectors_rule_says(box, rule, expected):
    assert square_crop(box, (400, 400), rule) == expected
