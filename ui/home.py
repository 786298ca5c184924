"""What the Home page shows: the next thing to do, what is here at a glance, and the latest and the best runs."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import streamlit as st

from emotion_core.config import SAMPLE, Data
from emotion_core.errors import EmotionError
from emotion_core.runs import RunSummary, State
from emotion_core.settings import data_folder
from emotion_core.units import counted
from ui import cache, charts
from ui.badges import state_badge
from ui.pickers import agreed_to_leave_out
from ui.widgets import go_to, plain

_LISTED: Final = 5
_CARD: Final = {"border": True, "delta_color": "off", "delta_arrow": "off", "height": "stretch"}


@dataclass(frozen=True)
class NextStep:
    """What to do next: why, in a sentence, what its button says, and the page that the button opens."""

    words: str
    action: str
    page: str
    parameters: dict[str, str] = field(default_factory=dict)


def next_step(lines: Sequence[RunSummary], files: Sequence[Path]) -> NextStep:
    """Return the next thing to do: watch what computes, else add data, train a first model, or use the best.

    Args:
        lines: The runs, newest first.
        files: The data sets that can train.
    """
    from emotion_core.classifier import best_line

    running = next((line for line in lines if line.state is State.RUNNING), None)
    if running:
        return NextStep(
            f"**{plain(running.name)}** is being trained: epoch {running.epoch_in_hand} of {running.epochs}.",
            "Watch it learn",
            "pages/train_models.py",
            {"run": running.id},
        )
    best = best_line(lines)
    if best is None:
        return NextStep(
            "There is no trained model yet. The linear baseline takes a minute.",
            "Train a first model",
            "pages/train_models.py",
            {"preset": "sgd"},
        )
    if not files:
        return NextStep(
            "The faces shown are drawn by code. To work on photographs, put FER-2013's CSV into the folder "
            f"{plain(str(data_folder()))}.",
            "Add data",
            "pages/explore_data.py",
        )
    learnt = " (learnt from drawn faces)" if best.is_drawn else ""
    return NextStep(
        f"**{plain(best.name)}**{learnt} is ready to read a face, from a picture or from your webcam.",
        "Classify a face",
        "pages/classify_faces.py",
    )


def show_next_step(step: NextStep) -> None:
    """Show the next thing to do and the button that leads there."""
    with st.container(border=True, height="stretch", vertical_alignment="center"):
        st.subheader("Next", anchor=False)
        st.markdown(step.words)
        if st.button(step.action, type="primary", icon=":material/arrow_forward:", key=f"next-step-{step.action}"):
            go_to(step.page, **step.parameters)


def show_best(line: RunSummary | None) -> None:
    """Show the best model and how often it is right."""
    if line is None:
        st.metric("Best model", "None yet", "Train one first", **_CARD)
        return
    test = None if line.test_accuracy is None else f"On test faces: {line.test_accuracy:.1%}."
    accuracy = "not scored" if line.val_accuracy is None else f"{line.val_accuracy:.1%}"
    name = plain(charts.short(line.name)) + (" (drawn faces)" if line.is_drawn else "")
    st.metric("Best model, validation", accuracy, name, help=test, **_CARD)


def show_runs(lines: Sequence[RunSummary]) -> None:
    """Show how many runs there are and how many are in hand."""
    in_hand = sum(not line.state.is_over for line in lines)
    st.metric("Saved runs", f"{len(lines):,}", f"{in_hand} in progress" if in_hand else "none in progress", **_CARD)


def show_device() -> None:
    """Show what runs compute on."""
    from emotion_core.engine.devices import may_train_on_gpu
    from emotion_core.hardware import gpus

    cores = counted(os.cpu_count() or 1, "processor core")
    on_gpu = may_train_on_gpu()
    found = gpus() if on_gpu else ()
    name = plain(charts.short(found[0].name)) if found else "GPU" if on_gpu else "Processor"
    more = f"{counted(len(found), 'GPU')}, {cores}" if found else cores
    st.metric("Computes on", name, more, **_CARD)


def show_data(files: Sequence[Path]) -> None:
    """Show which data there is and how many faces it holds."""
    from emotion_core.kept_copies import is_kept_copy

    source = str(next((path for path in files if not is_kept_copy(path)), SAMPLE))
    try:
        dataset = cache.dataset(source, drop_incomplete=agreed_to_leave_out(source))
    except EmotionError as error:
        name = charts.short(Data(source=source).name)
        st.metric("Data", "Not readable", plain(name), help=plain(str(error)), **_CARD)
        return
    st.metric("Faces", f"{len(dataset):,}", plain(charts.short(dataset.name)), **_CARD)


def show_latest(lines: Sequence[RunSummary]) -> None:
    """Show the latest runs, each a way to its page."""
    st.subheader("Latest runs", anchor=False)
    if not lines:
        st.caption("What you train appears here, and goes on learning while you look elsewhere.")
    for line in lines[:_LISTED]:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container():
                _offer_run(line, "latest")
            st.caption(_when(line.submitted), width=95)
            with st.container(width=100):
                state_badge(line.state)


def show_ranking(lines: Sequence[RunSummary]) -> None:
    """Show the best models by validation accuracy, those of drawn faces last, each a way to its page."""
    from emotion_core.classifier import by_merit

    st.subheader("Best models", anchor=False)
    ranked = [line for line in by_merit(lines) if line.macro_f1 is not None]  # one that computes has no scores yet
    if not ranked:
        st.caption("Trained models appear here, ranked by validation accuracy.")
    for line in ranked[:_LISTED]:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            _offer_run(line, "best")
            if line.is_drawn:
                st.caption(":material/draw: drawn faces", width="content")
            st.markdown(f"**{line.val_accuracy:.1%}**", width="content")


def labelled_files() -> list[Path]:
    """Return the data sets of the data folder that can train, or may once they are unpacked, the surest first."""
    from emotion_core.dataset import chance_of_labels, find_datasets

    found = sorted(find_datasets(data_folder()), key=chance_of_labels, reverse=True)
    return [path for path in found if chance_of_labels(path)]


def _offer_run(line: RunSummary, place: str) -> None:
    if st.button(plain(charts.short(line.name)), type="tertiary", key=f"{place}-{line.id}"):
        go_to("pages/inspect_run.py", run=line.id)


def _when(submitted: float) -> str:
    seconds = max(0.0, time.time() - submitted)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
