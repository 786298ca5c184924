"""The form of the Train page, from data to the button: what is asked, and what this machine or model has no use for."""

from typing import Final

import streamlit as st

from emotion_core.classifier import by_merit
from emotion_core.config import unused_by
from emotion_core.engine.backends import BACKENDS, installed_backends
from emotion_core.engine.devices import may_have_gpu, may_train_on_gpu
from emotion_core.errors import BadInput
from emotion_core.fine_tuning import beginnings
from emotion_core.grid import expand
from emotion_core.hardware import gpus
from emotion_core.units import GIGABYTE
from ui import cache
from ui.brought import take_over
from ui.clones import find_cloned, show_cloned
from ui.fields import explain
from ui.forms import ConfigForm
from ui.pickers import pick_dataset
from ui.plan import Plan, offer_launch
from ui.several import ask_several
from ui.starts import choose_preset
from ui.tables import run_labels
from ui.widgets import plain

_SECTIONS: Final = {
    "Data split": "data",
    "Augmentation": "augmentation",
    "Model": "model",
    "Training": "training",
    "Prediction": "prediction",
    "Device": "device",
}


def show_new_run() -> None:
    """Show the form from data to the Train button."""
    cloned = find_cloned()
    dataset = pick_dataset("train-data")
    start = show_cloned(cloned, dataset) if cloned else choose_preset(dataset)
    form = ConfigForm(start.config, start.key)
    take_over(form)
    family = form.current("model.family")
    unused = unused_by(family)
    for path in unused:
        form.leave_out(path)
    if family == "linear":
        unused += ("augmentation", "prediction", "device")  # of which nothing is left to ask
    else:
        unused += (*_settle_device(form), *_settle_start(form, family), *_settle_teachers(form))
    _ask_main_settings(form, unused)
    launch = st.container()
    _ask_other_settings(form, unused)
    if dataset is not None:
        form.fill("data.source", dataset.source)
        form.fill("data.drop_incomplete", bool(dataset.problems))  # the person agreed where the data was chosen
    plan = _ask_plan(form, unused)
    if dataset is not None:
        with launch:
            offer_launch(plan, dataset, form.key)


def _ask_main_settings(form: ConfigForm, unused: tuple[str, ...]) -> None:
    paths = ("name", "training.epochs", "training.batch_size", "training.seed")
    form.ask(*(path for path in paths if path not in unused))


def _ask_other_settings(form: ConfigForm, unused: tuple[str, ...]) -> None:
    for title, path in _SECTIONS.items():
        if path not in unused:
            with st.expander(title, key=f"section-{path}"):
                if path == "device":
                    _describe_device()
                if path == "model":
                    form.ask(path)
                else:
                    form.ask_rest(path, without=("data.source", "data.drop_incomplete", *unused))


def _settle_device(form: ConfigForm) -> tuple[str, ...]:
    """Set what this machine gives no choice of, mark backends that it has not, and return what is not asked."""
    form.mark("device.backend", dict.fromkeys(set(BACKENDS).difference(installed_backends()), "not installed"))
    without_choice = {"device.kind": not may_have_gpu(), "device.gpu": len(gpus()) < 2}
    unused = tuple(path for path, is_so in without_choice.items() if is_so)
    for path in unused:
        form.leave_out(path)
    return unused


def _settle_start(form: ConfigForm, family: str) -> tuple[str, ...]:
    """Offer the runs that training can begin with, the best first, and return what is not asked where there is none."""
    starts = beginnings(by_merit(cache.lines()), cache.runs(), family)
    form.mark("training.start_from", run_labels(starts))
    if starts or form.current("training.start_from"):
        return ()
    form.leave_out("training.start_from")
    return ("training.start_from",)


def _settle_teachers(form: ConfigForm) -> tuple[str, ...]:
    """Offer the runs that can teach, the best first, and return what is not asked while none does."""
    form.mark("training.teachers", run_labels(by_merit(cache.lines())))
    if form.current("training.teachers"):
        return ()
    form.leave_out("training.teacher_share")
    return ("training.teacher_share",)


def _describe_device() -> None:
    if not may_train_on_gpu():
        st.caption("This machine has no GPU that a backend can use; runs use the processor.")
    elif gpus():
        st.caption(" · ".join(f"GPU {gpu.index}: {gpu.name}, {gpu.memory_bytes / GIGABYTE:.0f} GB" for gpu in gpus()))


def _ask_plan(form: ConfigForm, unused: tuple[str, ...]) -> Plan:
    """Ask which settings take several values, and return the runs that the whole form makes."""
    with st.expander("Several runs", key="section-several"):
        try:
            config = form.validated()
        except BadInput as error:
            st.caption("These settings can make several runs once they are valid.")
            return Plan((), explain(error))
        try:
            configs = expand(config, ask_several(form, config, unused))
        except BadInput as error:
            return Plan((), explain(error))
        if len(configs) > 1:
            st.caption(f"{len(configs)} runs, from **{plain(configs[0].name)}** to **{plain(configs[-1].name)}**.")
        return Plan(tuple(configs))
