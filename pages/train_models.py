"""Train: choose data and a starting point, change what one likes, queue it, and watch it learn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from emotion_core.classifier import by_merit
from emotion_core.config import UNUSED_BY_LINEAR, RunConfig, with_settings
from emotion_core.engine.backends import BACKENDS, installed_backends
from emotion_core.engine.devices import check_device, may_have_gpu, may_train_on_gpu
from emotion_core.errors import BadInput
from emotion_core.fine_tuning import beginnings
from emotion_core.grid import expand
from emotion_core.hardware import gpus
from emotion_core.models.parameters import count_parameters
from ui import cache
from ui.brought import is_newly_brought, take_over
from ui.clones import clone_anew, family_of_clone, find_cloned, leave_clone, show_cloned
from ui.expected import say_time
from ui.fields import explain
from ui.forms import ConfigForm
from ui.launch import NEW, WATCH, asked_view, forget_click, launch_button, show_refusal, submit
from ui.live import live_view
from ui.pickers import pick_dataset
from ui.reproduce import close_reproduction
from ui.several import ask_several
from ui.starts import choose_preset, chosen_preset, take_preset
from ui.tables import run_labels
from ui.widgets import page_header, plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

SECTIONS = {
    "Data split": "data",
    "Augmentation": "augmentation",
    "Model": "model",
    "Training": "training",
    "Prediction": "prediction",
    "Device": "device",
}
TIME_HELP = (
    "The time is a rough estimate, from similar runs on this machine or, if there were none, from a quick test of its "
    "processor. Early stopping often ends a run much sooner."
)


@dataclass(frozen=True)
class Plan:
    """The runs that the form makes, or none and what is in the way."""

    configs: tuple[RunConfig, ...]
    problems: tuple[str, ...] = ()


def choose_view() -> str:
    """Let the person switch between the form and the live view; open with whichever has something to say."""
    if asked := asked_view():
        st.session_state["train.view"] = asked
        if asked == NEW:
            clone_anew()
    if is_newly_brought():
        st.session_state["train.view"] = NEW
        leave_linear()
    st.session_state.setdefault("train.view", WATCH if is_something_to_watch() else NEW)
    return st.segmented_control("View", (NEW, WATCH), key="train.view", required=True, label_visibility="collapsed")


def leave_linear() -> None:
    """Go from a linear model, which takes no augmentation, to a small network, whose runs show what it is worth."""
    if (family_of_clone() or chosen_preset().config.model.family) == "linear":
        leave_clone()
        take_preset("cnn-small")


def is_something_to_watch() -> bool:
    return "run" in st.query_params or ("clone" not in st.query_params and bool(cache.runs().in_hand()))


def new_run() -> None:
    """Show the form from data to the Train button."""
    cloned = find_cloned()
    dataset = pick_dataset("train-data")
    start = show_cloned(cloned) if cloned else choose_preset(dataset)
    form = ConfigForm(start.config, start.key)
    take_over(form)
    family = form.current("model.family")
    if family != "residual":
        form.leave_out("training.first_side")
    if family == "linear":
        for path in UNUSED_BY_LINEAR:
            form.leave_out(path)
        unused = ("augmentation", "prediction", "device", *UNUSED_BY_LINEAR)
    else:
        unused = (*settle_device(form), *settle_start(form, family), *settle_teachers(form))
    ask_main_settings(form, unused)
    launch = st.container()
    ask_other_settings(form, unused)
    if dataset is not None:
        form.fill("data.source", dataset.source)
        form.fill("data.drop_incomplete", bool(dataset.problems))  # the person agreed where the data was chosen
    plan = ask_plan(form, unused)
    if dataset is not None:
        with launch:
            offer_launch(plan, dataset)


def ask_main_settings(form: ConfigForm, unused: tuple[str, ...]) -> None:
    paths = ("name", "training.epochs", "training.batch_size", "training.seed")
    form.ask(*(path for path in paths if path not in unused))


def ask_other_settings(form: ConfigForm, unused: tuple[str, ...]) -> None:
    for title, path in SECTIONS.items():
        if path not in unused:
            with st.expander(title, key=f"section-{path}"):
                if path == "device":
                    describe_device()
                if path == "model":
                    form.ask(path)
                else:
                    form.ask_rest(path, without=("data.source", "data.drop_incomplete", *unused))


def settle_device(form: ConfigForm) -> tuple[str, ...]:
    """Set what this machine gives no choice of, mark backends that it has not, and return what is not asked."""
    form.mark("device.backend", dict.fromkeys(set(BACKENDS).difference(installed_backends()), "not installed"))
    without_choice = {"device.kind": not may_have_gpu(), "device.gpu": len(gpus()) < 2}
    unused = tuple(path for path, is_so in without_choice.items() if is_so)
    for path in unused:
        form.leave_out(path)
    return unused


def settle_start(form: ConfigForm, family: str) -> tuple[str, ...]:
    """Offer the runs that training can begin with, the best first, and return what is not asked where there is none."""
    starts = beginnings(by_merit(cache.lines()), cache.runs(), family)
    form.mark("training.start_from", run_labels(starts))
    if starts or form.current("training.start_from"):
        return ()
    form.leave_out("training.start_from")
    return ("training.start_from",)


def settle_teachers(form: ConfigForm) -> tuple[str, ...]:
    """Offer the runs that can teach, the best first, and return what is not asked while none does."""
    form.mark("training.teachers", run_labels(by_merit(cache.lines())))
    if form.current("training.teachers"):
        return ()
    form.leave_out("training.teacher_share")
    return ("training.teacher_share",)


def describe_device() -> None:
    if not may_train_on_gpu():
        st.caption("This machine has no GPU that a backend can use; runs use the processor.")
    elif gpus():
        st.caption(" · ".join(f"GPU {gpu.index}: {gpu.name}, {gpu.memory_bytes / 2**30:.0f} GB" for gpu in gpus()))


def ask_plan(form: ConfigForm, unused: tuple[str, ...]) -> Plan:
    """Ask which settings take several values, and return the runs that the whole form makes."""
    outcome = form.outcome()
    with st.expander("Several runs", key="section-several"):
        if outcome.config is None:
            st.caption("These settings can make several runs once they are valid.")
            return Plan((), outcome.problems)
        try:
            configs = expand(outcome.config, ask_several(form, outcome.config, unused))
        except BadInput as error:
            return Plan((), explain(error))
        if len(configs) > 1:
            st.caption(f"{len(configs)} runs, from **{plain(configs[0].name)}** to **{plain(configs[-1].name)}**.")
        return Plan(tuple(configs))


def offer_launch(plan: Plan, dataset: "Dataset") -> None:
    """Say what would be trained on what, and offer to do it; or say what is wrong."""
    problems, facts = list(plan.problems), []
    try:
        if plan.configs:
            check_backends(plan.configs)
            facts = [*describe_faces(plan.configs, dataset), *describe_cost(plan.configs, dataset)]
    except BadInput as error:
        problems.append(str(error))
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Train {len(plan.configs)} runs" if len(plan.configs) > 1 else "Train"
        clicked = launch_button(label, key="train", disabled=bool(problems))
        if facts:
            st.caption(" · ".join(facts), width="stretch", help=TIME_HELP)
    for problem in problems:
        st.error(plain(problem), icon=":material/error:")
    show_refusal()
    if clicked and not problems:
        submit(plan.configs)


def check_backends(configs: tuple[RunConfig, ...]) -> None:
    """Raise BadInput where a backend is not installed. Whether one sees a GPU takes seconds: the engine asks that."""
    for config in {config.device.backend: config for config in configs}.values():
        check_device(with_settings(config, {"device.kind": "cpu"}))


def describe_faces(configs: tuple[RunConfig, ...], dataset: "Dataset") -> list[str]:
    """Say how many faces train and validate; raises BadInput where the data cannot be split so."""
    from emotion_core.dataset import split_rows

    if dataset.labels is None:
        raise BadInput(f"{dataset.name} has no emotion column, so there is nothing to learn from. Choose other data.")
    splits = {config.data.split: config.training.seed for config in configs}
    rows = [split_rows(dataset, split, seed) for split, seed in splits.items()]
    training, validation = span([len(part.training) for part in rows]), span([len(part.validation) for part in rows])
    return [f"{training} faces for training, {validation} for validation"]


def describe_cost(configs: tuple[RunConfig, ...], dataset: "Dataset") -> list[str]:
    """Say the size of the model and how long training it, or all of them, may take."""
    parameters = span([count_parameters(model) for model in {config.model for config in configs}])
    return [f"{parameters} parameters", f"{say_time(configs, dataset)}{' in all' if len(configs) > 1 else ''}"]


def span(numbers: list[int]) -> str:
    """Write a number, or the smallest and the largest of several: `1,200 to 3,400`."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


page_header("Train", "Choose data and a starting point, change what you like, and watch it learn.")
if choose_view() == NEW:
    new_run()
else:
    forget_click()
    close_reproduction()
    live_view()
