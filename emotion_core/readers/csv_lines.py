"""CSVs as lines and fields of bytes: the part that knows of quotes, line ends and headers, but not of faces."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from emotion_core.errors import BadInput
from emotion_core.units import MEGABYTE

_PIECE_BYTES: Final = 2**19  # with the arrays made from it, about what a processor's cache holds
_MAX_LINE_BYTES: Final = MEGABYTE  # a face takes about 9,000
_MAX_TEXT_BYTES: Final = 4096
"""As many as the longest path on most systems, since the id of a picture is its path."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class ByteStream(Protocol):
    """What a CSV is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


class LineFault(Exception):
    """What is wrong with a line, worded to follow "line 7": whoever counts the lines makes it a BadInput."""


@dataclass(frozen=True)
class Piece:
    """Consecutive lines without their line feeds; `first` is the number of the first, counted from 1."""

    first: int
    lines: list[bytes]


def read_pieces(stream: ByteStream, name: str) -> Iterator[Piece]:
    """Yield the file in pieces of whole lines; raises BadInput where a line has no end in sight."""
    number, rest = 1, b""
    while data := stream.read(_PIECE_BYTES):
        lines, rest = _split_lines(rest + data)
        yield Piece(number, lines)
        number += len(lines)
        if len(rest) > _MAX_LINE_BYTES:
            raise BadInput(f"{name}: line {number} is over {_MAX_LINE_BYTES:,} bytes long; expected a CSV of faces.")
    if rest:
        yield Piece(number, [rest])


def read_header(line: bytes, name: str) -> list[str]:
    """Return the column names in the first line, in lower case and without spaces around them; raises BadInput."""
    line = line.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise BadInput(f"{name} is not a text file; expected a CSV in UTF-8. If it is an archive, unpack it first.")
    if not text.strip():
        raise BadInput(f"{name}: line 1 is empty; expected the names of the columns.")
    try:
        fields = split_fields(line.strip(), width=line.count(b",") + 1)
    except LineFault as fault:
        raise BadInput(f"{name}: line 1 {fault}.") from fault
    return [field.decode().strip().lower() for field in fields]


def require_columns(columns: list[str], required: tuple[str, ...], name: str) -> None:
    """Raise BadInput unless each required column is there, and no name is there twice."""
    for column in required:
        if column not in columns:
            found = ", ".join(quote(other) for other in columns[:5]) + (", ..." if len(columns) > 5 else "")
            advice = " Save it with commas between the columns." if set(columns[0]) & set(";\t") else ""
            raise BadInput(f"{name}: line 1 has no column '{column}'; it has {found}.{advice}")
    twice = [column for column in columns if column and columns.count(column) > 1]
    if twice:
        raise BadInput(f"{name}: line 1 has the column {quote(twice[0])} twice.")


def split_fields(line: bytes, width: int) -> list[bytes]:
    """Split a line at its commas into at most `width` fields; raises LineFault where it has more or broken quotes."""
    if b'"' in line:
        fields = _split_quoted(line)
    else:
        fields = line.split(b",", width - 1)  # stops before the pixels where these come last, as they mostly do
        if b"," in fields[-1]:
            fields = line.split(b",")
    if len(fields) > width:
        raise LineFault(f"has {len(fields):,} fields; expected {width}, as in the header")
    return fields


def decode_text(field: bytes, column: str) -> str:
    """Return a short field as text; raises LineFault where it is long or not UTF-8."""
    if len(field) > _MAX_TEXT_BYTES:
        raise LineFault(f"has {len(field):,} bytes in '{column}'; expected at most {_MAX_TEXT_BYTES:,}")
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise LineFault(f"has bytes in '{column}' that are not UTF-8 text") from error


def quote(field: bytes | str) -> str:
    """Return a field as a message shows it: quoted, and cut short where it is long."""
    text = field.decode(errors="replace") if isinstance(field, bytes) else field
    return repr(text if len(text) <= 20 else text[:17] + "...")


def _split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole lines and what follows the last line feed. On long lines `find` is quicker than `split`."""
    lines, start = [], 0
    while (end := data.find(b"\n", start)) >= 0:
        lines.append(data[start:end])
        start = end + 1
    return lines, data[start:]


def _split_quoted(line: bytes) -> list[bytes]:
    try:
        return [field.encode() for field in next(csv.reader([line.decode()], strict=True))]
    except (csv.Error, UnicodeDecodeError) as error:
        is_open = "unexpected end" in str(error)  # which csv says of a line that goes on below
        cause = "a quoted field does not end on it" if is_open else error
        raise LineFault(f"cannot be read as a line of a CSV: {cause}") from error
