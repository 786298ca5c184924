"""How much memory is to be had, as the system tells it."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path


def available_memory() -> int | None:
    """Return the bytes that a process can still take without swapping, or None where the system does not say."""
    known = [amount for amount in (_system_memory(), _container_memory()) if amount is not None]
    return min(known, default=None)


def _container_memory() -> int | None:
    """What the control group of a container leaves, where there is one with a limit."""
    folder = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        used = int((folder / "memory.current").read_text())
        return max(0, int((folder / "memory.max").read_text()) - used)
    return None


if sys.platform == "win32":

    class _MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("available", ctypes.c_ulonglong),
            ("others", ctypes.c_ulonglong * 5),
        )

    def _system_memory() -> int | None:
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        answered = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.available) if answered else None

else:

    def _system_memory() -> int | None:
        with suppress(OSError, ValueError, IndexError):  # Linux
            fields = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()
            return int(fields[0]) * 1024
        with suppress(OSError, ValueError):  # macOS tells only the whole; half of it is a careful guess
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        return None
