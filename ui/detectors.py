"""Which face detector a page uses, and the button that fetches the better one."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from emotion_core.detection import DETECTORS, HaarDetector, YunetDetector, best_detector
from emotion_core.detector_file import fetch_detector
from emotion_core.errors import EmotionError
from ui.widgets import plain

_NAMES: Final = {
    YunetDetector.name: "YuNet",
    HaarDetector.name: "Haar cascades",
}

_WORDS: Final = """**YuNet** is OpenCV's small face-finding network: it finds more faces, and faster.
**Haar cascades** (2001) come with every OpenCV and need no download."""


@dataclass(frozen=True)
class Finder:
    """How faces are to be found: by which detector, and down to which share of the picture; None for the usual one."""

    name: str
    smallest: float | None = None


def pick_detector(*, live: bool = False) -> Finder:
    """Let the person choose how faces are found, in pictures or live; offer YuNet where it is not here."""
    best = best_detector()
    names = list(DETECTORS) if best == YunetDetector.name else [HaarDetector.name]
    if st.session_state.pop("detector-fetched", False) or st.session_state.get("detector") not in names:
        st.session_state["detector"] = best
    chosen: str = st.session_state["detector"]
    with st.popover(f"Faces found by {_NAMES[chosen]}", icon=":material/frame_person:"):
        st.radio("Face detector", names, key="detector", format_func=_NAMES.__getitem__)
        st.caption(_WORDS)
        kind = DETECTORS[chosen]
        usual = round(100 * (kind.live_smallest if live else kind.usual_smallest))
        smallest = st.slider(
            "Smallest face",
            2,
            40,
            usual,
            format="%d%%",
            key=f"smallest-{chosen}{'-live' * live}",
            help="As a share of the picture's longer side. Smaller finds more in group photographs, but takes longer "
            "and gives more false alarms.",
        )
        if best != YunetDetector.name:
            _offer_yunet()
    return Finder(chosen, None if smallest == usual else smallest / 100)


def _offer_yunet() -> None:
    if st.button("Fetch YuNet", icon=":material/download:", help="0.2 MB from the OpenCV Zoo on GitHub, MIT licence."):
        try:
            with st.spinner("Fetching..."):
                fetch_detector()
        except EmotionError as error:
            st.error(plain(str(error)), icon=":material/cloud_off:")
        else:
            st.session_state["detector-fetched"] = True
            st.rerun()
