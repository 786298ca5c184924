"""What uneven classes do, for a room to see: the loss under weights, and what accuracy hides."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from emotion_core.config import FirstRows, Split
from emotion_core.emotions import EMOTIONS
from emotion_core.imbalance import PoliciesCompared, PolicyScores, Scores, constant_scores, loss_shares
from ui import cache, charts, figures, tables, widgets

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset
    from emotion_core.overview import Overview

POLICIES: Final = {"balanced": "Balanced", "square_root": "Square root", "none": "None"}

_MEANING: Final = {
    "balanced": "The rarer an emotion, the more its faces weigh: every emotion has an equal say.",
    "square_root": "Halfway: the square root of the balanced weights.",
    "none": "Every face weighs the same, so the common emotions decide what is learnt.",
}

_CERTAINTIES: Final = [percent / 100 for percent in range(5, 101)]
_ALT: Final = "Loss of one face of each emotion, by the probability given to its true emotion"


def show_weights(overview: "Overview") -> None:
    """Show how much a face of each emotion counts under a policy, and what that does to the loss."""
    with widgets.heading("Class weights", "weights"):
        policy = st.segmented_control(
            "Policy", list(POLICIES), format_func=POLICIES.get, default="balanced", required=True, key="policy",
            label_visibility="collapsed",
        )  # fmt: skip
    weights = overview.weights[policy]
    largest = max(max(each.values()) for each in overview.weights.values())
    st.html(charts.class_weights(weights, largest))  # to one scale, so that bars grow as the weights do
    st.caption(_MEANING[policy])


def show_loss(overview: "Overview") -> None:
    """Show what the chosen weights do to the loss: whose it is, and what one face adds to it."""
    policy = st.session_state.get("policy", "balanced")
    weights = overview.weights[policy]
    with st.grid(2, min_column_width=charts.SIDE_BY_SIDE, gap="large"):
        whole, single = st.container(), st.container()
    with whole:
        st.subheader("Where the loss comes from", anchor=False)
        st.html(charts.shares("Faces", loss_shares(overview.training, overview.weights["none"])))
        st.html(charts.shares("Loss", loss_shares(overview.training, weights)))
        st.caption("For a model equally unsure of every face. Training lowers the loss where most of it lies.")
    with single:
        st.subheader("What one face adds", anchor=False)
        figures.show_curves(loss_points(weights), loss_chart(), key="loss-curves", alt=_ALT)


def loss_points(weights: dict[str, float]) -> pd.DataFrame:
    """Return a row per certainty and a column per emotion: weight x -ln(probability of the true emotion)."""
    certainty = np.array(_CERTAINTIES)
    losses = {name: weights[name] * -np.log(certainty) for name in EMOTIONS}
    return pd.DataFrame({"certainty": certainty} | losses).round(3)


def loss_chart() -> dict[str, Any]:
    """Describe the chart of `loss_points` (Vega-Lite): a curve per emotion, and all values where one points."""
    large = charts.axis_text(14)
    x = {
        "field": "certainty",
        "type": "quantitative",
        "title": "Probability given to the true emotion",
        "scale": {"domain": [0, 1]},
        "axis": large | {"format": ".0%"},
    }
    tooltip = [{"field": "certainty", "title": "Probability", "format": ".0%"}]
    tooltip += [{"field": name, "title": name, "format": ".2f"} for name in EMOTIONS]
    return {
        "height": 236,
        "encoding": {"x": x},
        "layer": [
            {
                "transform": [{"fold": list(EMOTIONS), "as": ["emotion", "loss"]}],
                "mark": {"type": "line", "strokeWidth": 3},
                "encoding": {
                    "y": {"field": "loss", "type": "quantitative", "title": "Loss", "axis": large | {"tickCount": 5}},
                    "color": {
                        "field": "emotion",
                        "type": "nominal",
                        "scale": charts.EMOTION_SCALE,
                        "legend": {
                            "title": None,
                            "orient": "right",
                            "labelFontSize": 14,
                            "labelColor": charts.INK,
                            "symbolType": "stroke",
                        },
                    },
                },
            },
            {
                "params": [
                    {
                        "name": "pointed",
                        "select": {"type": "point", "on": "pointerover", "nearest": True, "encodings": ["x"]},
                    }
                ],
                "mark": {"type": "rule", "color": charts.INK, "strokeWidth": 1.5},
                "encoding": {
                    "opacity": {"condition": {"param": "pointed", "value": 0.6, "empty": False}, "value": 0},
                    "tooltip": tooltip,
                },
            },
        ],
    }


def show_why_accuracy_misleads(dataset: "Dataset", overview: "Overview") -> None:
    """Show what always giving the commonest answer scores, beside runs with and without class weights."""
    rare, common = overview.smallest, overview.largest
    st.subheader("Why accuracy alone misleads", anchor=False)
    comparisons = cache.policies_compared(dataset, rare)
    names = tables.row_names([comparison.policies[0].group for comparison in comparisons])
    groups = [[(f"Always “{common}”", "", constant_scores(overview.validation, common, rare))]]
    for comparison, name in zip(comparisons, names.values(), strict=True):
        groups.append([(name, _trained(part, comparison.split), part.scores) for part in comparison.policies])
    st.html(_table(groups, rare))
    even = " All emotions have equally many faces here, so accuracy hides less than usual." if overview.is_even else ""
    st.caption(_lesson(comparisons, common) + even)


def _trained(part: PolicyScores, split: Split) -> str:
    """Say how a model was trained: its class weights, how many seeds, and its split where it is not the usual one."""
    weights = "no weights" if part.policy == "none" else f"{POLICIES[part.policy].lower()} weights"
    seeds = len(part.group.counted)
    facts = (weights, f"mean of {seeds} seeds" if seeds > 1 else "", "" if _is_usual(split) else _SPLITS[split.kind])
    return ", ".join(filter(None, facts))


def _is_usual(split: Split) -> bool:
    return split == FirstRows()


_SPLITS: Final = {
    "first_rows": "other first rows",
    "random": "random split",
    "usage": "split by Usage",
    "misaligned": "misaligned split",
}
"""How a split that is not the usual one is called."""


def _lesson(comparisons: Sequence[PoliciesCompared], common: str) -> str:
    scored = (
        ", on which all of these are scored."
        if all(_is_usual(comparison.split) for comparison in comparisons)
        else ". Models that name a split are scored on others."
    )
    first = (
        f"Always answering “{common}” learns nothing and is right as often as {common} is common among the validation "
        f"faces{scored}"
    )
    if not comparisons:
        return f"{first} Train a model on these faces to compare."
    if not comparisons[0].is_pair:
        return (
            f"{first} These models differ in more than their class weights: for a fair comparison, train one preset "
            "twice, with class weights and without."
        )
    return f"{first} In each pair only the class weights differ."


def _table(groups: list[list[tuple[str, str, Scores]]], rare: str) -> str:
    heads = "".join(
        f'<th scope="col" style="{_HEAD}">{head}</th>' for head in ("Accuracy", "Macro-F1", f"{rare} recall")
    )
    rows = "".join(_row(*line, is_first=place == 0) for group in groups for place, line in enumerate(group))
    return (
        f'<div style="overflow-x:auto"><table style="width:100%;min-width:34rem;border-collapse:collapse;'
        f'font-variant-numeric:tabular-nums;border:none">'
        f'<tr><td style="border:none"></td>{heads}</tr>{rows}</table></div>'
    )


_HEAD: Final = "border:none;text-align:left;font-weight:500;padding:.2rem .8rem;opacity:.8"


def _row(name: str, weights: str, scores: Scores, *, is_first: bool) -> str:
    line = "1px solid rgba(128,134,156,.3)" if is_first else "none"
    said = f' <span style="opacity:.75">{escape(weights)}</span>' if weights else ""
    cells = "".join(
        f'<td style="border:none;border-top:{line};padding:.45rem .8rem;width:22%">{_bar(share)}</td>'
        for share in (scores.accuracy, scores.macro_f1, scores.recall)
    )
    return (
        f'<tr><th scope="row" style="border:none;border-top:{line};text-align:left;font-weight:600;padding:.45rem 0;'
        f'white-space:nowrap">{escape(name)}{said}</th>{cells}</tr>'
    )


def _bar(share: float) -> str:
    return (
        f'<div style="display:flex;align-items:center;gap:.6rem">{charts.bar_on_track(share, charts.ACCENT, "14px")}'
        f'<div style="width:3.6rem;text-align:right;font-weight:600">{share:.1%}</div></div>'
    )
