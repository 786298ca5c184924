"""Training images in batches: shuffled, augmented and weighed, each from the seed, the epoch and its place alone."""

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.augment import augment
from emotion_core.config import Augmentation, Training
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.images import to_network_input
from emotion_core.teachers import Teachers

Inputs = NDArray[np.float32]
Targets = NDArray[np.uint8] | NDArray[np.float32]
Batch = tuple[Inputs, Targets, NDArray[np.float32]]


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
        images: uint8 (n, 48, 48).
        labels: uint8 (n,).
        weights: float (7,), the weight of each class in the loss.
        training: Batch size, seed, label smoothing and mixup.
        epoch: The pass to begin with, counted from 0.
        side: That of the images handed out, in pixels.
        teachers: Who answers beside the labels. Targets are then (n, 14): what is taught, and the labels themselves.
        threads: How many make batches ahead; with one, each is made when it is asked for.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        weights: NDArray[np.float64],
        augmentation: Augmentation,
        training: Training,
        epoch: int = 0,
        side: int = IMAGE_SIZE,
        teachers: Teachers | None = None,
        threads: int = 1,
    ) -> None:
        super().__init__(workers=threads, use_multiprocessing=False, max_queue_size=16)
        self._images = images
        self._labels = labels
        self._weights = weights.astype(np.float32)[labels]
        self._augmentation = augmentation
        self._training = training
        self._side = side
        self._teachers = teachers
        self._begin(epoch)

    def __len__(self) -> int:
        return -(-len(self._labels) // self._training.batch_size)

    def __getitem__(self, index: int) -> Batch:
        size = self._training.batch_size
        rows = self._order[index * size : (index + 1) * size]
        rng = np.random.default_rng([self._training.seed, self._epoch, index])
        images = augment(self._images[rows], self._augmentation, rng)
        inputs = _resize(to_network_input(images), self._side)
        if not learns_from_shares(self._training):
            return inputs, self._labels[rows], self._weights[rows]
        smoothing, labels = np.float32(self._training.label_smoothing), as_shares(self._labels[rows])
        targets = labels * (1 - smoothing) + smoothing / NUM_EMOTIONS
        if self._teachers:
            targets = beside(self._teachers.teach(images, targets, turn=self._epoch + index), labels)
        batch = inputs, targets, self._weights[rows]
        return _mix(batch, self._training.mixup, rng) if self._training.mixup else batch

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch; Keras calls this."""
        self._begin(self._epoch + 1)

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._order = np.random.default_rng([self._training.seed, epoch]).permutation(len(self._labels))


def _mix(batch: Batch, concentration: float, rng: np.random.Generator) -> Batch:
    """Blend each face, target and weight with those of another of the batch (mixup), by one share for the batch."""
    share = np.float32(rng.beta(concentration, concentration))
    partners = rng.permutation(len(batch[0]))
    inputs, targets, weights = (share * part + (1 - share) * part[partners] for part in batch)
    return inputs, targets, weights


def _resize(inputs: Inputs, side: int) -> Inputs:
    """Return images float32 (n, 48, 48, 1) at another side, averaged over areas."""
    if side == IMAGE_SIZE:
        return inputs
    resized = np.empty((len(inputs), side, side, 1), np.float32)
    for source, target in zip(inputs, resized, strict=True):
        cv2.resize(source, (side, side), dst=target, interpolation=cv2.INTER_AREA)
    return resized
