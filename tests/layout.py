"""What does not fit on a page: parts that scroll sideways, and text that is cut off."""

from playwright.sync_api import Page


def what_does_not_fit(page: Page) -> list[str]:
    """Return a sentence for each part of the page that scrolls sideways, and for each text that is cut off."""
    return [*page.evaluate(_SCROLLS_SIDEWAYS), *page.evaluate(_CUT_TEXT)]


PLACE = """
    const place = element => {
        const part = element.closest("[data-testid]:not([data-testid=stMarkdownContainer])")?.dataset.testid;
        const keyed = [...element.closest("[class*=st-key-]")?.classList ?? []];
        return [part, keyed.find(name => name.startsWith("st-key-"))].filter(Boolean).join(" of ");
    };
"""
"""A function that names the part of the page, and the widget, in which an element is."""

_SCROLLS_SIDEWAYS = """
() => ["html", "[data-testid=stMain]", "[data-testid=stSidebarContent]"]
    .map(selector => [selector, document.querySelector(selector)])
    .filter(([, element]) => element && element.scrollWidth > element.clientWidth)
    .map(([selector, element]) => `${selector} scrolls: ${element.scrollWidth} pixels in ${element.clientWidth}`)
"""

_CUT_TEXT = (
    """
() => {
    // Pixels that an italic letter may lean over its edge, and that a line may be higher than its letters: in a drawing
    // they may stand upright.
    const ACROSS = 1, DOWN = 4;
    // Grids are drawn on a canvas, icons are words of a font, and long text that a person types may scroll.
    const EXCEPT = "[data-testid=stDataFrame], [data-testid=stIconMaterial], script, style, noscript, option, textarea";
"""
    + PLACE
    + """
    const ends = (box, text, low, high, more) => text[high] > box[high] + more || text[low] < box[low] - more;
    const isForReadersAloud = box => box.width <= 1 || box.height <= 1;

    // Text is cut off where it reaches out of the first box around it that hides what is outside and cannot scroll.
    const isCut = (element, text, overflow, low, high, more) => {
        for (let around = element; around; around = around.parentElement) {
            const style = getComputedStyle(around)[overflow], box = around.getBoundingClientRect();
            if (isForReadersAloud(box) || ["auto", "scroll"].includes(style)) return false;
            if (["hidden", "clip"].includes(style) && ends(box, text, low, high, more)) return true;
        }
        return false;
    };
    const isSaidInFull = (element, words) => element.closest("[title]")?.getAttribute("title").includes(words);

    const cut = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const words = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
        if (!words || element.closest(EXCEPT) || isSaidInFull(element, words)) continue;
        if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const text = range.getBoundingClientRect();
        const across = element.closest("svg") ? DOWN : ACROSS;
        const isCutAcross = isCut(element, text, "overflowX", "left", "right", across);
        if (isCutAcross || isCut(element, text, "overflowY", "top", "bottom", DOWN))
            cut.push(`"${words.slice(0, 80)}" is cut off in ${place(element)}`);
    }

    // Fields with one line: what is typed or chosen, else what stands there until then, must fit.
    const pencil = document.createElement("canvas").getContext("2d");
    for (const field of document.querySelectorAll("input")) {
        const words = field.value || field.placeholder, style = getComputedStyle(field);
        if (!["text", "number", "search"].includes(field.type) || !field.checkVisibility()) continue;
        pencil.font = style.font;
        const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        if (pencil.measureText(words).width > room + ACROSS)
            cut.push(`"${words}" does not fit into the field ${field.ariaLabel ?? place(field)}`);
    }
    return cut;
}
"""
)
