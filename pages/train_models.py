"""Train: choose data and a starting point, change what one likes, queue it, and watch it learn."""

import time
from typing import TYPE_CHECKING

import streamlit as st

from emotion_core.config import Augmentation, RunConfig
from emotion_core.errors import BadInput
from emotion_core.models.parameters import count_parameters
from emotion_core.presets import PRESETS, Preset
from emotion_core.watch import as_duration, images_per_second, runs_in_hand
from ui import cache
from ui.charts import ACCENT
from ui.fields import label_of
from ui.forms import ConfigForm
from ui.live import live_view
from ui.widgets import friendly_errors, page_header, pick_dataset

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset

NEW, WATCH = "New run", "Watch"
SECTIONS = {
    "Data split": "data",
    "Augmentation": "augmentation",
    "Model": "model",
    "Training": "training",
    "Device": "device",
}
# What a linear model has no use for, and is not asked.
UNUSED_BY_LINEAR = ("augmentation", "device", "training.batch_size", "training.amsgrad", "training.schedule")

SAME_CLICK_SECONDS = 2.0


def choose_view() -> str:
    """Let the person switch between the form and the live view; open with whichever has something to say."""
    if "train.go_to" in st.session_state:
        st.session_state["train.view"] = st.session_state.pop("train.go_to")
    busy = "run" in st.query_params or runs_in_hand(cache.runs())
    brought = st.session_state.get("augmentation")  # what the Augment page wants used in a run
    if brought != st.session_state.get("train.augmentation_seen"):
        st.session_state["train.augmentation_seen"] = brought
        st.session_state["train.view"] = NEW
    st.session_state.setdefault("train.view", WATCH if busy else NEW)
    return st.segmented_control("View", (NEW, WATCH), key="train.view", required=True, label_visibility="collapsed")


def new_run() -> None:
    """Show the form from data to the Train button."""
    dataset = pick_dataset("train-data")
    preset = choose_preset()
    form = ConfigForm(preset.config, preset.name)
    take_over_augmentation(form, preset)
    unused = UNUSED_BY_LINEAR if form.current("model.family") == "linear" else ()
    ask_main_settings(form, unused)
    launch = st.container()
    ask_other_settings(form, unused)
    if dataset is not None:
        form.fill("data.source", dataset.source)
        form.fill("data.drop_incomplete", bool(dataset.problems))  # the person agreed where the data was chosen
        with launch:
            offer_launch(form, dataset)


def choose_preset() -> Preset:
    """Show the presets as cards and return the chosen one, which the URL names."""
    asked = st.query_params.get("preset", st.session_state.get("train.preset"))
    chosen = PRESETS.get(asked or "", next(iter(PRESETS.values())))
    st.session_state["train.preset"] = chosen.name
    st.html(
        f"<style>.st-key-card-{chosen.name} {{border-color: {ACCENT}; box-shadow: inset 0 0 0 1px {ACCENT}}}</style>"
    )
    with st.grid("auto", min_column_width=200):
        for preset in PRESETS.values():
            show_card(preset, chosen=preset is chosen)
    return chosen


def show_card(preset: Preset, *, chosen: bool) -> None:
    model = preset.config.model
    with st.container(
        border=True, height="stretch", vertical_alignment="distribute", key=f"card-{preset.name}", gap="small"
    ):
        with st.container(gap="xsmall"):
            st.markdown(f"**{preset.title}**")
            st.caption(f"{label_of(model.family)} · {count_parameters(model):,} parameters")
            st.markdown(f":small[{preset.summary}]")
        st.button(
            "Chosen" if chosen else "Choose",
            key=f"choose-{preset.name}",
            icon=":material/check:" if chosen else None,
            disabled=chosen,
            on_click=take_preset,
            args=(preset.name,),
            width="stretch",
        )


def take_preset(name: str) -> None:
    st.query_params["preset"] = name


