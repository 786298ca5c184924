"""Emotions over the time of a video."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from portrait import draw_portrait

from emotion_core import video
from emotion_core.classifier import LinearClassifier
from emotion_core.detection import HaarDetector
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import BadInput
from emotion_core.video import Timeline, read_timeline


@pytest.fixture(scope="module")
def detector():
    return HaarDetector()


@pytest.fixture
def classifier(tmp_path):
    path = tmp_path / "linear.npz"
    coefficients = np.random.default_rng(3).normal(0, 0.05, (7, 2304))
    np.savez(path, coefficients=coefficients, intercepts=np.zeros(7), temperature=1.0)
    return LinearClassifier(path)


def clip(pictures, rate: int = 10, kind: str = "mp4", codec: str = "mpeg4", start: int = 0) -> bytes:
    """A video of RGB pictures of one size, whose clock begins at `start` seconds."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures, start * rate):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def walk(steps: int, **place) -> list[np.ndarray]:
    """Frames in which a face moves to the right."""
    return [draw_portrait(center=(260 + 3 * step, 230), **place) for step in range(steps)]


def sound() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "codec"), [("mp4", "mpeg4"), ("webm", "libvpx"), ("avi", "mpeg4"), ("matroska", "libvpx")]
)
def test_face_is_followed_through_a_video(classifier, detector, kind, codec):
    timeline = read_timeline(clip(walk(20), kind=kind, codec=codec), f"clip.{kind}", classifier, detector)
    assert timeline.frames == 10, "five of ten frames a second"
    assert timeline.people == [0]
    assert [sighting.seconds for sighting in timeline.sightings] == pytest.approx(np.arange(0, 2, 0.2), abs=0.11)
    lefts = [sighting.face.box.x for sighting in timeline.sightings]
    assert lefts[-1] - lefts[0] == pytest.approx(54, abs=15)
    assert not timeline.was_cut


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "mpeg4"), ("webm", "libvpx"), ("mov", "mpeg4")])
def test_part_of_a_longer_recording_is_read_from_its_own_beginning(classifier, detector, kind, codec):
    shares: list[float] = []
    content = clip(walk(20), kind=kind, codec=codec, start=130)
    timeline = read_timeline(content, "part", classifier, detector, shares.append)
    assert timeline.seconds == pytest.approx(1.8, abs=0.02)
    assert (timeline.frames, timeline.was_cut) == (10, False)
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(0.9, abs=0.02)


def test_frames_without_a_time_follow_the_rate(classifier, detector, monkeypatch):
    monkeypatch.setattr(video, "_CONTAINERS", "h264")
    timeline = read_timeline(clip(walk(50), kind="h264", codec="libx264"), "raw", classifier, detector)
    assert timeline.frames == 10  # FFmpeg takes 25 frames a second for granted
    assert timeline.seconds == pytest.approx(1.8)


def test_table_has_a_row_per_sighting_with_shares_that_sum_to_one(classifier, detector):
    timeline = read_timeline(clip(walk(10)), "clip.mp4", classifier, detector)
    table = timeline.table()
    assert len(table) == len(timeline.sightings) == 5
    assert table["person"].tolist() == [1] * 5
    assert table[list(EMOTIONS)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-3)
    assert table["emotion"].tolist() == table[list(EMOTIONS)].idxmax(axis=1).tolist()


def test_table_of_nobody_has_its_columns():
    assert Timeline(1.0, 5, (), was_cut=False).table().columns.tolist() == ["person", "seconds", "emotion", *EMOTIONS]


def test_two_people_are_told_apart(classifier, detector):
    pictures = [
        np.hstack([draw_portrait(320, 480, (160, 230), 90), draw_portrait(320, 480, (150 + step, 230), 70)])
        for step in range(12)
    ]
    timeline = read_timeline(clip(pictures), "clip.mp4", classifier, detector)
    assert sorted(timeline.people) == [0, 1]
    for person in timeline.people:
        sides = {sighting.face.box.x > 320 for sighting in timeline.sightings if sighting.person == person}
        assert len(sides) == 1, "nobody changes places"


def test_face_seen_for_a_moment_only_is_left_out(classifier, detector):
    empty = [np.full((480, 640, 3), 150, np.uint8)] * 18
    timeline = read_timeline(clip([*walk(2), *empty]), "clip.mp4", classifier, detector)
    assert timeline.frames == 10
    assert timeline.sightings == ()


def test_long_video_is_read_in_part_and_said_to_be(classifier, detector, monkeypatch):
    monkeypatch.setattr(video, "LONGEST_SECONDS", 1)
    timeline = read_timeline(clip(walk(30)), "clip.mp4", classifier, detector)
    assert timeline.was_cut
    assert timeline.seconds <= 1


