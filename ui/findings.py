"""What can be wrong with a data set, each with its faces and a sentence. Nothing here calls Streamlit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from emotion_core.dataset import Dataset, Rows
from emotion_core.doubts import Doubts, Judge
from emotion_core.health import Group, Health, copied_rows, judge_copied
from emotion_core.units import counted
from ui.widgets import plain


@dataclass(frozen=True, eq=False)
class Finding:
    """Something that was found.

    Attributes:
        title: What its button says.
        pictures: The rows of each picture that is concerned, one or more; None where nobody can tell.
        sentence: What it means, in Markdown.
    """

    title: str
    pictures: Sequence[tuple[int, ...]] | None
    sentence: str


def describe(dataset: Dataset, health: Health, split: Rows | None, judge: Judge | None) -> dict[str, Finding]:
    """Return what can be found in a data set, under the names that the URL has."""
    findings = {
        "exact": Finding("Exact copies", _rows(health.exact), _exact_words(health.exact)),
        "near": Finding("Near copies", _rows(health.near), _near_words(health.near)),
    }
    if split is not None:
        findings["across"] = Finding("Across the split", _rows(health.across), _across_words(health, split, judge))
    if dataset.labels is not None:
        contradictory = health.contradictory
        findings["labels"] = Finding("Under two labels", _rows(contradictory), _contradiction_words(contradictory))
        suspects = None if health.doubts is None else [(row,) for row in health.suspects.tolist()]
        findings["doubted"] = Finding("Doubted labels", suspects, _doubt_words(health.doubts, judge))
    blank = [(row,) for row in health.blank.tolist()]
    findings["blank"] = Finding("Blank", blank, _blank_words(len(blank)))
    return {name: _as_drawn(name, finding) for name, finding in findings.items()} if dataset.is_drawn else findings


def _as_drawn(name: str, finding: Finding) -> Finding:
    """Return a finding in drawn faces, which look alike because code drew them from the same few shapes."""
    if name not in ("near", "across", "labels") or not finding.pictures:
        return finding
    faces = sum(map(len, finding.pictures))
    sentence = f"**{faces:,} drawn faces** look like others: an artefact of drawing from few shapes, not a fault."
    return replace(finding, sentence=sentence)


def _exact_words(groups: Sequence[Group]) -> str:
    if not groups:
        return "No two faces have the same pixels."
    return f"**{_faces(groups):,} faces** show only {counted(len(groups), 'picture')}, identical pixel by pixel."


def _near_words(groups: Sequence[Group]) -> str:
    if not groups:
        return "No face is nearly the same as another."
    return (
        f"**{_faces(groups):,} faces** show only {counted(len(groups), 'picture')}: brighter, shifted, mirrored or "
        "with a watermark. A few pairs may be two people who look alike."
    )


def _across_words(health: Health, split: Rows, judge: Judge | None) -> str:
    copied, count = copied_rows(health.across, split), len(split.validation)
    if not len(copied):
        return "No picture is in both training and validation, so no copy flatters a score."
    exact = len(copied_rows(health.exact, split))
    found = (
        f"**{len(copied):,} of {count:,} validation faces** ({len(copied) / count:.1%}) have a copy in training, "
        f"{exact:,} of them an exact one."
    )
    scores = None
    if judge is not None and np.array_equal(judge.validation.rows, split.validation):
        scores = judge_copied(judge.validation, copied)
    if judge is None or scores is None or scores.copied <= scores.others:
        return f"{found} A model that merely memorises gets those right, so copies flatter its score."
    return (
        f"{found} A model that merely memorises gets those right: **{plain(judge.run.name)}** scores "
        f"{scores.copied:.1%} on them and {scores.others:.1%} on the others, {scores.all:.1%} overall."
    )


def _contradiction_words(groups: Sequence[Group]) -> str:
    if not groups:
        return "No picture has two labels."
    return (
        f"**{_faces(groups):,} faces** show only {counted(len(groups), 'picture')}, which people labelled differently. "
        "Of each picture's labels, one at most is right."
    )


def _doubt_words(doubts: Doubts | None, judge: Judge | None) -> str:
    if doubts is None or judge is None:
        return (
            "No saved run was validated on these faces; train one on this data set, and the labels it doubts appear "
            "here."
        )
    return (
        f"**{np.count_nonzero(doubts.is_suspect):,} of {len(doubts.rows):,} labels** are doubted by "
        f"**{plain(judge.run.name)}**: it is as sure of another emotion as it usually is where that is the label. "
        "A doubt is a reason to look, not proof."
    )


def _blank_words(count: int) -> str:
    if not count:
        return "Every face has contrast."
    return (
        f"{'**1 face** has' if count == 1 else f'**{count:,} faces** have'} a single brightness: nothing to learn from."
    )


def _rows(groups: Sequence[Group]) -> list[tuple[int, ...]]:
    return [group.rows for group in groups]


def _faces(groups: Sequence[Group]) -> int:
    return sum(len(group.rows) for group in groups)
