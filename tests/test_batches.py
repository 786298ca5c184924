import numpy as np
import pytest

from emotion_core.config import Augmentation

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def make_batches():
    from emotion_core.batches import FaceBatches

    def make(augmentation=Augmentation(), seed=1, weights=np.ones(7)):  # noqa: B008
        images = np.random.default_rng(0).integers(0, 256, (50, 48, 48), dtype=np.uint8)
        return FaceBatches(images, np.arange(50, dtype=np.uint8) % 7, weights, augmentation, batch_size=16, seed=seed)

    return make


def epoch_of(batches):
    return [batches[index] for index in range(len(batches))]


def test_an_epoch_holds_every_face_once_in_float_from_0_to_1(make_batches):
    faces, labels, weights = (np.concatenate(part) for part in zip(*epoch_of(make_batches()), strict=True))
    assert faces.shape == (50, 48, 48, 1)
    assert faces.dtype == np.float32
    assert 0 <= faces.min() < 0.01 < 0.99 < faces.max() <= 1
    assert len(np.unique(faces.reshape(50, -1), axis=0)) == 50
    assert sorted(labels) == sorted(np.arange(50) % 7)
    assert set(weights) == {1.0}


def test_weights_are_those_of_the_classes(make_batches):
    _, labels, weights = make_batches(weights=np.arange(7) / 10)[0]
    np.testing.assert_allclose(weights, labels / 10)


def test_each_epoch_has_an_order_and_draws_of_its_own(make_batches):
    batches = make_batches()
    first = epoch_of(batches)
    batches.on_epoch_end()
    second = epoch_of(batches)
    assert any((a[1] != b[1]).any() for a, b in zip(first, second, strict=True))


def test_a_batch_follows_from_seed_epoch_and_index_alone(make_batches):
    settings = Augmentation(rotation=20, zoom=0.1)
    forwards, backwards = make_batches(settings), make_batches(settings)
    for batches in (forwards, backwards):
        batches.on_epoch_end()
    wanted = [forwards[index] for index in range(4)]
    got = [backwards[index] for index in reversed(range(4))][::-1]
    for a, b in zip(wanted, got, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    assert (make_batches(settings, seed=2)[0][0] != make_batches(settings)[0][0]).any()
