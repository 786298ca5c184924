"""Runs that begin with the weights of another."""

import pytest
from conftest import save_csv, save_finished_run

from emotion_core.config import FirstRows, RunConfig, refuse_unused, with_settings
from emotion_core.dataset import load_dataset
from emotion_core.engine.local import freeze
from emotion_core.errors import BadInput, RunNotFound
from emotion_core.fine_tuning import beginnings, resolve_start
from emotion_core.presets import find_preset
from emotion_core.runs import Run, Runs


@pytest.fixture
def runs(runs_folder) -> Runs:
    return Runs(runs_folder)


def learnt(runs: Runs, source: object, preset: str = "residual", weights: str = "model.keras", **settings) -> Run:
    """Save a run that has weights, as far as can be told without opening them."""
    config = with_settings(find_preset(preset).config, {"data.source": str(source)} | settings)
    run = runs.create(freeze(config, runs))
    if weights:
        (run.folder / weights).touch()
    return run


def beginning_with(start: str, source: object, preset: str = "residual", **settings) -> RunConfig:
    chosen = {"data.source": str(source), "training.start_from": start}
    return with_settings(find_preset(preset).config, chosen | settings)


@pytest.mark.parametrize(("written", "read"), [("", ()), ("one", ("one",)), ("one, two", ("one", "two"))])
def test_starts_may_be_written_on_one_line(written, read):
    assert with_settings(find_preset("residual").config, {"training.start_from": written}).training.start_from == read


def test_a_start_is_named_by_its_whole_id_when_settings_are_frozen(runs, faces_csv):
    start = learnt(runs, faces_csv)
    for written in (start.id, start.id[:-2]):
        assert freeze(beginning_with(written, faces_csv), runs).training.start_from == (start.id,)


def test_without_a_start_settings_stay_as_they_are(runs, faces_csv):
    config = find_preset("cnn").config
    assert resolve_start(config, runs, load_dataset(faces_csv)) is config


@pytest.mark.parametrize(
    ("theirs", "ours", "fits"),
    [
        ({}, {"model.dropout": 0.1, "training.epochs": 3, "augmentation.rotation": 0}, True),
        ({}, {"model.stem_filters": 16}, False),
        ({"model.standardize": False}, {}, False),
    ],
)
def test_weights_fit_the_same_network_only(runs, faces_csv, theirs, ours, fits):
    config = beginning_with(learnt(runs, faces_csv, **theirs).id, faces_csv, **ours)
    if fits:
        assert freeze(config, runs).training.start_from
    else:
        with pytest.raises(BadInput, match="built differently"):
            freeze(config, runs)


@pytest.mark.parametrize(("preset", "setting"), [("cnn", "model.blocks.0.dropout"), ("dense-5", "model.dropout")])
def test_dropout_may_differ_wherever_a_family_has_it(runs, faces_csv, preset, setting):
    config = beginning_with(learnt(runs, faces_csv, preset).id, faces_csv, preset, **{setting: 0.2})
    assert freeze(config, runs).training.start_from


def test_who_is_no_run_or_has_no_weights_is_refused(runs, faces_csv):
    with pytest.raises(RunNotFound, match="There is no run 'nobody'"):
        freeze(beginning_with("nobody", faces_csv), runs)
    untrained = learnt(runs, faces_csv, weights="")
    with pytest.raises(BadInput, match=f"Run {untrained.id} has no weights"):
        freeze(beginning_with(untrained.id, faces_csv), runs)


@pytest.mark.parametrize(("preset", "can"), [("residual", True), ("cnn-small", False)])
def test_a_serving_copy_will_do_for_residual_networks(runs, faces_csv, preset, can):
    start = learnt(runs, faces_csv, preset, weights="model.onnx")
    config = beginning_with(start.id, faces_csv, preset)
    if can:
        assert freeze(config, runs).training.start_from == (start.id,)
    else:
        with pytest.raises(BadInput, match="has no weights"):
            freeze(config, runs)


