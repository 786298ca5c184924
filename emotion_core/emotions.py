"""The seven emotions of FER-2013, their numbers, their colours, and the size of a face."""

from typing import Final

IMAGE_SIZE: Final = 48
"""Side of a face in pixels; every face is square and gray."""

EMOTIONS: Final = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
"""Names in label order: `EMOTIONS[label]`."""

NUM_EMOTIONS: Final = len(EMOTIONS)

EMOTION_COLOURS: Final = {
    "Angry": "#D55E00",
    "Disgust": "#009E73",
    "Fear": "#CC79A7",
    "Happy": "#E69F00",
    "Sad": "#0072B2",
    "Surprise": "#56B4E9",
    "Neutral": "#7F7F7F",
}
"""One colour per emotion, everywhere. Okabe and Ito's palette, which colour-blind eyes can tell apart."""

_LABELS_BY_NAME: Final = {name.lower(): label for label, name in enumerate(EMOTIONS)} | {
    "anger": 0,
    "disgusted": 1,
    "afraid": 2,
    "fearful": 2,
    "happiness": 3,
    "sadness": 4,
    "surprised": 5,
}


def label_of(text: str) -> int | None:
    """Return the label that a number ("3") or a name ("happy") stands for, or None if it stands for none."""
    text = text.strip()
    if text.isdecimal() and len(text) < 100:  # Python refuses to read thousands of digits
        return int(text) if int(text) < NUM_EMOTIONS else None
    return _LABELS_BY_NAME.get(text.lower())
