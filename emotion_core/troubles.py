"""Why a training failed, in one sentence for a person, with what to do about it."""

import errno
from typing import Final

from emotion_core.config import LinearModel, RunConfig
from emotion_core.errors import EmotionError

DISK_FULL: Final = "The disk is full. What was saved is intact: free some space and resume the run."

_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_NO_MEMORY: Final = ("ResourceExhaustedError", "OutOfMemoryError", "MemoryError")
"""What TensorFlow, torch and Python call it."""

_NO_MEMORY_WORDS: Final = (
    "RESOURCE_EXHAUSTED",
    "OOM when allocating",
    "can't allocate memory",
    "out of memory",
    "std::bad_alloc",
)
"""What JAX, and torch on a processor, say instead; and what a framework logs before it crashes."""

_NO_SPACE_WORDS: Final = ("No space left on device", "Disk quota exceeded", "File too large")


def explain(error: Exception, config: RunConfig) -> str:
    """Return the sentence for an error that ended a training."""
    if isinstance(error, EmotionError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return DISK_FULL
    if is_out_of_memory(error):
        return _out_of_memory(config)
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"


def explain_log(log: str, config: RunConfig) -> str | None:
    """Return the sentence for a process that ended without one, by its log; None where that tells nothing."""
    if any(word in log for word in _NO_SPACE_WORDS):
        return DISK_FULL
    return _out_of_memory(config) if _speaks_of_memory(log) else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the processor or the GPU had no memory left, on any backend."""
    names = {kind.__name__.lstrip("_") for kind in type(error).__mro__}
    return bool(names.intersection(_NO_MEMORY)) or _speaks_of_memory(str(error))


def _speaks_of_memory(text: str) -> bool:
    return any(word in text for word in _NO_MEMORY_WORDS)


def _out_of_memory(config: RunConfig) -> str:
    if isinstance(config.model, LinearModel):
        return "Memory ran out. Close other programs, or use fewer faces."
    now = config.training.batch_size
    return f"Memory ran out. Try a batch size of {max(1, now // 2)} instead of {now}, or a smaller network."
