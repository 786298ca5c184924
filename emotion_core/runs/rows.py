"""Tables of numbers that grow while a run computes: a row an epoch, a row a second."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from emotion_core.errors import EmotionError
from emotion_core.files import insist, read_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd

HISTORY_COLUMNS: Final = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
PROGRESS_COLUMNS: Final = ("epoch", "batch", "loss", "accuracy", "seconds")


def append_row(path: Path, columns: tuple[str, ...], row: dict[str, float], *, durable: bool = False) -> None:
    """Append one line in one write, after a header where the file is new; `durable` waits until the disk has it."""
    line = ",".join(f"{row[column]:.7g}" for column in columns) + "\n"
    with _opened_to_append(path, patience=60 if durable else 0) as file:
        header = "" if file.tell() else ",".join(columns) + "\n"
        file.write((header + line).encode())
        if durable:
            os.fsync(file.fileno())


def _opened_to_append(path: Path, patience: float) -> BinaryIO:
    """Open a table; on Windows a spreadsheet that shows it keeps everybody else out, which is waited for."""
    try:
        return insist(lambda: path.open("ab", buffering=0), patience)
    except PermissionError as error:
        if not patience:
            raise
        raise EmotionError(
            f"{path} cannot be written to: {error.strerror}. If another program has it open, close it there."
        ) from error


def keep_rows(path: Path, last_epoch: int) -> None:
    """Drop the rows after an epoch, and what a crash or damage left that is no row.

    Raises OSError, and drops nothing, where the table is there and cannot be read.
    """
    if not path.exists():
        return
    lines = _whole_lines(path).splitlines()
    if not lines:  # nothing, or half of a header, to which nobody must append
        path.unlink()
        return
    kept = [line for line in lines[1:] if 1 <= _epoch_of(line) <= last_epoch]
    write_text(path, "\n".join([lines[0], *kept]) + "\n")


def read_rows(path: Path, columns: tuple[str, ...]) -> "pd.DataFrame":
    """Return the rows that are whole; a torn or strange line is left out."""
    import pandas as pd  # slow to import

    try:
        lines = [line for line in _whole_lines(path).splitlines()[1:] if line.count(",") == len(columns) - 1]
        rows = pd.read_csv(io.StringIO("\n".join(lines)), names=list(columns), on_bad_lines="skip")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError):
        rows = pd.DataFrame()
    if rows.empty:
        return pd.DataFrame(columns=list(columns), dtype=float)
    numbers: pd.DataFrame = rows.apply(pd.to_numeric, errors="coerce")
    return numbers.dropna(subset=["epoch"])


def _whole_lines(path: Path) -> str:
    whole, _, _torn = read_bytes(path).decode(errors="replace").rpartition("\n")
    return whole


def _epoch_of(line: str) -> int:
    text = line.partition(",")[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
