"""The gallery of a data set's faces, of which one can be looked at large."""

import pytest
from streamlit.testing.v1 import AppTest


@pytest.mark.usefixtures("runs_folder")
def test_brightness_and_contrast_of_a_face_are_each_told_with_their_highest():
    def page() -> None:
        import numpy as np

        from emotion_core.dataset import Dataset
        from ui.face_gallery import enlarge

        face = np.zeros((48, 48), np.uint8)
        face[:12] = 255
        enlarge(Dataset("faces.csv", "/faces.csv", face[np.newaxis], None, np.array(["7"]), None, (), "0123"), 0)

    opened = AppTest.from_function(page, default_timeout=30).run()
    assert not opened.exception
    assert opened.caption[0].value == "id 7 · brightness 64 of 255 · contrast 110 of 128"
