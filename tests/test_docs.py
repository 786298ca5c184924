"""The documents tell the truth about what can be looked up: links, paths, commands, variables, what the app says."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from emotion_core.commands.options import configure, configure_all
from emotion_core.commands.parser import parse

PROJECT = Path(__file__).parent.parent
DOCUMENTS = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += sorted((PROJECT / "docs").glob("*.md"))

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
INLINE_CODE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"python -m emotion_core (.+)")
SETTING = re.compile(r"--set ([^\s`]+)")
PROJECT_PATH = re.compile(r"(?<![\w/.-])(?:benchmarks|docs|emotion_core|pages|scripts|tests|ui)/[\w./-]*\w")
VARIABLE = re.compile(r"\bEMOTION_[A-Z]+\b")
READ_BY_THE_CODE = re.compile(r"""(?:_folder|environ\.get)\(["'](EMOTION_[A-Z]+)["']""")
QUOTED = re.compile(r'"([^"\n]+)"')


def each(found_in) -> list:
    """Return a parameter (document, thing) for each different thing that a function finds in the documents' texts."""
    return [
        pytest.param(path, thing, id=f"{path.name}: {thing}")
        for path in DOCUMENTS
        for thing in dict.fromkeys(found_in(path.read_text(encoding="utf-8")))
    ]


def relative_links(text: str) -> list[str]:
    return [link for link in LINK.findall(FENCE.sub("", text)) if not re.match(r"[a-z]+:", link)]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(text: str) -> list[str]:
    """Return what stands in backticks and the lines of blocks, each without its line breaks."""
    lines = [line for block in FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    return [" ".join(part.split()) for part in [*INLINE_CODE.findall(FENCE.sub("", text)), *lines]]


def commands(text: str) -> list[str]:
    return [command for part in code(text) for command in COMMAND.findall(part)]


def project_paths(text: str) -> list[str]:
    return [path for part in code(text) for path in PROJECT_PATH.findall(part)]


def source_files() -> list[Path]:
    return [path for folder in ("emotion_core", "ui", "pages") for path in (PROJECT / folder).rglob("*.py")]


@cache
def sentences_of_the_code() -> tuple[str, ...]:
    """Return every text in the code; of an f-string only what stands there, its pieces kept apart."""
    trees = [ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for path in source_files()]
    nodes = [node for tree in trees for node in tree]
    whole = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    formatted = ["\0".join(_constants(node)) for node in nodes if isinstance(node, ast.JoinedStr)]
    return (*whole, *formatted)


def _constants(formatted: ast.JoinedStr) -> list[str]:
    return [str(part.value) for part in formatted.values if isinstance(part, ast.Constant)]


def pieces(quotation: str) -> list[str]:
    return [piece.strip(" .,;()") for piece in quotation.split("...") if piece.strip(" .,;()")]


@pytest.mark.parametrize(("document", "link"), each(relative_links))
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(document, link):
    name, _, anchor = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    assert target.is_relative_to(PROJECT)
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize(("document", "command"), each(commands))
def test_a_command_is_one_that_the_command_line_takes(document, command):
    options = parse(shlex.split(command))
    match options.command[1]:  # the settings that it names must be there, too
        case "train":
            configure(options.preset, options)
        case "submit":
            configure_all(options)


@pytest.mark.parametrize(("document", "setting"), each(SETTING.findall))
def test_a_setting_is_one_that_a_network_has(document, setting):
    configure("residual", parse(["train", "residual", "--set", setting]))


@pytest.mark.parametrize(("document", "path"), each(project_paths))
def test_a_path_of_the_project_exists(document, path):
    assert (PROJECT / path).exists()


@pytest.mark.parametrize(("document", "variable"), each(VARIABLE.findall))
def test_a_variable_is_read_by_the_code(document, variable):
    assert any(variable in READ_BY_THE_CODE.findall(path.read_text(encoding="utf-8")) for path in source_files())


@pytest.mark.parametrize("quotation", QUOTED.findall((PROJECT / "docs" / "troubleshooting.md").read_text("utf-8")))
def test_what_troubleshooting_quotes_is_what_the_app_says(quotation):
    for piece in pieces(quotation):
        assert any(piece in sentence for sentence in sentences_of_the_code()), piece


@pytest.mark.parametrize(
    "find", [relative_links, commands, project_paths, VARIABLE.findall], ids=lambda find: find.__name__
)
def test_there_is_something_to_check(find):
    assert len(each(find)) > 5
