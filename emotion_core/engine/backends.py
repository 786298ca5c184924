"""The Keras backends of this machine, and whether they see a GPU.

No backend is imported here: one that is asked for a GPU is asked in a short process of its own. What it answered is
kept on disk, so that pages, which cannot wait the seconds that takes, know it from the last time that a worker asked.
"""

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from emotion_core.files import write_text
from emotion_core.settings import cache_folder

BACKENDS: Final = ("tensorflow", "jax", "torch")
"""In the order in which `auto` tries them."""

PROBE_SECONDS = 120

TAKE_MEMORY_AS_NEEDED: Final = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Otherwise TensorFlow and JAX take nearly all of a GPU at once, even to look at it."""

_SEES_GPU: Final = {
    "tensorflow": "import tensorflow; found = tensorflow.config.list_physical_devices('GPU')",
    "jax": "import jax; found = [device for device in jax.devices() if device.platform != 'cpu']",
    "torch": "import torch; found = torch.cuda.is_available() or torch.backends.mps.is_available()",
}

_ANSWERS: Final[dict[str, bool]] = {}
"""What backends have said to this process."""

_FOUND: Final = 0
_NOT_FOUND: Final = 3

_NEEDS: Final = {
    ("win32", "tensorflow"): None,  # its last release that saw one there was 2.10
    ("win32", "jax"): None,
    ("darwin", "tensorflow"): "tensorflow-plugins",  # what tensorflow-metal installs
    ("darwin", "jax"): "jax_plugins",
}
"""What must be installed for a backend to see a GPU on a system, None for nothing that helps."""


def installed_backends() -> tuple[str, ...]:
    """Return the Keras backends that are installed, without importing any."""
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name))


def sees_gpu(backend: str) -> bool:
    """Whether an installed backend can compute on a GPU here. The first time takes the seconds that importing it takes.

    A backend that dies or hangs when it is asked says nothing; it is asked again the next time.
    """
    if backend not in _ANSWERS and (answer := _ask(backend)) is not None:
        _ANSWERS[backend] = answer
        _remember(backend, answer)
    return _ANSWERS.get(backend, False)


def _ask(backend: str) -> bool | None:
    code = f"{_SEES_GPU[backend]}; raise SystemExit({_FOUND} if found else {_NOT_FOUND})"
    environment = {**os.environ, **TAKE_MEMORY_AS_NEEDED}
    try:
        probe = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, timeout=PROBE_SECONDS, check=False, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {_FOUND: True, _NOT_FOUND: False}.get(probe.returncode)


def may_see_gpu(backend: str) -> bool:
    """Whether an installed backend sees a GPU here: as it said when it was asked last, or else if it could at all."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return bool(json.loads(_memory().read_bytes())[_key(backend)])
    needed = _NEEDS.get((sys.platform, backend), backend)
    return needed is not None and importlib.util.find_spec(needed) is not None


def _remember(backend: str, found: bool) -> None:
    """Keep an answer for those who cannot ask; where it cannot be kept, they go by what is installed."""
    known: dict[str, bool] = {}
    with suppress(OSError, ValueError, TypeError):
        known = dict(json.loads(_memory().read_bytes()))
    with suppress(OSError):
        _memory().parent.mkdir(parents=True, exist_ok=True)
        write_text(_memory(), json.dumps(known | {_key(backend): found}) + "\n")


def _key(backend: str) -> str:
    """Name a backend of this installation: another environment may have another build of it."""
    return f"{backend} in {sys.prefix}"


def _memory() -> Path:
    return cache_folder() / "gpu-seen.json"
