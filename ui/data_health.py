"""How healthy a data set is, on a page: what was found, its faces, the findings as a table, and a cleaned copy.

The URL names the finding that is open (`?finding=across`).
"""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Final, TypeVar

import numpy as np
import streamlit as st

from emotion_core.dataset import Dataset, Rows
from emotion_core.doubts import Doubts, Judge
from emotion_core.emotions import EMOTIONS
from ui.charts import DEEP_ACCENT, dotted
from ui.choices import follow, keep
from ui.cleaned_copy import offer_cleaned_copy
from ui.examining import best_judge, examine_once, judge_labels
from ui.face_images import data_url
from ui.faces import JudgedFace, show_judged
from ui.findings import Finding, describe
from ui.widgets import friendly_errors

PICTURES_SHOWN: Final = 12
DOUBTS_SHOWN: Final = 24

_MOST_SIDE_BY_SIDE: Final = 6
"""Copies of one picture that are shown; a picture may be there twenty times."""

_FINDING: Final = "finding"
_KEY: Final = "health-finding"

_TRAINS, _VALIDATES, _HELD_BACK = "training", "validation", "held back"

T = TypeVar("T")


@st.fragment
@friendly_errors()
def show_health(dataset: Dataset) -> None:
    """Show what is wrong with a data set, with labels or without, and offer a copy without it."""
    examined = examine_once(dataset)
    judge = best_judge(dataset)
    doubts = judge_labels(judge)
    health = examined.health if doubts is None else examined.health.with_doubts(doubts)
    findings = describe(dataset, health, examined.split, judge)
    name = _choose_finding(findings)
    finding = findings[name]
    st.markdown(finding.sentence)
    if name == "doubted":
        _show_doubts(dataset, doubts, judge)
    else:
        _show_pictures(dataset, finding.pictures or (), examined.split, f"{dataset.fingerprint[:8]}-{name}")
    st.divider()
    offer_cleaned_copy(dataset, health)


def _choose_finding(findings: dict[str, Finding]) -> str:
    """Let the person choose a finding, at first one that has faces, and keep the choice in the URL."""
    with_faces = (name for name, finding in findings.items() if finding.pictures)
    follow(_FINDING, _KEY, findings, next(with_faces, "exact"))
    chosen: str = st.segmented_control(
        "Finding",
        list(findings),
        format_func=lambda name: _button(findings[name]),
        required=True,
        key=_KEY,
        persist_state="session",
        label_visibility="collapsed",
    )
    keep(_FINDING, chosen)
    return chosen


def _button(finding: Finding) -> str:
    return finding.title if finding.pictures is None else f"{finding.title} **{len(finding.pictures):,}**"


def _show_pictures(dataset: Dataset, pictures: Sequence[tuple[int, ...]], split: Rows | None, key: str) -> None:
    """Show a page of pictures, the copies of each beside each other."""
    shown = _choose_page(pictures, PICTURES_SHOWN, key)
    parts = _parts_of(split, {row for rows in shown for row in rows})
    cards = "".join(_card(dataset, rows, parts) for rows in shown)
    if cards:
        st.html(f'<div style="display:flex;flex-wrap:wrap;gap:12px">{cards}</div>')


def _show_doubts(dataset: Dataset, doubts: Doubts | None, judge: Judge | None) -> None:
    """Show a page of the faces whose label is doubted, the most improbable first."""
    if doubts is None or judge is None or dataset.labels is None:
        return
    st.caption("Only validation faces are judged: the model learnt the labels of the others.")
    places = _choose_page(np.flatnonzero(doubts.is_suspect).tolist(), DOUBTS_SHOWN, f"{judge.run.id}-doubted")
    show_judged([_doubted(dataset, doubts, place) for place in places])


