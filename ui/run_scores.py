"""The figures of a run in one line, and where they come from."""

import streamlit as st

from emotion_core.coursework import REPORTED
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import RunSummary
from emotion_core.units import counted
from emotion_core.watch import as_duration
from ui import widgets
from ui.headline import Headline, in_short, strip


def show_scores(evaluation: RunEvaluation, line: RunSummary) -> None:
    """Show the numbers of the kept epoch, and those on test faces where they were measured."""
    test = evaluation.test
    headlines = [Headline("Validation accuracy", f"{evaluation.accuracy:.1%}", counted(evaluation.images, "face"))]
    if test:
        low, high = test.accuracy_interval()
        note = f"{100 * low:.1f} to {high:.1%}"
        headlines.append(Headline("Test accuracy", f"{test.accuracy:.1%}", note))
    headlines += [
        Headline("Training accuracy", f"{evaluation.training_accuracy:.1%}", "same epoch"),
        Headline(
            "Macro-F1", f"{evaluation.macro_f1:.3f}", f"test {test.macro_f1:.3f}" if test else "mean over emotions"
        ),
        Headline("Kept epoch", f"{evaluation.best_epoch:,}", f"of {line.epoch:,}"),
        Headline("Time", as_duration(line.seconds or 0), f"{line.images_per_second or 0:,.0f} images/s"),
        Headline("Parameters", in_short(evaluation.parameters), f"{evaluation.parameters:,}"),
    ]
    st.html(strip(headlines))


def show_sources(evaluation: RunEvaluation, line: RunSummary) -> None:
    """Say on which file the test score was measured, and what the coursework reports for the same settings."""
    sentences = []
    if test := evaluation.test:
        file, (low, high) = widgets.plain(test.data), test.macro_f1_interval()
        sentences.append(
            f"Test: {counted(test.images, 'row')} of {file}, none used in training, though their pictures may be "
            f"copies of training faces; 95% confidence intervals, that of its macro-F1 {low:.3f} to {high:.3f}."
        )
    reported = REPORTED.get(line.preset)
    if reported and line.as_preset and not line.is_drawn:
        on = "validation" if reported.validation else "training"
        sentences.append(f"Coursework: {reported.compared:.1%} on {on} faces, {reported.kaggle:.0%} on Kaggle.")
    if sentences:
        st.caption(" ".join(sentences))
