"""Pictures that people hand in: read one by one, shown with their faces, listed as a CSV."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion_core.annotate import draw_faces
from emotion_core.classifier import Classifier
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import EmotionError
from emotion_core.faces import ClassifiedFace, classify_crops, whole_picture
from emotion_core.images import shrink
from emotion_core.runs import Run
from ui.charts import dotted
from ui.closer import show_closer
from ui.detectors import Finder
from ui.face_images import photo_url
from ui.faces import Picture, read_picture, show_face, show_picture
from ui.widgets import columns, friendly_errors, plain

_NO_FACE_ADVICE: Final = """Try a picture in which the face looks at the camera and is upright, evenly lit, uncovered
and not too small: the smallest face to look for can be set next to the detector."""
_UPLOAD_ADVICE: Final = f"""{_NO_FACE_ADVICE} For a picture that is nothing but a face, switch on *Use the whole picture
where no face is found*."""

_THUMBNAIL: Final = (420, 300)


@dataclass(frozen=True)
class Answer:
    """What became of a file: its picture with the faces in it, or why there is none."""

    name: str
    picture: Picture | None = None
    faces: tuple[ClassifiedFace, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class Search:
    """How faces are looked for: how they are found, the largest alone or all, the whole picture where there is none."""

    finder: Finder
    largest_only: bool = False
    whole: bool = False


def answers_to(uploads: Sequence[UploadedFile], classifier: Classifier, search: Search) -> list[Answer]:
    """Read pictures and classify their faces; a second one of the same name, as phones give it, is `image.jpg (2)`."""
    met: Counter[str] = Counter()
    answers = []
    for upload in uploads:
        met[upload.name] += 1
        number = f" ({met[upload.name]})" if met[upload.name] > 1 else ""
        answers.append(answer(upload, f"{upload.name}{number}", classifier, search))
    return answers


def answer(upload: UploadedFile, name: str, classifier: Classifier, search: Search) -> Answer:
    """Read a picture and classify its faces."""
    try:
        picture = read_picture(upload.getvalue(), name, search.finder.name, search.finder.smallest)
    except EmotionError as error:
        return Answer(name, refusal=str(error))
    found = list(picture.faces[:1] if search.largest_only else picture.faces)
    if not found and search.whole:
        found = [whole_picture(picture.image)]
    return Answer(name, picture, tuple(classify_crops(found, classifier)))


def show_answers(answers: Sequence[Answer], run: Run) -> None:
    """Show one picture large, several as a gallery; then one face closely."""
    for each in answers:
        if each.refusal:
            st.error(plain(each.refusal), icon=":material/error:")
    pictures = [each for each in answers if each.picture]
    if len(pictures) == 1:
        show_one(pictures[0])
    elif pictures:
        _show_gallery(pictures)
        if without := ", ".join(each.name for each in pictures if not each.faces):
            _warn_of_no_face(f" in {plain(without)}", _UPLOAD_ADVICE)
    if any(each.faces for each in pictures):
        _offer_csv(answers)
        show_closely(pictures, run)


def show_one(each: Answer) -> None:
    """Show a picture beside its faces."""
    assert each.picture
    with st.container(border=True):
        picture, result = columns([1, 1], "picture", narrowest=15)
        with picture:
            show_picture(each.picture.image, each.faces, each.name)
            st.caption(plain(each.name))
        with result:
            show_found(each.faces, _UPLOAD_ADVICE)


def show_found(faces: Sequence[ClassifiedFace], advice: str = _NO_FACE_ADVICE) -> None:
    """Show each face with its bars, or what to try where there is none."""
    for face in faces:
        show_face(face)
    if not faces:
        _warn_of_no_face("", advice)


def _warn_of_no_face(where: str, advice: str) -> None:
    st.warning(f"No face found{where}. {advice}", icon=":material/face_retouching_off:")


@st.fragment
@friendly_errors()
def show_closely(answers: Sequence[Answer], run: Run) -> None:
    """Let the person choose one of the faces, and show how it was read."""
    # NOTE: named by what it shows, not by its place, which another face has once a picture is taken away.
    choices = {hash((each.name, face.crop.tobytes())): (each, face) for each in answers for face in each.faces}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("See how it works", anchor=False, width="content")
        chosen, names = next(iter(choices)), list(choices)
        if len(choices) > 1:
            chosen = st.selectbox(
                "Face",
                names,
                format_func=lambda name: _face_name(names.index(name), list(choices.values())),
                key="closer-face",
                label_visibility="collapsed",
                width=380,
            )
    each, face = choices[chosen]
    assert each.picture
    show_closer(each.picture.image, face, run, key="closer")


def answers_table(answers: Sequence[Answer]) -> pd.DataFrame:
    """Return a row per face, and one for each picture without: file, face, box, emotion, probabilities, note.

    Boxes are in pixels of the file.
    """
    rows = []
    for each in answers:
        note = each.refusal or ("" if each.faces else "no face found")
        for number, face in enumerate(each.faces, 1):
            scale = each.picture.scale if each.picture else 1.0
            box = {side: round(scale * pixels) for side, pixels in asdict(face.box).items()}
            rows.append({"file": each.name, "face": number, **box, "emotion": face.emotion} | face.shares)
        if note:
            rows.append({"file": each.name, "note": note})
    columns = ["file", "face", "x", "y", "width", "height", "emotion", *EMOTIONS, "note"]
    counts = dict.fromkeys(("face", "x", "y", "width", "height"), "Int64")
    return pd.DataFrame(rows, columns=columns).astype(counts).round(4)


def _offer_csv(answers: Sequence[Answer]) -> None:
    st.download_button(
        "Results as CSV",
        lambda: answers_table(answers).to_csv(index=False).encode(),
        "emotions.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="answers-csv",
    )


def _face_name(place: int, choices: Sequence[tuple[Answer, ClassifiedFace]]) -> str:
    each, face = choices[place]
    number = (
        f", face {1 + next(i for i, other in enumerate(each.faces) if other is face)}" if len(each.faces) > 1 else ""
    )
    return f"{each.name}{number}: {face.emotion} {face.confidence:.0%}"


def _show_gallery(answers: Sequence[Answer]) -> None:
    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:16px"
    st.html(f'<div style="{grid}">{"".join(map(_card, answers))}</div>')


def _card(each: Answer) -> str:
    assert each.picture
    drawn = shrink(draw_faces(each.picture.image, each.faces), *_THUMBNAIL)
    said = "<br>".join(f"{dotted(face.emotion, 600)} {face.confidence:.0%}" for face in each.faces[:4])
    more = f"<br>and {len(each.faces) - 4} more" if len(each.faces) > 4 else ""
    return (
        f'<figure style="margin:0"><img alt="{escape(each.name)}" src="{photo_url(drawn)}" style="width:100%;'
        'height:160px;object-fit:contain;background:rgba(128,134,156,.14);border-radius:6px;display:block">'
        '<figcaption style="margin-top:.35rem;line-height:1.35">'
        f'<div style="opacity:.7;font-size:.85rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">'
        f"{escape(each.name)}</div>{said or 'No face found'}{more}</figcaption></figure>"
    )
