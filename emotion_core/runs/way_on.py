"""How the training of a run that is over can go on."""

from enum import StrEnum

from emotion_core.runs.run import Run
from emotion_core.runs.states import State


class WayOn(StrEnum):
    """How training can go on."""

    RESUME = "resume"  # after its last whole epoch
    LENGTHEN = "lengthen"  # it did all it was to do; it needs more epochs
    START_AGAIN = "start again"  # nothing was learnt yet that could be lost
    NONE = "none"  # it is not over; or it has results, and without a checkpoint it would begin anew over them


def way_on(run: Run, state: State) -> WayOn:
    """Return how a run in a state can go on."""
    if not state.is_over or state is State.DAMAGED:
        return WayOn.NONE
    if run.checkpoints.epochs():
        return WayOn.LENGTHEN if state is State.FINISHED else WayOn.RESUME
    return WayOn.NONE if run.has_results() else WayOn.START_AGAIN
