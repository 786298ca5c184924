"""Files of answers, `id,emotion`: what a prediction for Kaggle is scored against."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emotion_core.errors import BadInput
from emotion_core.readers.csv_lines import (
    LineFault,
    decode_text,
    read_header,
    read_pieces,
    require_columns,
    split_fields,
)
from emotion_core.readers.csv_parser import parse_label
from emotion_core.readers.sources import open_csv, resolve_source


class Answers(NamedTuple):
    """True labels uint8 (n,), 0-6, and the ids (n,) of their images, none of them twice."""

    ids: NDArray[np.str_]
    labels: NDArray[np.uint8]


def read_labels(path: str | Path) -> Answers:
    """Return the answers in a CSV with the columns `id` and `emotion`, in the file's order.

    Raises:
        BadInput: Names the line of the file that cannot be used; the header is line 1.
    """
    path = resolve_source(path)
    labels: dict[str, int] = {}
    columns: list[str] = []
    with open_csv(path) as stream:
        for piece in read_pieces(stream, path.name):
            for number, line in enumerate(piece.lines, piece.first):
                line = line.rstrip(b"\r")
                if number == 1:
                    columns = read_header(line, path.name)
                    require_columns(columns, ("id", "emotion"), path.name)
                elif line and not line.isspace():
                    try:
                        _read_line(line, columns, labels)
                    except LineFault as fault:
                        raise BadInput(f"{path.name}: line {number} {fault}.") from fault
    if not labels:
        raise BadInput(f"{path.name} holds no labels; expected a CSV with the columns id and emotion.")
    return Answers(np.array(list(labels), np.str_), np.array(list(labels.values()), np.uint8))


def _read_line(line: bytes, columns: list[str], labels: dict[str, int]) -> None:
    """Add one answer to the labels."""
    fields = split_fields(line, len(columns))
    if len(fields) < len(columns):
        raise LineFault(f"has {len(fields)} fields; expected {len(columns)}, as in the header")
    image_id = decode_text(fields[columns.index("id")], "id")
    if image_id in labels:
        raise LineFault(f"repeats the id {image_id!r}")
    labels[image_id] = parse_label(fields[columns.index("emotion")])
