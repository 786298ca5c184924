"""The columns of the table of results: what each is called, how wide it is, how its values are written."""

from typing import Any, Final

import streamlit as st

from emotion_core.comparison import Verdict
from emotion_core.runs import State
from ui.badges import STATE_COLOURS

RULE: Final = (
    "A difference is within the spread of seeds if it is at most twice its standard error, "
    "the root of the sum of both sides' s²/n."
)
LENIENT: Final = (
    "With two or three seeds this rule is lenient: of pairs with equal settings, one in six looks different. One seed "
    "says nothing about the spread. The validation faces are a sample, too: on a few thousand, a difference below a "
    "point may be theirs, whatever the seeds say."
)

VERDICT_COLOURS: Final = {
    Verdict.BASELINE: "#6476E6",
    Verdict.CLEAR: "#009E73",
    Verdict.WITHIN: "#E69F00",
    Verdict.ONE_SEED: "#8A90A6",
    Verdict.OTHER_FACES: "#8A90A6",
}
"""Colours of how a difference is to be read."""


def _columns() -> dict[str, Any]:
    """Say how each column of the table is written."""
    config = st.column_config
    accuracy = {"format": "%.1f%%", "width": 84}
    points = {"format": "%+.1f", "width": 84}
    verdict = {
        "options": list(VERDICT_COLOURS),
        "color": list(VERDICT_COLOURS.values()),
        "width": 190,
        "help": f"{RULE} {LENIENT}",
    }
    spread = "Sample standard deviation over seeds, in points. A single seed has none."
    return {
        "Run": config.TextColumn(width=186),
        "State": config.MultiselectColumn(
            options=[state.capitalize() for state in State], color=list(STATE_COLOURS.values()), width=100
        ),
        "Runs": config.NumberColumn("n", width=42, help="Seeds counted in the means: finished or stopped, and scored."),
        "Seeds": config.TextColumn(width=66),
        "Validation accuracy": config.NumberColumn(
            "Validation", **accuracy, help="Accuracy at the kept epoch; the mean over seeds."
        ),
        "Validation deviation": config.NumberColumn("±", format="%.1f", width=48, help=spread),
        "Coursework validation": config.NumberColumn(
            "Coursework",
            **accuracy | {"width": 90},
            help="Mean of the coursework's own validation figures (SGD: of those it has), for unchanged presets.",
        ),
        "Against the coursework": config.NumberColumn("Difference", **points, help="Ours minus theirs, in points."),
        "Against the baseline": config.NumberColumn(
            "To baseline", **points | {"width": 90}, help="Validation accuracy minus the baseline's, in points."
        ),
        "Standing": config.MultiselectColumn("Could it be the seeds?", **verdict),
        "Test accuracy": config.NumberColumn(
            "Test",
            **accuracy | {"width": 66},
            help="Accuracy on rows of a file that had no part in training or model selection; their pictures may be "
            "copies of training faces.",
        ),
        "Test deviation": config.NumberColumn("±", format="%.1f", width=48, help=spread),
        "Coursework test": config.NumberColumn(
            "Kaggle", **accuracy | {"width": 66}, help="The coursework's score in the competition, on the test faces."
        ),
        "Test against the coursework": config.NumberColumn(
            "Difference", **points, help="Ours minus theirs, in points."
        ),
        "Test against the baseline": config.NumberColumn(
            "Test to baseline", **points, help="Test accuracy minus the baseline's, in points."
        ),
        "Test standing": config.MultiselectColumn("Test: the seeds?", **verdict),
        "Training accuracy": config.NumberColumn("Training", **accuracy, help="Accuracy at the kept epoch."),
        "Macro-F1": config.NumberColumn(
            format="%.3f", width=80, help="Mean F1 over the seven emotions, all weighted equally."
        ),
        "Test macro-F1": config.NumberColumn(format="%.3f", width=110),
        "Kept epoch": config.NumberColumn(
            format="%.0f",
            width=88,
            help="The one with the lowest validation loss, or the last if so set; the scores are its own.",
        ),
        "Validation loss": config.NumberColumn(format="%.3f", width=110, help="At the kept epoch."),
        "Epochs": config.TextColumn(width=88, help="Epochs done, and of how many if it did not finish."),
        "Parameters": config.NumberColumn(format="localized", width=92),
        "Time": config.NumberColumn(
            format="compact", width=78, help="Training time of a run in hours, minutes and seconds."
        ),
        "Images per second": config.NumberColumn(format="localized", width=120, help="Training images processed."),
        "Data": config.TextColumn(width=148, help="What it learnt from."),
        "Family": config.TextColumn("Kind of model", width=100),
        "Preset": config.TextColumn(width=140, help="The preset it began with, and whether its settings were changed."),
        "Tags": config.ListColumn(width=130),
        "Submitted": config.DatetimeColumn(format="D MMM YYYY, HH:mm", width=150),
        "Reason": config.TextColumn(width=220, help="Why the newest run is in its state."),
        "Notes": config.TextColumn(width=220, help="What people wrote about its runs."),
    }


COLUMNS: Final = _columns()
"""The columns of the table in their order on screen, and how each is written."""


def open_column(key: str) -> Any:
    """Return the column of buttons that open a run, a widget with a key of its own."""
    return st.column_config.ButtonColumn(
        "", key=key, type="tertiary", width=58, help="The run, or the best of its seeds."
    )
