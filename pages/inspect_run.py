"""Run: everything that is known about one run."""

import streamlit as st

from emotion_core.config import SAMPLE
from emotion_core.errors import EmotionError
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import Run, State, Status
from emotion_core.watch import as_duration
from ui import cache, charts, tables, widgets
from ui.curves import curve_chart, curve_heading, curve_points

TRAIN, CLASSIFY, KAGGLE = "pages/train_models.py", "pages/classify_faces.py", "pages/predict_kaggle.py"


def show_header(run: Run, status: Status, state: State, evaluation: RunEvaluation | None) -> None:
    """Show what the run is, how it stands, and where to go from here."""
    config = run.config
    title, actions = st.columns(2, vertical_alignment="bottom")
    with title:
        st.subheader(widgets.plain(run.name), anchor=False)
        with st.container(horizontal=True, gap="small"):
            widgets.state_badge(state)
            if config.data.source == SAMPLE:
                widgets.drawn_badge()
            else:
                st.badge(tables.data_label(config.data.source), icon=":material/database:", color="gray")
            st.badge(config.preset, icon=":material/tune:", color="gray")
            st.badge(f"Seed {config.training.seed}", icon=":material/casino:", color="gray")
    with actions, st.container(horizontal=True, horizontal_alignment="right"):
        show_actions(run, state, has_model=evaluation is not None)
    if status.reason:
        st.warning(status.reason, icon=":material/info:")


def show_actions(run: Run, state: State, *, has_model: bool) -> None:
    """Offer the one next step: watch a live run, use a trained one."""
    query = {"run": run.id}
    if not state.is_over:
        if st.button("Watch it train", type="primary", icon=":material/monitoring:"):
            st.switch_page(TRAIN, query_params=query)
        return
    if st.button("Delete", icon=":material/delete:", key="delete"):
        confirm_deletion(run)
    if has_model:
        if st.button("Predict for Kaggle", icon=":material/upload_file:", key="kaggle"):
            st.switch_page(KAGGLE, query_params=query)
        if st.button("Classify faces", type="primary", icon=":material/face:", key="classify"):
            st.switch_page(CLASSIFY, query_params=query)


@st.dialog("Delete this run?")
def confirm_deletion(run: Run) -> None:
    """Ask once more, then remove the run for good."""
    st.markdown(f"**{widgets.plain(run.name)}** and its model are removed from the disk. This cannot be undone.")
    st.button("Delete for good", type="primary", key="delete-for-good", on_click=delete, args=(run,))


def delete(run: Run) -> None:
    """Remove the run; the page then says so and shows another of those that are left."""
    try:
        cache.runs().delete(run)
    except EmotionError as error:
        st.session_state["run-notice"] = str(error)
    else:
        st.session_state["run-notice"] = f"{run.name} is deleted."
        widgets.forget("run")
    st.rerun()  # all of the page, not only the dialog


def show_scores(evaluation: RunEvaluation, status: Status) -> None:
    """Show the numbers of the kept epoch."""
    with st.grid(6, min_column_width=150):
        st.metric("Validation accuracy", f"{evaluation.accuracy:.1%}", border=True)
        st.metric("Macro-F1", evaluation.macro_f1, format="%.3f", border=True)
        st.metric("Training accuracy", f"{evaluation.training_accuracy:.1%}", border=True)
        st.metric("Best epoch", f"{evaluation.best_epoch} of {status.epoch}", border=True)
        st.metric("Parameters", evaluation.parameters, format="compact", border=True)
        st.metric("Time", as_duration(evaluation.seconds), border=True)


def show_curves(run: Run, status: Status) -> None:
    """Show loss and accuracy by epoch."""
    history = cache.history(run.id)
    if not len(history):
        st.caption("Curves appear when the first epoch is done.")
        return
    st.space("xsmall")
    for place, metric in zip(st.columns(2, gap="large"), ("accuracy", "loss"), strict=True):
        with place:
            st.html(curve_heading(metric))
            widgets.show_curves(
                curve_points(history, run.progress(), metric, status.batches, status.best_epoch),
                curve_chart(metric),
                key=metric,
                alt=f"{metric.capitalize()} by epoch",
            )


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


def show_details(run: Run) -> None:
    """Show configuration, log and files, folded away."""
    with st.expander("Configuration", icon=":material/tune:"), st.grid(3, min_column_width=320):
        for section, settings in tables.configuration(run.config).items():
            with st.container():
                st.markdown(f"**{section}**")
                st.table(settings, border="horizontal")
    with st.expander("Log", icon=":material/article:"):
        st.code(run.log_tail(200) or "The run has printed nothing.", language=None, height=360)
    with st.expander("Files", icon=":material/folder_open:"):
        widgets.offer_files(run.files())


widgets.page_header("Run", "Everything that is known about one run.")
if notice := st.session_state.pop("run-notice", ""):
    st.toast(widgets.plain(notice))
chosen = widgets.pick_run("run-inspected", with_model=False)
if chosen is None:
    st.stop()
with widgets.friendly_errors():
    run_status, run_state, scores = chosen.status(), chosen.state(), chosen.evaluation()
    show_header(chosen, run_status, run_state, scores)
if scores is not None:
    show_scores(scores, run_status)
show_curves(chosen, run_status)
if scores is not None:
    show_mistakes(scores)
show_details(chosen)
