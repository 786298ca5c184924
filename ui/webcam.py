"""The live webcam: the browser's frames into `emotion_core.webcam`, its pictures back, its newest result beside.

Importing this costs seconds, since it brings WebRTC; do it when someone asks for the webcam.
"""

from collections.abc import Callable
from typing import Final

import av
import streamlit as st
from streamlit_webrtc import webrtc_streamer

from emotion_core.annotate import draw_faces, person_colour
from emotion_core.classifier import Classifier
from emotion_core.faces import ClassifiedFace, classify_crops
from emotion_core.images import shrink
from emotion_core.runs import Run
from emotion_core.webcam import LivePerson, LiveSettings, LiveView, Still, WebcamClassifier, open_live_detector
from ui import cache
from ui.camera_check import TRANSLATIONS, show_camera_trouble
from ui.closer import show_closer
from ui.detectors import Finder
from ui.face_images import show_faces
from ui.faces import show_face, show_no_face
from ui.widgets import columns, friendly_errors, plain

_CAMERA: Final = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 20, "max": 30}},
    "audio": False,
}
_REFRESH_SECONDS: Final = 0.3
_CLOSER_SECONDS: Final = 1.5
_STILLS: Final = 6
"""Stills that are kept; the oldest makes room."""

_SMOOTHING: Final = {"Off": 0.0, "Quick": 0.25, "Steady": 0.5, "Calm": 1.0, "Slow": 2.0}
"""Seconds over which probabilities are averaged."""

LIVE: Final = "Live"

_HAS_PLAYED: Final = "webcam-has-played"


def show_webcam(classifier: Classifier, run: Run, finder: Finder) -> None:
    """Show the camera's control and picture, the bars beside it, and below one face closely."""
    webcam = _webcam_of_session(classifier, run, finder)  # warm before START can be pressed
    video, result = columns([3, 2], "webcam", narrowest=13)
    with video:
        show_camera_trouble()
        stream = webrtc_streamer(
            key="webcam",
            video_frame_callback=_frame_callback(webcam),
            on_video_ended=webcam.forget,
            async_processing=True,  # frames that come while one is drawn are left out, so the picture never lags
            rtc_configuration={"iceServers": []},  # browser and server meet directly; no outside service is asked
            media_stream_constraints=_CAMERA,
            media_toggle_controls=False,
            translations=TRANSLATIONS,
            video_html_attrs={"autoPlay": True, "controls": False, "style": {"width": "100%", "borderRadius": "8px"}},
        )
        st.caption(
            "Frames go to the computer that runs this app, are read in its memory and dropped at once. "
            "Only stills that you take stay there, until you leave."
        )
    playing = stream.state.playing
    st.session_state[_HAS_PLAYED] = playing or st.session_state.get(_HAS_PLAYED, False)
    with result:
        st.fragment(_show_latest, run_every=_REFRESH_SECONDS if playing else None)(webcam, playing)
        _show_controls(webcam, playing)
    _show_below(webcam, run, playing)


def _show_controls(webcam: WebcamClassifier, playing: bool) -> None:
    """Offer what may be changed while the stream runs."""
    with st.container(horizontal=True):
        paused = webcam.paused and playing
        st.button(
            "Continue" if paused else "Pause",
            icon=":material/play_arrow:" if paused else ":material/pause:",
            disabled=not playing,
            key="webcam-pause",
            on_click=webcam.pause,
            args=(not paused,),
        )
        if st.button("Take a still", icon=":material/photo_camera:", disabled=not playing, key="webcam-still"):
            _keep_still(webcam)
    left, right = st.columns(2, gap="medium")
    smoothing = left.select_slider(
        "Smoothing",
        list(_SMOOTHING),
        "Steady",
        key="webcam-smoothing",
        help="How long probabilities are averaged: from a single frame to two seconds.",
    )
    unsure = right.slider(
        "Unsure below",
        0,
        90,
        40,
        step=5,
        format="%d%%",
        key="webcam-unsure",
        help="Below this confidence a face is labelled unsure instead of guessed.",
    )
    with st.container(horizontal=True):
        largest = st.toggle("Largest face only", key="webcam-largest")
        mirrored = st.toggle("Mirror", value=True, key="webcam-mirror", help="Faces are read as the camera sees them.")
    webcam.settings = LiveSettings(_SMOOTHING[smoothing], unsure / 100, largest, mirrored)


@friendly_errors()
def _show_latest(webcam: WebcamClassifier, playing: bool) -> None:
    """Show the newest result. Runs again and again in the browser's time, without the rest of the page."""
    view = webcam.latest if playing else None
    if view and view.people:
        show_face(view.people[0].face, title=_title(view.people[0], webcam.settings.unsure_below))
    else:
        show_no_face("No face in view" if view else _waiting_for(playing)[0])
    st.html(_others(view, webcam.settings.unsure_below))
    if view and view.trouble:
        st.error(plain(view.trouble), icon=":material/error:")
    st.caption(_pace(view, playing))


