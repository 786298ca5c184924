import numpy as np
from face_files import pixel_text
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emotion_core.readers.pixel_text import find_fault, parse_pixels

FACES = arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(48), st.just(48)))


@settings(max_examples=50)
@given(FACES, st.sampled_from([" ", "  ", "\t", " \t "]))
def test_any_faces_come_back_as_they_were_written(images, separator):
    texts = [pixel_text(image, separator).encode() for image in images]
    np.testing.assert_array_equal(parse_pixels(texts), images)
    assert [find_fault(text) for text in texts] == [None] * len(texts)


def test_every_number_of_up_to_three_digits_is_read_or_refused():
    for number in range(1_000):
        for written in {str(number), f"{number:02}", f"{number:03}"}:
            text = f"{written} 0 {written} 10 {'255 ' * 2299}{written}".encode()
            parsed = parse_pixels([text])
            if number > 255:
                assert parsed is None
                assert find_fault(text).startswith(f"has '{written}' as pixel 1;")
            else:
                assert parsed[0, 0, :4].tolist() == [number, 0, number, 10]
                assert parsed[0, -1, -1] == number


@settings(max_examples=200)
@given(st.integers(0, 2303), st.one_of(st.text(max_size=6), st.integers(-300, 2000).map(str)))
def test_arithmetic_on_bytes_and_the_plain_reading_agree(place, value):
    """Whatever stands in a pixel's place, the fast reader takes it exactly when the slow one finds no fault."""
    numbers = ["7"] * 2304
    numbers[place] = value
    text = " ".join(numbers).encode(errors="replace")
    assert (parse_pixels([text]) is None) == (find_fault(text) is not None)


def test_faces_do_not_run_into_each_other():
    short, long = " ".join(["1"] * 2303).encode(), " ".join(["1"] * 2305).encode()
    assert parse_pixels([short, long]) is None
