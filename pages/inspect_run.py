"""Run: everything that is known about one run, and what can be done with it."""

import streamlit as st

from emotion_core.coursework import REPORTED
from emotion_core.diagnosis import diagnose_run
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import DamagedRun
from emotion_core.evaluation import RunEvaluation
from emotion_core.intervals import wilson_interval
from emotion_core.runs import About, Run, RunSummary, State, Status, summarise
from emotion_core.watch import as_duration, watch
from ui import cache, charts, headline, inspection, manage, pickers, reliability, tables, widgets
from ui.curves import curve_chart, curve_heading, curve_points

LOG_LINES = 200

SECTION = "section"  # key of the sections, and what the URL calls the open one

ERROR_HELP = (
    "How far apart confidence and accuracy are, on average over all faces (Naeini et al. 2015, Guo et al. 2017). 0% is "
    "perfect."
)


def show_header(run: Run, line: RunSummary) -> None:
    """Show what the run is, how it stands, and where to go from here."""
    title, actions = st.columns([5, 3], vertical_alignment="center")
    with title, st.container(gap="xsmall"):
        st.subheader(widgets.plain(line.name), anchor=False)
        with st.container(horizontal=True, gap="small"):
            widgets.state_badge(line.state)
            if line.state is not State.DAMAGED:
                show_origin(run, line)
    with actions:
        manage.offer_actions(run, line)


def show_origin(run: Run, line: RunSummary) -> None:
    if run.config.data.is_drawn:
        widgets.drawn_badge()
    else:
        data = charts.short(run.config.data.name)
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
    if line.has_model or not line.state.is_over:
        return
    if run.keras_path.exists():
        wait_for_model(run)
    elif line.state is State.FINISHED:
        offer_to_train_anew(run)


