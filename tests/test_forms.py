"""The form of a configuration: what it makes of the fields, what it gives back, what it objects to."""

from dataclasses import replace

import pytest
from pydantic import ValidationError
from streamlit.testing.v1 import AppTest

from emotion_core.config import (
    Augmentation,
    CnnModel,
    Convolution,
    CosineRate,
    DenseLayer,
    DenseModel,
    Device,
    GruModel,
    MisalignedSplit,
    OneCycleRate,
    RunConfig,
    Settings,
    Training,
    unused_by,
    with_settings,
)
from emotion_core.errors import BadInput
from emotion_core.grid import expand
from emotion_core.presets import PRESETS, find_preset
from ui import forms
from ui.fields import (
    Kind,
    as_notation,
    explain,
    fields_of,
    from_notation,
    label_of,
    scalars_of,
    sentences,
    step_of,
    values_example,
    values_from,
)


def form_page(preset: str) -> None:
    import streamlit as st

    from emotion_core.errors import BadInput
    from emotion_core.presets import find_preset
    from ui.fields import explain
    from ui.forms import ConfigForm

    form = ConfigForm(find_preset(preset).config, "form")
    form.ask("name", "training.epochs")
    for path in ("data", "augmentation", "training", "device"):
        form.ask_rest(path)
    form.ask("model")
    try:
        st.session_state["config"] = form.validated()
    except BadInput as error:
        st.session_state["problems"] = explain(error)


def opened(preset: str) -> AppTest:
    page = AppTest.from_function(form_page, kwargs={"preset": preset}, default_timeout=20).run()
    assert not page.exception
    return page


def config_of(page: AppTest) -> RunConfig:
    assert "problems" not in page.session_state
    return page.session_state["config"]


# --- fields -------------------------------------------------------------------------------------------------------


def all_settings() -> list[type[Settings]]:
    found = [RunConfig]
    for settings in found:
        for field in fields_of(settings).values():
            parts = field.choices if field.kind is Kind.VARIANT else (field.type,)
            found += [part for part in parts if isinstance(part, type) and issubclass(part, Settings)]
    return found


@pytest.mark.parametrize("settings", all_settings(), ids=lambda settings: settings.__name__)
def test_every_field_can_be_asked_and_tells_what_it_is(settings: type[Settings]) -> None:
    for field in fields_of(settings).values():
        assert field.kind is not Kind.FIXED
        assert field.help or field.kind in (Kind.GROUP, Kind.VARIANT)


def test_bounds_choices_and_emptiness_come_from_the_model() -> None:
    training, one_cycle = fields_of(Training), fields_of(OneCycleRate)
    batch_size = training["batch_size"]
    assert (batch_size.kind, batch_size.lower, batch_size.upper) == (Kind.WHOLE, 1, 8_192)
    assert training["class_weights"].choices == ("none", "balanced", "square_root")
    assert training["amsgrad"].kind is Kind.SWITCH
    assert training["early_stopping_patience"].optional
    assert one_cycle["iterations"].optional
    assert not training["epochs"].optional
    assert "one_cycle" in training["schedule"].variants
    assert "kind" not in one_cycle


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("he_normal", "He normal"),
        ("l1l2", "L1 and L2"),
        ("batch_norm", "Batch normalisation"),
        ("cnn", "CNN"),
        ("gru_units", "GRU units"),
        ("misaligned", "Misaligned"),
        ("square_root", "Square root"),
        ("one_cycle", "1cycle"),
        ("usage", "Usage column"),
        ("modified_huber", "Modified Huber"),
        ("elasticnet", "Elastic net"),
        ("kind", "Computes on"),
    ],
)
def test_names_are_written_for_people(name: str, label: str) -> None:
    assert label_of(name) == label


@pytest.mark.parametrize(("start", "step"), [(1e-4, 1e-5), (0.95, 0.01), (30.0, 1.0), (0.0, 0.01)])
def test_a_step_suits_the_size_of_the_value(start: float, step: float) -> None:
    assert step_of(fields_of(Augmentation)["zoom"], start) == pytest.approx(step)