def _title(person: LivePerson, unsure_below: float) -> str:
    """Return HTML that says what a person's face shows, after a square in the person's colour."""
    face = person.face
    square = (
        "display:inline-block;width:.75rem;height:.75rem;border-radius:3px;margin-right:.45rem;"
        f"background:{person_colour(person.number)};box-shadow:0 0 0 1px rgba(16,18,26,.55)"
    )
    said = "Unsure" if face.confidence < unsure_below else f"{face.emotion}"
    return f'<span style="{square}"></span>{said} <span style="opacity:.6;font-weight:400">{face.confidence:.0%}</span>'


def _others(view: LiveView | None, unsure_below: float) -> str:
    """Return HTML with a line for each further person; it keeps its height when there is none."""
    others = view.people[1:4] if view else ()
    items = "".join(f"<span>{_title(person, unsure_below)}</span>" for person in others)
    return f'<div style="display:flex;gap:1.4rem;min-height:1.6rem;font-weight:600;flex-wrap:wrap">{items}</div>'


def _pace(view: LiveView | None, playing: bool) -> str:
    if view:
        return (
            f"{view.frames_per_second:.0f} frames a second, read {view.readings_per_second:.0f} times a second, "
            f"{view.milliseconds:.0f} ms from frame to answer."
        )
    return _waiting_for(playing)[1]


def _waiting_for(playing: bool) -> tuple[str, str]:
    """Say how a stream stands that shows nothing, and what comes next."""
    if playing:
        return "Starting", "Waiting for the first frame."
    if st.session_state.get(_HAS_PLAYED):
        return "Ended", "STOP was pressed, or the connection broke. Press START to go on."
    return "Not started", "Press START and allow the camera."


def _keep_still(webcam: WebcamClassifier) -> None:
    still = webcam.still()
    if still is None:
        return
    if not still.faces:
        st.toast("No face in view, so there is nothing to keep.", icon=":material/face_retouching_off:")
        return
    stills: list[Still] = st.session_state.setdefault("stills", [])
    stills.append(still)
    del stills[:-_STILLS]


def _show_below(webcam: WebcamClassifier, run: Run, playing: bool) -> None:
    """Show the stills, and one of them or the live face closely."""
    stills: list[Still] = st.session_state.get("stills", [])
    if not stills and not playing:
        return
    st.subheader("See how it works", anchor=False)
    if stills:
        _show_strip(stills, webcam)
    names = [LIVE] * playing + [f"Still {place}" for place in range(1, len(stills) + 1)]
    if st.session_state.get("closer-source") not in names:
        st.session_state["closer-source"] = names[0]
    chosen = names[0]
    if stills:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            chosen = st.segmented_control(
                "Face", names, required=True, key="closer-source", label_visibility="collapsed"
            )
            st.button("Discard the stills", icon=":material/delete:", key="drop-stills", on_click=stills.clear)
    if chosen == LIVE:
        st.fragment(_show_live_closely, run_every=_CLOSER_SECONDS)(webcam, run)
    else:
        still = stills[int(chosen.removeprefix("Still ")) - 1]
        show_closer(still.image, _read_again(still, webcam)[0], run, key="still")


@friendly_errors()
def _show_live_closely(webcam: WebcamClassifier, run: Run) -> None:
    """Show the newest face closely, again and again."""
    still = webcam.still()
    if still and still.faces:
        show_closer(still.image, still.faces[0], run, key="live")
    else:
        st.caption("No face in view.")


def _show_strip(stills: list[Still], webcam: WebcamClassifier) -> None:
    """Show the stills side by side."""
    pictures = [shrink(draw_faces(still.image, _read_again(still, webcam)), 320, 240) for still in stills]
    show_faces(pictures, [f"Still {place}" for place in range(1, len(stills) + 1)], columns=_STILLS)


def _read_again(still: Still, webcam: WebcamClassifier) -> list[ClassifiedFace]:
    """Return the faces of a still as the chosen model reads that one frame, without those before it."""
    return classify_crops(still.faces, webcam.classifier)


def _webcam_of_session(classifier: Classifier, run: Run, finder: Finder) -> WebcamClassifier:
    """Return the session's own, made anew for another model or detector: streams share a model, never a result."""
    identity = run.id, cache.model_time(run), finder
    known: tuple[tuple[str, float, Finder], WebcamClassifier] | None = st.session_state.get("webcam-classifier")
    if known and known[0] == identity:
        return known[1]
    with st.spinner("Warming up the model..."), friendly_errors():
        webcam = WebcamClassifier(classifier, open_live_detector(finder.name, finder.smallest))
    st.session_state["webcam-classifier"] = (identity, webcam)
    return webcam


def _frame_callback(webcam: WebcamClassifier) -> Callable[[av.VideoFrame], av.VideoFrame]:
    # NOTE: runs in the stream's own thread, where nothing of Streamlit may be called.
    def process(frame: av.VideoFrame) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(webcam.show(frame.to_ndarray(format="rgb24")), format="rgb24")

    return process
