"""Numbers of things, in words."""

import pytest

from emotion_core.units import counted


@pytest.mark.parametrize(("number", "words"), [(0, "0 faces"), (1, "1 face"), (2, "2 faces"), (28_709, "28,709 faces")])
def test_one_of_a_thing_is_not_said_to_be_several(number: int, words: str) -> None:
    assert counted(number, "face") == words
