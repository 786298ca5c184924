"""Training images in batches: shuffled, augmented and weighed, each from the seed, the epoch and its place alone."""

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_core.augment import augment
from emotion_core.config import Augmentation
from emotion_core.images import to_network_input

Batch = tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]


class FaceBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """One pass over the training faces, drawn anew each epoch.

    Every batch follows from (seed, epoch, index), whatever was asked for before it, so that a run that is resumed
    sees what it would have seen.

    Args:
        images: uint8 (n, 48, 48).
        labels: uint8 (n,).
        weights: float (7,), the weight of each class in the loss.
        epoch: The pass to begin with, counted from 0.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        weights: NDArray[np.float64],
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
        epoch: int = 0,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=16)
        self._images = images
        self._labels = labels
        self._weights = weights.astype(np.float32)[labels]
        self._augmentation = augmentation
        self._batch_size = batch_size
        self._seed = seed
        self._begin(epoch)

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch_size)

    def __getitem__(self, index: int) -> Batch:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        rng = np.random.default_rng([self._seed, self._epoch, index])
        faces = augment(self._images[rows], self._augmentation, rng)
        return to_network_input(faces), self._labels[rows], self._weights[rows]

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch; Keras calls this."""
        self._begin(self._epoch + 1)

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._order = np.random.default_rng([self._seed, epoch]).permutation(len(self._labels))
