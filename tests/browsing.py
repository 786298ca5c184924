"""The real server, and Chromium to look at it with: shared by the tests in a browser and by `scripts/screenshots`."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Playwright

from emotion_core.config import SAMPLE

PROJECT = Path(__file__).resolve().parent.parent
SHIPPED = PROJECT / "trained"


class Server(NamedTuple):
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def serve(*command: str, log: Path, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run a Streamlit server, `hello` or `run app.py`, on a free port until the context is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless=true", f"--server.port={port}", "--browser.gatherUsageStats=false"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", *command, *options],
            cwd=PROJECT,
            env=os.environ | (environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_port(port)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(20)


def folders_in(folder: Path) -> dict[str, str]:
    """Return the environment in which the app keeps everything in one folder."""
    return {f"EMOTION_{name.upper()}": str(folder / name) for name in ("runs", "cache", "data", "detectors")}


def copy_shipped_runs(folder: Path) -> None:
    """Copy the runs that ship into a folder that is not there yet."""
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns(".*"))


def hide_data(folder: Path) -> None:
    """Have copied runs name a file that is not here, so that nothing shows the faces that they learnt from."""
    for path in folder.glob("*/config.json"):
        config = json.loads(path.read_text(encoding="utf-8"))
        if config["data"]["source"] != SAMPLE:
            config["data"]["source"] = f"elsewhere/{Path(config['data']['source']).name}"
            path.write_text(json.dumps(config, indent=2), encoding="utf-8")


def wait_for_port(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def launch(playwright: Playwright, *flags: str) -> Browser:
    """Start Chromium as a visitor has it, its scroll bars included."""
    usual = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return playwright.chromium.launch(
        executable_path=chromium(), args=[*usual, *flags], ignore_default_args=["--hide-scrollbars"]
    )


def chromium() -> str:
    """Return the path of a Chromium or Chrome; skip where there is none, unless continuous integration asks."""
    found = find_chromium()
    if found is None and not os.environ.get("CI"):
        pytest.skip("needs Chromium, Chrome or Edge; none is installed")
    assert found, "there is no Chromium, Chrome or Edge"
    return found


def find_chromium() -> str | None:
    """Return the path of a Chromium, Chrome or Edge; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
    usual = [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ]
    found = [path for name in names if (path := shutil.which(name))] + [path for path in usual if Path(path).exists()]
    return found[0] if found else None


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page's script has run to its end without an exception."""
    page.wait_for_selector("[data-testid='stApp'][data-test-connection-state='CONNECTED']")
    page.wait_for_selector("[data-testid='stMain'] h1")
    page.wait_for_selector("[data-test-script-state='notRunning']")
    assert page.locator("[data-testid='stException']").count() == 0


def settle_drawing(page: Page) -> None:
    """Wait until the browser has fetched and drawn all that the page's script sends."""
    settle(page)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-stale=true]')")
    page.wait_for_function(_ALL_DRAWN)
    page.evaluate("document.fonts.ready.then(() => new Promise(drawn => setTimeout(drawn, 300)))")


_ALL_DRAWN = """
    [...document.images].every(image => image.complete)
    && [...document.querySelectorAll("[data-testid=stPlotlyChart]")].every(chart => chart.querySelector(".main-svg"))
    && [...document.querySelectorAll("[data-testid=stVegaLiteChart]")].every(chart => chart.querySelector("canvas,svg"))
"""
