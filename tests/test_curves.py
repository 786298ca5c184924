"""The points of the live curves."""

import numpy as np
import pandas as pd
import pytest

from emotion_core.config import with_settings
from emotion_core.presets import find_preset
from emotion_core.runs import HISTORY_COLUMNS, PROGRESS_COLUMNS
from ui.curves import (
    FEW_EPOCHS,
    MAX_POINTS,
    ZOOM,
    Axis,
    CurveView,
    curve_chart,
    curve_points,
    how_measured,
    rate_chart,
    rate_points,
    smoothed,
    spaced,
)


def history_of(epochs: int) -> pd.DataFrame:
    rows = [(e, 2 - e / 1e4, e / 1e4, 1 + abs(e - 3) / 1e4, e / 2e4, 0.1 / e, 10) for e in range(1, epochs + 1)]
    return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS), dtype=float)


def progress_of(epoch: int, *batches: int) -> pd.DataFrame:
    rows = [(epoch, batch, 1.5, 0.3, 1.0) for batch in batches]
    return pd.DataFrame(rows, columns=list(PROGRESS_COLUMNS), dtype=float)


def part(points: pd.DataFrame, name: str) -> pd.DataFrame:
    return points[points["part"] == name]


def test_each_epoch_has_a_point_on_both_lines() -> None:
    points = part(curve_points(history_of(5), progress_of(6), "accuracy", batches=10, best_epoch=3), "epoch")
    assert points.groupby("series")["epoch"].apply(list).to_dict() == {
        "Training": [1, 2, 3, 4, 5],
        "Validation": [1, 2, 3, 4, 5],
    }
    assert points[points["series"] == "Training"]["value"].tolist() == history_of(5)["accuracy"].tolist()
    assert points[points["series"] == "Validation"]["value"].tolist() == history_of(5)["val_accuracy"].tolist()


def test_the_first_epoch_is_drawn_from_its_batches() -> None:
    points = curve_points(history_of(0), progress_of(1, 2, 5, 10), "loss", batches=10, best_epoch=3)
    assert set(points["part"]) == {"within"}
    assert points["x"].tolist() == [0.2, 0.5, 1.0]
    assert set(points["series"]) == {"Training"}


def test_a_later_epoch_in_hand_goes_on_from_the_last_whole_one() -> None:
    within = part(curve_points(history_of(4), progress_of(5, 5), "loss", batches=10, best_epoch=3), "within")
    assert within["x"].tolist() == [4.5]


def test_the_batches_of_an_epoch_that_is_done_are_not_drawn_again() -> None:
    assert part(curve_points(history_of(4), progress_of(4, 5, 10), "loss", batches=10, best_epoch=3), "within").empty


def test_the_best_epoch_is_marked_on_the_validation_line() -> None:
    best = part(curve_points(history_of(6), progress_of(7), "accuracy", batches=10, best_epoch=3), "best")
    assert best[["epoch", "series"]].to_numpy().tolist() == [[3.0, "Validation"]]


def test_without_a_best_epoch_none_is_marked() -> None:
    assert part(curve_points(history_of(6), progress_of(7), "loss", batches=10, best_epoch=None), "best").empty


def test_dots_are_for_few_epochs() -> None:
    assert len(part(curve_points(history_of(FEW_EPOCHS), progress_of(1), "loss", 10, 3), "dot")) == 2 * FEW_EPOCHS
    assert part(curve_points(history_of(FEW_EPOCHS + 1), progress_of(1), "loss", 10, 3), "dot").empty


