"""A data set: faces with what is known of each."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import SAMPLE
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.readers.blocks import Problem


@dataclass(frozen=True, eq=False)
class Dataset:
    """Faces with what is known of each, in the order of their file.

    Attributes:
        name: What a person knows it by: the file's name.
        source: What `load_dataset` was given, as a full path, or 'sample'.
        images: uint8 (n, 48, 48), 0-255, mapped into memory and read-only.
        labels: uint8 (n,), 0-6, or None where the file has none.
        ids: Text (n,), as in the file.
        usage: Text (n,), 'Training', 'PublicTest' or 'PrivateTest', another word where the file has one that stands
            for none of them, or None where it has no such column.
        problems: Rows that were left out because they have no pixels.
        fingerprint: Digest of images, labels and usage: equal for equal content, wherever it lies.
    """

    name: str
    source: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    ids: NDArray[np.str_]
    usage: NDArray[np.str_] | None
    problems: tuple[Problem, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.images)

    @property
    def is_drawn(self) -> bool:
        """Whether the faces are the sample's, drawn by code."""
        return self.source == SAMPLE

    def counts(self) -> dict[str, int]:
        """Return the number of images of each emotion, all 0 without labels."""
        labels = np.empty(0, np.uint8) if self.labels is None else self.labels
        return dict(zip(EMOTIONS, np.bincount(labels, minlength=NUM_EMOTIONS).tolist(), strict=True))

    def imbalance_ratio(self) -> float | None:
        """Return how many images the commonest emotion has for each of the rarest; None where one has none."""
        counts = self.counts().values()
        return max(counts) / min(counts) if min(counts) else None

    def summary(self) -> dict[str, Any]:
        """Return what the command line tells of a data set, ready for JSON."""
        return {
            "name": self.name,
            "images": len(self),
            "labelled": self.labels is not None,
            "drawn": self.is_drawn,
            "counts": self.counts(),
            "imbalance_ratio": self.imbalance_ratio(),
            "usage": None if self.usage is None else dict(Counter(self.usage.tolist())),
            "problems": [asdict(problem) for problem in self.problems],
            "fingerprint": self.fingerprint,
        }
