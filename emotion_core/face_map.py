"""A map of faces: each is a point in the plane, and points that lie close are faces that are alike.

Alike in their pixels, or in what a network makes of them just before its last layer, where it has left out all that
does not matter for emotions. Both are laid out by t-SNE (van der Maaten and Hinton, "Visualizing Data using t-SNE",
JMLR 2008), which keeps neighbours together; axes and distances between far points mean nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Progress, in_batches
from emotion_core.config import Split
from emotion_core.dataset import Dataset, split_rows
from emotion_core.emotions import IMAGE_SIZE, NUM_EMOTIONS
from emotion_core.errors import BadInput, ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.onnx_network import OnnxNetwork, cut_off

MOST_FACES: Final = 1_500
"""Faces on a map: what a network looks through, and t-SNE lays out, in a few seconds each on one core."""

LEAST_FACES: Final = 20
"""Fewer have no neighbourhoods."""

NEIGHBOURS: Final = 10
"""Faces around each whose labels are compared with its own."""

_COMPONENTS: Final = 20
"""Dimensions that t-SNE begins with; more take longer and make no better map."""

_STEPS: Final = 500
_PERPLEXITY: Final = 30.0


@dataclass(frozen=True, eq=False)
class FaceMap:
    """Faces of a data set in the plane.

    Attributes:
        rows: int64 (n,), their row numbers, ascending.
        points: float32 (n, 2), from -1 to 1.
        neighbours: int64 (n, NEIGHBOURS), for each face the places in `rows` of those closest to it, nearest first.
    """

    rows: NDArray[np.int64]
    points: NDArray[np.float32]
    neighbours: NDArray[np.int64]

    def agreement(self, labels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return which share of each face's neighbours has its label, float64 (n,), 0-1.

        Args:
            labels: uint8 (n,), those of the faces on the map.
        """
        return np.asarray((labels[self.neighbours] == labels[:, np.newaxis]).mean(axis=1), dtype=np.float64)


def agreement_by_chance(labels: NDArray[np.uint8]) -> float:
    """Return which share of the other faces has a face's label, on average over faces: what a shuffled map gives.

    Args:
        labels: uint8 (n,), those of the faces on the map.
    """
    counts = np.bincount(labels, minlength=NUM_EMOTIONS)
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))


def rows_to_map(dataset: Dataset, split: Split, seed: int) -> NDArray[np.int64]:
    """Choose up to MOST_FACES validation rows, as many of each emotion where there are enough: int64 (n,), ascending.

    So a network shows what it makes of faces that it did not learn from, and a rare emotion is not lost among others.
    Unlabelled faces, and those of a set that cannot be split so, no network learnt from: all of them may be chosen.

    Raises:
        BadInput: There are fewer than LEAST_FACES.
    """
    mixed = np.random.default_rng(0).permutation(_candidates(dataset, split, seed))
    if dataset.labels is not None:
        labels, most = dataset.labels[mixed], MOST_FACES // NUM_EMOTIONS
        mixed = np.concatenate([mixed[labels == label][:most] for label in range(NUM_EMOTIONS)])
    if len(mixed) < LEAST_FACES:
        raise BadInput(
            f"A map needs at least {LEAST_FACES} faces, of those for validation where there are any; "
            f"{dataset.name} has {len(mixed)}."
        )
    return np.sort(mixed[:MOST_FACES])


def pixels_of(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the pixels of faces (n, 48, 48) as features, float32 (n, 2304), 0-1."""
    return to_network_input(images).reshape(len(images), IMAGE_SIZE**2)


class FeatureReader:
    """What a network makes of a face just before its last layer, from its model.onnx; the face as it is, not mirrored.

    Raises ModelUnavailable where the file holds no network that ends in a layer of weights.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._network = OnnxNetwork(cut_off(path, _into_the_last_layer))
        except Exception as error:  # onnx and the runtime raise types of their own, derived from nothing narrower
            raise ModelUnavailable(f"{path} cannot be read as a network with a last layer.") from error
        if len(self._network.shape) != 2:
            raise ModelUnavailable(
                f"{path} has features {self._network.shape} for one face; (1, any number) was expected."
            )

    def features(self, images: NDArray[np.uint8], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return the features of faces (uint8 (n, 48, 48), 0-255), n at least 1: float32 (n, features)."""
        return in_batches(images, self._network, progress)


def draw_map(rows: NDArray[np.int64], features: NDArray[np.float32]) -> FaceMap:
    """Lay faces out by their features, the same way each time.

    Args:
        rows: int64 (n,), row numbers, n at least LEAST_FACES.
        features: float32 (n, features).
    """
    from sklearn.manifold import TSNE  # slow to import
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    components = _principal_components(features)
    # Threads that wait for each other at every step would take ten times as long where training holds the cores.
    with threadpool_limits(1, user_api="openmp"):
        points = TSNE(
            init=1e-4 * components[:, :2],
            perplexity=min(_PERPLEXITY, (len(rows) - 1) / 3),
            max_iter=_STEPS,
            random_state=0,
        ).fit_transform(components)
    return FaceMap(rows, _fitted(points), _neighbours(points))


def _candidates(dataset: Dataset, split: Split, seed: int) -> NDArray[np.int64]:
    if dataset.labels is None:
        return np.arange(len(dataset))
    try:
        return split_rows(dataset, split, seed).validation
    except BadInput:
        return np.arange(len(dataset))


def _into_the_last_layer(nodes: Sequence[Any]) -> str:
    """Return the name of what enters a network's last layer of weights."""
    return str(next(node.input[0] for node in reversed(nodes) if node.op_type in ("MatMul", "Gemm")))


def _principal_components(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the components of largest variance, float32 (n, 2 to _COMPONENTS); the first has standard deviation 1."""
    from sklearn.utils.extmath import randomized_svd  # slow to import

    centred = features - features.mean(axis=0)
    scores, sizes, _ = randomized_svd(centred, min(_COMPONENTS, *features.shape), random_state=0)
    components = scores * sizes  # (n, components)
    components = np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))  # a last layer of one unit
    deviation = components[:, 0].std()
    return np.asarray(components / deviation if deviation else components, dtype=np.float32)


def _fitted(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return points with both axes stretched from -1 to 1."""
    lowest, highest = points.min(axis=0), points.max(axis=0)
    return np.asarray(2 * (points - lowest) / np.maximum(highest - lowest, 1e-12) - 1, dtype=np.float32)


def _neighbours(points: NDArray[np.float32]) -> NDArray[np.int64]:
    distances = ((points[:, np.newaxis] - points) ** 2).sum(axis=2)  # (n, n)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
