"""How much memory is to be had, as the system tells it."""

from contextlib import suppress
from pathlib import Path

import psutil


def available_memory() -> int:
    """Return the bytes that a process can still take without swapping, within its container's limit if it has one."""
    system, container = int(psutil.virtual_memory().available), _container_memory()
    return system if container is None else min(system, container)


def _container_memory() -> int | None:
    """What the control group of a container leaves, where there is one with a limit."""
    folder = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        used = int((folder / "memory.current").read_text())
        return max(0, int((folder / "memory.max").read_text()) - used)
    return None
