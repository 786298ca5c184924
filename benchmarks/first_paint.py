"""First paint of every page against Streamlit's own `hello`, both servers warm, in one run.

    python benchmarks/first_paint.py [--rounds 7]

Each round opens a page in a new browser context, by its URL, and times from the request until the page's script has
run to its end. The order of the pages changes from round to round. Prints the median of each page and its ratio to
the median of `hello`; the budget is 1.3.
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

from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
PAGES = ("explore", "augment", "train", "results", "run", "classify", "kaggle")
DONE = "[data-testid='stApp'][data-test-connection-state='CONNECTED'][data-test-script-state='notRunning']"
BUDGET = 1.3


def main(rounds: int) -> None:
    with serve("hello") as hello, serve("run", "app.py") as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        addresses = {"hello": hello} | {page: f"{app}/{page}" for page in PAGES}
        seconds: dict[str, list[float]] = {name: [] for name in addresses}
        for address in addresses.values():  # warm
            first_paint(browser, address)
        for _ in range(rounds):
            for name in random.sample(list(addresses), len(addresses)):
                seconds[name].append(first_paint(browser, addresses[name]))
        browser.close()
    reference = statistics.median(seconds["hello"])
    for name, times in seconds.items():
        median = statistics.median(times)
        verdict = "" if name == "hello" else "within budget" if median <= BUDGET * reference else "OVER BUDGET"
        spread = f"(from {min(times):.2f} to {max(times):.2f})"
        print(f"{name:9} {median:6.2f} s  {spread}  x{median / reference:.2f} {verdict}")


def first_paint(browser: Browser, address: str) -> float:
    """Open the address in a new context and return the seconds until its script has ended."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(DONE, timeout=60_000)
    page.wait_for_selector("[data-testid='stMain'] h1", timeout=60_000)
    elapsed = time.perf_counter() - started
    context.close()
    return elapsed


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
