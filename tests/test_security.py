"""What `docs/security.md` promises."""

import ast
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import open_app, save_finished_run, shown
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from emotion_core import settings
from emotion_core.config import with_settings
from emotion_core.errors import BadInput, RunNotFound
from emotion_core.presets import find_preset
from emotion_core.runs import About, Run, Runs, State

PROJECT = Path(__file__).parent.parent
PAGES = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "pages").glob("*.py"))
FOLDERS = ("emotion_core", "ui", "pages", "benchmarks")
SHIPPED = [PROJECT / "app.py", *sorted(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))]


# --- the server ----------------------------------------------------------------------------------------------------


def configured() -> dict[str, dict[str, Any]]:
    return tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "allowedHosts", ["127.0.0.1", "localhost"]),
        ("server", "enableCORS", True),
        ("server", "enableXsrfProtection", True),
        ("server", "maxUploadSize", settings.MAX_UPLOAD_BYTES // 2**20),
        ("server", "showEmailPrompt", False),
        ("browser", "gatherUsageStats", False),
        ("client", "showErrorDetails", "type"),
        ("client", "showErrorLinks", False),
    ],
)
def test_the_app_is_closed_and_quiet_by_default(section, option, value):
    assert configured()[section][option] == value


@pytest.mark.parametrize(
    "option", ["enableAgentApi", "enableStaticServing", "corsAllowedOrigins", "trustedUserHeaders"]
)
def test_no_further_door_is_opened(option):
    assert option not in configured()["server"]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of the real server, as its configuration starts it."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={number}"],
        cwd=PROJECT,
        env=os.environ | {f"EMOTION_{name}": str(folder) for name in ("RUNS", "CACHE", "DATA")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not accepts("127.0.0.1", number) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield number
    finally:
        process.terminate()
        process.wait()


def accepts(address: str, port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((address, port)) == 0


def ask(port: int, method: str, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_only_this_computer_reaches_the_server(port):
    assert accepts("127.0.0.1", port)
    assert not accepts("127.0.0.2", port)  # another address of this computer stands for all others


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://127.0.0.1:{port}", "127.0.0.1:{port}", 101),
        ("http://localhost:{port}", "localhost:{port}", 101),
        ("http://elsewhere.example", "127.0.0.1:{port}", 403),
        ("http://elsewhere.example:{port}", "elsewhere.example:{port}", 403),  # its name now leads to this computer
    ],
)
def test_a_page_from_elsewhere_does_not_get_through_to_the_app(port, origin, host, status):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    sender = {"Origin": origin.format(port=port), "Host": host.format(port=port)}
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert ask(port, "GET", "/_stcore/stream", **upgrade, **key, **sender) == status


def test_an_upload_without_the_token_of_its_session_is_refused(port):
    assert ask(port, "PUT", "/_stcore/upload_file/someone/something") == 403


# --- the code ------------------------------------------------------------------------------------------------------


FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "yaml"}
FORBIDDEN_CALLS = {
    "load_model", "model_from_json", "deserialize_keras_object", "enable_unsafe_deserialization", "read_pickle",
    "to_pickle", "extractall", "eval", "exec", "unpack_archive", "os.system", "os.popen",
}  # fmt: skip
FORBIDDEN_ARGUMENTS = {
    ("allow_pickle", True), ("safe_mode", False), ("shell", True), ("unsafe_allow_html", True), ("persist", True),
    ("persist", "disk"),
}  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_nothing_that_could_carry_code_is_loaded_or_shown(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                assert not {name.name.partition(".")[0] for name in names} & FORBIDDEN_MODULES
            case ast.ImportFrom(module=module):
                assert (module or "").partition(".")[0] not in FORBIDDEN_MODULES
            case ast.Call(func=function, keywords=keywords):
                name = ast.unparse(function)
                assert not {name, name.rpartition(".")[2]} & FORBIDDEN_CALLS, f"line {node.lineno}: {name}"
                given = {(word.arg, getattr(word.value, "value", "an expression")) for word in keywords}
                assert not given & FORBIDDEN_ARGUMENTS, f"line {node.lineno}"
                assert not {(word, "an expression") for word, _ in FORBIDDEN_ARGUMENTS} & given, f"line {node.lineno}"


def test_the_scripts_that_a_page_may_run_leave_the_old_page_mode_and_keep_the_history_short():
    allowed = [path.name for path in SHIPPED if "unsafe_allow_javascript" in path.read_text(encoding="utf-8")]
    assert allowed == ["app.py", "history.py"]


# --- addresses -----------------------------------------------------------------------------------------------------


HOSTILE_IDS = [
    "../outside",
    "..",
    ".",
    "/",
    "{outside}",
    "file://{outside}",
    "..\\outside",
    "C:\\outside",
    ".engine",
    ".engine/../../outside",
    ".new-20260101-120000-sgd-0123abcd",
    ".deleted-20260101-120000-sgd-0123abcd",
    "x" * 500,
    "\0",
    "20260101\0",
    "٢٠٢٦",
    "\u202e1202",
    "CON",
    "<script>alert(1)</script>",
    "![i](http://elsewhere.example/i.png)",
    "*",
    "%2e%2e%2foutside",
]


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    """A folder with one run, leftovers of crashes, and a run outside of it."""
    runs = Runs(runs_folder)
    run = save_finished_run(runs, name="Inside")
    outside = save_finished_run(Runs(runs_folder.parent / "elsewhere"), name="Outside")
    outside.folder.rename(runs_folder.parent / "outside")
    for name in (".engine", ".new-20260101-120000-sgd-0123abcd", ".deleted-20260101-120000-sgd-0123abcd"):
        shutil.copytree(runs_folder.parent / "outside", runs_folder / name)
    assert [each.id for each in runs.all()] == [run.id]
    return runs


@pytest.mark.parametrize("reference", ["", *HOSTILE_IDS])
def test_no_reference_leads_out_of_the_folder_of_runs(runs, reference):
    with pytest.raises(RunNotFound):
        runs.find(reference.format(outside=runs.folder.parent / "outside"))


@pytest.mark.parametrize("path", [page for page in PAGES if "explore" not in page and "augment" not in page])
def test_no_address_leads_out_of_the_folder_of_runs(runs, path, faces_csv):
    page = open_app(path)
    for reference in HOSTILE_IDS:
        page.query_params.clear()
        for parameter in ("run", "runs", "clone"):
            page.query_params[parameter] = reference.format(outside=runs.folder.parent / "outside")
        page.run()
        assert not page.exception, (reference, page.exception)
        assert "Outside" not in "\n".join(text for _, text in texts_of(page))
    assert {child.name for child in runs.folder.parent.iterdir()} <= {"runs", "cache", "data", "outside", "elsewhere"}


@pytest.mark.parametrize("path", [page for page in PAGES if "compare" not in page and "inspect" not in page])
def test_an_address_that_names_no_data_set_is_said(runs, path, faces_csv):
    page = open_app(path)
    for source in ("/etc/passwd", "../nowhere", "\0", "x" * 5_000, "<script>alert(1)</script>", "/dev/zero"):
        page.query_params.clear()
        page.query_params["data"] = source
        page.run()
        assert not page.exception, (source, page.exception)


# --- what people type ----------------------------------------------------------------------------------------------


NAMES = [
    "<b>x</b> **y** $z$ :material/home: `q` [l](http://e.example) ![i](http://e.example/i.png) &lt; a -> b :red[w]",
    "😀 تجربة \u202eturned\u202c",
    "CON",
    "../../escape",
    "two\nlines\tand\r\nmore",
    "# heading",
    "1. list",
    "- list",
    "www.example.com a@b.example https://e.example",
    "\\*",
    "x" * 200,
]

MARKUP = NAMES[0]
MARKS = ("<b>x</b>", "**y**", "$z$", "![i](", ":material/home:", "[l](", "a -> b")
"""Parts of it that would be taken for markup where they stand as they are."""

SHOWN_AS_TEXT = {
    ("selectbox", "options"), ("multiselect", "options"), ("multiselect", "raw_values"), ("selectbox", "raw_value"),
    ("text_input", "default"), ("text_input", "value"), ("text_input", "placeholder"), ("text_area", "default"),
    ("text_area", "value"), ("code", "code_text"), ("text", "body"), ("image", "alt"), ("arrow_data_frame", "columns"),
}  # fmt: skip
"""Fields of elements that Streamlit shows as plain text."""


def elements_of(block: Block) -> Iterator[Element | Block]:
    for child in block.children.values():
        yield child
        if isinstance(child, Block):
            yield from elements_of(child)


def strings_of(message: Message) -> Iterator[tuple[str, str]]:
    """The texts in a message to the browser, each with the name of its field."""
    for field, value in message.ListFields():
        for each in value if field.is_repeated else [value]:
            if isinstance(each, Message):
                yield from strings_of(each)
            elif isinstance(each, str):
                yield field.name, each


def texts_of(page: AppTest) -> list[tuple[tuple[str, str], str]]:
    """Every text that a page sends to the browser, with its element and field."""
    return [
        ((element.type, field), text)
        for block in (page.main, page.sidebar)
        for element in elements_of(block)
        if isinstance(getattr(element, "proto", None), Message)
        for field, text in strings_of(element.proto)
    ]


@pytest.fixture
def marked_run(runs_folder: Path) -> Run:
    """A run in which every text that a person or a stranger could have written is markup."""
    settings = {"name": MARKUP, "preset": MARKUP[:80], "data.source": f"/nowhere/{MARKUP.replace('/', '|')}"}
    run = save_finished_run(Runs(runs_folder))
    config = with_settings(run.config, settings)
    (run.folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    run.write_about(About(notes=MARKUP, tags=(MARKUP[:40], ":red[w]")))
    run.log_path.write_text(MARKUP, encoding="utf-8")
    run.record(reason=MARKUP, backend=MARKUP, device=MARKUP, slot=MARKUP)
    return Run(run.folder)


@pytest.mark.parametrize("state", [State.FINISHED, State.FAILED, State.INTERRUPTED, State.QUEUED, State.DAMAGED])
@pytest.mark.parametrize("path", PAGES)
def test_text_that_people_wrote_is_never_markup(marked_run, path, state, faces_csv):
    faces_csv.rename(faces_csv.with_name(f"{MARKUP.replace('/', '|')}.csv"))
    if state is State.DAMAGED:
        (marked_run.folder / "status.json").write_text("{", encoding="utf-8")
    else:
        marked_run.record(state=state)
    page = open_app(path, run=marked_run.id, clone=marked_run.id, runs=marked_run.id)
    for place, text in texts_of(page):
        if place not in SHOWN_AS_TEXT:
            marks = MARKS[:1] if place[0] in ("plotly_chart", "html") else MARKS  # which know tags only
            assert not [mark for mark in marks if mark in text], (place, text)
    for table in page.table:
        assert not [mark for mark in MARKS if mark in table.value.to_string(max_colwidth=None)]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_was_typed_from_the_settings_to_the_page(runs_folder, name):
    config = with_settings(find_preset("sgd").config, {"name": name})
    run = Runs(runs_folder).create(config)
    assert re.fullmatch(r"[0-9]{8}-[0-9]{6}-sgd-[0-9a-f]{8}", run.id)
    name = " ".join(name.split())
    assert Run(run.folder).name == name
    run.record(state=State.STOPPED)
    page = open_app("pages/inspect_run.py", run=run.id)
    assert shown(page.subheader[0].value) == name
    assert any(name in option for option in page.selectbox(key="run-inspected").options)
    assert list(open_app("pages/compare_runs.py").dataframe[0].value["Run"]) == [name]


def test_a_name_that_is_too_long_is_refused_in_a_sentence():
    with pytest.raises(BadInput, match=r"name: x+\.\.\. should have at most 200 characters"):
        with_settings(find_preset("sgd").config, {"name": "x" * 500})
