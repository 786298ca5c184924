"""How much memory is to be had, as the system tells it."""

from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

CONTROL_GROUP: Final = Path("/sys/fs/cgroup")
"""Where a container's Linux tells of its limits."""


def available_memory() -> int:
    """Return the bytes that a process can still take without swapping, within its container's limit if it has one."""
    system, container = int(psutil.virtual_memory().available), _container_memory()
    return system if container is None else min(system, container)


def _container_memory() -> int | None:
    """What the control group of a container leaves, where there is one with a limit."""
    with suppress(OSError, ValueError):
        used = int((CONTROL_GROUP / "memory.current").read_text()) - _reclaimable()
        return max(0, int((CONTROL_GROUP / "memory.max").read_text()) - used)
    return None


def _reclaimable() -> int:
    """Bytes of files kept in memory that the system gives up as soon as someone needs the room."""
    lines = (CONTROL_GROUP / "memory.stat").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
