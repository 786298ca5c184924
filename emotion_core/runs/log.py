"""What trainers printed: one log a run, to which each sitting is added."""

import io
from contextlib import suppress
from pathlib import Path
from typing import Final

SITTING: Final = "--- taken up "
"""What a trainer prints before the moment at which it begins or goes on."""

_BYTES_A_LINE: Final = 200


def last_lines(log: Path, count: int) -> str:
    """Return the last lines of a log, empty where there is none."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, io.SEEK_END) - _BYTES_A_LINE * count))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    return ""


def of_last_sitting(lines: str) -> str:
    """Return what of a log's last lines was printed since the run was last taken up."""
    return lines.rpartition(SITTING)[2]
