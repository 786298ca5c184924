"""CSVs of faces as blocks of arrays.

Lines are split in Python; the digits of the pixels, nearly all of the file, are read for a whole piece at once.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.emotions import EMOTIONS, IMAGE_SIZE, NUM_EMOTIONS, label_of
from emotion_core.errors import BadInput
from emotion_core.readers.blocks import Block, Problem
from emotion_core.readers.csv_lines import (
    ByteStream,
    LineFault,
    Piece,
    decode_text,
    quote,
    read_header,
    read_pieces,
    require_columns,
    split_fields,
)
from emotion_core.readers.pixel_text import find_fault, parse_pixels
from emotion_core.readers.usage import usage_of

_MAX_PROBLEMS: Final = 10_000
_ZEROS_AFTER_POINT: Final = re.compile(r"(?<=\d)\.0+\s*$")
_MISSING: Final = frozenset({b"", b"nan", b"na", b"none", b"null"})


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


@lru_cache(maxsize=256)
def parse_label(field: bytes) -> int:
    """Return the label that a field gives as number or name; raises LineFault where it gives none.

    pandas writes a column of whole numbers as 3.0 where it has, or once had, gaps.
    """
    label = label_of(_ZEROS_AFTER_POINT.sub("", field.decode(errors="replace")))
    if label is None:
        names = ", ".join(EMOTIONS)
        raise LineFault(f"has the emotion {quote(field)}; expected 0 to {NUM_EMOTIONS - 1} or one of {names}")
    return label


class _Columns:
    """The fields of the rows that have pixels."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.ids: list[str] = []
        self.labels: list[int] = []
        self.usage: list[str] = []
        self.pixels: list[bytes] = []


class _CsvParser:
    """Reads the rows of one file, piece by piece."""

    def __init__(self, name: str, columns: list[str]) -> None:
        require_columns(columns, ("pixels",), name)
        self.num_rows = 0
        self.num_problems = 0
        self._name = name
        self._width = len(columns)
        self._pixels = columns.index("pixels")
        self._id, self._label, self._usage = (
            columns.index(column) if column in columns else None for column in ("id", "emotion", "usage")
        )

    def parse(self, piece: Piece) -> Block:
        """Return the faces of the next lines."""
        columns, problems = _Columns(), []
        for line, content in enumerate(piece.lines, piece.first):
            content = content.rstrip(b"\r")
            if not content or content.isspace():
                continue
            try:
                has_pixels = self._read_row(content, columns)
            except LineFault as fault:
                raise BadInput(f"{self._name}: line {line} {fault}.") from fault
            if has_pixels:
                columns.lines.append(line)
            else:
                problems.append(Problem(line, "has no pixels"))
        self._limit_problems(problems)
        return self._block(columns, tuple(problems))

    def _read_row(self, content: bytes, columns: _Columns) -> bool:
        """Add the fields that matter to the columns; return whether there are pixels."""
        fields = split_fields(content, self._width)
        fields += [b""] * (self._width - len(fields))
        self.num_rows += 1
        pixels = fields[self._pixels].strip()
        if len(pixels) < 5 and pixels.lower() in _MISSING:
            return False
        columns.pixels.append(pixels)
        columns.ids.append(str(self.num_rows - 1) if self._id is None else decode_text(fields[self._id], "id"))
        if self._label is not None:
            columns.labels.append(parse_label(fields[self._label]))
        if self._usage is not None:
            word = decode_text(fields[self._usage].strip(), "usage")
            columns.usage.append(usage_of(word) or word)
        return True

    def _block(self, columns: _Columns, problems: tuple[Problem, ...]) -> Block:
        return Block(
            self._images(columns),
            None if self._label is None else np.array(columns.labels, np.uint8),
            columns.ids,
            None if self._usage is None else columns.usage,
            problems,
        )

    def _images(self, columns: _Columns) -> NDArray[np.uint8]:
        if not columns.pixels:
            return np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        images = parse_pixels(columns.pixels)
        if images is not None:
            return images
        faults = ((line, find_fault(pixels)) for line, pixels in zip(columns.lines, columns.pixels, strict=True))
        line, fault = next((line, fault) for line, fault in faults if fault)
        raise BadInput(f"{self._name}: line {line} {fault}.")

    def _limit_problems(self, problems: list[Problem]) -> None:
        self.num_problems += len(problems)
        if self.num_problems > _MAX_PROBLEMS:
            raise BadInput(f"{self._name}: over {_MAX_PROBLEMS:,} rows have no pixels, up to line {problems[-1].row}.")
