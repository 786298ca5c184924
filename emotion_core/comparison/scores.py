"""Scores by emotion over several runs."""

from collections.abc import Sequence

from emotion_core.comparison.statistic import Statistic
from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import Evaluation


def recalls(evaluations: Sequence[Evaluation]) -> dict[str, Statistic]:
    """Return the recall of each emotion over runs, of which there must be one at least."""
    found = {name: Statistic.of(scores.per_class[name].recall for scores in evaluations) for name in EMOTIONS}
    return {name: known for name, known in found.items() if known is not None}


def added_confusion(evaluations: Sequence[Evaluation]) -> list[list[int]]:
    """Return the faces of every run in one confusion matrix."""
    places = range(len(EMOTIONS))
    return [[sum(scores.confusion[true][taken] for scores in evaluations) for taken in places] for true in places]