def test_progress_grows_to_the_end(classifier, detector):
    shares: list[float] = []
    read_timeline(clip(walk(20)), "clip.mp4", classifier, detector, shares.append)
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert 0.8 < shares[-1] <= 1


def test_large_frames_are_reduced(classifier, detector):
    large = [np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1) for picture in walk(6)]
    timeline = read_timeline(clip(large), "clip.mp4", classifier, detector)
    assert all(sighting.face.box.x + sighting.face.box.width <= 640 for sighting in timeline.sightings)
    assert len(timeline.sightings) == 3


def test_video_that_was_cut_off_shows_what_there_is(classifier, detector):
    content = clip(walk(30), kind="webm", codec="libvpx")
    timeline = read_timeline(content[: len(content) // 2], "clip.webm", classifier, detector)
    assert 0 < timeline.frames < 15


def test_a_damaged_packet_spoils_its_own_frames_only(classifier, detector):
    content = bytearray(clip(walk(40), codec="libx264"))
    middle = content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 3
    content[middle : middle + 200] = bytes(range(200))
    timeline = read_timeline(bytes(content), "clip.mp4", classifier, detector)
    assert timeline.seconds > 3


IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize(
    ("matrix", "turned"),
    [
        ((1, 0, 0, 1), lambda picture: picture),
        ((0, 1, -1, 0), lambda picture: np.rot90(picture, -1)),
        ((-1, 0, 0, -1), lambda picture: np.rot90(picture, 2)),
        ((0, -1, 1, 0), lambda picture: np.rot90(picture)),
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
    ],
    ids=["as it is", "a quarter", "upside down", "three quarters", "mirrored", "flipped"],
)
def test_frames_are_turned_as_the_file_says(matrix, turned):
    """Telephones write how they were held, and selfies that they are mirrored, into the track's matrix."""
    content = clip([draw_portrait(center=(200, 230))])
    track = content.rindex(IDENTITY)
    a, b, c, d = (number << 16 for number in matrix)
    said = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    ((plain, _),) = video._frames(content, "clip.mp4")
    ((frame, _),) = video._frames(content[:track] + said + content[track + len(said) :], "clip.mp4")
    np.testing.assert_array_equal(frame.image, turned(plain.image))


def test_a_short_clip_is_read_too(classifier, detector):
    timeline = read_timeline(clip(walk(3)), "clip.mp4", classifier, detector)
    assert timeline.frames == 2
    assert len(timeline.sightings) == 2


OTHERS = {
    "session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 45678 RTP/AVP 96\n"
    b"a=rtpmap:96 H264/90000\n",
    "list of files": b"ffconcat version 1.0\nfile 'other.mp4'\n",
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nother.mp4\n#EXT-X-ENDLIST\n",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_names_other_files_or_addresses_is_no_video(classifier, detector, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.mp4").write_bytes(clip(walk(10)))
    with pytest.raises(BadInput, match="is not a video that can be read"):
        read_timeline(OTHERS[kind], "clip.mp4", classifier, detector)


def test_a_video_in_an_unknown_code_is_refused(classifier, detector):
    content = clip(walk(3), kind="avi").replace(b"FMP4", b"qqqq")
    with pytest.raises(BadInput, match="coded in a way that is not known here"):
        read_timeline(content, "clip.avi", classifier, detector)


def test_frames_larger_than_the_file_says_are_not_decoded(classifier, detector):
    content = clip([np.zeros((3_200, 3_200, 3), np.uint8)] * 3, kind="webm", codec="libvpx")
    size = b"\xb0\x82\x0c\x80\xba\x82\x0c\x80"  # Matroska's PixelWidth and PixelHeight
    assert content.count(size) == 1
    lying = content.replace(size, b"\xb0\x82\x02\x80\xba\x82\x01\xe0")
    with pytest.raises(BadInput, match="no frame that can be read"):
        read_timeline(lying, "clip.webm", classifier, detector)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a video"),
        (b"no video at all" * 100, "is not a video"),
        (clip(walk(4))[:300], "is not a video"),
        (sound(), "sound but no picture"),
        (clip([np.zeros((2_320, 4_112, 3), np.uint8)]), "4,112 x 2,320"),
    ],
    ids=["empty", "text", "header", "sound", "huge"],
)
def test_what_is_no_video_is_refused_in_a_sentence(content, words, classifier, detector):
    with pytest.raises(BadInput, match=r"clip\.mp4") as refusal:
        read_timeline(content, "clip.mp4", classifier, detector)
    assert words in str(refusal.value)