def offer_to_train_anew(run: Run) -> None:
    """Say that a run has scores but no model, and lead to one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            "This run came without its weights: to classify faces with it, train it again.",
            icon=":material/weight:",
        )
        if st.button("Train it again", icon=":material/content_copy:", key="train-anew"):
            manage.CLONE.act(run)


@st.fragment(run_every=5)
def wait_for_model(run: Run) -> None:
    """Say that the run cannot classify yet, and show the page anew once it can."""
    if run.onnx_path.exists():
        st.rerun()
    st.info(
        "This run's model is not ready to classify yet. After an import it is prepared in the background, which takes "
        "about a minute and needs TensorFlow.",
        icon=":material/hourglass:",
    )


def show_notes(about: About) -> None:
    """Show the notes as they were typed, line by line."""
    if about.notes:
        with st.container(border=True):
            st.text(about.notes, width="stretch")


def show_scores(evaluation: RunEvaluation, line: RunSummary) -> None:
    """Show the numbers of the kept epoch, and those on test faces where they were measured."""
    test = evaluation.test
    headlines = [headline.Headline("Validation accuracy", f"{evaluation.accuracy:.1%}", f"{evaluation.images:,} faces")]
    if test:
        low, high = wilson_interval(test.accuracy, test.images)
        note = f"{100 * low:.1f} to {high:.1%}"
        headlines.append(headline.Headline("Test accuracy", f"{test.accuracy:.1%}", note))
    headlines += [
        headline.Headline("Training accuracy", f"{evaluation.training_accuracy:.1%}", "same epoch"),
        headline.Headline(
            "Macro-F1", f"{evaluation.macro_f1:.3f}", f"test {test.macro_f1:.3f}" if test else "mean over emotions"
        ),
        headline.Headline("Kept epoch", f"{evaluation.best_epoch:,}", f"of {line.epoch:,}"),
        headline.Headline("Time", as_duration(line.seconds or 0), f"{line.images_per_second or 0:,.0f} images/s"),
        headline.Headline("Parameters", headline.in_short(evaluation.parameters), f"{evaluation.parameters:,}"),
    ]
    st.html(headline.strip(headlines))


def show_sources(evaluation: RunEvaluation, line: RunSummary) -> None:
    """Say on which file the test score was measured, and what the coursework reports for the same settings."""
    sentences = []
    if test := evaluation.test:
        file = widgets.plain(test.data)
        sentences.append(f"Test: {test.images:,} faces from {file}, none used in training; 95% confidence interval.")
    reported = REPORTED.get(line.preset)
    if reported and line.as_preset:
        on = "validation" if reported.validation else "training"
        sentences.append(f"Coursework: {reported.compared:.1%} on {on} faces, {reported.kaggle:.0%} on Kaggle.")
    if sentences:
        st.caption(" ".join(sentences))


def show_curves(run: Run, line: RunSummary, status: Status | None) -> None:
    """Show loss and accuracy by epoch with the epoch that is kept, and what they say in one sentence."""
    history = run.history()
    if not len(history):
        st.caption("Curves appear after the first epoch.")
        return
    batches = status.batches if status else 0
    for place, metric in zip(st.columns(2, gap="large"), ("accuracy", "loss"), strict=True):
        with place:
            st.html(curve_heading(metric))
            widgets.show_curves(
                curve_points(history, run.progress(), metric, batches, line.best_epoch),
                curve_chart(metric),
                key=metric,
                alt=f"{metric.capitalize()} by epoch",
            )
    if status and (diagnosis := diagnose_run(run, history)):
        st.info(diagnosis.sentence, icon=":material/stethoscope:")


def show_story(evaluation: RunEvaluation) -> None:
    """Say in a sentence what the run finds well, what it hardly finds, and what it takes for what."""
    from emotion_core.mistakes import commonest_confusion

    found = {name: scores.recall for name, scores in evaluation.per_class.items() if scores.support}
    best, worst = max(found, key=found.get), min(found, key=found.get)
    sentence = (
        f"It recognises **{best}** best ({found[best]:.0%} of its faces) and **{worst}** worst ({found[worst]:.0%})."
    )
    if often := commonest_confusion(evaluation.confusion):
        true, predicted = EMOTIONS[often.true], EMOTIONS[often.predicted]
        sentence += f" {often.share:.0%} of {true} faces are taken for {predicted}."
    st.info(sentence, icon=":material/search_insights:")


def show_emotions(evaluation: RunEvaluation) -> None:
    """Show precision, recall and F1 of each emotion, on test faces beside validation faces where they are known."""
    config = st.column_config
    helps = {
        "precision": "Of the faces predicted as this emotion, the share labelled so.",
        "recall": "Of the faces labelled with this emotion, the share predicted so.",
        "F1": "Harmonic mean of precision and recall.",
    }
    columns = {"Faces": config.NumberColumn(format="localized"), "Test faces": config.NumberColumn(format="localized")}
    for name, words in helps.items():
        column = config.ProgressColumn if name == "F1" else config.NumberColumn
        limits = {"min_value": 0, "max_value": 100, "format": "%.0f%%", "help": words}
        columns |= {name[0].upper() + name[1:]: column(**limits), f"Test {name}": column(**limits)}
    st.dataframe(
        tables.class_table(evaluation.per_class, evaluation.test.per_class if evaluation.test else None),
        hide_index=True,
        row_height=44,
        column_config=columns,
        alt="Precision, recall and F1 of each emotion",
    )


def show_confidence(run: Run) -> None:
    """Show whether the run is as often right as it says."""
    from emotion_core.calibration import calibrate

    try:
        validation, evaluation = run.validation(), run.evaluation()
    except DamagedRun:
        st.info("This run kept no record of how sure it was of each face.", icon=":material/info:")
        return
    calibration = calibrate(validation.labels, validation.probabilities)
    temperature = evaluation.temperature if evaluation else 1.0
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        st.html(reliability.reliability_heading())
        widgets.show_curves(
            reliability.reliability_points(calibration),
            reliability.reliability_chart(widgets.ink()),
            key="reliability",
            alt="Accuracy by confidence",
        )
    with right:
        st.markdown(f"### {reliability.most_telling_sentence(calibration)}")
        st.markdown(reliability.overall_sentence(calibration))
        st.metric("Expected calibration error", f"{calibration.error:.1%}", help=ERROR_HELP, border=True)
        if sentence := reliability.temperature_sentence(temperature):
            st.markdown(sentence)
        st.caption(
            "Each bar holds the validation faces in one range of confidence, with their number above it. A perfectly "
            "calibrated model follows the dashed line."
        )


def show_settings(run: Run) -> None:
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


def show_files(run: Run, line: RunSummary) -> None:
    """Show where the run lies, offer its files, and show its log."""
    st.code(str(run.folder), language=None, wrap_lines=True)
    if line.state.is_over and line.state is not State.DAMAGED:
        manage.offer_export(run)
    widgets.offer_files(run.files())
    st.markdown("**Log**")
    st.code(run.log_tail(LOG_LINES) or "The run has printed nothing.", language=None, height=360)


def show_sections(run: Run, line: RunSummary, status: Status | None, evaluation: RunEvaluation | None) -> None:
    """Show the open section; the others are not even read."""
    sections = {"Curves": lambda: show_course(run, line, status, evaluation)}
    if evaluation:
        sections |= {
            "Mistakes": lambda: inspection.show_mistakes(run, evaluation),
            "Emotions": lambda: show_emotions(evaluation),
            "Confidence": lambda: show_confidence(run),
        }
    sections |= {"Settings": lambda: show_settings(run), "Files": lambda: show_files(run, line)}
    if "cell" in st.query_params and SECTION not in st.query_params and SECTION not in st.session_state:
        st.session_state[SECTION] = "Mistakes" if evaluation else "Curves"
    for tab, show in zip(st.tabs(list(sections), key=SECTION, bind="query-params"), sections.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_course(run: Run, line: RunSummary, status: Status | None, evaluation: RunEvaluation | None) -> None:
    """Show how training went and what came of it."""
    show_curves(run, line, status)
    if evaluation:
        show_story(evaluation)


def show_run(run: Run, line: RunSummary) -> None:
    """Show a run whose folder can be read."""
    status, evaluation = run.status(), run.evaluation()
    show_outcome(run, line)
    show_notes(run.about())
    if inspection.labels_are_shuffled(run):
        st.info(
            "This run's faces and labels were shuffled separately on purpose, as the coursework's notebook did by "
            "mistake: the labels below do not belong to the faces.",
            icon=":material/shuffle:",
        )
    if evaluation is not None:
        show_scores(evaluation, line)
        show_sources(evaluation, line)
    show_sections(run, line, status, evaluation)


def show_damaged(run: Run, line: RunSummary) -> None:
    """Say what is damaged, and show what can still be read."""
    st.error(
        f"{widgets.plain(line.reason)} The rest of its folder is shown below; a run beyond repair can be deleted.",
        icon=":material/broken_image:",
    )
    show_notes(run.about())
    show_sections(run, line, None, None)


title, picker = st.columns([2, 3], vertical_alignment="bottom")
with title:
    widgets.page_header("Run", "Everything about one run.")
manage.follow_up()
with picker if cache.runs().all() else st.container():
    chosen = pickers.pick_run(manage.PICKER, with_model=False)
if chosen is None:
    st.stop()
summary = summarise(chosen)
with widgets.friendly_errors():
    show_header(chosen, summary)
    if summary.state is State.DAMAGED:
        show_damaged(chosen, summary)
    else:
        show_run(chosen, summary)
