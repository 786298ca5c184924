"""CSVs of faces, as blocks of arrays.

The file is read in pieces of whole lines. A line is split in Python; the digits of all its pixels, nearly all of the
file, are read for the whole piece at once by array arithmetic on the bytes.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from emotion_core.blocks import Block, Problem
from emotion_core.emotions import EMOTIONS, IMAGE_SIZE, label_of
from emotion_core.errors import BadInput

NUM_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE

_PIECE_BYTES: Final = 2**20  # fits the processor's cache
_MAX_LINE_BYTES: Final = 2**20  # a face takes about 9,000
_MAX_TEXT_BYTES: Final = 200  # of an id or a usage
_MAX_PROBLEMS: Final = 10_000
_MISSING: Final = frozenset({b"", b"nan", b"na", b"none", b"null"})
_COLUMNS: Final = ("id", "emotion", "pixels", "usage")


class ByteStream(Protocol):
    """What `parse_csv` reads from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


def parse_csv(stream: ByteStream, name: str) -> Iterator[Block]:
    """Yield the faces of a CSV with a column `pixels` and perhaps `id`, `emotion` and `Usage`, in any case and order.

    Rows whose pixels are missing are left out and listed in the blocks' problems. Without an id column a row's id is
    its number from 0, rows that are left out included.

    Raises:
        BadInput: The first row that cannot be used, by its line in the file, the header being line 1.
    """
    pieces = _pieces(stream, name)
    header, first_line, lines = _read_header(pieces, name)
    table = _Table(name, header)
    yield table.parse(first_line, lines)
    for first_line, lines in pieces:
        yield table.parse(first_line, lines)
    if not table.num_rows:
        raise BadInput(f"{name} has a header but no rows; expected one row per face.")


def split_fields(line: bytes, where: str) -> list[bytes]:
    """Split one line of a CSV; `where` names it in the message of the BadInput that a broken one raises."""
    if b'"' not in line:
        return line.split(b",")
    try:
        return [field.encode() for field in next(csv.reader([line.decode()], strict=True))]
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{where} cannot be read as a line of a CSV ({error}).") from error


def decode_text(field: bytes, column: str, where: str) -> str:
    """Return an id or the like as text; raises BadInput where it is none."""
    if len(field) > _MAX_TEXT_BYTES:
        raise BadInput(f"{where} has an {column} of {len(field):,} bytes; expected at most {_MAX_TEXT_BYTES}.")
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{where} has an {column} that is not UTF-8 text.") from error


@lru_cache(maxsize=1_024)
def read_label(field: bytes) -> int | None:
    """Return the label in a field, a number or a name, or None where it is neither."""
    return label_of(field.decode(errors="replace"))


def describe_label_fault(field: bytes) -> str:
    """Say what is wrong with a field that holds no label."""
    return f"has the emotion {_quote(field)}; expected 0 to {len(EMOTIONS) - 1} or one of {', '.join(EMOTIONS)}."


def header_columns(line: bytes, name: str) -> list[str]:
    """Return the column names in a header line, in lower case without spaces around them."""
    if b"\0" in line:
        raise BadInput(f"{name} is a binary file; expected a CSV.")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is a binary file or not in UTF-8; expected a CSV in UTF-8.") from error
    fields = split_fields(line.strip(), f"{name}: line 1")
    return [field.decode().strip().lower() for field in fields]


def require_columns(columns: list[str], required: tuple[str, ...], name: str) -> None:
    """Raise BadInput unless each required column is there, and none that has a meaning is there twice."""
    missing = [column for column in required if column not in columns]
    if missing:
        found = ", ".join(_quote(column.encode()) for column in columns[:5])
        more = f" and {len(columns) - 5} more" if len(columns) > 5 else ""
        raise BadInput(f"{name}: line 1: there is no column {missing[0]!r}; the header has {found}{more}.")
    twice = [column for column in _COLUMNS if columns.count(column) > 1]
    if twice:
        raise BadInput(f"{name}: line 1: the column {twice[0]!r} is there twice.")


@dataclass
class _Table:
    """The rows of one file; counts them as it goes."""

    name: str
    columns: list[str]
    num_rows: int = 0
    num_problems: int = 0

    def parse(self, first_line: int, lines: list[bytes]) -> Block:
        """Return the faces of consecutive lines."""
        numbers: list[int] = []
        pixels: list[bytes] = []
        labels: list[int] = []
        ids: list[str] = []
        usage: list[str] = []
        problems: list[Problem] = []
        has_labels, has_ids, has_usage = (column in self.columns for column in ("emotion", "id", "usage"))
        for number, line in enumerate(lines, first_line):
            line = line.strip()
            if not line:
                continue
            fields = self._fields(number, line)
            face = fields["pixels"].strip()
            self.num_rows += 1
            if len(face) < 5 and face.lower() in _MISSING:
                problems.append(Problem(number, "its pixels are missing"))
                continue
            numbers.append(number)
            pixels.append(face)
            ids.append(self._text(number, fields, "id") if has_ids else str(self.num_rows - 1))
            if has_labels:
                labels.append(self._label(number, fields["emotion"]))
            if has_usage:
                usage.append(self._text(number, fields, "usage").strip())
        self._limit_problems(problems)
        return Block(
            images=self._images(numbers, pixels),
            labels=np.array(labels, np.uint8) if has_labels else None,
            ids=ids,
            usage=usage if has_usage else None,
            problems=tuple(problems),
        )
