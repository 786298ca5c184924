"""A data set examined once in a server's life, and what the best run on it thinks of its labels.

What takes long shows how far it is; whoever wants the same meanwhile, in another tab, waits for it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

import streamlit as st

from emotion_core.config import FirstRows
from emotion_core.dataset import Dataset, Rows, split_rows
from emotion_core.doubts import Doubts, Judge, doubt_labels, find_judge
from emotion_core.errors import BadInput
from emotion_core.health import Health, examine
from emotion_core.runs import Run
from ui import cache

T = TypeVar("T")


class _Once(Generic[T]):
    """A result that takes long: worked out by whoever asks first, while others who want it wait."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.result: T | None = None

    def get(self, work: Callable[[], T]) -> T:
        with self._lock:
            if self.result is None:
                self.result = work()
            return self.result


@dataclass(frozen=True, eq=False)
class Examined:
    """What was found in a data set, and which of its rows train and validate where it can be split."""

    health: Health
    split: Rows | None


def examine_once(dataset: Dataset) -> Examined:
    """Return what is wrong with a data set; the first time a bar shows how far the search is."""
    once = _examination(dataset.source, dataset.fingerprint)
    if once.result is not None:
        return once.result
    text = f"Comparing {len(dataset):,} faces with each other..."
    bar = st.progress(0.0, text=text)
    examined = once.get(lambda: _examine(dataset, lambda share: bar.progress(share, text=text)))
    bar.empty()
    return examined


def best_judge(dataset: Dataset) -> Judge | None:
    """Return the most accurate run that was validated on this data set, if there is one."""
    if dataset.labels is None:
        return None
    folder = cache.runs()
    lines = [line for line in cache.lines() if line.macro_f1 is not None]  # until it is over, a run has no such score
    scored = [(line.val_accuracy or 0.0, folder.run_of(line)) for line in lines]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    key = tuple((accuracy, str(run.folder)) for accuracy, run in scored)
    return _judge(dataset.source, dataset.fingerprint, key, [run for _, run in scored], dataset)


def judge_labels(judge: Judge | None) -> Doubts | None:
    """Return what a judge thinks of the labels of the validation faces; it learnt those of the others."""
    if judge is None:
        return None
    seen = judge.validation
    return doubt_labels(seen.labels, seen.probabilities, seen.rows)


def _examine(dataset: Dataset, progress: Callable[[float], object]) -> Examined:
    split = None
    if dataset.labels is not None:
        with suppress(BadInput):  # too few faces for two parts
            split = split_rows(dataset, FirstRows(), 0)
    return Examined(examine(dataset, split, progress), split)


@st.cache_resource(max_entries=4, show_spinner=False)
def _examination(source: str, fingerprint: str) -> _Once[Examined]:
    return _Once()


@st.cache_resource(max_entries=8, show_spinner=False)
def _judge(
    source: str, fingerprint: str, scored: tuple[tuple[float, str], ...], _runs: list[Run], _dataset: Dataset
) -> Judge | None:
    return find_judge(_runs, _dataset)