def test_a_start_may_not_have_learnt_from_faces_that_validate(runs, faces_csv):
    start = learnt(runs, faces_csv, **{"data.split": FirstRows(count=7)})
    with pytest.raises(BadInput, match=rf"Run {start.id} learnt from \d+ of the validation faces here"):
        freeze(beginning_with(start.id, faces_csv), runs)


@pytest.mark.parametrize("way", ["training.start_from", "training.teachers"])
def test_nor_may_what_a_start_itself_learnt_from(runs, faces_csv, tmp_path, way):
    first = learnt(runs, faces_csv, **{"data.split": FirstRows(count=7)})
    other = save_csv(tmp_path / "other.csv", list(range(7)) * 12, count=84)
    between = learnt(runs, other, weights="")
    config = with_settings(between.config, {way: [first.id]})
    (between.folder / "config.json").write_text(config.model_dump_json())
    (between.folder / "model.keras").touch()
    with pytest.raises(BadInput, match=rf"Run {first.id}, which run {between.id} learnt from, learnt from \d+ of the"):
        freeze(beginning_with(between.id, faces_csv), runs)
    runs.delete(first)
    assert freeze(beginning_with(between.id, faces_csv), runs).training.start_from == (between.id,)


def test_a_run_may_begin_with_the_mean_of_several_that_go_back_to_one(runs, faces_csv):
    first, stranger = learnt(runs, faces_csv), learnt(runs, faces_csv)
    second = learnt(runs, faces_csv, **{"training.start_from": first.id})
    third = learnt(runs, faces_csv, **{"training.start_from": second.id})
    family = [first.id, second.id, third.id]
    assert freeze(beginning_with(",".join(family), faces_csv), runs).training.start_from == tuple(family)
    with pytest.raises(BadInput, match=f"{third.id} and {stranger.id} would be useless"):
        freeze(beginning_with(f"{third.id}, {stranger.id}", faces_csv), runs)
    with pytest.raises(BadInput, match=f"Run {third.id} is named twice"):
        freeze(beginning_with(f"{third.id},{third.id}", faces_csv), runs)


def test_runs_that_were_fine_tuned_from_one_that_is_gone_may_be_averaged(runs, faces_csv):
    gone = learnt(runs, faces_csv)
    left = [learnt(runs, faces_csv, **{"training.start_from": gone.id}).id for _ in range(2)]
    runs.delete(gone)
    assert freeze(beginning_with(",".join(left), faces_csv), runs).training.start_from == tuple(left)


def test_runs_that_say_they_come_from_each_other_are_no_endless_search(runs, faces_csv):
    """What a run says of its past may come from a stranger's zip."""
    first = learnt(runs, faces_csv)
    second = learnt(runs, faces_csv, **{"training.start_from": first.id})
    path = first.folder / "config.json"
    path.write_text(path.read_text().replace('"start_from": []', f'"start_from": ["{second.id}"]'))
    assert Run(first.folder).config.training.start_from == (second.id,)
    with pytest.raises(BadInput, match="would be useless"):
        freeze(beginning_with(f"{first.id},{second.id}", faces_csv), runs)


def test_a_linear_model_begins_with_nothing():
    with pytest.raises(BadInput, match=r"linear have no use for training\.start_from"):
        refuse_unused(with_settings(find_preset("sgd").config, {"training.start_from": "latest"}))


def test_runs_of_the_family_that_have_weights_are_offered(runs, faces_csv):
    save_finished_run(runs)
    residual, small = learnt(runs, faces_csv), learnt(runs, faces_csv, "cnn-small")
    learnt(runs, faces_csv, weights="")
    assert [line.id for line in beginnings(runs.summaries(), runs, "residual")] == [residual.id]
    assert [line.id for line in beginnings(runs.summaries(), runs, "cnn")] == [small.id]
