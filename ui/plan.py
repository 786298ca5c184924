"""The runs that the form of the Train page makes: what they would cost, what is in their way, and the button."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.config import RunConfig, with_settings
from emotion_core.engine.devices import check_device
from emotion_core.errors import BadInput
from emotion_core.models.counts import count_parameters
from ui.expected import say_time
from ui.launch import launch_button, show_refusal, submit
from ui.widgets import plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

_TIME_HELP: Final = (
    "The time is a rough estimate, from similar runs on this machine or, if there were none, from a quick test of its "
    "processor. Early stopping often ends a run much sooner."
)


@dataclass(frozen=True)
class Plan:
    """The runs that the form makes, or none and what is in the way."""

    configs: tuple[RunConfig, ...]
    problems: tuple[str, ...] = ()


def offer_launch(plan: Plan, dataset: "Dataset", form_key: str) -> None:
    """Say what a form would train on what, and offer to do it; or say what is wrong."""
    problems, facts, gaps = list(plan.problems), [], ""
    try:
        if plan.configs:
            _check_backends(plan.configs)
            facts = [*_describe_faces(plan.configs, dataset), *_describe_cost(plan.configs, dataset)]
            gaps = _describe_gaps(plan.configs, dataset)
    except BadInput as error:
        problems.append(str(error))
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Train {len(plan.configs)} runs" if len(plan.configs) > 1 else "Train"
        clicked = launch_button(
            label, key="train", shown=f"{form_key} on {dataset.fingerprint}", disabled=bool(problems)
        )
        if facts:
            st.caption(" · ".join(facts), width="stretch", help=_TIME_HELP)
    for problem in problems:
        st.error(plain(problem), icon=":material/error:")
    if gaps:
        st.warning(gaps, icon=":material/rule:")
    show_refusal()
    if clicked and not problems:
        submit(plan.configs)


def _check_backends(configs: tuple[RunConfig, ...]) -> None:
    """Raise BadInput where a backend is not installed. Whether one sees a GPU takes seconds: the engine asks that."""
    for config in {config.device.backend: config for config in configs}.values():
        check_device(with_settings(config, {"device.kind": "cpu"}))


def _describe_faces(configs: tuple[RunConfig, ...], dataset: "Dataset") -> list[str]:
    """Say how many faces train and validate; raises BadInput where the data cannot be split so."""
    from emotion_core.dataset import rows_of_run

    if dataset.labels is None:
        raise BadInput(f"{dataset.name} has no emotion column, so there is nothing to learn from. Choose other data.")
    rows = [rows_of_run(dataset, config) for config in _one_of_each_split(configs)]
    training, validation = _span([len(part.training) for part in rows]), _span([len(part.validation) for part in rows])
    return [f"{training} faces for training, {validation} for validation"]


def _describe_gaps(configs: tuple[RunConfig, ...], dataset: "Dataset") -> str:
    """Say which emotions are learnt and have no face to validate on; nothing where all have some."""
    from emotion_core.overview import say_gaps

    how_to_mix = "choose the random split, which mixes the faces first"
    gaps = (say_gaps(dataset, config, how_to_mix) for config in _one_of_each_split(configs))
    return next(filter(None, gaps), "")


def _one_of_each_split(configs: tuple[RunConfig, ...]) -> list[RunConfig]:
    """Return runs that stand for all that divide the data in the same way, whatever their seeds."""
    return list({config.data.split: config for config in configs}.values())


def _describe_cost(configs: tuple[RunConfig, ...], dataset: "Dataset") -> list[str]:
    """Say the size of the model and how long training it, or all of them, may take."""
    parameters = _span([count_parameters(model) for model in {config.model for config in configs}])
    return [f"{parameters} parameters", f"{say_time(configs, dataset)}{' in all' if len(configs) > 1 else ''}"]


def _span(numbers: list[int]) -> str:
    """Write a number, or the smallest and the largest of several: `1,200 to 3,400`."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
