"""What the command line prints: documents, tables and a line that shows how far long work is."""

import io
import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from emotion_core.errors import BadInput

_STEERING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move a terminal's cursor, end a line or turn the direction of what follows."""


def print_json(document: Any) -> None:
    """Print one JSON document, in characters that every console can show."""
    print(json.dumps(document, indent=2, allow_nan=False))


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns as wide as their widest entry; numbers stand to the right."""
    cells = [[_as_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    for line in (header, *cells):
        aligned = (_align(text, width) for text, width in zip(line, widths, strict=True))
        print_line("  ".join(aligned).rstrip())


def print_line(text: str) -> None:
    """Print a line on standard output, with `?` for what its encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    print(harmless(text).encode(encoding, errors="replace").decode(encoding))


def print_note(text: str) -> None:
    """Print a line on standard error, beside the answer."""
    print(harmless(text), file=sys.stderr)


def harmless(text: str) -> str:
    """Write out what a name or a stranger's file could steer a terminal with, as Python writes it in quotes."""
    return _STEERING.sub(lambda character: ascii(character[0])[1:-1], text)


def file_to_write(path: Path, *, read: Path | None = None) -> Path:
    """Return a path that a file can be written to, where a link leads; raises BadInput for any other.

    `read` is the file that is read for it, which it may not replace.
    """
    if not path.parent.is_dir():
        raise BadInput(f"There is no folder {path.parent} to write {path.name} in.")
    if path.exists() and not path.is_file():
        raise BadInput(f"{path} is {'a folder' if path.is_dir() else 'no ordinary file'}; name a file to write.")
    if read is not None and path.exists() and read.exists() and path.samefile(read):
        raise BadInput(f"{path} is the file to be read; name another one to write.")
    return path.resolve()


class Narrator(io.TextIOBase):
    """Standard error with a last line that may change: how far the work is. On a terminal only.

    What is written in between appears above it, and in `copy` where one is given.
    """

    def __init__(self, copy: TextIO | None = None) -> None:
        self._stream = sys.stderr
        self._copy = copy
        self._shown = ""

    def show(self, text: str) -> None:
        """Let the last line read `text`, as far as the terminal is wide: one that wraps could not be taken away."""
        text = text[: shutil.get_terminal_size().columns - 1]
        if self._stream.isatty() and text != self._shown:
            self._replace(text)

    def show_count(self, done: int, total: int) -> None:
        """Let the last line be a bar of `done` out of `total`."""
        filled = 30 * done // max(total, 1)
        self.show(f"[{'#' * filled}{'.' * (30 - filled)}] {done:,} of {total:,}")

    def write(self, text: str) -> int:
        """Write text above the changing line; makes this usable as a standard stream."""
        self.clear()
        self._stream.write(text)
        if self._copy:
            self._copy.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        self._stream.flush()
        if self._copy:
            self._copy.flush()

    def clear(self) -> None:
        """Take the changing line away."""
        if self._shown:
            self._replace("")

    def _replace(self, text: str) -> None:
        self._stream.write(f"\r{text.ljust(len(self._shown))}\r{text}")
        self._stream.flush()
        self._shown = text


def _as_text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _align(text: str, width: int) -> str:
    is_number = text.replace(",", "").replace(".", "").isdigit()
    return text.rjust(width) if is_number else text.ljust(width)
