"""Charts: plain data in, HTML or a figure out."""

import re

import pytest

from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from ui import charts

COUNTS = dict(zip(EMOTIONS, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True))
NOTHING = dict.fromkeys(EMOTIONS, 0)


def widths(html: str) -> list[float]:
    """The share of each part of a bar in the longest bar."""
    return [float(width) for width in re.findall(r"width:calc\(([\d.]+) \*", html)]


def test_counts_are_labelled_with_number_and_share():
    html = charts.class_counts({"Training": COUNTS})
    assert "7,215" in html
    assert "25.1%" in html
    assert "1.5%" in html


def test_every_emotion_has_its_own_colour():
    html = charts.class_counts({"Training": COUNTS})
    for name in EMOTIONS:
        assert f'title="{name}, Training: {COUNTS[name]:,}"' in html
        assert EMOTION_COLOURS[name] in html


def test_a_bar_of_shares_has_percentages_where_there_is_room_and_names_in_the_hover():
    html = charts.shares("Faces", {"Happy": 0.98, "Disgust": 0.02})
    assert 'title="Disgust: 2.0%"' in html
    assert ">98%<" in html
    assert ">2%<" not in html
    assert 'aria-label="Faces: Happy 98.0%, Disgust 2.0%"' in html


def test_a_bar_covers_its_share_of_the_track_in_its_colour():
    track, bar = re.findall('style="([^"]+)"', charts.bar_on_track(0.25, "#123456", "14px"))
    assert f"height:14px;border-radius:4px;background:{charts.TRACK}" in track
    assert bar.startswith("width:25.0%")
    assert bar.endswith("background:#123456")


def test_bars_are_as_long_as_their_counts():
    lengths = widths(charts.class_counts({"Training": COUNTS}))
    assert lengths[1] / lengths[3] == pytest.approx(436 / 7215, rel=0.01)
    assert max(lengths) == 1


def test_parts_of_a_bar_lie_side_by_side_and_grow_fainter():
    html = charts.class_counts({"Training": COUNTS, "Validation": COUNTS})
    training, validation = widths(html)[:2]
    assert training == validation
    assert re.findall(r"opacity:([\d.]+)", html)[:2] == ["1.000", "0.450"]
    assert f"{2 * 7215:,}" in html


def test_counts_of_nothing_are_bars_of_no_length():
    assert set(widths(charts.class_counts({"Training": NOTHING}))) == {0.0}


def test_weights_are_written_with_two_decimals():
    html = charts.class_weights(dict.fromkeys(EMOTIONS, 1.0) | {"Disgust": 9.4069}, 18.8138)
    assert "<b>9.41</b>" in html
    assert html.count("<b>1.00</b>") == 6
    assert max(widths(html)) == pytest.approx(0.5)  # the longest is that of twice the weight, under another policy


def test_confusion_cells_are_shares_of_the_true_class_with_counts_in_the_hover():
    confusion = [[0] * 7 for _ in EMOTIONS]
    confusion[3] = [0, 0, 10, 30, 0, 0, 0]
    html = charts.confusion_matrix(confusion)
    assert "True Happy, predicted Happy: 30 faces, 75.0%" in html
    assert "True Happy, predicted Fear: 10 faces, 25.0%" in html
    assert "predicted Fear: 1 face, 100.0%" in charts.confusion_matrix([[0, 0, 1, 0, 0, 0, 0], *[[0] * 7] * 6])
    assert html.count("<td") == 49


def test_a_head_of_the_confusion_matrix_keeps_its_beginning_where_the_page_is_narrow():
    html = charts.confusion_matrix([[0] * 7 for _ in EMOTIONS])
    for name in EMOTIONS:
        assert re.search(rf'title="{name}"[^>]*>{name[:3]}<span class="matrix-rest">{name[3:]}</span>', html)


def test_a_fuller_cell_is_a_darker_cell():
    confusion = [[0] * 7 for _ in EMOTIONS]
    confusion[0] = [3, 1, 0, 0, 0, 0, 0]
    shades = [float(shade) for shade in re.findall(r"230,([\d.]+)\)", charts.confusion_matrix(confusion))]
    assert shades[0] > shades[1] > shades[2] > 0
