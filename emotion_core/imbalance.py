"""What uneven classes do: to the loss, to a constant answer's scores, to models with and without class weights."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from emotion_core.comparison import RunGroup, group_runs
from emotion_core.config import RunConfig, Split, with_settings
from emotion_core.dataset import Dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import DamagedRun
from emotion_core.evaluation import Evaluation
from emotion_core.origins import learnt_from
from emotion_core.overview import WEIGHT_POLICIES
from emotion_core.runs import Runs, settings_digest

_MOST_PAIRS: Final = 3
"""Pairs of models that are shown: more would not be read."""


@dataclass(frozen=True)
class Scores:
    """What accuracy hides beside it: macro-F1 and the recall of one emotion, each from 0 to 1."""

    accuracy: float
    macro_f1: float
    recall: float


@dataclass(frozen=True)
class PolicyScores:
    """Scores of a model under one weighting of the classes, on average over the counted runs of `group`."""

    policy: str
    group: RunGroup
    scores: Scores


@dataclass(frozen=True)
class PoliciesCompared:
    """One model under several weightings, in the order of `WEIGHT_POLICIES`, all scored on the faces of one split."""

    split: Split
    policies: tuple[PolicyScores, ...]

    @property
    def is_pair(self) -> bool:
        """Whether the weights are all that differs."""
        return len(self.policies) > 1


def loss_shares(counts: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, float]:
    """Return each emotion's share of the loss while a model is equally unsure of every face.

    The share of an emotion is its number of faces times its weight, over the sum of these: what `class_weight` of
    Keras makes of a mean over the batch.
    """
    parts = {name: counts[name] * weights[name] for name in EMOTIONS}
    total = sum(parts.values()) or 1.0
    return {name: part / total for name, part in parts.items()}


def constant_scores(counts: Mapping[str, int], answer: str, emotion: str) -> Scores:
    """Return the scores of always giving the same answer, and the recall of one emotion.

    Precision of the answer is its share p of the faces and its recall 1, so its F1 is 2p / (1 + p); all others are 0.
    """
    share = counts[answer] / max(1, sum(counts.values()))
    return Scores(share, 2 * share / (1 + share) / len(EMOTIONS), float(answer == emotion and share > 0))


def compare_policies(runs: Runs, dataset: Dataset, emotion: str) -> list[PoliciesCompared]:
    """Return what class weights did to models that learnt from a data set, the most accurate first.

    Models that were trained under several weightings come alone, where there are any: in these the weights are all
    that differs. Otherwise the best model under each weighting is returned, each by itself.

    Args:
        runs: Where the runs are. Which of them count is as in `group_runs`.
        dataset: What they learnt from.
        emotion: Whose recall is wanted.
    """
    models: dict[str, list[tuple[RunConfig, PolicyScores]]] = defaultdict(list)
    for config, scores in _scored(runs, dataset, emotion):
        models[_without_weights(config)].append((config, scores))
    comparisons = sorted(map(_compare, models.values()), key=_accuracy, reverse=True)
    pairs = [comparison for comparison in comparisons if comparison.is_pair]
    return pairs[:_MOST_PAIRS] or _best_of_each_policy(comparisons)


def _scored(runs: Runs, dataset: Dataset, emotion: str) -> Iterator[tuple[RunConfig, PolicyScores]]:
    """Yield the settings and the mean scores of each group of runs that learnt from a data set."""
    for group in group_runs(runs.summaries()):
        with suppress(DamagedRun):
            config = runs.run_of(group.best).config
            counted = map(runs.run_of, group.counted if learnt_from(config, dataset) else ())
            if evaluations := [scores for run in counted if (scores := run.evaluation())]:
                yield config, PolicyScores(config.training.class_weights, group, _mean(evaluations, emotion))


def _mean(evaluations: Sequence[Evaluation], emotion: str) -> Scores:
    return Scores(
        fmean(scores.accuracy for scores in evaluations),
        fmean(scores.macro_f1 for scores in evaluations),
        fmean(scores.per_class[emotion].recall for scores in evaluations),
    )


def _without_weights(config: RunConfig) -> str:
    return settings_digest(with_settings(config, {"training.class_weights": "none"}))


def _compare(model: Sequence[tuple[RunConfig, PolicyScores]]) -> PoliciesCompared:
    config, _ = model[0]  # all are split alike
    in_order = sorted((scores for _, scores in model), key=lambda part: WEIGHT_POLICIES.index(part.policy))
    return PoliciesCompared(config.data.split, tuple(in_order))


def _accuracy(comparison: PoliciesCompared) -> float:
    return max(part.scores.accuracy for part in comparison.policies)


def _best_of_each_policy(comparisons: Sequence[PoliciesCompared]) -> list[PoliciesCompared]:
    best: dict[str, PoliciesCompared] = {}
    for comparison in comparisons:
        best.setdefault(comparison.policies[0].policy, comparison)
    return list(best.values())
