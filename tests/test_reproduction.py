"""The coursework's table as something to queue: its runs, and those that are there already."""

from pathlib import Path

import pytest

from emotion_core.config import RunConfig, with_settings
from emotion_core.coursework import SEEDS
from emotion_core.errors import BadInput
from emotion_core.reproduction import table_of
from emotion_core.runs import Runs, State

DATA = {"data.source": "faces.csv", "data_fingerprint": "of these faces"}


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


def first_of(preset: str) -> RunConfig:
    (entry,) = table_of([preset], DATA, [])
    return entry.configs[0]


def test_the_whole_table_is_28_runs_and_the_small_cnn_is_none_of_them() -> None:
    entries = table_of([], DATA, [])
    assert [entry.preset.name for entry in entries] == list(SEEDS)
    assert "cnn-small" not in SEEDS
    assert sum(len(entry.missing) for entry in entries) == 28
    assert {len(entry.configs) for entry in entries if entry.preset.config.model.family == "linear"} == {3}
    assert {len(entry.configs) for entry in entries if entry.preset.config.model.family != "linear"} == {2}


def test_its_runs_are_the_presets_with_their_seeds_on_the_chosen_data() -> None:
    (entry,) = table_of(["dense-5"], {**DATA, "training.epochs": 3}, [])
    assert [config.training.seed for config in entry.configs] == [42, 43]
    assert {config.name for config in entry.configs} == {f"{entry.preset.title} · seed {seed}" for seed in (42, 43)}
    for config in entry.configs:
        assert (config.preset, config.data.source, config.training.epochs) == ("dense-5", "faces.csv", 3)
        assert config.model == entry.preset.config.model


def test_presets_come_in_the_order_of_the_table_whatever_the_order_asked_for() -> None:
    assert [entry.preset.name for entry in table_of(["cnn", "sgd"], DATA, [])] == ["sgd", "cnn"]


def test_what_the_table_does_not_hold_is_refused_with_what_it_holds() -> None:
    with pytest.raises(BadInput, match=r"no 'cnn-small'; it has: sgd, .*, cnn\."):
        table_of(["sgd", "cnn-small"], DATA, [])


@pytest.mark.parametrize(
    ("state", "is_there"),
    [
        (State.FINISHED, True),
        (State.QUEUED, True),
        (State.STOPPED, False),
        (State.FAILED, False),
    ],
)
def test_a_run_that_is_finished_or_in_hand_is_there_already(runs: Runs, state: State, is_there: bool) -> None:
    runs.create(first_of("dense-5")).record(state=state)
    (entry,) = table_of(["dense-5"], DATA, runs.summaries())
    assert len(entry.configs) == 2
    assert entry.missing == (entry.configs[1:] if is_there else entry.configs)


def test_a_name_and_a_place_of_the_data_make_no_other_run(runs: Runs) -> None:
    elsewhere = with_settings(first_of("dense-5"), {"name": "Mine", "data.source": "/mnt/faces.csv"})
    runs.create(elsewhere).record(state=State.FINISHED)
    (entry,) = table_of(["dense-5"], DATA, runs.summaries())
    assert entry.missing == entry.configs[1:]


@pytest.mark.parametrize(
    "changes",
    [{"data_fingerprint": "of other faces"}, {"training.epochs": 7}, {"training.seed": 99}, {"model.dropout": 0.5}],
)
def test_other_faces_settings_or_seeds_make_another_run(runs: Runs, changes: dict[str, object]) -> None:
    runs.create(with_settings(first_of("dense-5"), changes)).record(state=State.FINISHED)
    (entry,) = table_of(["dense-5"], DATA, runs.summaries())
    assert entry.missing == entry.configs
