"""The emotions of a video over its time: the chart, a face every now and then, the table."""

from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.classifier import Classifier
from emotion_core.emotions import EMOTIONS
from emotion_core.runs import Run
from emotion_core.units import counted
from emotion_core.video import FRAMES_PER_SECOND, LONGEST_SECONDS, Sighting, Timeline, read_timeline
from ui import cache
from ui.charts import EMOTION_SCALE, INK, axis_text
from ui.detectors import Finder
from ui.face_images import show_faces
from ui.figures import show_curves
from ui.widgets import friendly_errors, plain

_FACES_SHOWN: Final = 12

_LONGEST_GAP: Final = 3 / FRAMES_PER_SECOND
"""Seconds between two sightings over which the chart goes on."""


def timeline_of(upload: UploadedFile, classifier: Classifier, run: Run, finder: Finder) -> Timeline:
    """Return what a video shows; read once for each model and detector, with a bar that tells how far it is."""
    key = (upload.file_id, run.id, cache.model_time(run), finder)
    known: tuple[tuple[str, str, float, Finder], Timeline] | None = st.session_state.get("timeline")
    if known and known[0] == key:
        return known[1]
    bar = st.progress(0.0, f"Reading {plain(upload.name)}...")
    try:
        with friendly_errors():
            timeline = read_timeline(
                upload.getvalue(),
                upload.name,
                classifier,
                cache.detector(finder.name, finder.smallest),
                lambda share: bar.progress(share, f"Reading {plain(upload.name)}..."),
            )
    finally:
        bar.empty()
    st.session_state["timeline"] = (key, timeline)
    return timeline


def show_timeline(timeline: Timeline, name: str) -> None:
    """Show the emotions of one person over time, and offer those of all as a CSV."""
    cut = f" Only the first {LONGEST_SECONDS} seconds are read." if timeline.was_cut else ""
    frames = counted(timeline.frames, "frame")
    if not timeline.sightings:
        st.warning(f"No face found in {frames} of {plain(name)}.{cut}", icon=":material/face_retouching_off:")
        return
    person = _pick_person(timeline)
    seen = [sighting for sighting in timeline.sightings if sighting.person == person]
    points = shares_over_time(seen)
    show_curves(points, timeline_chart(timeline.seconds), key="timeline", alt="Emotions over the video")
    chosen = seen[:: max(1, -(-len(seen) // _FACES_SHOWN))]
    captions = [f"{sighting.seconds:.1f} s {sighting.face.emotion}" for sighting in chosen]
    show_faces([sighting.face.crop for sighting in chosen], captions, columns=_FACES_SHOWN)
    length = counted(round(timeline.seconds), "second")
    with_faces = len({sighting.seconds for sighting in timeline.sightings})
    st.caption(f"{frames} read over {length}, a face found in {with_faces:,}.{cut}")
    st.download_button(
        "Timeline as CSV",
        lambda: timeline.table().to_csv(index=False).encode(),
        "timeline.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="timeline-csv",
    )


def shares_over_time(sightings: list[Sighting]) -> pd.DataFrame:
    """Return a row per moment and emotion: seconds, emotion, share, order (that of the labels), stretch.

    A stretch is a time in which the person was in view, counted from 0.
    """
    moments = np.array([sighting.seconds for sighting in sightings])
    stretches = np.cumsum(np.diff(moments, prepend=moments[0]) > _LONGEST_GAP)
    return pd.DataFrame(
        [
            {"seconds": sighting.seconds, "emotion": emotion, "share": float(share), "order": order, "stretch": stretch}
            for sighting, stretch in zip(sightings, stretches.tolist(), strict=True)
            for order, (emotion, share) in enumerate(zip(EMOTIONS, sighting.face.probabilities, strict=True))
        ]
    )


def timeline_chart(seconds: float) -> dict[str, Any]:
    """Describe the chart (Vega-Lite): shares stacked to 100 % over a video of so many seconds."""
    large = axis_text(15)
    return {
        "height": 300,
        "mark": {"type": "area", "interpolate": "monotone", "opacity": 0.9},
        "encoding": {
            "x": {
                "field": "seconds",
                "type": "quantitative",
                "title": "Seconds",
                "scale": {"domain": [0, max(seconds, 1)], "nice": False},
                "axis": large | {"grid": False},
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "stack": "normalize",
                "title": None,
                "axis": large | {"format": ".0%"},
            },
            "color": {
                "field": "emotion",
                "type": "nominal",
                "scale": EMOTION_SCALE,
                "legend": {
                    "title": None,
                    "orient": "top",
                    "labelFontSize": 15,
                    "labelColor": INK,
                    "symbolType": "square",
                },
            },
            "order": {"field": "order"},
            "detail": {"field": "stretch"},
            "tooltip": [
                {"field": "seconds", "title": "Second", "format": ".1f"},
                {"field": "emotion", "title": "Emotion"},
                {"field": "share", "title": "Probability", "format": ".0%"},
            ],
        },
    }


def _pick_person(timeline: Timeline) -> int:
    people = timeline.people
    if len(people) == 1:
        return people[0]
    chosen = st.segmented_control(
        "Person",
        people,
        default=people[0],
        required=True,
        key="timeline-person",
        format_func=lambda person: f"Person {person + 1}",
        label_visibility="collapsed",
    )
    return chosen if chosen in people else people[0]