def _choose_page(items: Sequence[T], count: int, key: str) -> Sequence[T]:
    """Let the person turn pages and return the items of the one that is open; each finding keeps its page."""
    if len(items) <= count:
        return items
    with st.container(horizontal=True, vertical_alignment="center"):
        page = st.pagination(-(-len(items) // count), key=f"health-page-{key}-{len(items)}", persist_state="session")
        first, last = (page - 1) * count, min(page * count, len(items))
        st.caption(f"{first + 1:,}-{last:,} of {len(items):,}", width="content")
    return items[first:last]


def _parts_of(split: Rows | None, rows: set[int]) -> dict[int, str]:
    """Return for each of some rows what it is for; nothing where the data set is not split."""
    if split is None:
        return {}
    wanted = np.array(sorted(rows), np.int64)
    training, validation = (np.isin(wanted, part) for part in (split.training, split.validation))
    words = np.where(training, _TRAINS, np.where(validation, _VALIDATES, _HELD_BACK))
    return dict(zip(wanted.tolist(), words.tolist(), strict=True))


def _card(dataset: Dataset, rows: tuple[int, ...], parts: dict[int, str]) -> str:
    faces = "".join(_face(dataset, row, parts.get(row, "")) for row in _telling(dataset, rows, parts))
    hidden = len(rows) - _MOST_SIDE_BY_SIDE
    more = f'<div style="align-self:center;opacity:.75">and {hidden:,} more</div>' if hidden > 0 else ""
    return f'<div style="{_CARD}">{faces}{more}</div>'


def _telling(dataset: Dataset, rows: tuple[int, ...], parts: dict[int, str]) -> list[int]:
    """Return the copies of a picture that are shown, ascending: none of its labels and parts is left out."""
    seen: Counter[object] = Counter()
    turns = []
    for row in rows:
        kind = (None if dataset.labels is None else int(dataset.labels[row]), parts.get(row))
        turns.append((seen[kind], row))
        seen[kind] += 1
    return sorted(row for _, row in sorted(turns)[:_MOST_SIDE_BY_SIDE])


def _face(dataset: Dataset, row: int, part: str) -> str:
    label = None if dataset.labels is None else EMOTIONS[dataset.labels[row]]
    identity = f"id {escape(str(dataset.ids[row]))}"
    lines = [
        *([dotted(label, 600)] if label else []),
        f'<span style="opacity:.75">{identity}</span>',
        *([f'<span style="{_MARK[part]}">{part}</span>'] if part else []),
    ]
    return (
        f'<figure style="margin:0;width:96px;line-height:1.45;font-size:.9rem" title="{identity}">'
        f'<img alt="{label or "Face"}, {identity}" src="{data_url(dataset.images[row])}" style="{_IMAGE}">'
        + "".join(f'<div style="{_LINE}">{line}</div>' for line in lines)
        + "</figure>"
    )


_CARD: Final = (
    "display:flex;flex-wrap:wrap;gap:8px;padding:10px;border:1px solid rgba(128,134,156,.35);border-radius:10px"
)
_IMAGE: Final = "width:96px;display:block;image-rendering:pixelated;border-radius:6px;margin-bottom:.25rem"
_LINE: Final = "overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
_MARK: Final = {
    _TRAINS: "opacity:.75",
    _VALIDATES: f"font-weight:600;padding:0 .35rem;border-radius:4px;color:#FFFFFF;background:{DEEP_ACCENT}",
    _HELD_BACK: "opacity:.75",
}


def _doubted(dataset: Dataset, doubts: Doubts, place: int) -> JudgedFace:
    row = int(doubts.rows[place])
    assert dataset.labels is not None  # they are doubted
    label, suggested = EMOTIONS[dataset.labels[row]], EMOTIONS[doubts.suggested[place]]
    sure, own = float(doubts.confidence[place]), float(doubts.self_confidence[place])
    detail = f"Labelled {label} ({own:.1%}), the model says {suggested} ({sure:.1%}); id {dataset.ids[row]}"
    return JudgedFace(dataset.images[row], label, suggested, sure, detail)
