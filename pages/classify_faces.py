"""Classify: pictures, a snapshot, the live webcam or a video in; faces and their emotions out."""

import streamlit as st

from emotion_core.classifier import Classifier
from emotion_core.runs import Run
from emotion_core.video import FORMATS
from ui import cache, pickers, widgets
from ui.detectors import Finder, pick_detector
from ui.faces import show_no_face, show_picture
from ui.pictures import Search, answer, answers_to, show_answers, show_closely, show_found


def show_model(run: Run) -> None:
    """Say how far the model can be trusted."""
    if evaluation := run.evaluation():
        st.caption(f"Gets {evaluation.accuracy:.1%} of {evaluation.images:,} validation faces right.")
    if run.config.data.is_drawn:
        st.warning(
            "This model learnt from drawn faces; what it says about photographs means little.",
            icon=":material/draw:",
        )


def classify_uploads(classifier: Classifier, run: Run, finder: Finder) -> None:
    uploads = st.file_uploader(
        "Pictures",
        type=["jpg", "jpeg", "jfif", "png", "webp", "bmp"],
        accept_multiple_files=True,
        max_upload_size=50,
        key="pictures",
        help="JPEG, PNG, WebP or BMP, one or many. They stay in this app's memory until you leave.",
    )
    with st.container(horizontal=True, gap="medium"):
        largest = st.toggle("Largest face only", key="largest-only")
        whole = st.toggle(
            "Use the whole picture where no face is found",
            key="whole-picture",
            help="For pictures that are nothing but a face, such as 48x48 crops.",
        )
    search = Search(finder, largest, whole)
    if not uploads:
        widgets.empty_state(
            "Upload a picture: each face is boxed and classified, and can then be examined.",
            icon=":material/add_photo_alternate:",
        )
    show_answers(answers_to(uploads, classifier, search), run)


def classify_snapshot(classifier: Classifier, run: Run, finder: Finder) -> None:
    camera, result = widgets.columns([3, 2], "snapshot", narrowest=13)
    with camera:
        snapshot = st.camera_input("Take a picture", key="snapshot")
        st.caption("The picture stays in this app's memory until you clear it or leave.")
    if snapshot is None:
        with result:
            show_no_face("No picture yet")
        return
    taken = answer(snapshot, "Snapshot", classifier, Search(finder))
    with result:
        if taken.refusal:
            st.error(widgets.plain(taken.refusal), icon=":material/error:")
        if taken.picture:
            show_found(taken.faces)
            show_picture(taken.picture.image, taken.faces, "Snapshot")
    if taken.faces:
        show_closely([taken], run)


def classify_webcam(classifier: Classifier, run: Run, finder: Finder) -> None:
    with st.spinner("Getting the webcam ready..."):
        from ui.webcam import show_webcam  # takes seconds, so only those who want the webcam wait
    show_webcam(classifier, run, finder)


def classify_video(classifier: Classifier, run: Run, finder: Finder) -> None:
    from ui.timeline import show_timeline, timeline_of

    upload = st.file_uploader(
        "A short video",
        type=list(FORMATS),
        max_upload_size=200,
        key="video",
        help="The first two minutes are read, five frames a second. It stays in this app's memory until you leave.",
    )
    if upload:
        show_timeline(timeline_of(upload, classifier, run, finder), upload.name)
    else:
        widgets.empty_state(
            "Upload a video: each person's emotions are plotted over time.",
            icon=":material/video_file:",
        )


MODES = {
    "Upload": classify_uploads,
    "Snapshot": classify_snapshot,
    "Webcam": classify_webcam,
    "Video": classify_video,
}

widgets.page_header("Classify", "Give a saved model a face and see which emotion it reads.")
run = pickers.pick_run("classify-run")
if run is None:
    st.stop()
with widgets.friendly_errors(), st.container():  # one place, warning or not: a running stream must not move
    show_model(run)
    model = cache.classifier(run.id)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    mode = st.segmented_control(
        "Faces from",
        list(MODES),
        key="mode",
        default=next(iter(MODES)),
        required=True,
        bind="query-params",
        label_visibility="collapsed",
    )
    finder = pick_detector(live=mode == "Webcam")
MODES[mode or next(iter(MODES))](model, run, finder)  # an address with `?mode=` chooses none
