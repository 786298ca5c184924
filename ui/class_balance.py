"""How often each emotion was predicted, beside how often it was learnt from."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.dataset import labels_of_run, rows_of_run
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS, NUM_EMOTIONS
from emotion_core.errors import DamagedRun
from emotion_core.runs import Run
from ui import inspection


def show_balance(labels: NDArray[np.integer[Any]], training: NDArray[np.float64] | None) -> None:
    """Show how many faces were given each emotion, and beside it the emotion's share of what was learnt from.

    Args:
        labels: int (n,), as predicted.
        training: Shares (7,); None leaves them out.
    """
    counts = np.bincount(labels, minlength=NUM_EMOTIONS)
    shares = counts / max(1, len(labels))
    longest = max(shares.max(), 0 if training is None else training.max(), 1e-9)
    rows = "".join(
        _balance_row(
            EMOTIONS[label],
            f"{counts[label]:,} &middot; {shares[label]:.1%}",
            shares[label] / longest,
            None if training is None else f"{training[label]:.1%}",
            0 if training is None else training[label] / longest,
        )
        for label in range(NUM_EMOTIONS)
    )
    heads = ("", "", "Predicted", "Training" if training is not None else "")
    line = "".join(f'<div style="text-align:right;opacity:.7">{head}</div>' for head in heads)
    st.html(f'<div style="{_BALANCE}">{line if training is not None else ""}{rows}</div>')


_BALANCE: Final = (
    "display:grid;grid-template-columns:max-content 1fr max-content max-content;gap:.5rem 1rem;align-items:center;"
    "line-height:1.25;font-variant-numeric:tabular-nums"
)


def _balance_row(emotion: str, predicted: str, length: float, training: str | None, training_length: float) -> str:
    bars = _balance_bar(emotion, length, 1.0)
    bars += "" if training is None else _balance_bar(emotion, training_length, 0.45)
    texts = f'<div style="text-align:right">{predicted}</div><div style="text-align:right">{training or ""}</div>'
    return f"<div>{emotion}</div><div>{bars}</div>{texts}"


def _balance_bar(emotion: str, length: float, opacity: float) -> str:
    look = f"height:.7rem;border-radius:3px;margin:2px 0;background:{EMOTION_COLOURS[emotion]};opacity:{opacity}"
    return f'<div style="{look};width:{length:.1%}"></div>'


def training_balance(runs: Sequence[Run]) -> NDArray[np.float64] | None:
    """Return each emotion's share of the faces that a run learnt from, (7,), for several runs on average.

    None where the faces of a run are not on this machine.
    """
    balances = [_learnt_from(run) for run in runs]
    known = [balance for balance in balances if balance is not None]
    return np.mean(known, axis=0) if len(known) == len(runs) else None


def _learnt_from(run: Run) -> NDArray[np.float64] | None:
    try:
        dataset = inspection.dataset_of_run(run, run.validation())
    except DamagedRun:  # without its record of single faces, nothing tells whether a file holds them
        return None
    if isinstance(dataset, str):
        return None
    labels = labels_of_run(dataset, run.config)[rows_of_run(dataset, run.config).training]
    return np.bincount(labels, minlength=NUM_EMOTIONS) / len(labels)
