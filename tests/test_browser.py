"""The main job in a real browser: Chromium, the real server, a fake camera."""

import base64
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from browsing import copy_shipped_runs, folders_in, launch, open_page, serve, settle, settle_drawing
from camera import portrait, somebody, write_clip
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from emotion_core.classifier import load_classifier
from emotion_core.dataset import load_dataset
from emotion_core.emotions import EMOTION_COLOURS, EMOTIONS
from emotion_core.runs import Runs, State

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PATIENCE = 90_000
"""Milliseconds that a slow machine may take for one step."""


@dataclass(frozen=True)
class App:
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def runs(self) -> Runs:
        return Runs(self.folder / "runs")


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[App]:
    """The real server on copies of the shipped runs, with one CSV in its data folder."""
    folder = tmp_path_factory.mktemp("app")
    copy_shipped_runs(folder / "runs")
    (folder / "data").mkdir()
    write_test_csv(folder / "data" / "some_faces.csv")
    with serve("run", "app.py", log=folder / "server.log", environment=folders_in(folder)) as server:
        yield App(server.address, server.process, folder)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory) -> Iterator[Browser]:
    clip = write_clip(tmp_path_factory.mktemp("camera") / "clip.y4m", somebody())
    browser = launch(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    )
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=["camera"])
    yield patient(context)
    context.close()


@pytest.fixture
def camera_refuser(playwright: Playwright) -> Iterator[Page]:
    """A page of a browser that has a camera and gives it to nobody."""
    browser = launch(playwright, "--use-fake-device-for-media-stream")
    yield patient(browser.new_context(viewport={"width": 1440, "height": 900}))
    browser.close()


def patient(context: BrowserContext) -> Page:
    """Return a new page on which a slow machine may take its time."""
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return context.new_page()


def write_test_csv(path: Path) -> None:
    """Write twenty unlabelled faces as Kaggle's test file has them, with ids of their own."""
    rng = np.random.default_rng(5)
    face = cv2.resize(cv2.cvtColor(portrait()[128:333, 169:374], cv2.COLOR_RGB2GRAY), (48, 48), interpolation=3)
    lines = ["id,pixels"]
    for number in range(20):
        noisy = np.clip(face + rng.normal(0, 3 * number, face.shape), 0, 255).astype(int)
        lines.append(f"{1000 + number},{' '.join(map(str, noisy.ravel()))}")
    path.write_text("\n".join(lines) + "\n")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def by_key(page: Page, key: str):
    return page.locator(f".st-key-{key}")


def metric(page: Page, label: str):
    return page.locator("[data-testid='stMetric']", has_text=label)


def epoch_shown(page: Page) -> int:
    text = metric(page, "Epoch").inner_text()
    return int(re.search(r"([\d,]+) of", text).group(1).replace(",", ""))


def axis_of(page: Page, chart) -> bytes:
    """Return the picture of a chart's lower edge, where the numbers of its axis stand."""
    page.wait_for_timeout(1_000)
    box = chart.bounding_box()
    strip = {"x": box["x"], "y": box["y"] + box["height"] - 45, "width": box["width"], "height": 25}
    return page.screenshot(clip=strip)


@pytest.mark.parametrize("path", ["explore", "augment", "train", "results", "run", "classify", "kaggle"])
def test_every_page_opens_by_its_address(app, page, path):
    open_page(page, f"{app.address}/{path}")
    assert f"/{path}" in page.url
    assert page.locator("[data-testid='stMain'] h1").count() == 1


def test_one_press_of_back_leaves_a_page_or_undoes_a_choice(app, page):
    def follow(link: str) -> None:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=link, exact=True).click()
        expect(page.locator("h1")).to_have_text(link)
        settle_drawing(page)

    def press_back(heading: str, parameter: str) -> None:
        page.go_back()
        expect(page.locator("h1")).to_have_text(heading)
        # NOTE: now and then Streamlit leaves a parameter of the page before in the address, which does no harm.
        expect(page).to_have_url(re.compile(rf"/.*{re.escape(parameter)}(&|$)"))
        page.wait_for_timeout(1_000)  # what still runs when a page is left writes into the next
        settle_drawing(page)

    open_page(page, app.address)
    follow("Explore")
    expect(page).to_have_url(re.compile("explore[?]data="))
    follow("Run")
    expect(page).to_have_url(re.compile("run[?]run="))
    opened = page.url
    by_key(page, "run-inspected").locator("input").click()
    page.locator("[role=option][aria-selected=false]").first.click()
    expect(page).not_to_have_url(opened)
    page.wait_for_timeout(1_000)
    settle_drawing(page)

    press_back("Run", opened.partition("?")[2])
    press_back("Explore", "data=some_faces.csv")
    press_back("Facial emotions", "")


