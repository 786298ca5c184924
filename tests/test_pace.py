"""How long runs are expected to take: work reckoned by hand, paces measured on this machine, and how it is said."""

import platform
import re
import time
from pathlib import Path

import pytest

from emotion_core import pace
from emotion_core.config import RunConfig, with_settings
from emotion_core.dataset import load_dataset
from emotion_core.hardware import this_machine
from emotion_core.models.counts import count_operations
from emotion_core.pace import (
    Workload,
    as_rough_duration,
    core_speed,
    expect,
    jobs_of,
    measured_paces,
    say,
)
from emotion_core.presets import find_preset
from emotion_core.recorder import Recorder
from emotion_core.runs import Run, Runs
from tests.conftest import history_row


def config_of(preset: str, **settings: object) -> RunConfig:
    return with_settings(
        find_preset(preset).config, {path.replace("__", "."): value for path, value in settings.items()}
    )


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def reference_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand on the machine on which the constants were measured."""
    monkeypatch.setattr(pace, "core_speed", lambda: 80e9)
    monkeypatch.setattr(pace, "_cores", lambda: 2)


def computed(runs: Runs, preset: str, *, images: int = 1_000, epoch: int = 10, seconds: float = 50.0) -> Run:
    """Save a run that learnt from so many images in so many epochs and seconds on this machine."""
    run = runs.create(config_of(preset))
    Recorder(run, batches=20, images=images).training_begins("tensorflow", "CPU", 1)
    run.record(epoch=epoch, seconds=seconds)
    return run


# --- work ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "operations"),
    [
        ("sgd", 2_304 * 7),
        ("dense-1", 2_304 * 500 + 500 * 400 + 400 * 300 + 300 * 200 + 200 * 100 + 100 * 7),
        ("dense-single", 2_304 * 500 + 500 * 7),
        # Each row goes through three matrices of a GRU, from the row and from the state; then attention, and dense.
        ("gru-attention", 48 * 3 * 32 * (48 + 32) + 48 * 3 * 128 * (32 + 128) + 48 * (128 * 160 + 160 + 128) + 128 * 160
         + 128 * 128 + 128 * 128 + 128 * 160 + 160 * 7),
        # Side, kernel and channels of each convolution; the features left are 6 x 6 x 256.
        ("cnn", 48**2 * (49 * 64 + 9 * 64 * 64) + 24**2 * 9 * 128 * (64 + 128) + 12**2 * 9 * 256 * (128 + 256)
         + 2 * 6**2 * 9 * 256 * 256 + 9_216 * 500 + 500 * 400 + 400 * 300 + 300 * 7),
        ("cnn-small", 48**2 * 25 * 32 + 24**2 * 9 * 64 * (32 + 64) + 12**2 * 9 * 128 * (64 + 128)
         + 6**2 * 9 * 128 * (128 + 256) + 256 * 7),
        # Each stage's first convolution has the width before it, and a projection beside it; the others have its own.
        ("residual", 48**2 * 9 * 32 + 24**2 * (9 * 64 * (32 + 64) + 32 * 64) + 12**2 * (9 * 128 * (64 + 3 * 128)
         + 64 * 128) + 6**2 * (9 * 256 * (128 + 3 * 256) + 128 * 256) + 256 * 7),
    ],
)  # fmt: skip
def test_work_is_what_reckoning_by_hand_gives(preset: str, operations: int) -> None:
    assert count_operations(find_preset(preset).config.model) == operations


def test_a_side_that_cannot_be_halved_is_rounded_up() -> None:
    stages = [{"filters": 1, "blocks": 1}] * 5  # sides of 24, 12, 6, 3 and 2
    model = config_of("residual", model__stages=stages, model__stem_filters=1).model
    assert count_operations(model) == 48**2 * 9 + (24**2 + 12**2 + 6**2 + 3**2 + 2**2) * 2 * 9 + 7


def test_the_coursework_s_cnn_takes_0_39_billion_and_the_first_dense_network_1_55_million() -> None:
    assert count_operations(find_preset("cnn").config.model) == pytest.approx(0.39e9, rel=0.02)
    assert count_operations(find_preset("dense-1").config.model) == 1_552_700


# --- reckoned -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "batch_size", "images_per_second"),
    [
        ("sgd", 32, 35_000),
        ("dense-5", 32, 3_850),
        ("dense-5", 256, 17_000),
        ("gru-attention", 32, 950),
        ("cnn", 64, 122),
        ("cnn-small", 64, 507),
        ("residual", 64, 150),  # 118 whole faces; on the average of its epochs an image has 79 % of one's pixels
    ],
)
def test_on_the_reference_machine_the_reckoning_comes_near_what_was_measured(
    reference_machine: None, preset: str, batch_size: int, images_per_second: float
) -> None:
    config = config_of(preset, training__batch_size=batch_size)
    expected = expect([(config, 1_000)], {})
    assert expected
    assert not expected.measured
    assert config.training.epochs * 1_000 / expected.seconds == pytest.approx(images_per_second, rel=0.25)


@pytest.mark.parametrize(("preset", "images_per_second"), [("residual", 126), ("dense-5", 515)])
def test_a_teacher_s_answers_are_reckoned_in_and_runs_with_one_are_measured_apart(
    reference_machine: None, preset: str, images_per_second: float
) -> None:
    alone, taught = config_of(preset), config_of(preset, training__teachers=["20261123-035641"])
    reckoned = expect([(taught, 1_000)], {})
    assert reckoned
    assert taught.training.epochs * 1_000 / reckoned.seconds == pytest.approx(images_per_second, rel=0.1)
    measured = {Workload.of(taught, has_gpu=False): 100.0}
    known = [expect([(config, 1_000)], measured) for config in (alone, taught)]
    assert [found and found.measured for found in known] == [False, True]


def test_epochs_images_and_runs_add_up(reference_machine: None) -> None:
    config = config_of("dense-5", training__epochs=10)
    single = expect([(config, 1_000)], {})
    many = expect([(config, 1_000), (config_of("dense-5", training__epochs=20), 3_000)], {})
    assert single
    assert many
    assert many.seconds == pytest.approx(single.seconds * (1 + 2 * 3))


def test_twice_the_cores_halve_a_cnn_and_leave_what_keeps_no_more_busy(
    reference_machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(preset: str, cores: int) -> float:
        monkeypatch.setattr(pace, "_cores", lambda: cores)
        expected = expect([(config_of(preset), 1_000)], {})
        assert expected
        return expected.seconds

    assert seconds("cnn", 4) == pytest.approx(seconds("cnn", 2) / 2)
    assert seconds("gru-attention", 4) == seconds("gru-attention", 2)


def test_this_processor_is_measured_once_and_in_a_moment() -> None:
    core_speed.cache_clear()
    began = time.thread_time()
    first = core_speed()
    assert time.thread_time() - began < 0.2
    assert 1e8 < first < 1e13
    assert core_speed() == first


# --- measured -----------------------------------------------------------------------------------------------------


def test_a_run_like_one_that_was_computed_here_takes_as_long(runs: Runs) -> None:
    computed(runs, "dense-5", images=1_000, epoch=10, seconds=50)  # 200 images a second
    expected = expect([(config_of("dense-5"), 4_000)], measured_paces(runs))
    assert expected
    assert expected.measured
    assert expected.seconds == pytest.approx(100 * 4_000 / 200)


def test_the_first_epoch_in_which_a_network_is_compiled_does_not_count(runs: Runs) -> None:
    run = computed(runs, "dense-5", images=1_000, epoch=3, seconds=40)
    for epoch, seconds in ((1, 30.0), (2, 5.0), (3, 5.0)):
        run.append_history(history_row(epoch, 3) | {"seconds": seconds})
    workload = Workload.of(config_of("dense-5"), has_gpu=False)
    assert measured_paces(runs)[workload] == pytest.approx(1_000 / 5)


def test_epochs_on_small_images_do_not_pass_for_epochs_on_whole_faces(runs: Runs) -> None:
    run = computed(runs, "residual", images=1_000, epoch=3, seconds=50)
    run.record(epochs=8, batch=10)  # of 20; two epochs at 32 pixels, two at 40, four at 48
    for epoch, seconds in ((1, 30.0), (2, 4.0), (3, 10.0)):
        run.append_history(history_row(epoch, 8) | {"seconds": seconds})
    pixels = [32**2 / 48**2, 40**2 / 48**2]  # of the second epoch; of the third and the half of the fourth
    pace = (pixels[0] + 1.5 * pixels[1]) * 1_000 / (50 - 30)
    workload = Workload.of(config_of("residual"), has_gpu=False)
    assert measured_paces(runs)[workload] == pytest.approx(pace)
    growing, whole = config_of("residual", training__epochs=8), config_of("residual", training__first_side=None)
    expected = [expect([(config, 2_000)], {workload: 100.0}) for config in (growing, whole)]
    assert expected[0]
    assert expected[1]
    assert expected[0].seconds == pytest.approx((2 * pixels[0] + 2 * pixels[1] + 4) * 2_000 / 100)
    assert expected[1].seconds == pytest.approx(100 * 2_000 / 100)


def test_beside_a_gpu_the_size_of_the_images_takes_no_time(runs: Runs) -> None:
    computed(runs, "residual", images=1_000, epoch=100, seconds=20).record(device="GPU (fast)", epochs=100)
    expected = expect([(config_of("residual"), 1_000)], measured_paces(runs), has_gpu=True)
    assert expected
    assert expected.seconds == pytest.approx(20)


def test_what_computed_in_16_bits_tells_nothing_of_what_computes_in_32(runs: Runs, reference_machine: None) -> None:
    before = expect([(config_of("residual"), 1_000)], {})
    halved = Workload.of(config_of("residual", device__mixed_precision="on"), has_gpu=False)
    assert expect([(config_of("residual"), 1_000)], {halved: 1.0}) == before


def test_a_run_that_was_soon_ended_does_not_take_the_place_of_a_longer_one(runs: Runs) -> None:
    computed(runs, "dense-5", images=1_000, epoch=10, seconds=50)
    time.sleep(1.1)
    computed(runs, "dense-5", images=1_000, epoch=2, seconds=60)
    workload = Workload.of(config_of("dense-5"), has_gpu=False)
    assert measured_paces(runs)[workload] == pytest.approx(1_000 / 5)


def test_the_last_such_run_counts_and_the_epoch_in_hand_with_it(runs: Runs) -> None:
    computed(runs, "dense-5", epoch=1, seconds=25)
    time.sleep(1.1)  # ids tell runs apart by the second
    computed(runs, "dense-5", images=1_000, epoch=1, seconds=30).record(batch=10)  # of 20: one epoch and a half
    workload = Workload.of(config_of("dense-5"), has_gpu=False)
    assert measured_paces(runs)[workload] == pytest.approx(1_000 * 1.5 / 30)


def test_a_run_of_the_same_family_tells_how_fast_this_processor_is_with_it(runs: Runs, reference_machine: None) -> None:
    before, other = (expect([(config_of(preset), 1_000)], {}) for preset in ("dense-1", "cnn"))
    like = expect([(config_of("dense-5"), 1_000)], {})
    assert before
    assert other
    assert like
    computed(runs, "dense-5", images=1_000, epoch=100, seconds=3 * like.seconds)  # three times as slow as reckoned
    after, unchanged = (expect([(config_of(preset), 1_000)], measured_paces(runs)) for preset in ("dense-1", "cnn"))
    assert after
    assert not after.measured
    assert after.seconds == pytest.approx(3 * before.seconds)
    assert unchanged == other


def test_of_several_runs_of_a_family_the_last_one_tells(reference_machine: None) -> None:
    earlier, last = (Workload.of(config_of(preset), has_gpu=False) for preset in ("dense-single", "dense-2"))
    expected = expect([(config_of("dense-1", training__epochs=10), 1_000)], {earlier: 5.0, last: 400.0})
    assert expected
    assert expected.seconds == pytest.approx(10 * 1_000 / 400)  # as large as the last one, dropout aside


@pytest.mark.parametrize(
    "changes", [{"machine": "ffffffffffff"}, {"machine": ""}, {"epoch": 0}, {"images": 0}, {"seconds": 19.0}]
)
def test_runs_of_other_machines_and_those_that_computed_for_a_moment_measure_nothing(
    runs: Runs, changes: dict[str, object]
) -> None:
    computed(runs, "dense-5").record(**changes)
    assert measured_paces(runs) == {}


def test_a_damaged_run_measures_nothing_and_hinders_no_other(runs: Runs) -> None:
    run = computed(runs, "cnn")
    (run.folder / "status.json").write_text("{", encoding="utf-8")
    computed(runs, "sgd")
    assert [workload.model.family for workload in measured_paces(runs)] == ["linear"]


def test_a_linear_run_is_like_another_whatever_its_batches_and_device(runs: Runs) -> None:
    computed(runs, "sgd")
    config = config_of("sgd-misaligned", training__batch_size=64, device__kind="gpu")
    expected = expect([(config, 1_000)], measured_paces(runs), has_gpu=True)
    assert expected
    assert expected.measured


def test_this_machine_is_told_by_a_digest_that_does_not_name_it() -> None:
    assert re.fullmatch("[0-9a-f]{12}", this_machine())
    assert this_machine() == this_machine()
    assert platform.node() not in this_machine()


# --- with a GPU ---------------------------------------------------------------------------------------------------


def test_nothing_is_expected_of_a_gpu_that_has_computed_nothing_like_it(runs: Runs, reference_machine: None) -> None:
    computed(runs, "cnn")
    paces = measured_paces(runs)
    assert expect([(config_of("cnn"), 1_000)], paces, has_gpu=True) is None
    assert expect([(config_of("cnn", device__kind="cpu"), 1_000)], paces, has_gpu=True) is not None
    computed(runs, "dense-5", images=1_000, epoch=10, seconds=50)
    paces = measured_paces(runs)
    job = (config_of("dense-5", training__epochs=10), 12_000)
    assert say([job], paces, has_gpu=True) == "not measured on this GPU yet; up to 10 min on the processor"


def test_what_a_gpu_has_computed_tells_of_that_gpu_alone(runs: Runs, reference_machine: None) -> None:
    before = expect([(config_of("cnn"), 1_000)], {})
    computed(runs, "cnn", images=1_000, epoch=100, seconds=20).record(device="GPU (fast)")
    paces = measured_paces(runs)
    expected = expect([(config_of("cnn"), 1_000)], paces, has_gpu=True)
    assert expected
    assert expected.measured
    assert expected.seconds == pytest.approx(200 * 1_000 / 5_000)
    assert expect([(config_of("cnn"), 1_000)], paces) == before


# --- in words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "10 s"),
        (33, "30 s"),
        (59, "1 min"),
        (13 * 60 + 20, "13 min"),
        (37 * 60, "35 min"),
        (59.9 * 60, "1 h"),
        (100 * 60, "1 h 45 min"),
        (9.4 * 3_600, "9 h"),
        (23.9 * 3_600, "1 day"),
        (28 * 3_600, "1 day 6 h"),
        (9.7 * 86_400, "10 days"),
    ],
)
def test_a_duration_is_said_no_finer_than_it_is_known(seconds: float, text: str) -> None:
    assert as_rough_duration(seconds) == text


def test_early_stopping_makes_it_a_bound(runs: Runs) -> None:
    computed(runs, "dense-5", images=1_000, epoch=10, seconds=50)
    paces = measured_paces(runs)
    never = {"training__early_stopping_patience": None}
    assert say([(config_of("dense-5"), 1_000)], paces, has_gpu=False) == "up to 8 min"
    assert say([(config_of("dense-5", **never), 1_000)], paces, has_gpu=False) == "about 8 min"


def test_the_faces_that_train_are_counted_for_each_split(faces_csv: Path) -> None:
    configs = [config_of("sgd"), config_of("dense-5"), config_of("dense-5", data__split__count=5)]
    jobs = jobs_of(configs, load_dataset(faces_csv))  # 70 faces; a fifth of them validates at most
    assert jobs == [(configs[0], 56), (configs[1], 56), (configs[2], 65)]
