"""The file of the YuNet detector, fetched from a server of our own."""

import hashlib
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from emotion_core import detector_file
from emotion_core.detector_file import FILE_NAME, detector_path, fetch_detector, read_detector_file
from emotion_core.errors import EmotionError, ModelUnavailable
from tests.detector_choice import PUBLISHED, needs_yunet

CONTENT = b"weights of a small network" * 100


class Zoo:
    """A server that sends one file, and counts how often it is asked."""

    def __init__(self):
        self.content, self.status, self.requests = CONTENT, 200, 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    @contextmanager
    def serve(self):
        zoo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                zoo.requests += 1
                zoo.may_answer.wait(60)
                self.send_response(zoo.status)
                self.send_header("Content-Length", str(len(zoo.content)))
                self.end_headers()
                self.wfile.write(zoo.content)

            def log_message(self, *arguments):
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.handle_error = lambda *_: None  # of clients that gave up
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/{FILE_NAME}"
            zoo.may_answer.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of detectors that is not there yet."""
    monkeypatch.setenv("EMOTION_DETECTORS", str(tmp_path / "new" / "detectors"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "new" / "detectors"


@pytest.fixture
def zoo(folder, monkeypatch):
    """A server whose content is the one that was tested."""
    zoo = Zoo()
    with zoo.serve() as address:
        monkeypatch.setattr(detector_file, "ADDRESS", address)
        monkeypatch.setattr(detector_file, "SHA256", hashlib.sha256(CONTENT).hexdigest())
        yield zoo


@pytest.fixture
def babbler(folder, monkeypatch):
    """Make a server that sends some bytes, whatever it is asked, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(reply):
            def answer():
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4_096)
                    connection.sendall(reply)

            threading.Thread(target=answer, daemon=True).start()
            monkeypatch.setattr(detector_file, "ADDRESS", f"http://127.0.0.1:{listener.getsockname()[1]}/")

        yield serve


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def kept(folder):
    return sorted(folder.parent.rglob("*.*")) if folder.parent.exists() else []


def test_file_is_fetched_into_its_folder(zoo, folder):
    assert fetch_detector() == detector_path() == folder / FILE_NAME
    assert kept(folder) == [folder / FILE_NAME]
    assert read_detector_file() == CONTENT


@needs_yunet
def test_published_file_is_the_one_that_was_tested(zoo, folder, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("EMOTION_DETECTORS", str(folder))
    monkeypatch.setenv("no_proxy", "*")
    zoo.content = PUBLISHED.read_bytes()
    with zoo.serve() as address:
        monkeypatch.setattr(detector_file, "ADDRESS", address)
        fetch_detector()
    assert read_detector_file() == PUBLISHED.read_bytes()


def test_address_is_opened_as_the_caller_wants(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(detector_file, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    (tmp_path / "sent").write_bytes(CONTENT)
    asked = []

    def open_address(address, timeout):
        asked.append((address, timeout))
        return (tmp_path / "sent").open("rb")

    fetch_detector(open_address)
    assert read_detector_file() == CONTENT
    ((address, timeout),) = asked
    assert address.startswith("https://github.com/opencv/opencv_zoo/")
    assert 0 < timeout <= 60


def test_file_that_is_there_is_not_fetched_again(zoo):
    fetch_detector()
    assert fetch_detector() == detector_path()
    assert zoo.requests == 1


def test_damaged_file_is_fetched_anew(zoo, folder):
    folder.mkdir(parents=True)
    detector_path().write_bytes(CONTENT[:100])
    with pytest.raises(ModelUnavailable, match="damaged"):
        read_detector_file()
    fetch_detector()
    assert read_detector_file() == CONTENT


def test_missing_file_says_what_fetches_it(folder):
    with pytest.raises(ModelUnavailable, match="python -m emotion_core fetch-detector"):
        read_detector_file()


@pytest.mark.parametrize("content", [CONTENT + b".", CONTENT[:-1], b"", b"<html>Please sign in</html>"])
def test_another_file_is_refused_and_not_kept(zoo, folder, content):
    zoo.content = content
    with pytest.raises(EmotionError, match="not the tested one"):
        fetch_detector()
    assert kept(folder) == []


def test_no_more_is_read_than_the_file_may_have(zoo, folder):
    zoo.content = b"0" * 3_000_000
    with pytest.raises(EmotionError, match=r"\(1,000,000 bytes\) is not the tested one"):
        fetch_detector()
    assert kept(folder) == []


def test_refused_file_leaves_the_one_that_was_there(zoo, folder):
    folder.mkdir(parents=True)
    detector_path().write_bytes(b"another version")
    zoo.content = b"something else"
    with pytest.raises(EmotionError):
        fetch_detector()
    assert detector_path().read_bytes() == b"another version"
    assert kept(folder) == [detector_path()]


def assert_kind_refusal(folder):
    """Fetching fails in one sentence that says what works all the same, and what can be done by hand."""
    with pytest.raises(EmotionError) as caught:
        fetch_detector()
    sentence = str(caught.value)
    assert "The app works without" in sentence
    assert f"save {detector_file.ADDRESS} as {folder / FILE_NAME}" in sentence
    assert "\n" not in sentence
    assert kept(folder) == []


def test_address_where_nobody_answers_is_named_with_what_to_do_by_hand(folder, monkeypatch):
    monkeypatch.setattr(detector_file, "ADDRESS", f"http://127.0.0.1:{free_port()}/{FILE_NAME}")
    assert_kind_refusal(folder)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_server_that_refuses_is_named_with_what_to_do_by_hand(zoo, folder, status):
    zoo.status = status
    assert_kind_refusal(folder)


def test_server_that_says_nothing_is_given_up(zoo, folder, monkeypatch):
    monkeypatch.setattr(detector_file, "_PATIENCE", 0.2)
    zoo.may_answer.clear()
    assert_kind_refusal(folder)
    assert zoo.requests == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"220 mail.example.org ready\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",  # cut off
    ],
)
def test_server_that_talks_nonsense_is_named_with_what_to_do_by_hand(babbler, folder, reply):
    babbler(reply)
    assert_kind_refusal(folder)
