"""Run: everything that is known about one run, and what can be done with it."""

import streamlit as st

from emotion_core.config import SAMPLE
from emotion_core.diagnosis import diagnose_run
from emotion_core.errors import DamagedRun
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import About, Run, RunSummary, State, Status, summarise
from emotion_core.watch import as_duration, watch
from ui import charts, manage, tables, widgets
from ui.curves import curve_chart, curve_heading, curve_points

LOG_LINES = 200


def show_header(run: Run, line: RunSummary) -> None:
    """Show what the run is, how it stands, and where to go from here."""
    title, actions = st.columns([5, 3], vertical_alignment="center")
    with title:
        st.subheader(widgets.plain(line.name), anchor=False)
    with actions:
        manage.offer_actions(run, line)
    with st.container(horizontal=True, gap="small"):
        widgets.state_badge(line.state)
        if line.state is not State.DAMAGED:
            show_origin(run, line)


def show_origin(run: Run, line: RunSummary) -> None:
    if run.config.data.source == SAMPLE:
        widgets.drawn_badge()
    else:
        data = charts.short(tables.data_label(run.config.data.source))
        widgets.typed_badge(data, ":material/database:")
    widgets.typed_badge(line.preset, ":material/tune:")
    st.badge(f"Seed {line.seed}", icon=":material/casino:", color="gray")
    for tag in line.tags:
        widgets.typed_badge(tag, ":material/label:", "primary")


def show_outcome(run: Run, line: RunSummary) -> None:
    """Say why a run ended that did not simply finish, and what else there is to know of it."""
    sentence = widgets.plain(watch(run).phase)
    if line.state in (State.FAILED, State.INTERRUPTED):
        st.error(sentence, icon=":material/error:")
    elif line.reason:
        st.info(sentence, icon=":material/info:")
    if run.keras_path.exists() and not line.has_model and line.state.is_over:
        wait_for_model(run)


@st.fragment(run_every=5)
def wait_for_model(run: Run) -> None:
    """Say that the run cannot classify yet, and show the page anew once it can."""
    if run.onnx_path.exists():
        st.rerun()
    st.info(
        "The model of this run is not ready to classify. After an import it is made ready in the background; that "
        "takes about a minute and needs TensorFlow.",
        icon=":material/hourglass:",
    )


def show_notes(about: About) -> None:
    """Show the notes as they were typed, line by line."""
    if about.notes:
        with st.container(border=True):
            st.text(about.notes, width="stretch")


def show_scores(evaluation: RunEvaluation, status: Status) -> None:
    """Show the numbers of the kept epoch."""
    with st.grid(6, min_column_width=150):
        st.metric("Validation accuracy", f"{evaluation.accuracy:.1%}", border=True)
        st.metric("Macro-F1", evaluation.macro_f1, format="%.3f", border=True)
        st.metric("Training accuracy", f"{evaluation.training_accuracy:.1%}", border=True)
        st.metric("Best epoch", f"{evaluation.best_epoch} of {status.epoch}", border=True)
        st.metric("Parameters", evaluation.parameters, format="compact", border=True)
        st.metric("Time", as_duration(evaluation.seconds), border=True)


def show_curves(run: Run, status: Status | None) -> None:
    """Show loss and accuracy by epoch, and what they say in one sentence."""
    history = run.history()
    if not len(history):
        st.caption("Curves appear when the first epoch is done.")
        return
    st.space("xsmall")
    batches, best_epoch = (status.batches, status.best_epoch) if status else (0, None)
    for place, metric in zip(st.columns(2, gap="large"), ("accuracy", "loss"), strict=True):
        with place:
            st.html(curve_heading(metric))
            widgets.show_curves(
                curve_points(history, run.progress(), metric, batches, best_epoch),
                curve_chart(metric),
                key=metric,
                alt=f"{metric.capitalize()} by epoch",
            )
    if status and (diagnosis := diagnose_run(run, history)):
        st.info(diagnosis.sentence, icon=":material/stethoscope:")


def show_mistakes(evaluation: RunEvaluation) -> None:
    """Show which emotions are taken for which, and the scores of each."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.subheader("What is taken for what", anchor=False)
        st.html(charts.confusion_matrix(evaluation.confusion))
    with right:
        st.subheader("Scores by emotion", anchor=False)
        config = st.column_config
        st.dataframe(
            tables.class_table(evaluation.per_class),
            hide_index=True,
            row_height=44,
            column_config={
                "Precision": config.NumberColumn(format="%.0f%%", help="Of faces given this name, how many bear it."),
                "Recall": config.NumberColumn(format="%.0f%%", help="Of faces that bear this name, how many got it."),
                "F1": config.ProgressColumn(
                    min_value=0, max_value=100, format="%.0f%%", help="Harmonic mean of precision and recall."
                ),
                "Faces": config.NumberColumn(format="localized"),
            },
            alt="Precision, recall and F1 of each emotion",
        )


def show_details(run: Run, line: RunSummary) -> None:
    """Show configuration, log and files, folded away."""
    with st.expander("Configuration", icon=":material/tune:"):
        show_configuration(run)
    with st.expander("Log", icon=":material/article:"):
        st.code(run.log_tail(LOG_LINES) or "The run has printed nothing.", language=None, height=360)
    with st.expander("Files", icon=":material/folder_open:"):
        st.code(str(run.folder), language=None, wrap_lines=True)
        if line.state.is_over and line.state is not State.DAMAGED:
            manage.offer_export(run)
        widgets.offer_files(run.files())


def show_configuration(run: Run) -> None:
    try:
        sections = tables.configuration(run.config)
    except DamagedRun as error:
        st.caption(widgets.plain(str(error)))
        return
    with st.grid(3, min_column_width=320):
        for section, settings in sections.items():
            with st.container():
                st.markdown(f"**{section}**")
                st.table({name: widgets.plain(words) for name, words in settings.items()}, border="horizontal")


def show_run(run: Run, line: RunSummary) -> None:
    """Show a run whose folder can be read."""
    status, evaluation = run.status(), run.evaluation()
    show_outcome(run, line)
    show_notes(run.about())
    if evaluation is not None:
        show_scores(evaluation, status)
    show_curves(run, status)
    if evaluation is not None:
        show_mistakes(evaluation)


def show_damaged(run: Run, line: RunSummary) -> None:
    """Say what is damaged, and show what can still be read."""
    st.error(
        f"{widgets.plain(line.reason)} The rest of its folder is shown below; what cannot be mended can be deleted.",
        icon=":material/broken_image:",
    )
    show_notes(run.about())
    show_curves(run, None)


widgets.page_header("Run", "Everything that is known about one run.")
manage.follow_up()
chosen = widgets.pick_run(manage.PICKER, with_model=False)
if chosen is None:
    st.stop()
summary = summarise(chosen)
with widgets.friendly_errors():
    show_header(chosen, summary)
    if summary.state is State.DAMAGED:
        show_damaged(chosen, summary)
    else:
        show_run(chosen, summary)
    show_details(chosen, summary)
