"""Contrast and the other rules of accessibility, as axe-core finds them broken in a page.

axe-core (Deque, MPL-2.0) is no part of this project. The very file that was tested is fetched from npm's registry,
once, into the cache folder. Its rules: https://dequeuniversity.com/rules/axe/4.14
"""

import base64
import hashlib
import os
import re
import tarfile
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from browsing import PROJECT
from layout import PLACE
from playwright.sync_api import Page

from emotion_core.files import replacing
from emotion_core.settings import cache_folder

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SECONDS = 30
"""Without an answer after which fetching gives up."""


class Excused(NamedTuple):
    """A rule that elements may break."""

    rule: str
    selector: str
    reason: str


_SECTIONS = "Streamlit wraps the pages of a section in a div inside of the list."
EXCUSED = (
    Excused("list", "[data-testid=stSidebarNavItems]", _SECTIONS),
    Excused("listitem", "[data-testid=stSidebarNavItems]", _SECTIONS),
)
"""What Streamlit's own elements do, which a page cannot mend."""


def axe_core() -> str:
    """Return the source of axe-core; raises OSError where it can neither be found nor fetched."""
    path = cache_folder() / f"axe-core-{VERSION}.tgz"
    if not path.exists() or not is_the_one(path.read_bytes()):
        fetch(path)
    with tarfile.open(path) as package:
        script = package.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


def fetch(path: Path) -> None:
    address = f"{registry()}/axe-core/-/axe-core-{VERSION}.tgz"
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:
        content = answer.read()
    if not is_the_one(content):
        raise OSError(f"what {address} sent is not the file that was tested")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def is_the_one(content: bytes) -> bool:
    return base64.b64encode(hashlib.sha512(content).digest()).decode() == SHA512


def registry() -> str:
    """Return npm's registry, or the mirror that this machine's npm is told to use."""
    asked = [os.environ.get(name, "") for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY")]
    for settings in (PROJECT / ".npmrc", Path.home() / ".npmrc"):
        if settings.exists():
            asked += re.findall(r"^\s*registry\s*=\s*(\S+)", settings.read_text(encoding="utf-8"), re.MULTILINE)
    return next(filter(None, asked), "https://registry.npmjs.org").rstrip("/")


def broken_rules(page: Page, axe: str, *, only: str = "") -> list[str]:
    """Return a sentence for each element of the page that breaks a rule seriously and is not excused.

    Args:
        page: The page, which holds still.
        axe: The source of axe-core.
        only: The one rule to check, else all.
    """
    page.evaluate(f"window.axe || (() => {{ {axe} }})()")
    found: list[dict[str, Any]] = page.evaluate(_RUN, [[list(rule) for rule in EXCUSED], only])
    return [f"{each['rule']}: {each['element']} in {each['place']}: {each['why']}" for each in found]


_RUN = (
    """
async ([excused, only]) => {
"""
    + PLACE
    + """
    const isExcused = (rule, node) =>
        excused.some(([name, selector]) => name === rule && node.element?.closest(selector));
    const rules = only ? {runOnly: {type: "rule", values: [only]}} : {};
    const outcome = await axe.run(document, {resultTypes: ["violations"], elementRef: true, ...rules});
    return outcome.violations
        .filter(({impact}) => ["serious", "critical"].includes(impact))
        .flatMap(({id, nodes}) => nodes
            .filter(node => !isExcused(id, node))
            .map(node => ({
                rule: id,
                element: node.html.slice(0, 160),
                place: node.element ? place(node.element) : node.target.join(" "),
                why: [...node.any, ...node.all, ...node.none].map(check => check.message).join("; "),
            })));
}
"""
)


def faint_charts(page: Page) -> list[str]:
    """Return a sentence for each text of a chart that does not stand out from the page, which axe-core leaves out."""
    return page.evaluate(_FAINT)


_FAINT = (
    """
() => {
    const LEAST = 4.5;  // WCAG 2.2, 1.4.3
"""
    + PLACE
    + """
    const light = colour => {
        const shares = colour.match(/[\\d.]+/g).slice(0, 3).map(number => number / 255);
        const [r, g, b] = shares.map(share => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const ground = light(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
    const contrast = text => {
        const ink = light(getComputedStyle(text).fill);
        return Math.max(ink, ground) / Math.min(ink, ground);
    };
    const charts = "[data-testid=stVegaLiteChart], [data-testid=stPlotlyChart]";
    return [...document.querySelectorAll(charts)].flatMap(chart =>
        [...chart.querySelectorAll("svg text")]
            .filter(text => text.textContent.trim() && contrast(text) < LEAST)
            .map(text => `"${text.textContent}" is faint in ${place(chart)}`));
}
"""
)
