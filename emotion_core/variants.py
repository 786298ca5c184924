"""One face and its variants, looked into: each transform alone, what is drawn for it, what a model makes of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emotion_core.augment import draw_changes
from emotion_core.config import Augmentation
from emotion_core.emotions import EMOTIONS, IMAGE_SIZE, NUM_EMOTIONS

if TYPE_CHECKING:
    from emotion_core.classifier import Classifier


def each_alone(settings: Augmentation) -> dict[str, Augmentation]:
    """Return, by the field of each transform that is on, settings in which it alone is on, as far as it is here."""
    return {name: Augmentation(**{name: extent}) for name, extent in settings.model_dump().items() if extent}


def drawn_by(settings: Augmentation, count: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Return what training draws for each transform that is on, in the terms of someone who looks at the faces.

    `augment` with a generator in the same state changes the images by these very numbers.

    Returns:
        By field, float64 (count, 1), for zoom (count, 2): degrees clockwise; pixels to the right and pixels down;
        factors across and down, below 1 for a larger face; factors of light; pixels of blur; quality of the JPEG, 0-1;
        share of the area that is covered, 0 for none; 1 for a mirrored face, else 0.
    """
    changes = draw_changes(settings, count, rng)
    moves = changes.transforms
    columns: dict[str, tuple[NDArray[Any] | None, ...]] = {
        "rotation": (moves.angles,),
        "width_shift": (-moves.column_shifts,),  # a shift says where the result is read, so the face goes the other way
        "height_shift": (-moves.row_shifts,),
        "zoom": (moves.column_zooms, moves.row_zooms),
        "brightness": (changes.lights,),
        "blur": (changes.blurs,),
        "compression": (changes.qualities,),
        "erasing": (None if changes.erasures is None else changes.erasures.shares,),
        "horizontal_flip": (moves.flips,),
    }
    numbers = {name: [np.asarray(part, np.float64) for part in columns[name]] for name in each_alone(settings)}
    return {name: np.stack(parts, axis=1) for name, parts in numbers.items()}


def reach(name: str) -> tuple[float, float]:
    """Return the smallest and the largest number that `drawn_by` may give for a field, however far it is set."""
    most = next((limit.le for limit in Augmentation.model_fields[name].metadata if hasattr(limit, "le")), 1.0)
    match name:
        case "rotation":
            return -most, most
        case "width_shift" | "height_shift":
            return -most * IMAGE_SIZE, most * IMAGE_SIZE
        case "zoom" | "brightness":
            return 1 - most, 1 + most
        case "compression":
            return 1 - most, 1.0
        case _:
            return 0.0, most


# --- pixels --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PixelSummary:
    """The values of a picture's pixels: lowest, highest, mean and standard deviation, and how many lie in each bin."""

    lowest: float
    highest: float
    mean: float
    deviation: float
    counts: NDArray[np.int64]


def summarise_pixels(pixels: NDArray[Any], white: float, bins: int = 32) -> PixelSummary:
    """Describe the values of pixels, of which none is below 0 or above `white`, in so many bins of equal width."""
    counts, _ = np.histogram(pixels, bins, (0, white))
    return PixelSummary(
        float(pixels.min()), float(pixels.max()), float(pixels.mean()), float(pixels.std()), counts.astype(np.int64)
    )


# --- what a model says ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Effect:
    """What a model makes of a face and of variants of it.

    Attributes:
        original: Probability of each emotion for the face itself, float32 (7,).
        variants: The same for each variant, float32 (n, 7).
    """

    original: NDArray[np.float32]
    variants: NDArray[np.float32]

    @property
    def answer(self) -> str:
        """The most probable emotion of the face itself."""
        return EMOTIONS[int(self.original.argmax())]

    @property
    def kept(self) -> int:
        """Number of variants that get the same answer."""
        return len(self.variants) - len(self.changed)

    @property
    def changed(self) -> NDArray[np.int64]:
        """Numbers of the variants that get another answer, int64 (k,), the surest first."""
        others = np.flatnonzero(self.variants.argmax(axis=1) != self.original.argmax())
        return others[np.argsort(-self.variants[others].max(axis=1), kind="stable")]

    @property
    def becomes(self) -> dict[str, int]:
        """How many variants get each other answer, the commonest first."""
        counts = np.bincount(self.variants[self.changed].argmax(axis=1), minlength=NUM_EMOTIONS)
        return {EMOTIONS[label]: int(counts[label]) for label in np.argsort(-counts, kind="stable") if counts[label]}


def ask_about(classifier: "Classifier", face: NDArray[np.uint8], variants: NDArray[np.uint8]) -> Effect:
    """Classify a face, uint8 (48, 48), and variants of it, uint8 (n, 48, 48), in one go."""
    probabilities = classifier.probabilities(np.concatenate([face[np.newaxis], variants]))  # (1 + n, 7)
    return Effect(probabilities[0], probabilities[1:])
