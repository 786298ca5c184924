"""Processes that outlive the one that started them: starting them, telling them apart, ending them with their children.

Each is started in a group of its own, whose number is its own process id, and with an argument that no other process
has. Numbers are given anew when their owners are gone, so before a group is signalled that argument is looked for.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

from emotion_core import settings

_OUTER: Final = "EMOTION_OUTER"
"""The environment variable that holds the former values of those that were changed for a process."""

_LOG_ENCODING: Final = "utf-8:backslashreplace"
"""How a process writes its log: in a code page, as on Windows, the path of a folder could be what ends it."""


def start_detached(
    module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start `python -m module arguments`, cut off from this process's terminal, signals and end.

    Its output is appended to `log`, never read through a pipe: a pipe would hang it when its reader goes away.
    `environment` is laid over the outer environment, see `outer_environment`.
    """
    outer = outer_environment()
    own = {"PYTHONPATH": _python_path(outer.get("PYTHONPATH")), "PYTHONIOENCODING": _LOG_ENCODING}
    changes = {**(environment or {}), **own}
    former = json.dumps({name: outer.get(name) for name in changes})
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.PROJECT,
            env={**outer, **changes, _OUTER: former},
            **_own_group(),
        )


def outer_environment() -> dict[str, str]:
    """Return this process's environment without what `start_detached` laid over it.

    A trainer may start a worker, which must not inherit the one GPU or the backend that the trainer was given.
    """
    environment = dict(os.environ)
    for name, value in json.loads(environment.pop(_OUTER, "{}")).items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    return environment


def has_argument(pid: int, argument: str) -> bool:
    """Whether a process lives that has the id and the argument."""
    with suppress(psutil.Error):
        return argument in _words(psutil.Process(pid))
    return False


def find_started(module: str, argument: str) -> int | None:
    """Return the living process that was started as `python -m module argument`, None where there is none."""
    for process in psutil.process_iter():
        words = _words(process)
        if words[-3:] == ["-m", module, argument] and _group_of(process) == process.pid:
            return process.pid
    return None


def group_lives(pid: int, argument: str) -> bool:
    """Whether something lives of the group that was started as `pid` with `argument`, be it only a child."""
    if has_argument(pid, argument):
        return True
    return any(argument in _words(process) for process in psutil.process_iter() if _group_of(process) == pid)


def signal_group(pid: int, *, force: bool) -> None:
    """Tell the process that `start_detached` started as `pid`, and its children, to end; by force, they must.

    Only for a child that was not waited for yet, or where `group_lives`.
    """
    if sys.platform == "win32":
        _end_tree(pid)
        return
    with suppress(ProcessLookupError, PermissionError):  # nothing is left of it, or only what nobody waited for
        os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)


def _python_path(inherited: str | None) -> str:
    return os.pathsep.join([str(settings.PROJECT), inherited] if inherited else [str(settings.PROJECT)])


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":  # a console of its own that is never shown: closing ours does not reach it
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _words(process: psutil.Process) -> list[str]:
    """Return a process's command line; empty where it is over, even if nobody waited for it, or another user's."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _group_of(process: psutil.Process) -> int | None:
    """Return the number of a process's group; where there are no groups, its own."""
    if sys.platform == "win32":
        return process.pid
    with suppress(OSError):
        return os.getpgid(process.pid)
    return None


def _end_tree(pid: int) -> None:
    """End a process with its children, as far as Windows still knows whose they are; there it is always by force."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                member.kill()