@pytest.mark.parametrize("text", ["64x7, 64x3", "64 X 7;64×3,", "64*7, 64x3"])
def test_convolutions_are_read_from_one_line(text: str) -> None:
    items = from_notation(text, Convolution)
    assert [Convolution.model_validate(item) for item in items] == [
        Convolution(filters=64, kernel_size=7),
        Convolution(filters=64, kernel_size=3),
    ]
    assert as_notation([{"filters": 64, "kernel_size": 7}, {"filters": 64, "kernel_size": 3}]) == "64x7, 64x3"


def test_a_list_of_names_is_chosen_among_those_that_are_marked_and_shows_what_is_said_of_them() -> None:
    def page() -> None:
        import streamlit as st

        from emotion_core.config import with_settings
        from emotion_core.presets import find_preset
        from ui.forms import ConfigForm

        start = with_settings(find_preset("cnn").config, {"training.teachers": ["gone"]})
        form = ConfigForm(start, "form")
        form.mark("training.teachers", {"1": "Ada", "2": "Ben"})
        form.ask("training.teachers")
        st.session_state["config"] = form.validated()

    opened = AppTest.from_function(page, default_timeout=20).run()
    (names,) = opened.multiselect
    assert names.options == ["Ada", "Ben", "gone"]
    assert config_of(opened).training.teachers == ("gone",)
    names.set_value(["2", "1"]).run()
    assert config_of(opened).training.teachers == ("2", "1")