def take_over_augmentation(form: ConfigForm, preset: Preset) -> None:
    """Use what the Augment page left in the session, once for each preset, and say so."""
    augmentation: Augmentation | None = st.session_state.get("augmentation")
    if augmentation is None:
        return
    taken = st.session_state.setdefault("train.augmentation_taken", {})
    if taken.get(preset.name) != augmentation:
        taken[preset.name] = augmentation
        form.overwrite("augmentation", augmentation)
    if form.current("model.family") == "linear":
        message = "A linear model takes no augmentation. Choose a network to use what you set on the Augment page."
    else:
        message = "The augmentation was taken over from the Augment page; it can be changed below."
    st.info(message, icon=":material/transform:")


def ask_main_settings(form: ConfigForm, unused: tuple[str, ...]) -> None:
    paths = ("name", "training.epochs", "training.batch_size", "training.seed")
    form.ask(*(path for path in paths if path not in unused))


def ask_other_settings(form: ConfigForm, unused: tuple[str, ...]) -> None:
    for title, path in SECTIONS.items():
        if path not in unused:
            with st.expander(title, key=f"section-{path}"):
                if path == "model":
                    form.ask(path)
                else:
                    form.ask_rest(path, without=("data.source", "data.drop_incomplete", *unused))


def offer_launch(form: ConfigForm, dataset: "Dataset") -> None:
    """Say what would be trained on what, and offer to do it; or say what is wrong."""
    outcome = form.outcome()
    problems = list(outcome.problems)
    faces = None
    if outcome.config is not None:
        try:
            faces = describe_faces(outcome.config, dataset)
        except BadInput as error:
            problems.append(str(error))
    with st.container(horizontal=True, vertical_alignment="center"):
        submitting = st.session_state.get("train.submitting", False)
        st.button(
            "Train",
            key="train",
            type="primary",
            icon=":material/play_circle:",
            disabled=bool(problems) or submitting,
            on_click=begin_submission,
        )
        if outcome.config is not None and faces is not None:
            st.caption(" · ".join([*faces, *describe_cost(outcome.config, dataset)]), width="stretch")
    for problem in problems:
        st.error(problem, icon=":material/error:")
    if submitting:
        st.session_state["train.submitting"] = False
        if outcome.config is not None and not problems:
            submit(outcome.config)


def begin_submission() -> None:
    st.session_state["train.submitting"] = True


def submit(config: RunConfig) -> None:
    """Queue the run, unless a second click of the same moment asks for the same again, and go to watch it."""
    last = st.session_state.setdefault("train.last_submission", {})
    # NOTE: a second click may interrupt this script at any call of Streamlit, so none stands between the two lines.
    if last.get("config") != config or time.monotonic() - last["at"] > SAME_CLICK_SECONDS:
        with friendly_errors():
            last |= {"config": config, "run": cache.engine().submit(config).id, "at": time.monotonic()}
    st.session_state["train.go_to"] = WATCH
    st.query_params["run"] = last["run"]
    st.rerun()


def describe_faces(config: RunConfig, dataset: "Dataset") -> list[str]:
    """Say how many faces train and validate; raises BadInput where the data cannot be split so."""
    from emotion_core.dataset import split_rows

    if dataset.labels is None:
        raise BadInput(f"{dataset.name} has no emotion column, so there is nothing to learn from. Choose other data.")
    rows = split_rows(dataset, config.data.split, config.training.seed)
    return [f"{len(rows.training):,} faces train, {len(rows.validation):,} validate"]


def describe_cost(config: RunConfig, dataset: "Dataset") -> list[str]:
    """Say the size of the model and, where such a run was measured before, how long this one may take."""
    facts = [f"{count_parameters(config.model):,} parameters"]
    if speed := measured_speed(config.preset):
        longest = as_duration(config.training.epochs * len(dataset) / speed)
        facts.append(f"up to {longest} at the speed of the last such run")
    return facts


@st.cache_data(ttl="1m", max_entries=50, show_spinner=False)
def measured_speed(preset: str) -> float | None:
    return images_per_second(cache.runs(), preset)


page_header("Train", "Choose data and a starting point, change what you like, and watch it learn.")
if choose_view() == NEW:
    new_run()
else:
    live_view()
