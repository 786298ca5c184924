"""Training images in batches: shuffled, augmented and weighed, each from the seed, the epoch and its place alone."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.augment import augment
from emotion_core.config import RunConfig, Training
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.images import to_network_input
from emotion_core.teachers import Teachers
from emotion_core.trainers import TrainingData

Inputs = NDArray[np.float32]
Targets = NDArray[np.uint8] | NDArray[np.float32]
Batch = tuple[Inputs, Targets, NDArray[np.float32]]

_BATCHES_AHEAD: Final = 16


def learns_from_shares(training: Training) -> bool:
    """Return whether targets are shares of the emotions, as blended, smoothed or taught ones are, or labels (n,)."""
    return bool(training.mixup or training.label_smoothing or training.teachers)


def as_shares(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return labels (n,) as shares of the emotions, float32 (n, 7), each all of one."""
    return np.eye(NUM_EMOTIONS, dtype=np.float32)[labels]


def beside(taught: NDArray[np.float32], labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is taught (n, 7) and the labels as shares (n, 7) as one array, float32 (n, 14)."""
    return np.hstack([taught, labels])


class FaceBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Passes over the training faces, each drawn anew.

    Every batch follows from (seed, epoch, index), whatever was asked for before it, so that a run that is resumed
    sees what it would have seen.

    Args:
        data: The faces that train, their labels, and the weight of each class in the loss.
        config: Augmentation, batch size, seed, label smoothing and mixup.
        epoch: The pass to begin with, counted from 0. `fit` calls `on_epoch_end` before it begins, so it starts with
            the pass after this one.
        side: That of the images handed out, in pixels.
        teachers: Who answers beside the labels. Targets are then (n, 14): what is taught, and the labels themselves.
        threads: How many make batches ahead; with one, each is made when it is asked for.
    """

    # NOTE: Keras's own workers are not used. Where `fit` looks at a first batch before it begins, as it does on JAX and
    # torch, they would hand out what they had made of the pass before, in that epoch and in every later one.

    def __init__(
        self,
        data: TrainingData,
        config: RunConfig,
        *,
        epoch: int = 0,
        side: int = IMAGE_SIZE,
        teachers: Teachers | None = None,
        threads: int = 1,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._images = data.faces
        self._labels = data.labels
        self._weights = data.class_weights.astype(np.float32)[data.labels]
        self._augmentation = config.augmentation
        self._training = config.training
        self._side = side
        self._teachers = teachers
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._ahead: dict[int, Future[Batch]] = {}
        self._begin(epoch)

    def __len__(self) -> int:
        return -(-len(self._labels) // self._training.batch_size)

    def __getitem__(self, index: int) -> Batch:
        if self._pool is None:
            return self._make(self._epoch, self._order, index)
        for place in range(index, min(index + _BATCHES_AHEAD, len(self))):
            if place not in self._ahead:
                self._ahead[place] = self._pool.submit(self._make, self._epoch, self._order, place)
        return self._ahead.pop(index).result()

    def _make(self, epoch: int, order: NDArray[np.int64], index: int) -> Batch:
        size = self._training.batch_size
        rows = order[index * size : (index + 1) * size]
        weights = self._weights[rows]
        rng = np.random.default_rng([self._training.seed, epoch, index])
        images = augment(self._images[rows], self._augmentation, rng)
        inputs = _resize(to_network_input(images), self._side)
        if not learns_from_shares(self._training):
            return inputs, self._labels[rows], weights
        smoothing, labels = np.float32(self._training.label_smoothing), as_shares(self._labels[rows])
        targets = labels * (1 - smoothing) + smoothing / NUM_EMOTIONS
        if self._teachers:
            targets = beside(self._teachers.teach(images, targets, turn=epoch + index), labels)
        if self._training.mixup:
            return _mix(inputs, targets, weights, self._training.mixup, rng)
        return inputs, targets, weights

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch; Keras calls this."""
        self._begin(self._epoch + 1)

    def _begin(self, epoch: int) -> None:
        for batch in self._ahead.values():
            batch.cancel()
        self._ahead.clear()
        self._epoch = epoch
        self._order = np.random.default_rng([self._training.seed, epoch]).permutation(len(self._labels))


def _mix(
    inputs: Inputs,
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    concentration: float,
    rng: np.random.Generator,
) -> Batch:
    """Blend each face with another of the batch (mixup), by one share for the batch.

    The loss of a blend is that of its two faces, each with the weight of its own class: what is learnt is therefore
    blended by share and weight, and the labels beside what is taught, which are only counted, by share.
    """
    share = np.float32(rng.beta(concentration, concentration))
    partners = rng.permutation(len(inputs))

    def blend(part: NDArray[np.float32]) -> NDArray[np.float32]:
        return share * part + (1 - share) * part[partners]

    blended, weighed = blend(targets), blend(weights)
    blended[:, :NUM_EMOTIONS] = blend(targets[:, :NUM_EMOTIONS] * weights[:, np.newaxis]) / weighed[:, np.newaxis]
    return blend(inputs), blended, weighed


def _resize(inputs: Inputs, side: int) -> Inputs:
    """Return images float32 (n, 48, 48, 1) at another side, averaged over areas."""
    if side == IMAGE_SIZE:
        return inputs
    resized = np.empty((len(inputs), side, side, 1), np.float32)
    for source, target in zip(inputs, resized, strict=True):
        cv2.resize(source, (side, side), dst=target, interpolation=cv2.INTER_AREA)
    return resized
