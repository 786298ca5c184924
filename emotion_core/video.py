"""Emotions over the time of a short video file.

The file is decoded from memory, a few frames a second are read, people are followed from one to the next, and the
frames are dropped as soon as they are read.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import av
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emotion_core.classifier import Classifier
from emotion_core.detection import Detector
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.faces import ClassifiedFace, classify_crops, cut_face
from emotion_core.images import shrink, to_gray
from emotion_core.tracking import Tracker

FRAMES_PER_SECOND: Final = 5
"""Frames read of each second of video: expressions last half a second and more."""

LONGEST_SECONDS: Final = 120
"""What comes later in a video is not read."""

LONGEST_SIDE: Final = 640
"""Frames are reduced to this."""

MAX_FRAME_PIXELS: Final = 4_096 * 2_304

FORMATS: Final = ("mp4", "webm", "mov", "avi", "mkv", "m4v")
"""Endings of the files that are understood."""

_CONTAINERS: Final = "mov,matroska,avi"
"""What FFmpeg may take a file for, whatever it is called: others may name files and addresses that it would open."""

_USUAL_RATE: Final = 25
"""Frames a second of a video that does not say how many it has."""

_ROUNDING: Final = 0.005
"""Seconds by which a frame may come early."""

_FEWEST_SIGHTINGS: Final = 3
"""A person seen in fewer frames is left out: what is taken for a face by mistake seldom lasts."""

Progress = Callable[[float], None]
"""Told how much of the video is done, 0-1."""


@dataclass(frozen=True)
class VideoFrame:
    """A frame of a video: seconds from its beginning, and uint8 (h, w, 3) RGB."""

    seconds: float
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Sighting:
    """A face in one frame of a video: its person, counted from 0, and the moment in seconds.

    Whoever comes in when someone has left goes on under that number.
    """

    person: int
    seconds: float
    face: ClassifiedFace


@dataclass(frozen=True)
class Timeline:
    """What a video showed.

    Attributes:
        seconds: How much of the video was read.
        frames: Frames that were read.
        sightings: In the order of time; of people who were seen often enough to be believed.
        was_cut: Whether the video goes on after what was read.
    """

    seconds: float
    frames: int
    sightings: tuple[Sighting, ...]
    was_cut: bool

    @property
    def people(self) -> list[int]:
        """Numbers of the people, the one seen most often first."""
        return [person for person, _ in Counter(sighting.person for sighting in self.sightings).most_common()]

    def table(self) -> pd.DataFrame:
        """Return a row per sighting: person, seconds, emotion, and the probability of each emotion."""
        rows = [
            {"person": sighting.person + 1, "seconds": round(sighting.seconds, 2), "emotion": sighting.face.emotion}
            | sighting.face.shares
            for sighting in self.sightings
        ]
        return pd.DataFrame(rows, columns=["person", "seconds", "emotion", *EMOTIONS]).round(4)


def read_timeline(
    content: bytes, name: str, classifier: Classifier, detector: Detector, progress: Progress | None = None
) -> Timeline:
    """Find, follow and classify the faces of a video.

    Args:
        content: The file's bytes: MP4, WebM, MOV, AVI or MKV.
        name: What the person knows the file by, for messages.
        classifier: The model.
        detector: Finds the faces of each frame that is read.
        progress: Called after each frame that is read.

    Raises:
        BadInput: Not a video, damaged before its first frame, or with frames that are too large.
    """
    reader = _Reader(classifier, detector)
    seconds, was_cut = 0.0, False
    for frame, share in _frames(content, name):
        was_cut = frame.seconds > LONGEST_SECONDS
        if was_cut:
            break
        reader.read(frame)
        seconds = frame.seconds
        if progress:
            progress(share)
    if not reader.frames:
        raise BadInput(f"{name} has no frame that can be read.")
    return Timeline(seconds, reader.frames, tuple(_believed(reader.sightings, reader.frames)), was_cut)


class _Reader:
    """Reads the faces of one frame after the other."""

    def __init__(self, classifier: Classifier, detector: Detector) -> None:
        self._classifier, self._detector, self._tracker = classifier, detector, Tracker()
        self.frames = 0
        self.sightings: list[Sighting] = []

    def read(self, frame: VideoFrame) -> None:
        gray = to_gray(frame.image)
        squares = self._detector.squares(frame.image)
        self._tracker.follow(gray, self.frames)
        self._tracker.correct(squares, self.frames)
        seen = [track for track in self._tracker.tracks if not track.misses]
        faces = classify_crops([cut_face(gray, track.box(gray.shape)) for track in seen], self._classifier)
        self.sightings += [Sighting(track.number, frame.seconds, face) for track, face in zip(seen, faces, strict=True)]
        self.frames += 1


def _frames(content: bytes, name: str) -> Iterator[tuple[VideoFrame, float]]:
    """Yield the frames to read, each with the share of the video that it ends."""
    try:
        container = av.open(io.BytesIO(content), options={"format_whitelist": _CONTAINERS})
    except (av.FFmpegError, ValueError) as error:
        raise BadInput(f"{name} is not a video that can be read; use MP4, WebM, MOV, AVI or MKV.") from error
    with container:
        stream = _video_stream(container, name)
        length = _length(container, stream)
        due = 0.0
        with suppress(av.FFmpegError):  # a file that was cut off shows what there is of it
            for seconds, frame in _timed(_decoded(container, stream), float(stream.average_rate or _USUAL_RATE)):
                if seconds >= due:
                    due = seconds + 1 / FRAMES_PER_SECOND - _ROUNDING
                    share = min(1.0, seconds / min(length, LONGEST_SECONDS)) if length else 0.0
                    yield VideoFrame(seconds, shrink(_upright(frame), LONGEST_SIDE, LONGEST_SIDE)), share


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    for packet in container.demux(stream):
        with suppress(av.InvalidDataError):  # a damaged packet spoils its own frames
            yield from packet.decode()


def _timed(frames: Iterable[Any], rate: float) -> Iterator[tuple[float, Any]]:
    """Yield each frame with its seconds after the first, by `rate` in frames a second where it has no time itself.

    A part of a longer recording keeps the recording's clock, so the first need not be at 0.
    """
    start = None
    for number, frame in enumerate(frames):
        seconds = number / rate if frame.time is None else float(frame.time)
        start = seconds if start is None else start
        yield seconds - start, frame


def _video_stream(container: Any, name: str) -> Any:
    if not container.streams.video:
        raise BadInput(f"{name} holds sound but no picture.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise BadInput(f"{name} is coded in a way that is not known here; save it as MP4 (H.264).")
    if stream.width * stream.height > MAX_FRAME_PIXELS:
        raise BadInput(f"{name} is too large: its frames have {stream.width:,} x {stream.height:,} pixels.")
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}  # the frames may be larger than is said above
    return stream


def _length(container: Any, stream: Any) -> float:
    """Return how many seconds a video lasts, 0 where the file does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:  # of Matroska and WebM the end, on the recording's clock
        return float(max(0, container.duration - (container.start_time or 0)) / av.time_base)
    return 0.0


def _upright(frame: Any) -> NDArray[np.uint8]:
    """Return a frame as RGB, turned as the telephone that took it was held, and mirrored where it says so."""
    picture, turns = frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)
    if _is_mirrored(frame):
        picture, turns = picture[:, ::-1], turns + 2
    return np.rot90(picture, turns)


def _is_mirrored(frame: Any) -> bool:
    """Whether a frame is to be shown as in a mirror: its display matrix, 3 x 3, has a negative determinant."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            (a, b, _), (c, d, _), _ = np.frombuffer(bytes(data), np.int32).reshape(3, 3).tolist()
            return bool(a * d < b * c)
    return False


def _believed(sightings: list[Sighting], frames: int) -> list[Sighting]:
    """Return the sightings of people who were seen often enough, of so many frames."""
    counts = Counter(sighting.person for sighting in sightings)
    return [sighting for sighting in sightings if counts[sighting.person] >= min(_FEWEST_SIGHTINGS, frames)]
