"""How a run that is over can go on, by its state and by what its folder holds."""

import numpy as np
import pytest

from emotion_core.presets import find_preset
from emotion_core.runs import Checkpoint, Runs, State, WayOn, way_on

ENDED_EARLY = [State.STOPPED, State.FAILED, State.INTERRUPTED]


@pytest.fixture
def run(runs_folder):
    return Runs(runs_folder).create(find_preset("sgd").config)


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.STOPPING, State.DAMAGED])
def test_what_is_not_over_or_cannot_be_read_cannot_go_on(run, state):
    run.checkpoints.save(Checkpoint(1, {"weights": np.zeros(3)}, {}))
    assert way_on(run, state) is WayOn.NONE


@pytest.mark.parametrize("state", ENDED_EARLY)
def test_a_run_that_ended_early_resumes_from_its_checkpoint_or_starts_again(run, state):
    assert way_on(run, state) is WayOn.START_AGAIN
    run.checkpoints.save(Checkpoint(1, {"weights": np.zeros(3)}, {}))
    assert way_on(run, state) is WayOn.RESUME


def test_a_finished_run_needs_more_epochs(run):
    run.checkpoints.save(Checkpoint(1, {"weights": np.zeros(3)}, {}))
    assert way_on(run, State.FINISHED) is WayOn.LENGTHEN


@pytest.mark.parametrize("state", ENDED_EARLY)
def test_epochs_that_are_done_are_not_begun_anew_where_the_checkpoint_is_elsewhere(run, state):
    run.record(epoch=12)  # as after an import, with which no checkpoint travels
    assert way_on(run, state) is WayOn.NONE


@pytest.mark.parametrize("state", [*ENDED_EARLY, State.FINISHED])
def test_results_are_not_begun_anew_where_the_checkpoint_is_elsewhere(finished_run, state):
    assert way_on(finished_run, state) is WayOn.NONE
