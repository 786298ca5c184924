"""How long runs may take on this machine, as pages say it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from emotion_core.config import RunConfig
from emotion_core.engine.devices import may_train_on_gpu
from emotion_core.errors import BadInput
from emotion_core.pace import Expectation, Workload, expect, jobs_of, measured_paces, say
from emotion_core.runs import Runs
from ui import cache

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset


def say_time(configs: Iterable[RunConfig], dataset: "Dataset") -> str:
    """Say how long runs may take one after the other; raises BadInput where the data cannot be split for one."""
    return say(jobs_of(configs, dataset), _paces(), has_gpu=may_train_on_gpu())


def expected_time(configs: Iterable[RunConfig], dataset: "Dataset") -> Expectation | None:
    """Return how long runs may take; None where a GPU has computed none like them, or the data cannot be split."""
    try:
        return expect(jobs_of(configs, dataset), _paces(), has_gpu=may_train_on_gpu())
    except BadInput:
        return None


def _paces() -> dict[Workload, float]:
    return _measured(str(cache.runs().folder))


@st.cache_resource(ttl="1m", max_entries=4, show_spinner=False)
def _measured(folder: str) -> dict[Workload, float]:
    return measured_paces(Runs(Path(folder)))
