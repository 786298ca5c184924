import hashlib

import numpy as np
import pytest

from emotion_core.dataset import load_dataset
from emotion_core.images import to_network_input
from emotion_core.sample import draw_sample


@pytest.fixture(scope="module")
def sample():
    return draw_sample()


def test_the_sample_has_the_shape_and_the_imbalance_of_fer2013(sample):
    images, labels = sample
    assert images.dtype == labels.dtype == np.uint8
    assert images.shape == (3_500, 48, 48)
    shares = np.array([3995, 436, 4097, 7215, 4830, 3171, 4965]) / 28_709
    np.testing.assert_allclose(np.bincount(labels) / len(labels), shares, atol=0.0005)


def test_the_first_rows_hold_every_emotion(sample):
    _, labels = sample
    assert len(np.unique(labels[:350])) == 7


def test_faces_are_different_and_none_is_blank(sample):
    images, _ = sample
    assert len({hashlib.sha256(image).digest() for image in images}) == len(images)
    assert images.reshape(len(images), -1).std(axis=1).min() > 5


def test_a_linear_model_learns_something_but_not_all(sample):
    images, labels = sample
    pixels = to_network_input(images).reshape(len(images), -1) - 0.5
    fitted, held_back = pixels[700:], pixels[:700]
    penalty = 100 * np.eye(pixels.shape[1], dtype=np.float32)
    weights = np.linalg.solve(fitted.T @ fitted + penalty, fitted.T @ np.eye(7, dtype=np.float32)[labels[700:]])
    assert 0.55 < np.mean((held_back @ weights).argmax(axis=1) == labels[:700]) < 0.85


def test_the_sample_is_cached_like_a_file_and_says_that_it_is_drawn(sample, tmp_path, monkeypatch):
    """Loading draws a second time, so this also pins that drawing is deterministic."""
    monkeypatch.setenv("EMOTION_CACHE", str(tmp_path))
    dataset = load_dataset("sample")
    assert dataset.is_drawn
    assert dataset.source == "sample"
    np.testing.assert_array_equal(dataset.images, sample[0])
    np.testing.assert_array_equal(dataset.labels, sample[1])
    monkeypatch.setattr("emotion_core.dataset.loading.draw_sample", lambda: pytest.fail("drawn again"))
    assert load_dataset("sample").fingerprint == dataset.fingerprint
