"""First paint of every page against Streamlit's own `hello`, both servers warm, in one run.

    python benchmarks/first_paint.py [--rounds 7]

Each round opens every page in a new browser context, by its URL, in an order of its own. Printed are the medians of
two moments after the request: when the heading shows, whose ratio to that of `hello` has a budget of 1.3, and when the
page's script has run to its end. A page opened by its own path takes longer than one at the root, since the browser
first looks for the server below that path: `hello/demo`, such a page of `hello`, shows how much.
"""

import argparse
import contextlib
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
PAGES = ("", "explore", "augment", "train", "results", "run", "classify", "kaggle")
WATCH = """
    new MutationObserver(() => {
        if (!document.querySelector("[data-testid='stMain'] h1")) return;
        window.headingAt ??= performance.now();
        if (document.querySelector("[data-test-script-state='notRunning']")) window.wholeAt ??= performance.now();
    }).observe(document, {subtree: true, childList: true, attributes: true});
"""
"""Notes, by the page's own clock, when its heading shows and when its script has run to its end."""
BUDGET = 1.3


class Moments(NamedTuple):
    """Seconds from the request."""

    heading: float
    whole: float


def main(rounds: int) -> None:
    with serve("hello") as hello, serve("run", "app.py") as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        addresses = {"hello": hello, "hello/demo": f"{hello}/dataframe_demo"} | {
            page or "home": f"{app}/{page}" for page in PAGES
        }
        moments: dict[str, list[Moments]] = {name: [] for name in addresses}
        for address in addresses.values():  # warm
            open_page(browser, address)
        for _ in range(rounds):
            for name in random.sample(list(addresses), len(addresses)):
                moments[name].append(open_page(browser, addresses[name]))
        browser.close()
    report(moments)


def report(moments: dict[str, list[Moments]]) -> None:
    medians = {
        name: Moments(*(statistics.median(column) for column in zip(*rows, strict=True)))
        for name, rows in moments.items()
    }
    hello = medians["hello"]
    print("page         heading   against hello   whole page   against hello")
    for name, (heading, whole) in medians.items():
        verdict = "" if name.startswith("hello") else "within budget" if heading <= BUDGET * hello.heading else "OVER"
        ratios = heading / hello.heading, whole / hello.whole
        print(
            f"{name:11} {heading:6.2f} s        x{ratios[0]:.2f}     {whole:6.2f} s        x{ratios[1]:.2f}   {verdict}"
        )


def open_page(browser: Browser, address: str) -> Moments:
    """Open the address in a new context and return what its own clock says."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("window.wholeAt", timeout=60_000)
    moments = Moments(*page.evaluate("[window.headingAt / 1000, window.wholeAt / 1000]"))
    context.close()
    return moments


@contextlib.contextmanager
def serve(*command: str) -> Iterator[str]:
    """Run a Streamlit server and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", *command, *options],
        cwd=PROJECT,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    main(parser.parse_args().rounds)