def test_numbers_are_read_from_one_line() -> None:
    assert from_notation("500, 400", int) == ["500", "400"]
    assert from_notation(" ", int) == []
    assert as_notation((500, 400)) == "500, 400"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (
            {"model": {"family": "dense", "dropout": 2}},
            "Model, Dense, Dropout: 2 should be less than or equal to 0.9.",
        ),
        ({"model": {"family": "dense"}, "training": {"epochs": None}}, "Training, Epochs: this must not be empty."),
        (
            {"model": {"family": "cnn", "blocks": ({"convolutions": ("64x3x3",)},)}},
            "Model, CNN, Blocks 1, Convolutions 1: 64x3x3 does not have the format that the field's help gives.",
        ),
        (
            {"model": {"family": "cnn", "blocks": find_preset("cnn").config.model.blocks, "dense_units": ("many",)}},
            "Model, CNN, Dense units 1: many is not a whole number.",
        ),
        ({"model": {"family": "cnn", "blocks": ()}}, "Model, CNN, Blocks: at least 1 must be given."),
        (
            {"model": {"family": "dense", "hidden_layers": 6}},
            "Model, Dense: 6 hidden layers from 500 units, each 100 narrower, leave 0 units in one of them; "
            "use fewer layers or a smaller descent.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_form(document: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunConfig.model_validate(document)
    assert sentences(caught.value) == (sentence,)


@pytest.mark.parametrize(
    ("preset", "path", "example"),
    [
        ("dense-5", "training.batch_size", "32, 64"),
        ("dense-5", "training.epochs", "100, 200"),
        ("dense-5", "training.schedule.rate", "0.0001, 5e-05"),
        ("dense-5", "training.early_stopping_patience", "20, 40"),
        ("dense-5", "model.last_units", "800, empty"),
        ("dense-5", "augmentation.rotation", "30, 20"),
        ("dense-5", "model.dropout", "0, 0.2"),
        ("cnn", "model.blocks.3.dropout", "0, 0.2"),
        ("sgd", "data.split.share", "0.2, 0.1"),
    ],
)
def test_an_example_of_values_to_vary_is_one_that_the_field_takes(preset: str, path: str, example: str) -> None:
    config = find_preset(preset).config
    scalar = scalars_of(config)[path]
    assert values_example(config, path, scalar) == example
    assert len(expand(config, {path: values_from(example, optional=scalar.field.optional)})) == 2


@pytest.mark.parametrize("preset", PRESETS)
def test_the_example_for_every_number_of_a_preset_can_be_typed(preset: str) -> None:
    config = find_preset(preset).config
    numbers = {
        path: scalar
        for path, scalar in scalars_of(config).items()
        if scalar.field.kind in (Kind.WHOLE, Kind.REAL) and path not in unused_by(config.model.family)
    }
    for path, scalar in numbers.items():
        values = values_from(values_example(config, path, scalar), optional=scalar.field.optional)
        assert len(expand(config, {path: values})) == 2


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_choice_and_switch_can_be_set_by_its_path(preset: str) -> None:
    config = find_preset(preset).config
    scalars = scalars_of(config)
    assert len(scalars) > 10
    assert with_settings(config, {path: scalar.value for path, scalar in scalars.items()}) == config


def test_a_field_may_be_empty_only_where_it_is_optional() -> None:
    assert values_from("5, empty, never", optional=True) == [5, None, None]
    assert values_from("none, balanced") == ["none", "balanced"]


def test_choices_are_said_with_what_is_marked_of_them() -> None:
    backend = replace(fields_of(Device)["backend"], marks={"jax": "not installed"})
    assert [backend.say(choice) for choice in backend.offered] == [
        "Auto",
        "TensorFlow",
        "JAX (not installed)",
        "PyTorch",
    ]
    assert [fields_of(Device)["deterministic"].say(choice) for choice in (True, False)] == ["On", "Off"]


def test_refusals_of_the_configuration_are_said_in_the_words_of_the_form_and_others_as_they_are() -> None:
    with pytest.raises(BadInput) as refused:
        with_settings(find_preset("sgd").config, {"model.alpha": "strong"})
    assert explain(refused.value) == ("Model, Linear, Alpha: strong is not a number.",)
    assert explain(BadInput("Something else.")) == ("Something else.",)


# --- the form on a page -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_an_untouched_form_gives_the_preset_back(name: str) -> None:
    assert config_of(opened(name)) == find_preset(name).config


def test_what_is_typed_is_in_the_configuration() -> None:
    page = opened("dense-5")
    page.text_input(key="form.name").set_value("Mine")
    page.number_input(key="form.training.epochs").set_value(7)
    page.number_input(key="form.augmentation.rotation").set_value(12.5)
    page.toggle(key="form.augmentation.horizontal_flip").set_value(True)
    page.number_input(key="form.training.early_stopping_patience").set_value(None)
    page.selectbox(key="form.training.class_weights").set_value("balanced").run()
    config = config_of(page)
    assert (config.name, config.training.epochs, config.training.class_weights) == ("Mine", 7, "balanced")
    assert (config.augmentation.rotation, config.augmentation.horizontal_flip) == (12.5, True)
    assert config.training.early_stopping_patience is None


def test_another_schedule_begins_with_its_own_values_and_asks_for_its_own_fields() -> None:
    page = opened("dense-5")
    page.selectbox(key="form.training.schedule.kind").set_value("one_cycle").run()
    assert config_of(page).training.schedule == OneCycleRate()
    page.number_input(key="form.training.schedule.one_cycle.peak").set_value(0.02).run()
    assert config_of(page).training.schedule == OneCycleRate(peak=0.02)
    assert "form.training.schedule.exponential.decay" not in {box.key for box in page.number_input}


def test_another_family_begins_like_the_first_preset_that_has_it() -> None:
    page = opened("dense-5")
    page.selectbox(key="form.model.family").set_value("cnn").run()
    first = next(preset for preset in PRESETS.values() if isinstance(preset.config.model, CnnModel))
    assert config_of(page).model == first.config.model
    page.selectbox(key="form.model.family").set_value("dense").run()
    assert isinstance(config_of(page).model, DenseModel)


def test_blocks_are_added_changed_and_removed() -> None:
    page = opened("cnn")
    page.button(key="form.model.cnn.blocks.add").click().run()
    assert len(config_of(page).model.blocks) == 5
    assert page.button(key="form.model.cnn.blocks.add").disabled
    page.text_input(key="form.model.cnn.blocks.4.convolutions").set_value("32x3")
    page.button(key="form.model.cnn.blocks.0.remove").click().run()
    blocks = config_of(page).model.blocks
    assert blocks[:3] == find_preset("cnn").config.model.blocks[1:]
    assert blocks[3].convolutions == (Convolution(filters=32, kernel_size=3),)


def test_the_last_block_cannot_be_removed() -> None:
    page = opened("cnn")
    for row in range(3):
        page.button(key=f"form.model.cnn.blocks.{row}.remove").click().run()
    assert page.button(key="form.model.cnn.blocks.3.remove").disabled


def test_a_gru_is_asked_for_its_layers_and_gives_back_what_was_typed() -> None:
    page = opened("gru-attention")
    page.text_input(key="form.model.gru.gru_units").set_value("16, 24, 32")
    page.number_input(key="form.model.gru.attention_units").set_value(40)
    page.toggle(key="form.model.gru.batch_norm").set_value(False)
    page.number_input(key="form.model.gru.dense_layers.0.units").set_value(64)
    page.toggle(key="form.model.gru.dense_layers.1.batch_norm").set_value(True)
    page.button(key="form.model.gru.dense_layers.2.remove").click().run()
    assert config_of(page).model == GruModel(
        gru_units=(16, 24, 32),
        batch_norm=False,
        attention_units=40,
        dense_layers=(DenseLayer(units=64, batch_norm=True), DenseLayer(units=128, batch_norm=True)),
    )


def test_a_gru_without_dense_layers_can_be_had_and_be_given_some_again() -> None:
    page = opened("gru-attention")
    for row in range(3):
        page.button(key=f"form.model.gru.dense_layers.{row}.remove").click().run()
    assert config_of(page).model == GruModel(dense_layers=())
    page.button(key="form.model.gru.dense_layers.add").click().run()
    assert len(config_of(page).model.dense_layers) == 1


def test_a_list_that_begins_empty_is_added_to_with_defaults() -> None:
    page = AppTest.from_function(form_of_bare_gru, default_timeout=20).run()
    assert config_of(page).model.dense_layers == ()
    page.button(key="form.model.gru.dense_layers.add").click().run()
    assert config_of(page).model.dense_layers == (DenseLayer(),)


def form_of_bare_gru() -> None:
    import streamlit as st

    from emotion_core.config import with_settings
    from emotion_core.presets import find_preset
    from ui.forms import ConfigForm

    form = ConfigForm(with_settings(find_preset("gru-attention").config, {"model.dense_layers": ()}), "form")
    form.ask("model")
    st.session_state["config"] = form.validated()


def test_each_of_a_gru_s_dense_layers_says_what_its_switch_is_for() -> None:
    page = opened("gru-attention")
    switches = [toggle for toggle in page.toggle if "dense_layers" in (toggle.key or "")]
    assert [switch.label for switch in switches] == ["Batch normalisation"] * 3
    assert all(switch.proto.label_visibility.value == 0 for switch in switches)  # which is: visible
    assert any("Dense layers" in element.value for element in page.markdown)


@pytest.mark.parametrize(
    ("path", "choice", "settings"),
    [
        ("training.schedule.kind", "cosine", {"training.schedule": CosineRate()}),
        ("data.split.kind", "misaligned", {"data.split": MisalignedSplit()}),
        ("training.class_weights", "square_root", {"training.class_weights": "square_root"}),
        ("training.class_weights", "balanced", {"training.class_weights": "balanced"}),
    ],
)
def test_what_the_coursework_chose_from_can_be_chosen(path: str, choice: str, settings: dict[str, object]) -> None:
    page = opened("dense-5")
    page.selectbox(key=f"form.{path}").set_value(choice).run()
    assert config_of(page) == with_settings(find_preset("dense-5").config, settings)


def test_the_last_hidden_layer_can_be_350_wide() -> None:
    page = opened("dense-1")
    page.number_input(key="form.model.dense.last_units").set_value(350).run()
    model = config_of(page).model
    assert isinstance(model, DenseModel)
    assert model.hidden_units == (500, 400, 300, 200, 350)


def test_what_is_wrong_comes_back_as_sentences_instead_of_a_configuration() -> None:
    page = opened("dense-5")
    page.number_input(key="form.model.dense.hidden_layers").set_value(9)
    page.number_input(key="form.training.schedule.exponential.rate").set_value(0).run()
    descent, rate = page.session_state["problems"]
    assert descent.startswith("Model, Dense: 9 hidden layers from 500 units")
    assert rate == "Training, Schedule, Exponential, Rate: 0.0 should be greater than 0."


def test_a_second_click_on_add_that_comes_with_the_first_adds_nothing_more() -> None:
    page = opened("gru-attention")
    add = page.button(key="form.model.gru.dense_layers.add")
    add.click().run()
    rows = page.session_state["form.model.gru.dense_layers.rows"]
    forms._add(rows, rows[-1])  # as the click before was answered: both carry the row that it added
    assert not page.run().exception
    assert len(config_of(page).model.dense_layers) == 4
