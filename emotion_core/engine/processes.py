"""Starting a process that outlives the one that asked for it, and ending one with all that it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_core import settings

GRACE_SECONDS = 5.0
"""How long a process may take to end by itself once it was told to."""


def start_detached(
    module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start `python -m module arguments`, cut off from this process's terminal, signals and end.

    Its output is appended to `log`, never read through a pipe: a pipe would hang it when its reader goes away.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.PROJECT,
            env={**os.environ, **(environment or {}), "PYTHONPATH": _python_path()},
            **_own_group(),
        )


def end_group(pid: int, has_ended: Callable[[], bool]) -> None:
    """End the process that `start_detached` started as `pid`, and its children: first politely, then by force."""
    _signal_group(pid, force=False)
    deadline = time.monotonic() + GRACE_SECONDS
    while not has_ended() and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_group(pid, force=True)  # also when it has ended: its children may not have


def _python_path() -> str:
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(settings.PROJECT), inherited] if inherited else [str(settings.PROJECT)])


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":  # a console of its own that is never shown: closing ours does not reach it
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _signal_group(pid: int, *, force: bool) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
        return
    try:
        os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)
    except ProcessLookupError:
        return  # nothing of it is left
