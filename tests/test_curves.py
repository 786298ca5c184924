"""The points of the live curves."""

import pandas as pd
import pytest

from emotion_core.runs import HISTORY_COLUMNS, PROGRESS_COLUMNS
from ui.curves import FEW_EPOCHS, MAX_POINTS, curve_chart, curve_points, rate_points, thinned


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
    assert points["epoch"].tolist() == [0.2, 0.5, 1.0]
    assert set(points["series"]) == {"Training"}


def test_a_later_epoch_in_hand_goes_on_from_the_last_whole_one() -> None:
    within = part(curve_points(history_of(4), progress_of(5, 5), "loss", batches=10, best_epoch=3), "within")
    assert within["epoch"].tolist() == [4.5]


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


@pytest.mark.parametrize("epochs", [0, 1, MAX_POINTS, MAX_POINTS + 1, 7_777])
def test_a_long_history_is_thinned_and_keeps_its_end(epochs: int) -> None:
    kept = thinned(history_of(epochs))
    assert len(kept) == min(epochs, len(kept)) <= MAX_POINTS
    assert len(kept) >= min(epochs, MAX_POINTS // 2)
    assert kept["epoch"].tail(1).tolist() == ([epochs] if epochs else [])
    assert kept["epoch"].is_monotonic_increasing


def test_the_best_epoch_survives_thinning() -> None:
    best = part(curve_points(history_of(5_000), progress_of(1), "loss", batches=10, best_epoch=3), "best")
    assert best["epoch"].tolist() == [3.0]


def test_a_model_without_a_learning_rate_has_no_rate_to_draw() -> None:
    assert len(rate_points(history_of(3))) == 3
    assert rate_points(history_of(3).assign(learning_rate=float("nan"))).empty


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_the_chart_draws_the_columns_that_the_points_have(metric: str) -> None:
    points = curve_points(history_of(3), progress_of(4, 5), metric, batches=10, best_epoch=3)
    encoding = curve_chart(metric)["encoding"]
    assert {channel["field"] for channel in encoding.values()} <= set(points.columns)
    assert encoding["color"]["scale"]["domain"] == ["Training", "Validation"]
    filters = {layer["transform"][0]["filter"] for layer in curve_chart(metric)["layer"]}
    assert filters == {f"datum.part == '{name}'" for name in set(points["part"])}
