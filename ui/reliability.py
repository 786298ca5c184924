"""How sure a model is against how often it is right: a reliability diagram and what it says in a sentence.

Nothing here calls Streamlit.
"""

from typing import TYPE_CHECKING, Any, Final

from emotion_core.calibration import Calibration
from emotion_core.intervals import wilson_interval
from emotion_core.units import counted
from ui.charts import ACCENT, FONT, INK, axis_text, heading_with_legend

if TYPE_CHECKING:
    import pandas as pd

TOO_SURE, TOO_MODEST = "#E69F00", "#009E73"
"""Colours of what lies between confidence and accuracy."""

HONEST: Final = 0.02
"""A model whose mean confidence is this near to its accuracy is neither too sure nor too modest."""


def reliability_points(calibration: Calibration) -> "pd.DataFrame":
    """Return a row per bin that holds faces: low and high end, confidence, accuracy, number of faces."""
    import pandas as pd

    bins = len(calibration.faces)
    table = pd.DataFrame(
        {
            "low": [number / bins for number in range(bins)],
            "high": [(number + 1) / bins for number in range(bins)],
            "confidence": calibration.confidence,
            "accuracy": calibration.accuracy,
            "faces": calibration.faces,
        }
    )
    return table[table["faces"] > 0]


def reliability_chart() -> dict[str, Any]:
    """Describe the reliability diagram (Vega-Lite) for the points of `reliability_points`."""
    large = axis_text(15)
    percent = {"type": "quantitative", "scale": {"domain": [0, 1], "nice": False}}
    width = {
        "x": percent | {"field": "left", "title": "How sure it is", "axis": _PERCENT | large | {"grid": False}},
        "x2": {"field": "right"},
    }
    y = percent | {"title": "How often it is right", "axis": _PERCENT | large}
    gap = {"test": "datum.confidence > datum.accuracy", "value": TOO_SURE}
    return {
        "height": 330,
        "transform": [
            {"calculate": f"datum.low + {_SPACE}", "as": "left"},
            {"calculate": f"datum.high - {_SPACE}", "as": "right"},
            {"calculate": "(datum.low + datum.high) / 2", "as": "middle"},
        ],
        "layer": [
            {
                "mark": {"type": "rect", "color": ACCENT},
                "encoding": width | {"y": y | {"field": "accuracy"}, "y2": {"datum": 0}, "tooltip": _TOOLTIP},
            },
            {
                "mark": {"type": "rect"},
                "encoding": width
                | {
                    "y": y | {"field": "confidence"},
                    "y2": {"field": "accuracy"},
                    "color": {"condition": gap, "value": TOO_MODEST},
                    "tooltip": _TOOLTIP,
                },
            },
            {
                "data": {"values": [{"end": 0}, {"end": 1}]},
                "mark": {"type": "line", "color": INK, "strokeWidth": 2, "strokeDash": [7, 5]},
                "encoding": {"x": percent | {"field": "end"}, "y": y | {"field": "end"}},
            },
            {
                "mark": {
                    "type": "text",
                    "baseline": "bottom",
                    "fontSize": 14,
                    "font": FONT,
                    "color": INK,
                },
                "encoding": {
                    "x": percent | {"field": "middle"},
                    "y": {"value": -6},
                    "text": {"field": "faces", "format": ",d"},
                },
            },
        ],
    }


_SPACE: Final = 0.004
"""Half of the room between two bars, on the scale of confidence."""

_PERCENT: Final[dict[str, Any]] = {"format": ".0%", "values": [0, 0.2, 0.4, 0.6, 0.8, 1], "labelFlush": False}

_TOOLTIP: Final = [
    {"field": "confidence", "title": "Says", "format": ".1%"},
    {"field": "accuracy", "title": "Is right", "format": ".1%"},
    {"field": "faces", "title": "Faces", "format": ",d"},
]


def reliability_heading() -> str:
    """Return the diagram's title and its legend, as HTML for a line above it."""
    colours = {"right": ACCENT, "overconfident": TOO_SURE, "underconfident": TOO_MODEST}
    return heading_with_legend("Accuracy by confidence", colours, "&#9632;")


def most_telling_sentence(calibration: Calibration) -> str:
    """Say what the bin means that adds most to the calibration error."""
    number = calibration.most_telling
    said, right, faces = calibration.confidence[number], calibration.accuracy[number], calibration.faces[number]
    return f"When it says {said:.0%}, it is right {right:.0%} of the time ({counted(faces, 'face')})."


def temperature_sentence(temperature: float) -> str:
    """Say what calibration did to the probabilities; nothing where there was none."""
    if temperature == 1:
        return ""
    if abs(temperature - 1) < HONEST:
        return f"A temperature of {temperature:.2f}, fitted on these faces, changes next to nothing: it needed none."
    was = "overconfident" if temperature > 1 else "underconfident"
    return (
        f"Before calibration it was {was}: its logits are divided by a temperature of {temperature:.2f}, fitted on "
        "these faces. The predicted emotion stays the same."
    )


def overall_sentence(calibration: Calibration) -> str:
    """Say whether the model is too sure or too modest on the whole, as far as its faces can tell (95 % interval)."""
    said, right, faces = calibration.mean_confidence, calibration.mean_accuracy, int(calibration.faces.sum())
    points = round(100 * said) - round(100 * right)  # between what is shown, which is rounded
    lowest, highest = wilson_interval(right, faces)
    if abs(points) < 100 * HONEST:
        verdict = "about as sure as it should be"
    elif lowest <= said <= highest:
        verdict = f"about as sure as it should be, as far as {counted(faces, 'face')} can tell"
    else:
        verdict = f"{'overconfident' if points > 0 else 'underconfident'} by {abs(points)} points"
    return f"On average it says {said:.0%} and is right {right:.0%} of the time: it is {verdict}."
