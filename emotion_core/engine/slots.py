"""Slots, in each of which one run computes at a time: one for each GPU, and one for the processor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

CPU: Final = "cpu"

_GPU: Final = "gpu-"


def gpu_slot(index: int) -> str:
    """Return the name of a GPU's slot."""
    return f"{_GPU}{index}"


def gpu_index(slot: str) -> int | None:
    """Return the number of a slot's GPU, None for the processor's."""
    return int(slot.removeprefix(_GPU)) if slot.startswith(_GPU) else None


def assign(waiting: Mapping[str, Sequence[str]], free: Iterable[str]) -> dict[str, str]:
    """Say which waiting run goes to which free slot.

    Each takes the first of its slots that is free, in the order of the queue: a run overtakes another only into a
    slot that the other cannot use.

    Args:
        waiting: The slots that each run can compute in, the one it likes best first; the runs in their order.
        free: The slots in which nothing computes.
    """
    left, assigned = set(free), dict[str, str]()
    for run_id, slots in waiting.items():
        slot = next((slot for slot in slots if slot in left), None)
        if slot:
            assigned[run_id] = slot
            left.remove(slot)
    return assigned