def test_what_a_page_that_was_left_writes_into_the_next_one_s_address_is_no_step(app, page):
    open_page(page, f"{app.address}/explore?data=some_faces.csv")
    page.wait_for_function("history.isOneStepAPage")  # the sidebar may come in after the page
    before = page.evaluate("history.length")
    for address in ("?run=left", "?data=some_faces.csv&run=left", "?data=some_faces.csv"):
        page.evaluate("address => history.pushState(null, '', address)", address)
    assert page.evaluate("history.length") == before
    page.evaluate("history.pushState(null, '', '?data=other.csv')")
    assert page.evaluate("history.length") == before + 1


def test_a_page_that_is_left_keeps_its_address_though_the_next_one_writes_into_it_before_it_opens(app, page):
    address = f"{app.address}/explore?data=some_faces.csv&view=Health"
    open_page(page, address)
    page.wait_for_function("history.isOneStepAPage")
    for step in ("/explore", "?data=some_faces.csv&show=alone", "/augment?data=some_faces.csv&show=alone"):
        page.evaluate("address => history.pushState(null, '', address)", step)
    page.go_back()
    expect(page).to_have_url(re.compile(re.escape(address)))


def test_training_on_the_sample_is_watched_found_used_and_handed_in(app, page, tmp_path):
    """One person's way through the app, from a new run to its prediction file."""
    before = {run.id for run in app.runs.all()}
    open_page(page, f"{app.address}/train?data=sample&preset=sgd")
    by_key(page, "section-training").click()
    field = page.locator("input[aria-label='Early stopping patience']")
    field.fill("1000")  # it is the test that stops the run
    field.press("Enter")
    page.wait_for_timeout(500)  # until the server has begun with it, so that the page stands still when it is clicked
    settle_drawing(page)
    by_key(page, "train").get_by_role("button").dblclick()

    # The curve moves, and goes on after a reload in mid-run.
    curve = page.locator("[data-testid='stVegaLiteChart']").first
    curve.wait_for()
    first_epoch, first_picture = epoch_shown(page), curve.screenshot()
    expect(metric(page, "Epoch")).not_to_contain_text(f"{first_epoch} of")
    assert curve.screenshot() != first_picture
    page.reload()
    settle(page)
    expect(metric(page, "Epoch")).to_be_visible()
    assert epoch_shown(page) > first_epoch
    (run,) = [run for run in app.runs.all() if run.id not in before]  # one run, for all the double click
    assert run.id in page.url
    assert run.state() is State.RUNNING

    # What a person zoomed into stays while the curve goes on.
    box = curve.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -600)
    wait_for(lambda: axis_of(page, curve) == axis_of(page, curve))  # the first refresh after it may still be under way
    zoomed_at, zoomed = run.status().epoch, axis_of(page, curve)
    wait_for(lambda: epoch_shown(page) > zoomed_at + 20)
    assert axis_of(page, curve) == zoomed
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for(lambda: axis_of(page, curve) != zoomed)

    # It stops when asked, and keeps what it has learnt.
    by_key(page, f"stop-of-{run.id}").get_by_role("button").click()
    by_key(page, f"results-of-{run.id}").wait_for()
    assert run.state() is State.STOPPED, run.log_tail()
    assert run.evaluation().accuracy > 0.3

    # It goes on where it stopped, in two tabs that agree, and stops again.
    stopped_at = run.status().epoch
    open_page(page, f"{app.address}/train?run={run.id}")
    by_key(page, f"resume-of-{run.id}").get_by_role("button").dblclick()
    wait_for(lambda: run.status().epoch > stopped_at)
    other = page.context.new_page()
    open_page(other, page.url)
    by_key(other, f"stop-of-{run.id}").get_by_role("button").click()
    by_key(other, f"resume-of-{run.id}").wait_for()
    other.reload()
    page.reload()
    for tab in (page, other):
        settle(tab)
        by_key(tab, f"resume-of-{run.id}").wait_for()
        assert epoch_shown(tab) == run.status().epoch > stopped_at
    other.close()
    assert (run.state(), run.status().resumed) == (State.STOPPED, 1)
    assert list(run.history()["epoch"]) == list(range(1, run.status().epoch + 1))

    # It stands in the results.
    open_page(page, f"{app.address}/results")
    cell = page.locator("[data-testid='stDataFrame'] [role='gridcell']")
    cell.first.wait_for(state="attached")
    cells = cell.all_text_contents()
    assert f"{run.status().epoch} of {run.status().epochs}" in cells
    assert str(100 * run.evaluation().accuracy) in cells

    # It makes a prediction file, the one that its model gives.
    open_page(page, f"{app.address}/kaggle?run={run.id}&data=some_faces.csv")
    page.locator("[class*=st-key-predict-]").get_by_role("button").click()
    by_key(page, "download-predictions").wait_for()
    with page.expect_download() as download:
        by_key(page, "download-predictions").get_by_role("button").click()
    saved = tmp_path / "predictions.csv"
    download.value.save_as(saved)
    faces = load_dataset(app.folder / "data" / "some_faces.csv")
    labels = load_classifier(run).probabilities(faces.images).argmax(axis=1)
    rows = "".join(f"{face_id},{label}\n" for face_id, label in zip(faces.ids, labels, strict=True))
    assert saved.read_bytes().decode() == "id,predicted class\n" + rows
    assert faces.ids[0] == "1000"


