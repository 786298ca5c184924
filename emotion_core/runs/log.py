"""What trainers printed: one log a run, to which each sitting is added."""

import io
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

SITTING: Final = "--- taken up "
"""What a trainer prints before the moment at which it begins or goes on."""

_BYTES_A_LINE: Final = 200

_NOISE: Final = re.compile(r"I0000 00:00:|WARNING: All log messages before absl::InitializeLog\(\)")
"""How lines begin that TensorFlow prints about itself while it is imported, whatever it is told."""


def last_lines(log: Path, count: int) -> str:
    """Return the last lines of a log, without what only tells of TensorFlow itself; empty where there is none."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, io.SEEK_END) - _BYTES_A_LINE * count))
        lines = file.read().decode(errors="replace").splitlines()
        return "\n".join([line for line in lines if not _NOISE.match(line)][-count:])
    return ""


def of_last_sitting(lines: str) -> str:
    """Return what of a log's last lines was printed since the run was last taken up."""
    return lines.rpartition(SITTING)[2]
