"""The sections of the Run page: how training went, mistakes, scores by emotion, confidence, settings, files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import streamlit as st

from emotion_core.diagnosis import diagnose_run
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import DamagedRun
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import Run, RunSummary, State, Status
from emotion_core.units import KILOBYTE, MEGABYTE, counted
from ui import cache, carrying, figures, inspection, reliability, tables, widgets
from ui.curves import curve_chart, curve_heading, curve_points, how_measured

_LOG_LINES: Final = 200

_SECTION: Final = "section"  # key of the sections, and what the URL calls the open one

_ERROR_HELP: Final = (
    "How far apart confidence and accuracy are, on average over all faces (Naeini et al. 2015, Guo et al. 2017). 0% is "
    "perfect."
)


def show_sections(run: Run, line: RunSummary, status: Status | None, evaluation: RunEvaluation | None) -> None:
    """Show the open section; the others are not even read."""
    sections = {"Curves": lambda: _show_course(run, line, status, evaluation)}
    if evaluation:
        sections |= {
            "Mistakes": lambda: inspection.show_mistakes(run, evaluation),
            "Emotions": lambda: _show_emotions(evaluation),
            "Confidence": lambda: _show_confidence(run),
        }
    sections |= {"Settings": lambda: _show_settings(run), "Files": lambda: _show_files(run, line)}
    if "cell" in st.query_params and _SECTION not in st.query_params and _SECTION not in st.session_state:
        st.session_state[_SECTION] = "Mistakes" if evaluation else "Curves"
    for tab, show in zip(st.tabs(list(sections), key=_SECTION, bind="query-params"), sections.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _show_course(run: Run, line: RunSummary, status: Status | None, evaluation: RunEvaluation | None) -> None:
    """Show how training went and what came of it."""
    _show_curves(run, line, status)
    if evaluation:
        _show_story(evaluation)


def _show_curves(run: Run, line: RunSummary, status: Status | None) -> None:
    """Show loss and accuracy by epoch with the epoch that is kept, and what they say in one sentence."""
    history = run.history()
    if not len(history):
        st.caption("Curves appear after the first epoch.")
        return
    batches = status.batches if status else 0
    for place, metric in zip(st.columns(2, gap="large"), ("accuracy", "loss"), strict=True):
        with place:
            st.html(curve_heading(metric))
            figures.show_curves(
                curve_points(history, run.progress(), metric, batches, line.best_epoch),
                curve_chart(metric),
                key=metric,
                alt=f"{metric.capitalize()} by epoch",
            )
    if facts := how_measured(run.config):
        st.caption(facts)
    if status and (diagnosis := diagnose_run(run, history)):
        st.info(diagnosis.sentence, icon=":material/stethoscope:")


def _show_story(evaluation: RunEvaluation) -> None:
    """Say in a sentence what the run finds well, what it hardly finds, and what it takes for what."""
    from emotion_core.mistakes import commonest_confusion

    sentence = _range_of_recalls({name: one.recall for name, one in evaluation.per_class.items() if one.support})
    if often := commonest_confusion(evaluation.confusion):
        true, predicted = EMOTIONS[often.true], EMOTIONS[often.predicted]
        sentence += f" {often.share:.0%} of {true} faces are taken for {predicted}."
    st.info(sentence, icon=":material/search_insights:")


def _range_of_recalls(found: Mapping[str, float]) -> str:
    """Say which emotions are recognised best and worst; several may be level, and there may be one alone."""
    highest, lowest = max(found.values()), min(found.values())
    if len(found) == 1:
        return f"It recognises {highest:.0%} of the faces, all of which are **{next(iter(found))}**."
    if highest == lowest:
        return f"It recognises every emotion alike: {highest:.0%} of its faces."
    best, worst = (_at(found, recall) for recall in (highest, lowest))
    return f"It recognises {best} best ({highest:.0%} of its faces) and {worst} worst ({lowest:.0%})."


def _at(found: Mapping[str, float], recall: float) -> str:
    """Name the emotions of one recall."""
    first, *others = (name for name, each in found.items() if each == recall)
    more = f" and {counted(len(others), 'other')}" if others else ""
    return f"**{first}**{more}"


def _show_emotions(evaluation: RunEvaluation) -> None:
    """Show precision, recall and F1 of each emotion, on test faces beside validation faces where they are known."""
    config = st.column_config
    helps = {
        "precision": "Of the faces predicted as this emotion, the share labelled so; blank where there are none.",
        "recall": "Of the faces labelled with this emotion, the share predicted so.",
        "F1": "Harmonic mean of precision and recall.",
    }
    columns = {"Faces": config.NumberColumn(format="localized"), "Test faces": config.NumberColumn(format="localized")}
    for name, words in helps.items():
        column = config.ProgressColumn if name == "F1" else config.NumberColumn
        limits = {"min_value": 0, "max_value": 100, "format": "%.0f%%", "help": words}
        columns |= {name[0].upper() + name[1:]: column(**limits), f"Test {name}": column(**limits)}
    st.dataframe(
        tables.class_table(evaluation, evaluation.test),
        hide_index=True,
        row_height=44,
        column_config=columns,
        placeholder="",
        alt="Precision, recall and F1 of each emotion",
    )


def _show_confidence(run: Run) -> None:
    """Show whether the run is as often right as it says."""
    from emotion_core.calibration import calibrate

    try:
        validation, evaluation = run.validation(), run.evaluation()
    except DamagedRun:
        st.info("This run kept no record of how sure it was of each face.", icon=":material/info:")
        return
    calibration = calibrate(validation.labels, validation.probabilities)
    temperature = evaluation.temperature if evaluation else 1.0
    left, right = widgets.columns([3, 2], "confidence", narrowest=16, vertical_alignment="center")
    with left:
        st.html(reliability.reliability_heading())
        figures.show_curves(
            reliability.reliability_points(calibration),
            reliability.reliability_chart(),
            key="reliability",
            alt="Accuracy by confidence",
        )
    with right:
        st.markdown(f"### {reliability.most_telling_sentence(calibration)}")
        st.markdown(reliability.overall_sentence(calibration))
        st.metric("Expected calibration error", f"{calibration.error:.1%}", help=_ERROR_HELP, border=True)
        if sentence := reliability.temperature_sentence(temperature):
            st.markdown(sentence)
        st.caption(
            "Each bar holds the validation faces in one range of confidence, with their number above it. A perfectly "
            "calibrated model follows the dashed line."
        )


def _show_settings(run: Run) -> None:
    try:
        sections = tables.configuration(run.config, tables.distinct_names(cache.lines()))
    except DamagedRun as error:
        st.caption(widgets.plain(str(error)))
        return
    with st.grid(3, min_column_width=320):
        for section, settings in sections.items():
            with st.container():
                st.markdown(f"**{section}**")
                st.table({name: widgets.plain(words) for name, words in settings.items()}, border="horizontal")


def _show_files(run: Run, line: RunSummary) -> None:
    """Show where the run lies, offer its files, and show its log."""
    st.code(str(run.folder), language=None, wrap_lines=True)
    if line.state.is_over and line.state is not State.DAMAGED:
        carrying.offer_export(run)
    _offer_files(run.files())
    st.markdown("**Log**")
    widgets.show_log(run.log_tail(_LOG_LINES) or "The run has printed nothing.", height=360)


def _offer_files(paths: Sequence[Path]) -> None:
    """Offer each file for download with its size; a file is read only when it is asked for."""
    with st.container(horizontal=True):
        for path in paths:
            st.download_button(
                f"{path.name} ({_size(path.stat().st_size)})",
                path.read_bytes,
                path.name,
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{path.name}",
            )


def _size(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, round(size / KILOBYTE))} kB"
