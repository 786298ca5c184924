"""Many runs from one configuration: which, in what order, under what names, and what is refused."""

from typing import Any

import pytest

from emotion_core.config import ConstantRate, DenseModel, RunConfig, StepRate, with_settings
from emotion_core.errors import BadInput
from emotion_core.grid import MAX_RUNS, expand, parse_values
from emotion_core.presets import find_preset

DENSE = find_preset("dense-5").config
NAMED = with_settings(DENSE, {"name": "Mine"})
CNN = find_preset("cnn").config


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("42, 43", [42, 43]),
        ("42,43", [42, 43]),
        ("42;43", [42, 43]),
        (" 42  43 ", [42, 43]),
        ("0.1 0.2", [0.1, 0.2]),
        ("1e-4,3e-4", [1e-4, 3e-4]),
        ("none, balanced", ["none", "balanced"]),
        ("none balanced", ["none", "balanced"]),
        ("20, null", [20, None]),
        ("true, off", [True, "off"]),
        ("42,,43,", [42, 43]),
        ("[500, 400], [300]", [[500, 400], [300]]),
        ('"with, comma", "two words"', ["with, comma", "two words"]),
        ("my faces.csv, other.csv", ["my faces.csv", "other.csv"]),
        ("7", [7]),
        ("", []),
        (" , ", []),
        ("[" * 100_000, ["[" * 100_000]),
    ],
)
def test_values_are_read_as_json_where_they_are_json_and_as_text_otherwise(text: str, values: list[Any]) -> None:
    read = parse_values(text)
    assert read == values
    assert list(map(type, read)) == list(map(type, values))


def test_every_combination_is_there_once_and_the_first_path_varies_slowest() -> None:
    configs = expand(DENSE, {"training.seed": [1, 2], "training.batch_size": [32, 64, 128]})
    assert [(config.training.seed, config.training.batch_size) for config in configs] == [
        (1, 32),
        (1, 64),
        (1, 128),
        (2, 32),
        (2, 64),
        (2, 128),
    ]
    for config in configs:
        same = {"name": "", "training.seed": 42, "training.batch_size": 32}
        assert with_settings(config, same) == with_settings(DENSE, same)


@pytest.mark.parametrize(
    ("config", "choices", "names"),
    [
        (NAMED, {}, ["Mine"]),
        (NAMED, {"training.seed": [7]}, ["Mine"]),
        (DENSE, {"training.seed": [7]}, [""]),
        (NAMED, {"training.seed": [42, 43]}, ["Mine · seed 42", "Mine · seed 43"]),
        (
            DENSE,
            {"training.seed": [42, 43]},
            ["Dense 5: L2, batch norm · seed 42", "Dense 5: L2, batch norm · seed 43"],
        ),
        (
            NAMED,
            {"training.seed": [43], "training.batch_size": [32, 64], "training.class_weights": ["square_root"]},
            ["Mine · batch size 32", "Mine · batch size 64"],
        ),
        (
            NAMED,
            {"training.seed": [42, 43], "training.schedule.rate": [1e-5]},
            ["Mine · seed 42", "Mine · seed 43"],
        ),
        (
            NAMED,
            {"training.schedule.rate": [1e-5, 3e-4], "training.amsgrad": [True, False]},
            [
                "Mine · rate 1e-05, amsgrad on",
                "Mine · rate 1e-05, amsgrad off",
                "Mine · rate 0.0003, amsgrad on",
                "Mine · rate 0.0003, amsgrad off",
            ],
        ),
        (
            NAMED,
            {"training.early_stopping_patience": [5, None]},
            ["Mine · early stopping patience 5", "Mine · early stopping patience none"],
        ),
        (
            NAMED,
            {"training.schedule.kind": ["one_cycle", "constant"]},
            ["Mine · schedule one cycle", "Mine · schedule constant"],
        ),
        (
            CNN,
            {"model.blocks.0.dropout": [0.1, 0.2], "model.blocks.2.dropout": [0, 0.5]},
            [
                "Coursework CNN · blocks 1 dropout 0.1, blocks 3 dropout 0",
                "Coursework CNN · blocks 1 dropout 0.1, blocks 3 dropout 0.5",
                "Coursework CNN · blocks 1 dropout 0.2, blocks 3 dropout 0",
                "Coursework CNN · blocks 1 dropout 0.2, blocks 3 dropout 0.5",
            ],
        ),
    ],
)
def test_names_tell_what_varies_and_nothing_else(
    config: RunConfig, choices: dict[str, list[Any]], names: list[str]
) -> None:
    assert [made.name for made in expand(config, choices)] == names


