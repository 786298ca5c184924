"""Classify: pictures, a snapshot or the live webcam in; faces and their emotions out."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.classifier import Classifier
from emotion_core.config import SAMPLE
from emotion_core.errors import EmotionError
from emotion_core.faces import classify_crops, whole_picture
from emotion_core.runs import Run
from ui import cache, widgets
from ui.faces import read_picture, show_face, show_no_face, show_picture

NO_FACE_ADVICE = """Try a picture in which the face looks at the camera, upright, evenly lit and uncovered, and fills
at least a sixteenth of the width. For a picture that is nothing but a face, upload it and switch on
*Use the whole picture where no face is found*."""


def show_model(run: Run) -> None:
    """Say how far the model can be trusted."""
    if evaluation := run.evaluation():
        st.caption(f"Right about {evaluation.accuracy:.1%} of {evaluation.images:,} validation faces.")
    if run.config.data.source == SAMPLE:
        st.warning(
            "This model learnt from drawn faces; what it says about photographs means little.",
            icon=":material/draw:",
        )


def classify_uploads(classifier: Classifier) -> None:
    uploads = st.file_uploader(
        "Pictures",
        type=["jpg", "jpeg", "png", "webp", "bmp"],
        accept_multiple_files=True,
        max_upload_size=50,
        key="pictures",
        help="JPEG, PNG, WebP or BMP, one or many. They stay in this app's memory until you leave.",
    )
    whole = st.toggle(
        "Use the whole picture where no face is found",
        key="whole-picture",
        help="For pictures that are nothing but a face, such as 48x48 crops.",
    )
    for upload in uploads:
        with st.container(border=True):
            picture, result = st.columns(2, gap="large")
            show_classified(upload, upload.name, classifier, picture, result, whole=whole)


def classify_snapshot(classifier: Classifier) -> None:
    camera, result = st.columns([3, 2], gap="large")
    with camera:
        snapshot = st.camera_input("Take a picture", key="snapshot")
        st.caption("The picture stays in this app's memory until you clear it or leave.")
    with result:
        if snapshot is None:
            show_no_face("No picture yet")
        else:
            faces, picture = st.container(), st.container()
            show_classified(snapshot, "Snapshot", classifier, picture, faces)


def classify_webcam(classifier: Classifier) -> None:
    with st.spinner("Getting the webcam ready..."):
        from ui.webcam import show_webcam  # takes seconds, so only those who want the webcam wait
    show_webcam(classifier)


def show_classified(
    upload: UploadedFile,
    name: str,
    classifier: Classifier,
    picture: DeltaGenerator,
    result: DeltaGenerator,
    whole: bool = False,
) -> None:
    """Show a picture in one place and its faces in another; an unreadable one gets its sentence, others still show."""
    try:
        read = read_picture(upload.getvalue(), name)
    except EmotionError as error:
        result.error(widgets.plain(str(error)), icon=":material/error:")
        return
    found = list(read.faces) or ([whole_picture(read.image)] if whole else [])
    faces = classify_crops(found, classifier)
    with picture:
        show_picture(read.image, faces, name)
        st.caption(widgets.plain(name))
    with result:
        for face in faces:
            show_face(face)
        if not faces:
            st.warning(f"No face found. {NO_FACE_ADVICE}", icon=":material/face_retouching_off:")


MODES = {"Upload": classify_uploads, "Snapshot": classify_snapshot, "Webcam": classify_webcam}

widgets.page_header("Classify", "Give a saved model a face and see which emotion it reads in it.")
run = widgets.pick_run("classify-run")
if run is None:
    st.stop()
with widgets.friendly_errors(), st.container():  # one place, warning or not: a running stream must not move
    show_model(run)
    model = cache.classifier(run.id)
mode = st.segmented_control(
    "Faces from",
    list(MODES),
    key="mode",
    default="Upload",
    required=True,
    bind="query-params",
    label_visibility="collapsed",
)
MODES[mode](model)
