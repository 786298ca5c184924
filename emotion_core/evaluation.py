"""How well a model did: scores from true labels and probabilities."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.intervals import macro_f1_interval, wilson_interval

Labels = NDArray[np.integer[Any]]
Probabilities = NDArray[np.floating[Any]]

Count = Annotated[int, Field(ge=0, le=2**53)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Seconds = Annotated[FiniteFloat, Field(ge=0, le=3_200_000_000)]
"""Up to a hundred years."""
Speed = Annotated[FiniteFloat, Field(ge=0, le=1e9)]
"""Images per second."""
LEAST_TEMPERATURE, MOST_TEMPERATURE = 1e-12, 1e12
ByEmotion = Field(min_length=NUM_EMOTIONS, max_length=NUM_EMOTIONS)


class ClassScores(BaseModel):
    """One emotion's scores, each from 0 to 1, and the number of true faces they rest on."""

    model_config = ConfigDict(frozen=True)

    precision: Share
    recall: Share
    f1: Share
    support: Count


class Evaluation(BaseModel):
    """Scores on a labelled set. `confusion[true][predicted]` counts images; classes without images score 0."""

    model_config = ConfigDict(frozen=True)

    images: Annotated[Count, Field(ge=1)]
    accuracy: Share
    macro_f1: Share
    loss: Annotated[FiniteFloat, Field(ge=0, le=1e6)]
    per_class: dict[str, ClassScores]
    confusion: Annotated[list[Annotated[list[Count], ByEmotion]], ByEmotion]

    @model_validator(mode="after")
    def _every_emotion_has_scores(self) -> Self:
        if tuple(self.per_class) != EMOTIONS:
            raise ValueError(f"scores are of {', '.join(EMOTIONS)}, in this order")
        return self

    def by_emotion(self, score: Literal["precision", "recall", "f1"]) -> list[float | None]:
        """Return a score of each emotion, 0-1.

        An emotion without faces has no scores, and one that was never predicted no precision: these are None.
        """
        answers = map(sum, zip(*self.confusion, strict=True))
        return [
            getattr(each, score) if each.support and (predicted or score != "precision") else None
            for each, predicted in zip(self.per_class.values(), answers, strict=True)
        ]

    def accuracy_interval(self) -> tuple[float, float]:
        """Return between which shares, 0-1, the accuracy on all such faces lies, with 95 % confidence."""
        return wilson_interval(self.accuracy, self.images)

    def macro_f1_interval(self) -> tuple[float, float]:
        """Return between which values, 0-1, the macro-F1 on all such faces lies, with 95 % confidence."""
        return macro_f1_interval(self.confusion)


class HeldOutEvaluation(Evaluation):
    """Scores on faces that had no part in training or in choosing the epoch, and the name of their file."""

    data: str = Field(max_length=255)  # the longest name that common file systems know


class RunEvaluation(Evaluation):
    """A run's scores on its validation rows, with what it took to get them, and those on test faces if measured.

    `temperature` is what the network's probabilities were calibrated by on these rows, 1 where they were not.
    """

    best_epoch: Count
    training_accuracy: Share
    parameters: Count
    seconds: Seconds
    images_per_second: Speed
    temperature: Annotated[FiniteFloat, Field(ge=LEAST_TEMPERATURE, le=MOST_TEMPERATURE)] = 1.0
    test: HeldOutEvaluation | None = None


def evaluate(labels: Labels, probabilities: Probabilities) -> Evaluation:
    """Score predictions against the truth.

    Args:
        labels: int (n,), 0-6, n at least 1.
        probabilities: float (n, 7), rows summing to 1.

    The macro-F1 is the unweighted mean over all seven classes, so a class that is never found pulls it down however
    rare it is. The loss is the mean negative log-likelihood of the true class.
    """
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((NUM_EMOTIONS, NUM_EMOTIONS), np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    hits, support, answers = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall, f1 = _share(hits, answers), _share(hits, support), _share(2 * hits, support + answers)
    return Evaluation(
        images=len(labels),
        accuracy=float((predictions == labels).mean()),
        macro_f1=float(f1.mean()),
        loss=log_loss(labels, probabilities),
        per_class={
            name: ClassScores(precision=precision[i], recall=recall[i], f1=f1[i], support=support[i])
            for i, name in enumerate(EMOTIONS)
        },
        confusion=confusion.tolist(),
    )


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean negative log-likelihood of the true classes, with probabilities held above 1e-7 as Keras does."""
    likelihood = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(likelihood, 1e-7, 1.0)).mean())


def _share(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return parts of wholes, 0-1, and 0 of nothing."""
    return np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)