@pytest.mark.parametrize("count", [0, 1, MAX_POINTS, MAX_POINTS + 1, 7_777, 10_000])
def test_a_long_line_is_drawn_with_few_points_from_its_first_to_its_last(count: int) -> None:
    places = spaced(np.linspace(2, 1, count))
    assert min(count, MAX_POINTS // 2) <= len(places) <= MAX_POINTS + 2
    assert list(places[[0, -1]] if count else places) == ([0, count - 1] if count else [])
    assert (np.diff(places) > 0).all()


def test_no_spike_is_lost() -> None:
    values = np.ones(5_000)
    values[[1_234, 4_321]] = 9, -9
    assert {1_234, 4_321} <= set(spaced(values))


@pytest.mark.parametrize("spike", [0.5, 9.0])
def test_nor_is_one_in_a_stretch_that_is_not_whole_yet(spike: float) -> None:
    values = np.ones(4_999)
    values[4_997] = spike
    assert 4_997 in spaced(values)


def test_a_line_that_grows_keeps_the_points_that_it_has() -> None:
    values = np.random.default_rng(1).normal(size=5_100)
    before, after = set(spaced(values[:5_000])), set(spaced(values))
    assert len(before - after) <= 3  # those of the stretch that was not whole yet


def test_smoothing_is_a_moving_average_that_starts_at_the_first_value() -> None:
    values = np.array([4.0, 0.0, 2.0])
    assert smoothed(values, 0.5).tolist() == pytest.approx([4, 4 / 3, (2 + 0 / 2 + 4 / 4) / (1 + 1 / 2 + 1 / 4)])
    assert smoothed(values, 0.0) is values


def test_behind_a_smooth_line_is_what_was_measured() -> None:
    points = curve_points(history_of(9), progress_of(10), "accuracy", 10, 3, CurveView(smoothing=0.9))
    raw, line = part(points, "raw"), part(points, "epoch")
    assert raw["value"].tolist() == line["measured"].tolist() == raw["measured"].tolist()
    assert (line.groupby("series")["value"].std() < raw.groupby("series")["value"].std()).all()
    assert part(curve_points(history_of(9), progress_of(10), "accuracy", 10, 3), "raw").empty


@pytest.mark.parametrize(
    ("axis", "ends", "now"),
    [
        (Axis.EPOCH, [1, 2, 3], 3.5),
        (Axis.STEP, [10, 20, 30], 35),
        (Axis.TIME, [10_000, 20_000, 30_000], 31_000),
    ],
)
def test_points_lie_along_epochs_steps_or_milliseconds(axis: Axis, ends: list[float], now: float) -> None:
    points = curve_points(history_of(3), progress_of(4, 5), "loss", 10, 3, CurveView(axis))
    line = part(points, "epoch")
    assert line[line["series"] == "Training"]["x"].tolist() == ends
    assert part(points, "best")["x"].tolist() == ends[-1:]
    assert part(points, "within")["x"].tolist() == [now]
    assert rate_points(history_of(3), 10, axis)["x"].tolist() == ends


def test_what_is_no_number_or_has_no_logarithm_is_not_drawn() -> None:
    history = history_of(4).assign(loss=[2.0, np.inf, 0.0, 1.0], val_loss=[1.0, 1.0, 1.0, np.nan])
    shown = {
        log: curve_points(history, progress_of(5), "loss", 10, 3, CurveView(log_loss=log)) for log in (False, True)
    }
    for log, epochs in ((False, [1, 3, 4]), (True, [1, 4])):
        line = part(shown[log], "epoch")
        assert line[line["series"] == "Training"]["epoch"].tolist() == epochs
        assert line[line["series"] == "Validation"]["epoch"].tolist() == [1, 2, 3]


def test_only_the_loss_takes_a_logarithmic_scale() -> None:
    view = CurveView(log_loss=True)
    assert curve_chart("loss", view)["encoding"]["y"]["scale"]["type"] == "log"
    assert curve_chart("accuracy", view) == curve_chart("accuracy")


def test_the_best_epoch_survives_thinning() -> None:
    best = part(curve_points(history_of(5_000), progress_of(1), "loss", batches=10, best_epoch=3), "best")
    assert best["epoch"].tolist() == [3.0]


def test_a_model_without_a_learning_rate_has_no_rate_to_draw() -> None:
    assert len(rate_points(history_of(3))) == 3
    assert rate_points(history_of(3).assign(learning_rate=float("nan"))).empty


@pytest.mark.parametrize("axis", list(Axis))
@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_the_chart_draws_the_columns_and_parts_that_the_points_have(metric: str, axis: Axis) -> None:
    view = CurveView(axis, smoothing=0.5)
    points, chart = curve_points(history_of(3), progress_of(4, 5), metric, 10, 3, view), curve_chart(metric, view)
    assert {channel["field"] for channel in chart["encoding"].values()} <= set(points.columns)
    assert {shown["field"] for shown in chart["layer"][-1]["encoding"]["tooltip"]} <= set(points.columns)
    filters = {layer["transform"][0]["filter"] for layer in chart["layer"]}
    assert filters == {f"datum.part == '{name}'" for name in set(points["part"])}
    assert rate_chart(axis)["encoding"]["x"] == chart["encoding"]["x"]


def test_colours_belong_to_names_whatever_is_drawn() -> None:
    scale = curve_chart("loss")["encoding"]["color"]["scale"]
    assert scale["domain"] == ["Training", "Validation"]
    assert len(set(scale["range"])) == 2


def test_the_zoom_is_bound_to_the_scales_of_a_layer_that_exists() -> None:
    (zoom,) = curve_chart("loss")["params"]
    assert (zoom["name"], zoom["bind"]) == (ZOOM, "scales")
    assert zoom["views"] == [layer["name"] for layer in curve_chart("loss")["layer"] if "name" in layer]


@pytest.mark.parametrize(
    ("preset", "rotation", "why"),
    [("dense-2", 10, "on changed faces"), ("dense-2", 0, "with dropout"), ("cnn-small", 0, "with dropout")],
)
def test_why_training_accuracy_is_lower_is_said_once(preset: str, rotation: int, why: str) -> None:
    words = how_measured(with_settings(find_preset(preset).config, {"augmentation": {"rotation": rotation}}))
    assert words == f"Training accuracy is measured {why}, so it may lie below validation."


def test_averaged_weights_are_said_to_be_those_of_validation_alone() -> None:
    (words, plain) = (
        how_measured(with_settings(find_preset("cnn-small").config, {"training.weight_average": momentum}))
        for momentum in (0.999, None)
    )
    assert words.removesuffix(plain) == (
        "Training is measured with the weights as they move, validation with their average. "
    )


@pytest.mark.parametrize(
    ("preset", "changes", "named"),
    [
        ("dense-5", {}, ""),
        (
            "dense-5",
            {"training.class_weights": "balanced"},
            "training loss alone is measured with class weights.",
        ),
        ("cnn", {"training.label_smoothing": 0.1, "training.mixup": 0.2}, "label smoothing, mixup"),
        ("cnn", {"training.teachers": ["a-run"]}, "teachers"),
        ("sgd", {"training.class_weights": "balanced"}, ""),
    ],
)
def test_what_makes_training_loss_another_quantity_is_named(preset: str, changes: dict[str, object], named: str):
    words = how_measured(with_settings(find_preset(preset).config, changes))
    assert named in words
    assert ("Do not compare the two losses" in words) == bool(named)