def test_a_cell_of_the_confusion_matrix_opens_by_click_and_by_keys_without_a_reload(app, page):
    run = next(run for run in app.runs.all() if run.evaluation())
    open_page(page, f"{app.address}/run?run={run.id}&section=Mistakes")
    cell = page.locator("td[data-cell='Fear-Sad']")
    cell.wait_for()
    page.evaluate("window.sameDocument = true")
    cell.click()
    expect(page.get_by_text("Fear taken for Sad")).to_be_visible()
    expect(cell).to_have_attribute("aria-selected", "true")
    wait_for(lambda: "cell=Fear-Sad" in page.url)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Happy taken for Sad")).to_be_visible()
    wait_for(lambda: "cell=Happy-Sad" in page.url)
    assert page.evaluate("window.sameDocument")
    page.reload()
    settle(page)
    expect(page.get_by_text("Happy taken for Sad")).to_be_visible()


def test_an_uploaded_picture_is_classified(app, page, tmp_path):
    picture = tmp_path / "portrait.png"
    cv2.imwrite(str(picture), portrait()[..., ::-1])
    open_page(page, f"{app.address}/classify")
    page.locator("input[type='file']").set_input_files(picture)
    panel = page.locator("figcaption", has_text="What the network sees")
    expect(panel).to_be_visible()
    settle(page)
    assert panel.count() == 1  # one face, no false alarm
    assert page.locator("[data-testid='stMain']").get_by_text("Happy").count() > 0


def test_a_file_that_is_no_picture_gets_a_sentence(app, page, tmp_path):
    impostor = tmp_path / "impostor.png"
    impostor.write_text("not a picture")
    open_page(page, f"{app.address}/classify")
    page.locator("input[type='file']").set_input_files(impostor)
    expect(page.locator("[data-testid='stAlert']")).to_contain_text("impostor.png")


def test_the_webcam_shows_box_label_bars_and_frame_rate(app, page):
    open_page(page, f"{app.address}/classify?mode=Webcam")
    stream = start_webcam(page)
    main = page.locator("[data-testid='stMain']")
    expect(main.get_by_text(re.compile(r"[1-9]\d* frames? a second"))).to_be_visible()
    read = main.get_by_text(re.compile(rf"^({'|'.join(EMOTIONS)}) \d+%")).first
    expect(read).to_be_visible()
    for colour in ("#FFFFFF", EMOTION_COLOURS[read.inner_text().split()[0]]):  # of the box, and of its label
        wait_until(partial(has_more_of, colour, stream), f"nothing in {colour} was drawn")
    before = main.get_by_alt_text("The face as the network sees it").get_attribute("src")
    wait_until(
        lambda: main.get_by_alt_text("The face as the network sees it").get_attribute("src") != before,
        "what the network sees stands still",
    )
    stream.get_by_role("button", name="STOP").click()
    expect(main.get_by_text("Press START to go on.")).to_be_visible()


def test_a_still_is_kept_and_looked_at_closely(app, page):
    open_page(page, f"{app.address}/classify?mode=Webcam")
    start_webcam(page)
    main = page.locator("[data-testid='stMain']")
    expect(main.get_by_alt_text("The face as the network sees it")).to_be_visible()
    main.get_by_role("button", name="Take a still").click()
    expect(main.get_by_alt_text("Still 1")).to_be_visible()
    main.get_by_text("Still 1", exact=True).last.click()
    expect(main.get_by_text("Network's input").first).to_be_visible()


