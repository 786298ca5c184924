"""The live webcam: the browser's frames into `emotion_core.webcam`, its pictures back, its newest result beside.

Importing this costs seconds, since it brings WebRTC; do it when someone asks for the webcam.
"""

from collections.abc import Callable
from typing import Final

import av
import streamlit as st
from streamlit_webrtc import webrtc_streamer

from emotion_core.classifier import Classifier
from emotion_core.webcam import WebcamClassifier
from ui.faces import show_face, show_no_face

_CAMERA: Final = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 15, "max": 30}},
    "audio": False,
}
_REFRESH_SECONDS: Final = 0.3


def show_webcam(classifier: Classifier) -> None:
    """Show the camera's control and picture, and the bars beside it. Another model takes over a running stream."""
    webcam = _webcam_of_session(classifier)  # warm before START can be pressed
    video, result = st.columns([3, 2], gap="large")
    with video:
        stream = webrtc_streamer(
            key="webcam",
            video_frame_callback=_frame_callback(webcam),
            on_video_ended=webcam.forget,
            async_processing=True,  # only the newest frame is classified, so the picture never lags behind
            rtc_configuration={"iceServers": []},  # browser and server meet directly; no outside service is asked
            media_stream_constraints=_CAMERA,
            media_toggle_controls=False,
            video_html_attrs={"autoPlay": True, "controls": False, "style": {"width": "100%", "borderRadius": "8px"}},
        )
        st.caption(
            "Frames go to the computer that runs this app, are classified in its memory and dropped at once. "
            "Nothing is stored."
        )
    with result:
        playing = stream.state.playing
        st.fragment(_show_latest, run_every=_REFRESH_SECONDS if playing else None)(webcam, playing)


def _show_latest(webcam: WebcamClassifier, playing: bool) -> None:
    """Show the newest result. Runs again and again in the browser's time, without the rest of the page."""
    latest = webcam.latest if playing else None
    faces = latest.faces if latest else ()
    if faces:
        show_face(faces[0])
    else:
        show_no_face("No face in view" if latest else "Not started" if not playing else "Starting")
    if latest:
        more = f" {len(faces)} faces; the largest is shown." if len(faces) > 1 else ""
        st.caption(f"{latest.frames_per_second:.0f} frames a second, {latest.milliseconds:.0f} ms each.{more}")
    elif playing:
        st.caption("Waiting for the first frame.")
    else:
        st.caption("Press START and allow the camera. Browsers give it to pages on this computer or over HTTPS only.")


def _webcam_of_session(classifier: Classifier) -> WebcamClassifier:
    """Return the session's own, made anew for another model: streams share a model, never a result."""
    webcam: WebcamClassifier | None = st.session_state.get("webcam-classifier")
    if webcam is None or webcam.classifier is not classifier:
        with st.spinner("Warming up the model..."):
            webcam = WebcamClassifier(classifier)
        st.session_state["webcam-classifier"] = webcam
    return webcam


def _frame_callback(webcam: WebcamClassifier) -> Callable[[av.VideoFrame], av.VideoFrame]:
    # NOTE: runs in the stream's own thread, where nothing of Streamlit may be called.
    def process(frame: av.VideoFrame) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(webcam.process(frame.to_ndarray(format="rgb24")), format="rgb24")

    return process
