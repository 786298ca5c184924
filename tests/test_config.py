"""Settings: bounds, dotted paths, and messages that tell a person what to write instead."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from emotion_core.config import (
    Augmentation,
    CnnModel,
    ConstantRate,
    DenseModel,
    Model,
    OneCycleRate,
    PlateauRate,
    RunConfig,
    Schedule,
    Settings,
    Split,
    Training,
    UsageSplit,
    parse_config,
    refuse_unused,
    with_settings,
)
from emotion_core.errors import BadInput
from emotion_core.presets import PRESETS, find_preset

DENSE = find_preset("dense-5").config
CNN = find_preset("cnn").config


def settings_groups(group: type[Settings] = Settings) -> Iterator[type[Settings]]:
    for child in group.__subclasses__():
        yield child
        yield from settings_groups(child)


FIELDS = [
    pytest.param(group, name, id=f"{group.__name__}.{name}")
    for group in settings_groups()
    for name in group.model_fields
]


@pytest.mark.parametrize(("group", "name"), FIELDS)
def test_every_field_a_person_can_set_is_described(group, name):
    field = group.model_fields[name]
    is_group = isinstance(field.annotation, type) and issubclass(field.annotation, Settings)
    if not is_group and name not in ("kind", "family", "schema_version") and (group, name) != (RunConfig, "model"):
        assert field.description
        assert field.description.endswith((".", "?"))


@pytest.mark.parametrize("group", [Model, Schedule, Split], ids=["models", "schedules", "splits"])
def test_every_choice_explains_itself(group):
    union = get_args(group)[0]
    assert all(choice.__doc__ and choice.__doc__.endswith(".") for choice in get_args(union))


def test_settings_never_change():
    with pytest.raises(ValidationError):
        DENSE.training.epochs = 5


# --- dotted paths -------------------------------------------------------------------------------------------------


@given(
    epochs=st.integers(1, 10_000),
    seed=st.integers(0, 2**31 - 1),
    rotation=st.floats(0, 180),
    dropout=st.floats(0, 0.9),
    name=st.text(max_size=200),
)
def test_values_within_bounds_are_set_and_survive_saving(epochs, seed, rotation, dropout, name):
    config = with_settings(
        DENSE,
        {
            "training.epochs": epochs,
            "training.seed": seed,
            "augmentation.rotation": rotation,
            "model.dropout": dropout,
            "name": name,
        },
    )
    assert (config.training.epochs, config.training.seed, config.name) == (epochs, seed, " ".join(name.split()))
    assert (config.augmentation.rotation, config.model.dropout) == (rotation, dropout)
    assert config.data == DENSE.data
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_setting_changes_a_copy():
    with_settings(CNN, {"model.blocks.0.convolutions.1.filters": 32})
    assert find_preset("cnn").config == CNN
    assert CNN.model.blocks[0].convolutions[1].filters == 64


@pytest.mark.parametrize("value", ["", "None", None])
def test_a_number_that_may_be_left_out_is_left_out_as_its_help_says(value):
    config = with_settings(find_preset("dense-5").config, {"training.early_stopping_patience": value})
    assert config.training.early_stopping_patience is None
    assert with_settings(config, {"device.gpu": value, "name": "None"}).name == "None"
    with pytest.raises(BadInput, match=r"training\.epochs: this must not be empty"):
        with_settings(config, {"training.epochs": value})


def test_elements_of_lists_are_set_by_their_number():
    config = with_settings(CNN, {"model.blocks.1.pooling": "max", "model.blocks.0.convolutions.1.filters": 32})
    assert [block.pooling for block in config.model.blocks] == ["max", "max", "max", "none"]
    assert config.model.blocks[0].convolutions[1].filters == 32


PLATEAU = {"kind": "plateau", "patience": 3, "factor": 0.5}


def test_a_new_kind_starts_from_its_own_defaults():
    config = with_settings(DENSE, {f"training.schedule.{key}": value for key, value in PLATEAU.items()})
    assert config.training.schedule == PlateauRate(patience=3, factor=0.5)
    assert with_settings(DENSE, {"data.split.kind": "usage"}).data.split == UsageSplit()
    assert with_settings(CNN, {"model.family": "dense"}).model == DenseModel()


def test_a_kind_is_set_before_what_belongs_to_it_in_whatever_order_they_come():
    backwards = {f"training.schedule.{key}": value for key, value in reversed(PLATEAU.items())}
    assert with_settings(DENSE, backwards).training.schedule == PlateauRate(patience=3, factor=0.5)


@pytest.mark.parametrize(
    ("assignments", "schedule"),
    [
        ({"training.schedule": {"kind": "step"}, "training.schedule.kind": "constant"}, ConstantRate()),
        ({"training.schedule.rate": 0.2, "training.schedule": {"kind": "constant"}}, ConstantRate(rate=0.2)),
    ],
)
def test_a_group_is_set_before_its_settings_in_whatever_order_they_come(assignments, schedule):
    assert with_settings(DENSE, assignments).training.schedule == schedule


def test_a_mistyped_kind_is_what_is_complained_of():
    with pytest.raises(BadInput, match=r"training\.schedule: plato is none of"):
        with_settings(DENSE, {"training.schedule.kind": "plato", "training.schedule.rate": 0.1})


def test_what_is_wrong_in_a_group_is_named_by_the_path_that_sets_it():
    wrong = {"model.dropout": 2, "training.schedule.rate": -1, "data.split.count": 0}
    with pytest.raises(BadInput) as refusal:
        with_settings(DENSE, wrong)
    assert all(f"{path}: " in str(refusal.value) for path in wrong)


def test_a_path_that_leads_nowhere_is_answered_with_those_that_there_are():
    with pytest.raises(BadInput, match=r"'TRAINING'; the settings there are: .*training"):
        with_settings(DENSE, {"TRAINING.epochs": 3})
    with pytest.raises(BadInput, match="there are 4, the first with number 0"):
        with_settings(CNN, {"model.blocks.9.dropout": 0.5})


def test_the_beginning_of_an_id_may_be_a_number():
    changed = with_settings(DENSE, {"training.start_from": 20261123, "training.teachers": "20261124, a"})
    assert changed.training.start_from == ("20261123",)
    assert changed.training.teachers == ("20261124", "a")


def test_a_new_kind_takes_its_own_settings_only():
    with pytest.raises(BadInput, match=r"no setting 'training\.schedule\.decay'.*patience"):
        with_settings(DENSE, {"training.schedule.kind": "plateau", "training.schedule.decay": 0.5})


def test_the_kind_of_device_is_no_group_of_its_own():
    device = with_settings(DENSE, {"device.deterministic": True, "device.kind": "gpu", "device.gpu": 1}).device
    assert (device.deterministic, device.kind, device.gpu) == (True, "gpu", 1)


@pytest.mark.parametrize("kind", [[], {}, None, 7])
def test_a_kind_that_is_no_text_is_refused_like_any_other(kind):
    with pytest.raises(BadInput, match="schedule"):
        with_settings(DENSE, {"training.schedule.kind": kind, "training.schedule.rate": 0.1})


def test_the_same_kind_again_keeps_its_values():
    changed = with_settings(DENSE, {"training.schedule.rate": 0.5})
    assert with_settings(changed, {"training.schedule.kind": "exponential"}) == changed


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("training.epochs", 0, r"training\.epochs: 0 should be greater than or equal to 1\."),
        ("training.epochs", "many", r"training\.epochs: many is not a whole number\."),
        ("training.epochs", 2.5, r"training\.epochs: 2\.5 is not a whole number\."),
        ("training.epochs", True, r"training\.epochs: true is for switches"),
        ("augmentation.rotation", 181, r"augmentation\.rotation: 181 should be less than or equal to 180\."),
        ("augmentation.rotation", math.nan, r"augmentation\.rotation.*nan"),
        ("augmentation.zoom", -0.1, r"augmentation\.zoom"),
        ("training.schedule.rate", math.inf, r"training\.schedule.*rate.*inf"),
        ("training.schedule.kind", "sinus", r"training\.schedule.*sinus"),
        ("model.regularizer", "l3", r"model\.regularizer: l3 should be .*'l1l2'"),
        ("model.hidden_layers", 8, r"leave -200 units in one of them; use fewer layers"),
        ("model.family", "cnn", r"model\.blocks: this must be given\."),
        ("model.units", 5, r"no setting 'model\.units'.*hidden_layers"),
        ("trainin.epochs", 5, r"no setting 'trainin'"),
        ("training.epochs.x", 5, r"no setting 'training\.epochs\.x'"),
        ("training.schedule.rate.x.y", 5, r"no setting 'training\.schedule\.rate\.x'"),
        ("", 5, r"no setting ''"),
        ("schema_version", 2, r"schema_version"),
        ("name", "x" * 201, r"name: x{57}\.\.\. should have at most 200 characters\."),
    ],
)
def test_what_cannot_be_set_is_refused_with_path_and_value(path, value, sentence):
    with pytest.raises(BadInput, match=sentence) as refusal:
        with_settings(DENSE, {path: value})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("path", ["model.blocks.4.dropout", "model.blocks.x.dropout", "model.blocks.-1.dropout"])
def test_an_element_that_is_not_there_is_refused(path):
    with pytest.raises(BadInput, match="no setting"):
        with_settings(CNN, {path: 0.1})


def test_an_element_itself_is_not_set_but_its_fields():
    with pytest.raises(BadInput, match="field of the element"):
        with_settings(CNN, {"model.blocks.0": 3})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(
    ["training", "training.epochs", "training.schedule", "model", "model.family", "data.split.kind", "data", "model.x"]
) | st.text(max_size=30)


@given(path=PATHS, value=JSON)
def test_whatever_is_written_gives_settings_or_bad_input(path, value):
    with suppress(BadInput):  # and nothing else
        assert isinstance(with_settings(DENSE, {path: value}), RunConfig)


@given(document=JSON)
def test_whatever_a_file_holds_is_refused_with_a_sentence(document):
    with pytest.raises(BadInput):
        parse_config(document)


# --- meaning ------------------------------------------------------------------------------------------------------


@given(st.integers(1, 10), st.integers(1, 4_096), st.integers(0, 1_000), st.none() | st.integers(1, 4_096))
def test_hidden_layers_grow_narrower_by_the_descent_and_all_have_units(layers, first, descent, last):
    settings: dict[str, Any] = {
        "hidden_layers": layers,
        "first_units": first,
        "descent": descent,
        "last_units": last,
    }
    expected = [first - descent * layer for layer in range(layers)]
    if last is not None:
        expected[-1] = last
    if min(expected) < 1:
        with pytest.raises(ValidationError, match="fewer layers or a smaller descent"):
            DenseModel(**settings)
    else:
        assert DenseModel(**settings).hidden_units == tuple(expected)


@pytest.mark.parametrize("change", [{"rotation": 1}, {"zoom": 0.1}, {"horizontal_flip": True}, {"width_shift": 0.1}])
def test_any_transform_enables_augmentation(change):
    assert not Augmentation().enabled
    assert Augmentation(**change).enabled


def test_unknown_names_in_a_file_are_refused():
    document = DENSE.model_dump() | {"colour": "red"}
    with pytest.raises(BadInput, match="colour"):
        parse_config(document)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_saved_configuration_reads_back_equal(preset):
    config = find_preset(preset).config
    assert parse_config(config.model_dump(mode="json")) == config


def test_defaults_are_the_coursework_s():
    training = Training()
    assert (training.epochs, training.batch_size, training.seed, training.amsgrad) == (100, 32, 42, True)
    assert OneCycleRate().model_dump() == {
        "kind": "one_cycle",
        "start": 0.001,
        "peak": 0.01,
        "end": 1e-7,
        "iterations": None,
        "last_iterations": None,
    }
    assert len(CnnModel(blocks=CNN.model.blocks).dense_units) == 3


def test_only_residual_networks_may_begin_with_smaller_images():
    refuse_unused(with_settings(find_preset("residual").config, {"training.first_side": 24}))
    with pytest.raises(BadInput) as refusal:
        refuse_unused(with_settings(find_preset("cnn").config, {"training.first_side": 24}))
    said = "Models of the family cnn have no use for training.first_side; leave that at its default."
    assert str(refusal.value) == said


@pytest.mark.parametrize(("value", "name"), [(2024, "2024"), (1.5, "1.5"), ("a", "a")])
def test_a_name_may_be_a_number(value, name):
    assert with_settings(find_preset("sgd").config, {"name": value}).name == name