def test_a_paused_webcam_stands_still(app, page):
    open_page(page, f"{app.address}/classify?mode=Webcam")
    stream = start_webcam(page)
    wait_until(lambda: frame_of(stream).size, "no frame came")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    wait_until(lambda: way_moved(page, stream) < 0.3, "the picture goes on moving")
    first = frame_of(stream)
    page.get_by_role("button", name="Continue").click()
    wait_until(lambda: way_between(first, frame_of(stream)) > 2, "the picture does not move on")


def way_moved(page: Page, stream) -> float:
    """Return by how many pixels the picture is shifted after a while, in which a sway does not come full circle."""
    first = frame_of(stream)
    page.wait_for_timeout(1_300)
    return way_between(first, frame_of(stream))


def way_between(first: np.ndarray, second: np.ndarray) -> float:
    """Return how many pixels the one picture is shifted against the other."""
    gray = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (first, second)]
    (right, down), _ = cv2.phaseCorrelate(*gray)
    return float(np.hypot(right, down))


def test_a_refused_camera_gets_a_sentence_and_uploads_go_on(app, camera_refuser):
    page = camera_refuser
    open_page(page, f"{app.address}/classify?mode=Webcam")
    page.frame_locator("iframe[title*='webrtc']").get_by_role("button", name="START").click()
    expect(page.get_by_text("The browser is blocking the camera on this page.")).to_be_visible()
    page.get_by_text("Upload", exact=True).click()
    expect(page.locator("input[type='file']")).to_be_attached()


def start_webcam(page: Page):
    """Press START and return the stream's frame."""
    stream = page.frame_locator("iframe[title*='webrtc']")
    stream.get_by_role("button", name="START").click()
    stream.locator("video").wait_for()
    return stream


def wait_until(is_so: Callable[[], object], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.5)


def frame_of(stream) -> np.ndarray:
    """Return the picture that the video element shows, RGB (h, w, 3), empty before the first frame."""
    width, height, pixels = stream.locator("video").evaluate(
        """video => {
            const canvas = document.createElement("canvas");
            canvas.width = video.videoWidth; canvas.height = video.videoHeight;
            if (!canvas.width) return [0, 0, ""];
            const context = canvas.getContext("2d");
            context.drawImage(video, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let text = "";
            for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(...data.slice(i, i + 3));
            return [canvas.width, canvas.height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 3)


def has_more_of(colour: str, stream) -> bool:
    """Whether the stream has clearly more of a colour than what stands before the camera.

    By the share of the pixels, since a browser on a busy machine sends smaller frames.
    """
    return share_of(frame_of(stream), colour) > share_of(somebody(), colour) + 400 / (640 * 480)


def share_of(frame: np.ndarray, colour: str) -> float:
    """Return the share of pixels that have a colour (#RRGGBB), give or take what the video's compression does."""
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return float((np.abs(frame.astype(int) - wanted).max(axis=-1) < 40).mean()) if frame.size else 0.0


def test_buttons_lead_from_page_to_page_while_the_address_holds_what_a_widget_shows(app, page):
    """Streamlit refuses to leave such a page, unless it is told how; AppTest knows nothing of it."""
    open_page(page, f"{app.address}/?presenter=true")
    page.get_by_role("button", name="Take the tour").click()
    expect(page.locator("h1")).to_have_text("Explore")
    settle(page)
    page.get_by_role("radio", name="Health").click()
    expect(page).to_have_url(re.compile("view=Health"))
    for title in ("Train", "Results", "Classify"):
        page.get_by_role("button", name="Next step").click()
        expect(page.locator("h1")).to_have_text(title)
    assert "presenter=true" in page.url
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20.8px"


def test_a_face_of_the_gallery_is_enlarged_by_mouse_and_by_key(app, page):
    open_page(page, f"{app.address}/explore?data=sample&view=Faces")
    page.locator("button[data-face]").nth(2).click()
    expect(page.get_by_role("dialog").get_by_text("As the model")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("button[data-face]").nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_map_is_drawn(app, page):
    """What is wrong with its description would show nothing, and say nothing."""
    open_page(page, f"{app.address}/explore?data=sample&view=Map")
    expect(page.locator("[data-testid=stVegaLiteChart] svg path").nth(100)).to_be_attached()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_the_server_has_not_loaded_a_framework(app, page):
    """Runs last in this file, after every page has been used."""
    open_page(page, f"{app.address}/classify")
    maps = Path(f"/proc/{app.process.pid}/maps").read_text()
    assert "onnxruntime" in maps
    assert not re.search(r"tensorflow|torch|jaxlib", maps)
