"""CSVs of faces as blocks of arrays.

Lines are split in Python; the digits of the pixels, nearly all of the file, are read for a whole piece at once.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from emotion_core.emotions import EMOTIONS, IMAGE_SIZE, NUM_EMOTIONS, label_of
from emotion_core.errors import BadInput
from emotion_core.readers.blocks import Block, Problem
from emotion_core.readers.csv_lines import (
    ByteStream,
    Piece,
    decode_text,
    quote,
    read_header,
    read_pieces,
    require_columns,
    split_fields,
)
from emotion_core.readers.pixel_text import find_fault, parse_pixels

_MAX_PROBLEMS: Final = 10_000
_MISSING: Final = frozenset({b"", b"nan", b"na", b"none", b"null"})


class _Row(NamedTuple):
    line: int
    id: str
    label: int
    usage: str
    pixels: bytes


def parse_csv(stream: ByteStream, name: str) -> Iterator[Block]:
    """Yield the faces of a CSV with a column `pixels` and perhaps `id`, `emotion` and `Usage`, in any case and order.

    Rows whose pixels are missing are left out and listed as problems of their block. Without an id column a row's id
    is its number from 0, rows that are left out counted too.

    Raises:
        BadInput: Names the line of the file that cannot be used; the header is line 1.
    """
    parser: _CsvParser | None = None
    for piece in read_pieces(stream, name):
        if parser is None and piece.lines:
            parser = _CsvParser(name, read_header(piece.lines[0], name))
            piece = Piece(2, piece.lines[1:])
        if parser is not None and piece.lines:
            yield parser.parse(piece)
    if parser is None:
        raise BadInput(f"{name} is empty; expected a CSV with a header and a row per face.")
    if parser.num_rows == 0:
        raise BadInput(f"{name} has no rows under its header; expected a row per face.")
    if parser.num_rows == parser.num_problems:
        raise BadInput(f"{name}: none of the {parser.num_rows:,} rows has pixels.")


def parse_label(field: bytes, where: str) -> int:
    """Return the label that a field gives as number or name; raises BadInput where it gives none."""
    label = _label_of(field)
    if label is None:
        names = ", ".join(EMOTIONS)
        raise BadInput(f"{where} has the emotion {quote(field)}; expected 0 to {NUM_EMOTIONS - 1} or one of {names}.")
    return label


@lru_cache(maxsize=256)
def _label_of(field: bytes) -> int | None:
    return label_of(field.decode(errors="replace"))


class _CsvParser:
    """Reads the rows of one file, piece by piece."""

    def __init__(self, name: str, columns: list[str]) -> None:
        require_columns(columns, ("pixels",), name)
        self.num_rows = 0
        self._name = name
        self.num_problems = 0
        self._width = len(columns)
        self._pixels = columns.index("pixels")
        self._id, self._label, self._usage = (
            columns.index(column) if column in columns else None for column in ("id", "emotion", "usage")
        )

    def parse(self, piece: Piece) -> Block:
        """Return the faces of the next lines."""
        rows: list[_Row] = []
        problems: list[Problem] = []
        for line, content in enumerate(piece.lines, piece.first):
            content = content.rstrip(b"\r")
            if content and not content.isspace():
                row = self._read_row(line, content)
                if row is None:
                    problems.append(Problem(line, "has no pixels"))
                else:
                    rows.append(row)
        self._limit_problems(problems)
        return self._block(rows, tuple(problems))

    def _read_row(self, line: int, content: bytes) -> _Row | None:
        """Return the fields that matter, or None where the pixels are missing."""
        where = f"{self._name}: line {line}"
        fields = split_fields(content, where)
        if len(fields) > self._width:
            raise BadInput(f"{where} has {len(fields):,} fields; expected {self._width}, as in the header.")
        fields += [b""] * (self._width - len(fields))
        number = self.num_rows
        self.num_rows += 1
        pixels = fields[self._pixels].strip()
        if len(pixels) < 5 and pixels.lower() in _MISSING:
            return None
        return _Row(
            line,
            str(number) if self._id is None else decode_text(fields[self._id], "id", where),
            0 if self._label is None else parse_label(fields[self._label], where),
            "" if self._usage is None else decode_text(fields[self._usage].strip(), "usage", where),
            pixels,
        )

    def _block(self, rows: list[_Row], problems: tuple[Problem, ...]) -> Block:
        images = parse_pixels([row.pixels for row in rows]) if rows else np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        if images is None:
            faults = ((row.line, find_fault(row.pixels)) for row in rows)
            line, fault = next((line, fault) for line, fault in faults if fault)
            raise BadInput(f"{self._name}: line {line} {fault}.")
        return Block(
            images,
            None if self._label is None else np.array([row.label for row in rows], np.uint8),
            [row.id for row in rows],
            None if self._usage is None else [row.usage for row in rows],
            problems,
        )

    def _limit_problems(self, problems: list[Problem]) -> None:
        self.num_problems += len(problems)
        if self.num_problems > _MAX_PROBLEMS:
            raise BadInput(f"{self._name}: over {_MAX_PROBLEMS:,} rows have no pixels, up to line {problems[-1].row}.")
