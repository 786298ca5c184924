"""Names of points in a scatter."""

from ui.label_places import Point, place_labels


def test_a_lonely_point_has_its_name_to_the_right():
    assert place_labels([Point(0.5, 0.5, "name")]) == ["middle right"]


def test_a_name_does_not_leave_the_figure():
    assert place_labels([Point(1.0, 0.5, "name")]) == ["middle left"]
    assert place_labels([Point(0.0, 0.5, "name")]) == ["middle right"]


def test_a_name_avoids_the_point_beside_it():
    left, right = place_labels([Point(0.50, 0.5, "left"), Point(0.53, 0.5, "right")])
    assert left == "middle left"
    assert right == "middle right"


def test_points_on_top_of_each_other_name_no_more_than_there_is_room_for():
    places = place_labels([Point(0.5, 0.5, "a long name indeed")] * 8)
    assert places == ["middle right", "middle left", "top center", "bottom center", None, None, None, None]
