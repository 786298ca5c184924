import itertools

import numpy as np
import pytest

from emotion_core.config import ConstantRate, CosineRate, ExponentialRate, OneCycleRate, PlateauRate, StepRate
from emotion_core.schedules import SameSide, progressive_sides, tabulate


def rate_at(schedule, step, *, epochs=100, steps_per_epoch=10):
    table = tabulate(schedule, epochs, steps_per_epoch)
    return table.rates[min(step // table.steps_each, len(table.rates) - 1)]


@pytest.mark.parametrize(
    ("schedule", "epoch", "expected"),
    [
        (ConstantRate(rate=0.02), 0, 0.02),
        (ConstantRate(rate=0.02), 99, 0.02),
        (PlateauRate(rate=0.03), 50, 0.03),
        (ExponentialRate(rate=1e-4, decay=0.95), 0, 1e-4),
        (ExponentialRate(rate=1e-4, decay=0.95), 1, 0.95e-4),
        (ExponentialRate(rate=1e-4, decay=0.95), 99, 1e-4 * 0.95**99),
        (StepRate(rate=1e-4, factor=0.5, every=10), 8, 1e-4),
        (StepRate(rate=1e-4, factor=0.5, every=10), 9, 0.5e-4),
        (StepRate(rate=1e-4, factor=0.5, every=10), 19, 0.25e-4),
    ],
)
def test_rates_by_epoch_follow_their_formula(schedule, epoch, expected):
    assert rate_at(schedule, 10 * epoch) == pytest.approx(expected, rel=1e-6)
    assert rate_at(schedule, 10 * epoch + 9) == pytest.approx(expected, rel=1e-6)


COURSEWORK_CYCLE = OneCycleRate(start=0.001, peak=0.01, end=1e-7, iterations=81_600, last_iterations=9_063)
HALF = (81_600 - 9_063) // 2


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.001),
        (HALF // 2, 0.0055),
        (HALF, 0.01),
        (HALF + HALF // 2, 0.0055),
        (2 * HALF, 0.001),
        (2 * HALF + 9_064 // 2, 0.0005),
        (10**6, 0.0),
    ],
)
def test_one_cycle_of_the_coursework_passes_its_corners(step, expected):
    assert rate_at(COURSEWORK_CYCLE, step, epochs=100, steps_per_epoch=807) == pytest.approx(expected, abs=1e-6)


def test_one_cycle_without_a_length_spans_the_run():
    table = tabulate(OneCycleRate(start=0.1, peak=1.0, end=0.001), epochs=9, steps_per_epoch=10)
    assert len(table.rates) == 90
    assert table.rates.argmax() == 40
    assert table.rates.max() == pytest.approx(1.0)
    assert table.rates[-1] == pytest.approx(0.001, abs=0.02)
    assert (np.diff(table.rates[:41]) > 0).all()
    assert (np.diff(table.rates[40:]) < 0).all()


def test_one_cycle_whose_descent_is_longer_than_the_run_is_all_descent():
    table = tabulate(OneCycleRate(start=0.1, peak=1.0, end=0.001, last_iterations=9_063), epochs=1, steps_per_epoch=10)
    assert table.rates == pytest.approx(np.linspace(0.1, 0.001, 11)[:10])


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.01),
        (250, 0.001 + 0.009 * (1 + np.cos(np.pi / 4)) / 2),
        (500, 0.0055),
        (999, 0.001),
        (5_000, 0.001),
    ],
)
def test_cosine_falls_from_the_rate_to_the_end(step, expected):
    schedule = CosineRate(rate=0.01, end=0.001)
    assert rate_at(schedule, step, epochs=100, steps_per_epoch=10) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.01 / 201),
        (99, 0.01 * 100 / 201),
        (199, 0.01 * 200 / 201),
        (200, 0.01),
        (600, 0.0055),
        (999, 0.001),
    ],
)
def test_cosine_may_rise_before_it_falls(step, expected):
    schedule = CosineRate(rate=0.01, end=0.001, warmup=0.2)
    assert rate_at(schedule, step, epochs=100, steps_per_epoch=10) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("first_side", "epochs", "expected"),
    [
        (None, 7, [(0, 7, 48)]),
        (48, 7, [(0, 7, 48)]),
        (32, 60, [(0, 15, 32), (15, 30, 40), (30, 60, 48)]),
        (20, 8, [(0, 1, 20), (1, 2, 28), (2, 3, 36), (3, 4, 44), (4, 8, 48)]),
        (24, 1, [(0, 1, 48)]),
    ],
)
def test_images_grow_to_48_over_the_first_half(first_side, epochs, expected):
    assert progressive_sides(first_side, epochs) == [SameSide(*part) for part in expected]


@pytest.mark.parametrize("first_side", [None, *range(16, 49)])
@pytest.mark.parametrize("epochs", [1, 2, 3, 5, 50])
def test_every_epoch_has_one_side_and_the_last_has_48(first_side, epochs):
    parts = progressive_sides(first_side, epochs)
    assert [epoch for part in parts for epoch in range(part.first, part.end)] == list(range(epochs))
    assert parts[-1].side == 48
    assert all(a.side < b.side for a, b in itertools.pairwise(parts))
