"""The live webcam: time of a frame, several sessions at once, frames shown in a browser, memory over minutes.

    python -m benchmarks.webcam RUN [--seconds 10] [--minutes 0] [--detectors yunet haar]

Printed are, on scenes of 640x480 with one face:

- per detector, the milliseconds to detect and classify a frame (budget: under 50 at the 95th percentile), and what a
  frame costs the picture itself, following and drawing (`show`);
- for 1, 2 and 4 sessions that share one model, each fed 20 frames a second: frames shown and faces read a second, the
  slowest session beside the quickest, and the time from frame to answer;
- with --minutes, the real page in headless Chromium with a fake camera: frames shown a second (budget: 15), and the
  server's memory minute by minute.

The person moves: each session sees the portrait of scikit-image sway over the picture.
"""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.first_paint import serve
from emotion_core import settings
from emotion_core.classifier import Classifier, load_classifier
from emotion_core.detection import DETECTORS, Detector, best_detector
from emotion_core.errors import ModelUnavailable
from emotion_core.faces import classify_crops, find_faces
from emotion_core.runs import Runs
from emotion_core.webcam import WebcamClassifier, open_live_detector
from tests.camera import portrait, write_clip

Frame = NDArray[np.uint8]

FRAMES_PER_SECOND = 20
SWAY = 120
"""Pixels to either side."""

FRAME_BUDGET, SHOWN_BUDGET = 50.0, 15.0


def main() -> None:
    options = parse_options()
    classifier = load_classifier(Runs(options.runs).find(options.run))
    for name in options.detectors:
        try:
            report_frames(name, classifier)
        except ModelUnavailable as error:
            print(f"{name}: left out. {error}")
    for sessions in (1, 2, 4):
        report_sessions(sessions, classifier, options.seconds)
    if options.minutes:
        report_browser(options.run, options.minutes)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="id of a run, or latest")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--seconds", type=float, default=10, help="for each number of sessions")
    parser.add_argument("--minutes", type=float, default=0, help="in the browser; 0 leaves it out")
    parser.add_argument("--runs", type=Path, default=settings.runs_folder(), help="folder of runs")
    return parser.parse_args()


def frames(count: int) -> Iterator[Frame]:
    """Yield frames (480, 640, 3) in which a person sways, each unlike the one before."""
    picture = cv2.copyMakeBorder(portrait(), 0, 0, SWAY, SWAY, cv2.BORDER_REPLICATE)
    for number in range(count):
        start = SWAY + round(SWAY * np.sin(2 * np.pi * number / 60))
        yield np.ascontiguousarray(picture[:, start : start + 640])


def report_frames(name: str, classifier: Classifier) -> None:
    detector = open_live_detector(name)
    read = list(timed(lambda frame: detect_and_classify(frame, detector, classifier)))
    webcam = WebcamClassifier(classifier, open_live_detector(name))
    shown = list(timed(webcam.show))  # while the stream's own thread reads as many as it can
    verdict = "met" if np.quantile(read, 0.95) < FRAME_BUDGET else "missed"
    print(
        f"{name}: detect and classify {quantiles(read)} (budget {FRAME_BUDGET:.0f}: {verdict}); show {quantiles(shown)}"
    )


def timed(handle: Callable[[Frame], object]) -> Iterator[float]:
    """Yield the milliseconds in which each of 200 frames is handled; some come before, which warm it up."""
    for number, frame in enumerate(frames(220)):
        start = time.perf_counter()
        handle(frame)
        if number >= 20:
            yield 1_000 * (time.perf_counter() - start)


def detect_and_classify(frame: Frame, detector: Detector, classifier: Classifier) -> None:
    assert classify_crops(find_faces(frame, detector), classifier), "the face was not found"


def report_sessions(count: int, classifier: Classifier, seconds: float) -> None:
    sessions = [WebcamClassifier(classifier) for _ in range(count)]
    threads = [threading.Thread(target=feed, args=(session, seconds)) for session in sessions]
    for thread in threads:
        thread.start()
    time.sleep(0.9 * seconds)
    views = [view for session in sessions if (view := session.latest)]
    for thread in threads:
        thread.join()
    for session in sessions:
        session.forget()
    shown, read = ([getattr(view, name) for view in views] for name in ("frames_per_second", "readings_per_second"))
    print(
        f"{count} session{'s' if count > 1 else ''} ({best_detector()}): shown {min(shown):.1f} to {max(shown):.1f} "
        f"frames a second, read {min(read):.1f} to {max(read):.1f} times, "
        f"{np.median([view.milliseconds for view in views]):.0f} ms from frame to answer"
    )


def feed(session: WebcamClassifier, seconds: float) -> None:
    """Show frames as a camera gives them; those that the session is too slow for are left out, as in the page."""
    start = time.perf_counter()
    for number, frame in enumerate(frames(round(seconds * FRAMES_PER_SECOND))):
        due = start + number / FRAMES_PER_SECOND
        if time.perf_counter() < due + 1 / FRAMES_PER_SECOND:
            time.sleep(max(0.0, due - time.perf_counter()))
            session.show(frame)


def report_browser(run: str, minutes: float) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, serve("run", "app.py") as address, sync_playwright() as playwright:
        clip = write_clip(Path(folder) / "clip.y4m", portrait())
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={clip}",
            ],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/classify?mode=Webcam")
        stream = page.frame_locator("iframe[title*='webrtc']")
        stream.get_by_role("button", name="START").click(timeout=120_000)
        video = stream.locator("video")
        video.wait_for(timeout=120_000)
        page.wait_for_timeout(20_000)
        server = next(each for each in psutil.Process().children() if "streamlit" in " ".join(each.cmdline()))
        rates, memory = [], [server.memory_info().rss / 2**20]
        for minute in range(max(1, round(minutes))):
            before, start = frames_shown(video), time.perf_counter()
            page.wait_for_timeout(60_000 * min(1.0, minutes))
            rates.append((frames_shown(video) - before) / (time.perf_counter() - start))
            memory.append(server.memory_info().rss / 2**20)
            print(f"  minute {minute + 1}: {rates[-1]:.1f} frames a second, {memory[-1]:.0f} MB", flush=True)
        browser.close()
    verdict = "met" if min(rates) >= SHOWN_BUDGET else "missed"
    print(
        f"browser: {np.median(rates):.1f} frames a second, {min(rates):.1f} in the worst minute (budget 15: {verdict})"
    )
    print(
        f"server memory: {memory[0]:.0f} MB after the start, {memory[-1]:.0f} MB at the end, {max(memory):.0f} at most"
    )


def frames_shown(video) -> int:  # type: ignore[no-untyped-def]
    return int(video.evaluate("video => video.getVideoPlaybackQuality().totalVideoFrames"))


def quantiles(milliseconds: list[float]) -> str:
    return f"{np.median(milliseconds):.1f} ms, 95th percentile {np.quantile(milliseconds, 0.95):.1f}"


if __name__ == "__main__":
    main()
