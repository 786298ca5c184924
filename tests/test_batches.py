import numpy as np
import pytest

from emotion_core.config import Augmentation, DenseModel, RunConfig, Training
from emotion_core.trainers import TrainingData

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def make_batches():
    from emotion_core.batches import FaceBatches

    def make(augmentation=Augmentation(), seed=1, weights=np.ones(7), side=48, taught_by=None, threads=1, **training):  # noqa: B008
        images = np.random.default_rng(0).integers(0, 256, (50, 48, 48), dtype=np.uint8)
        settings = Training(batch_size=16, seed=seed, teachers=("a run",) if taught_by else (), **training)
        config = RunConfig(model=DenseModel(), augmentation=augmentation, training=settings)
        labels = np.arange(50, dtype=np.uint8) % 7
        data = TrainingData(images, labels, images, labels, np.arange(50), weights)
        return FaceBatches(data, config, side=side, teachers=taught_by, threads=threads)

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


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_threads_that_make_batches_ahead_change_none_and_leave_none_to_the_next_epoch(make_batches, taken):
    settings = Augmentation(rotation=20)
    alone, ahead = make_batches(settings), make_batches(settings, threads=4)
    assert ahead.workers == 1  # Keras's own would hand out batches of the pass before
    for batches in (alone, ahead):
        for index in range(taken):  # `fit` looks at the first batch before it begins
            batches[index]
        batches.on_epoch_end()
    for one, other in zip([*epoch_of(alone)], [*epoch_of(ahead)], strict=True):
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, same)


# --- what else a batch may be made of -----------------------------------------------------------------------------


def test_smoothed_labels_give_a_share_to_every_emotion(make_batches):
    _, labels, _ = make_batches()[0]
    _, targets, _ = make_batches(label_smoothing=0.21)[0]
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets, np.where(np.eye(7)[labels], 0.79 + 0.03, 0.03), rtol=1e-5)


def test_mixup_blends_faces_targets_and_weights_by_one_share(make_batches):
    weights = np.arange(1, 8) / 7
    faces, labels, _ = make_batches(weights=weights)[0]
    mixed, targets, mixed_weights = make_batches(weights=weights, mixup=1.0)[0]
    assert mixed.dtype == targets.dtype == mixed_weights.dtype == np.float32
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
    # A loss is linear in the targets: what each face's own label counts is its share times the weight of its class.
    counts = targets * mixed_weights[:, np.newaxis] / weights
    np.testing.assert_allclose(counts.sum(axis=1), 1, rtol=1e-5)
    shares = counts[np.arange(16), labels]  # of the face's own label: the share, or 1 where the partner has it too
    share = np.unique(shares.round(5)).min()
    assert 0 < share < 1
    partner = next(row for row in range(16) if shares[row] < 0.9999)
    candidates = [share * faces[partner] + (1 - share) * other for other in faces]
    assert min(np.abs(mixed[partner] - candidate).max() for candidate in candidates) < 1e-4


def test_mixed_batches_follow_from_their_seed_too(make_batches):
    first, again, other = (make_batches(mixup=0.4, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != other[1]).any()


def test_smaller_images_are_averages_over_areas(make_batches):
    faces, _, _ = make_batches()[0]
    smaller, _, _ = make_batches(side=24)[0]
    assert smaller.shape == (16, 24, 24, 1)
    np.testing.assert_allclose(smaller, faces.reshape(16, 24, 2, 24, 2, 1).mean(axis=(2, 4)), atol=1e-6)


# --- teachers -----------------------------------------------------------------------------------------------------


class Recorded:
    """Notes the faces that it is asked about and the turns, and teaches nothing but Surprise."""

    def __init__(self):
        self.asked = []

    def teach(self, images, targets, turn):
        self.asked.append((images, targets, turn))
        return np.eye(7, dtype=np.float32)[[5] * len(images)]


def test_teachers_see_the_very_faces_that_are_learnt_from_at_full_size(make_batches):
    teachers = Recorded()
    batches = make_batches(Augmentation(rotation=20, erasing=0.3), side=24, taught_by=teachers)
    inputs, targets, _ = batches[2]
    ((images, smoothed, turn),) = teachers.asked
    assert turn == 2
    np.testing.assert_allclose(inputs, images.reshape(-1, 24, 2, 24, 2, 1).mean(axis=(2, 4)) / 255, atol=1e-5)
    assert (targets[:, :7].argmax(axis=1) == 5).all()
    np.testing.assert_array_equal(targets[:, 7:], smoothed)


def test_taught_targets_are_beside_the_labels_also_where_those_are_smoothed_or_mixed(make_batches):
    teachers = Recorded()
    _, labels, _ = make_batches()[0]
    _, targets, _ = make_batches(taught_by=teachers, label_smoothing=0.07)[0]
    assert targets.dtype == np.float32
    np.testing.assert_allclose(teachers.asked[0][1], np.where(np.eye(7)[labels], 0.94, 0.01), rtol=1e-5)
    np.testing.assert_array_equal(targets[:, 7:], np.eye(7)[labels])
    _, mixed, _ = make_batches(taught_by=teachers, mixup=1.0)[0]
    np.testing.assert_allclose(mixed.reshape(16, 2, 7).sum(axis=2), 1, rtol=1e-5)
    assert (mixed[:, 7:].max(axis=1) < 0.999).any()


def test_turns_go_on_from_epoch_to_epoch(make_batches):
    teachers = Recorded()
    batches = make_batches(taught_by=teachers)
    batches.on_epoch_end()
    epoch_of(batches)
    assert [turn for _, _, turn in teachers.asked] == [1, 2, 3, 4]