def test_a_name_too_long_gives_way_to_what_varies() -> None:
    long = with_settings(DENSE, {"name": "x" * 200})
    first, second = expand(long, {"training.seed": [42, 43]})
    assert first.name.endswith("x · seed 42")
    assert second.name.endswith("x · seed 43")
    assert len(first.name) == 200


def test_the_kind_is_set_before_the_fields_of_its_group_whichever_is_given_first() -> None:
    configs = expand(DENSE, {"training.schedule.rate": [1e-3, 2e-3], "training.schedule.kind": ["constant", "step"]})
    assert [config.training.schedule for config in configs] == [
        ConstantRate(rate=1e-3),
        StepRate(rate=1e-3),
        ConstantRate(rate=2e-3),
        StepRate(rate=2e-3),
    ]


def test_what_all_runs_take_holds_within_whatever_kind_is_chosen() -> None:
    configs = expand(
        DENSE, {"training.schedule.kind": ["constant", "step"]}, {"training.schedule.rate": 5e-3, "name": "mine"}
    )
    assert [config.training.schedule for config in configs] == [ConstantRate(rate=5e-3), StepRate(rate=5e-3)]
    assert [config.name for config in configs] == ["mine · schedule constant", "mine · schedule step"]


def test_what_all_runs_take_holds_within_whole_groups_too() -> None:
    groups = [{"kind": "constant"}, {"kind": "step"}]
    configs = expand(DENSE, {"training.schedule": groups}, {"training.schedule.rate": 5e-3})
    assert [config.training.schedule for config in configs] == [ConstantRate(rate=5e-3), StepRate(rate=5e-3)]


def test_a_group_that_varies_with_its_own_kind_makes_twins() -> None:
    choices = {
        "training.schedule": [{"kind": "constant"}, {"kind": "cosine"}],
        "training.schedule.kind": ["step", "plateau"],
    }
    with pytest.raises(BadInput, match="would be trained twice"):
        expand(DENSE, choices)


def test_what_only_fits_together_is_judged_together() -> None:
    (config,) = expand(DENSE, {"model.hidden_layers": [8], "model.descent": [50]})
    assert isinstance(config.model, DenseModel)
    assert config.model.hidden_units[-1] == 150


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"training.seed": range(MAX_RUNS + 1)}, r"That makes 201 runs; at most 200 can be queued at once\."),
        ({"training.seed": range(10**6), "training.epochs": range(1, 10**4)}, "That makes 9,999,000,000 runs"),
        ({"training.seed": []}, r"training\.seed needs at least one value"),
        (
            {"training.seed": [42, 42]},
            r"norm · seed 42 would be trained twice; give each value once",
        ),
        ({"training.schedule.rate": [0.1, "0.1"]}, "would be trained twice"),
        (
            {"training.batch_size": [32, 0]},
            r"training\.batch_size: 0 should be greater than or equal to 1\.",
        ),
        ({"training.batch_size": [32, "many"]}, "many"),
        ({"training.bach_size": [32]}, r"There is no setting 'training\.bach_size'"),
        ({"training.schedule.peak": [0.1]}, r"There is no setting 'training\.schedule\.peak'"),
        ({"training.schedule.rate": [float("nan"), 0.1]}, "nan"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(choices: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        expand(DENSE, choices)


def test_as_many_as_allowed_are_made_and_all_differ() -> None:
    configs = expand(DENSE, {"training.seed": range(20), "training.epochs": range(1, 11)})
    assert len({config.name for config in configs}) == MAX_RUNS


def test_a_run_of_one_seed_is_the_beginning_of_others_without_it() -> None:
    again = NAMED.model_copy(update={"name": "Mine · seed 42"})
    assert [made.name for made in expand(again, {"training.seed": [1, 2]})] == ["Mine · seed 1", "Mine · seed 2"]
