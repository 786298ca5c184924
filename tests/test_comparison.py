"""Runs side by side, against values reckoned by hand."""

import math
from dataclasses import replace

import pytest

from emotion_core.comparison import (
    MISSING,
    Difference,
    Filter,
    Order,
    RunGroup,
    Statistic,
    Verdict,
    added_confusion,
    best_of_each_family,
    difference,
    differing_settings,
    group_runs,
    in_order,
    recalls,
    single_runs,
    standard_error,
)
from emotion_core.config import SAMPLE_NAME, RunConfig, with_settings
from emotion_core.coursework import coursework_runs
from emotion_core.emotions import EMOTIONS
from emotion_core.evaluation import ClassScores, Evaluation
from emotion_core.presets import PRESETS, find_preset
from emotion_core.runs import Runs, RunSummary, State, summarise


def line(
    run_id: str = "a", *, seed: int = 42, accuracy: float | None = 0.4, state: State = State.FINISHED, **more: object
) -> RunSummary:
    """A run's line; one with an accuracy was scored."""
    values = {"name": run_id, "settings": "same", "epoch": 100, "epochs": 100, "data": "faces.csv", "family": "dense"}
    scores = {"val_accuracy": accuracy, "macro_f1": accuracy}
    return RunSummary(id=run_id, seed=seed, state=state, **values | scores | more)  # type: ignore[arg-type]


def group(*accuracies: float, key: str = "same", **more: object) -> RunGroup:
    """A group with a run per accuracy."""
    lines = [
        line(f"{key}{seed}", seed=seed, accuracy=accuracy, settings=key, **more)
        for seed, accuracy in enumerate(accuracies)
    ]
    (only,) = group_runs(lines)
    return only


# --- statistics ----------------------------------------------------------------------------------------------------


def test_a_statistic_is_mean_and_sample_deviation() -> None:
    known = Statistic.of([0.2, 0.4, None, 0.6])
    assert known is not None
    assert known.count == 3
    assert known.mean == pytest.approx(0.4)
    assert known.deviation == pytest.approx(0.2)  # sqrt((0.04 + 0 + 0.04) / (3 - 1))


def test_a_single_value_has_no_deviation() -> None:
    assert Statistic.of([0.25]) == Statistic(1, 0.25, None)


def test_no_value_has_no_statistic() -> None:
    assert Statistic.of([None, None]) is None


def test_the_standard_error_is_that_of_welch() -> None:
    one, other = Statistic(2, 0.5, 0.03), Statistic(4, 0.4, 0.08)
    assert standard_error(one, other) == pytest.approx(math.sqrt(0.0009 / 2 + 0.0064 / 4))


# --- groups --------------------------------------------------------------------------------------------------------


def test_runs_with_the_same_settings_are_one_group_and_others_are_not() -> None:
    lines = [line("c", settings="other"), line("b", seed=43, accuracy=0.5), line("a", accuracy=0.4)]
    other, same = group_runs(lines)
    assert [run.id for run in other.lines] == ["c"]
    assert [run.id for run in same.lines] == ["b", "a"]
    assert same.mean("val_accuracy") == pytest.approx(0.45)
    assert same.seeds == (42, 43)
    assert same.best.id == "b"


def test_damaged_runs_are_each_by_themselves() -> None:
    damaged = [line(run_id, state=State.DAMAGED, accuracy=None, settings="") for run_id in "ab"]
    assert [known.key for known in group_runs(damaged)] == ["a", "b"]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.STOPPING, State.FAILED, State.INTERRUPTED])
def test_only_finished_and_stopped_runs_enter_the_means(state: State) -> None:
    (known,) = group_runs([line("c", seed=44, accuracy=0.9, state=state), line("b", seed=43), line("a")])
    assert [run.id for run in known.counted] == ["b", "a"]
    assert known.mean("val_accuracy") == pytest.approx(0.4)
    assert known.states == (state, State.FINISHED)


def test_a_stopped_run_enters_the_means_once_it_is_scored() -> None:
    scored, unscored = line("a", state=State.STOPPED), replace(line("b", state=State.STOPPED), macro_f1=None)
    assert group_runs([scored])[0].counted == (scored,)
    assert group_runs([unscored])[0].counted == ()
    assert group_runs([unscored])[0].mean("val_accuracy") is None


def test_a_seed_counts_once_the_finished_run_before_the_newer_stopped_one() -> None:
    stopped, newer, older = line("c", state=State.STOPPED, accuracy=0.1), line("b", accuracy=0.5), line("a")
    (known,) = group_runs([stopped, newer, older])
    assert known.counted == (newer,)
    assert len(known.lines) == 3


def test_of_a_group_the_run_of_highest_accuracy_stands_for_it() -> None:
    assert group(0.3, 0.5, 0.4).best.val_accuracy == 0.5
    waiting = line("a", state=State.QUEUED, accuracy=None)
    assert group_runs([waiting])[0].best == waiting


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([State.FINISHED, State.RUNNING], State.RUNNING),
        ([State.FINISHED, State.STOPPED], State.STOPPED),
        ([State.FAILED, State.FINISHED], State.FINISHED),
        ([State.INTERRUPTED, State.FAILED], State.INTERRUPTED),
    ],
)
def test_a_group_stands_as_a_run_in_hand_then_as_those_that_are_counted(states: list[State], state: State) -> None:
    scores = {State.FINISHED: 0.4, State.STOPPED: 0.4}
    lines = [line(each, seed=seed, state=each, accuracy=scores.get(each)) for seed, each in enumerate(states)]
    assert group_runs(lines)[0].state is state


def test_a_test_score_is_averaged_over_the_runs_that_have_one() -> None:
    (known,) = group_runs([line("b", seed=43, test_accuracy=0.3), line("a")])
    assert known.statistic("test_accuracy") == Statistic(1, 0.3)
    assert known.statistic("val_accuracy") == Statistic(2, 0.4, 0.0)


def test_single_runs_show_what_they_have_so_far() -> None:
    (known,) = single_runs([line("a", state=State.RUNNING, accuracy=0.3)])
    assert known.mean("val_accuracy") == 0.3


@pytest.mark.parametrize(
    ("names", "preset", "name"),
    [
        (["Dense 2: dropout · seed 43", "Dense 2: dropout · seed 42"], "dense-2", "Dense 2: dropout"),
        (["dense-5", "dense-5"], "dense-5", "Dense 5: L2, batch norm"),
        (["For the lecture"], "dense-5", "For the lecture"),
        (["Wide net · seed 42", "Wide net · seed 43"], "", "Wide net"),
        (["Wide net (seed 42)", "Wide net (seed 43)"], "", "Wide net"),
        (["Net 5", "Net 5 again"], "", "Net 5"),
        (["Seed 42", "Seed 43"], "", "Seed 42"),
        (["Twice", "Twice"], "", "Twice"),
        (["One", "Other"], "", "One"),
    ],
)  # fmt: skip
def test_a_group_has_its_preset_s_title_or_what_its_names_have_in_common(
    names: list[str], preset: str, name: str
) -> None:
    lines = [line(str(number), seed=number, name=text) for number, text in enumerate(names)]
    lines = [replace(known, preset=preset, as_preset=bool(preset)) for known in lines]
    assert group_runs(lines)[0].name == name


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([(State.FINISHED, 63, 100)], "63"),
        ([(State.FINISHED, 100, 100), (State.FINISHED, 57, 100)], "57–100"),
        ([(State.STOPPED, 7, 200)], "7 of 200"),
        ([(State.FINISHED, 200, 200), (State.STOPPED, 7, 200)], "7–200 of 200"),
        ([(State.QUEUED, 0, 200)], ""),
    ],
)
def test_epochs_say_of_how_many_where_a_run_did_not_come_to_its_end(
    runs: list[tuple[State, int, int]], said: str
) -> None:
    lines = [
        line(str(seed), seed=seed, state=state, epoch=epoch, epochs=epochs)
        for seed, (state, epoch, epochs) in enumerate(runs)
    ]
    assert group_runs(lines)[0].epochs == said


def test_a_running_run_says_how_far_it_is() -> None:
    (known,) = group_runs([line("a", state=State.RUNNING, accuracy=None, epoch=7, epochs=200)])
    assert known.epochs == "7 of 200"


# --- the coursework ------------------------------------------------------------------------------------------------


def summary_of(runs: Runs, config: RunConfig) -> RunSummary:
    return summarise(runs.create(config))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_on_other_data_with_another_seed_name_and_device_is_as_it_is(runs_folder, preset: str) -> None:
    data = {"data.source": "faces.csv", "data.drop_incomplete": True}
    changes = {**data, "training.seed": 7, "name": "Mine", "device.kind": "cpu"}
    assert summary_of(Runs(runs_folder), with_settings(find_preset(preset).config, changes)).as_preset


@pytest.mark.parametrize(
    ("path", "value"),
    [("training.epochs", 99), ("model.dropout", 0.1), ("augmentation.rotation", 0), ("data.split.kind", "usage")],
)
def test_a_preset_with_another_setting_is_not_as_it_is(runs_folder, path: str, value: object) -> None:
    config = with_settings(find_preset("dense-5").config, {path: value})
    assert not summary_of(Runs(runs_folder), config).as_preset


def test_the_coursework_s_figures_are_those_of_its_unchanged_presets_on_real_faces(runs_folder) -> None:
    def reported(**changes: object) -> object:
        run = summary_of(Runs(runs_folder), with_settings(find_preset("dense-5").config, changes))
        return group_runs([run])[0].reported

    known = reported(**{"data.source": "faces.csv"})
    assert known is not None
    assert known.compared == pytest.approx((0.4179 + 0.4186) / 2)
    assert reported(**{"data.source": "sample"}) is None
    assert reported(**{"data.source": "faces.csv", "training.epochs": 5}) is None


def test_a_run_that_was_merely_stopped_early_is_still_the_preset(runs_folder) -> None:
    run = Runs(runs_folder).create(with_settings(find_preset("cnn").config, {"data.source": "faces.csv"}))
    run.record(state=State.STOPPED, epoch=7)
    (known,) = group_runs([summarise(run)])
    assert known.reported is not None
    assert known.epochs == "7 of 200"


def test_a_preset_without_figures_has_none() -> None:
    assert group_runs([line("a", preset="dense-1", as_preset=True)])[0].reported is None


def test_every_run_of_the_coursework_s_table_is_its_preset(runs_folder) -> None:
    lines = [summary_of(Runs(runs_folder), config) for config in coursework_runs(("sgd", "cnn"))]
    groups = group_runs(lines)
    assert [(known.name, len(known.lines)) for known in groups] == [("Linear baseline", 3), ("Coursework CNN", 2)]


# --- differences ---------------------------------------------------------------------------------------------------


def test_a_difference_above_two_standard_errors_is_clear() -> None:
    one, other = group(0.50, 0.52), group(0.40, 0.42, key="other")
    found = difference(one, other)
    assert found is not None
    assert found.value == pytest.approx(0.10)
    assert found.verdict is Verdict.CLEAR


def test_a_difference_within_two_standard_errors_is_within_the_spread() -> None:
    # Deviations of sqrt(0.0002) with two seeds each: a standard error of sqrt(0.0002) = 0.01414, twice that 0.02828.
    baseline = group(0.40, 0.42, key="other")
    within, clear = difference(group(0.428, 0.448), baseline), difference(group(0.429, 0.449), baseline)
    assert within is not None
    assert clear is not None
    assert (within.verdict, clear.verdict) == (Verdict.WITHIN, Verdict.CLEAR)
    assert within.value == pytest.approx(0.028)


@pytest.mark.parametrize("sides", [((0.5,), (0.4, 0.41)), ((0.5, 0.51), (0.4,))])
def test_one_seed_on_either_side_leaves_the_spread_unknown(sides: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    found = difference(group(*sides[0]), group(*sides[1], key="other"))
    assert found is not None
    assert found.verdict is Verdict.ONE_SEED
    assert found.value is not None


def test_the_baseline_differs_by_nothing_from_itself() -> None:
    found = difference(group(0.4, 0.5), group(0.4, 0.5))
    assert found is not None
    assert (found.value, found.verdict) == (None, Verdict.BASELINE)


def test_equal_scores_of_two_and_of_three_seeds_do_not_differ() -> None:
    share = 1 / 2900
    found = difference(group(share, share), group(share, share, share, key="other"))
    assert found is not None
    assert found.verdict is Verdict.WITHIN


def test_drawn_and_real_faces_are_not_compared() -> None:
    found = difference(group(0.9, 0.91, data=SAMPLE_NAME), group(0.4, 0.41, key="other"))
    assert found is not None
    assert (found.value, found.verdict) == (None, Verdict.OTHER_FACES)


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [("a" * 32, "b" * 32, Verdict.OTHER_FACES), ("a" * 32, "a" * 32, Verdict.CLEAR), ("a" * 32, "", Verdict.CLEAR)],
)
def test_scores_on_other_data_are_not_compared_as_far_as_the_data_are_known(ours, theirs, verdict) -> None:
    found = difference(group(0.9, 0.91, data_digest=ours), group(0.4, 0.41, key="other", data_digest=theirs))
    assert found is not None
    assert found.verdict is verdict


def test_test_scores_are_averaged_and_compared_on_one_file_only() -> None:
    scored = [line("a", seed=1, test_accuracy=0.43, test_data="test.csv")]
    scored += [line("b", seed=2, test_accuracy=0.15, test_data="other.csv")]
    (mixed,) = group_runs(scored)
    assert mixed.statistic("test_accuracy") == Statistic(1, 0.43)
    elsewhere = group(0.4, key="other", test_accuracy=0.5, test_data="other.csv")
    found = difference(mixed, elsewhere, "test_accuracy")
    assert found is not None
    assert found.verdict is Verdict.OTHER_FACES


def test_a_run_of_the_baseline_shown_by_itself_is_part_of_it() -> None:
    baseline = group(0.4, 0.5)
    assert [difference(alone, baseline) for alone in single_runs(baseline.lines)] == [
        Difference(None, Verdict.BASELINE)
    ] * 2


def test_what_has_no_score_has_no_difference() -> None:
    (unscored,) = group_runs([line("a", accuracy=None, settings="unscored")])
    assert difference(unscored, group(0.4)) is None
    assert difference(group(0.4), unscored) is None
    assert difference(group(0.4), group(0.5, key="other"), "test_accuracy") is None


# --- finding and ordering ------------------------------------------------------------------------------------------


FOUND = line(
    "20260101-cnn", name="Lecture three", family="cnn", preset="cnn", data="faces.csv", tags=("keep", "best"),
    notes="Blurred on purpose",
)  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter("lecture THREE"),
        Filter("20260101"),
        Filter("blurred keep"),
        Filter("coursework"),  # of the preset's title
        Filter(families=frozenset({"cnn", "gru"})),
        Filter(presets=frozenset({"cnn"}), states=frozenset({"finished"})),
        Filter(data=frozenset({"faces.csv"}), tags=frozenset({"best", "worst"})),
    ],
)
def test_a_filter_finds_runs_by_words_and_values(wanted: Filter) -> None:
    assert wanted.matches(FOUND)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter("lecture four"),
        Filter(families=frozenset({"dense"})),
        Filter(presets=frozenset({"cnn"}), states=frozenset({"failed"})),
        Filter(tags=frozenset({"worst"})),
        Filter(data=frozenset({"sample"})),
    ],
)
def test_a_filter_leaves_out_what_lacks_one_of_them(wanted: Filter) -> None:
    assert not wanted.matches(FOUND)


def test_a_filter_leaves_groups_whole() -> None:
    groups = group_runs([line("b", seed=43, accuracy=0.5), line("a"), line("c", settings="other")])
    (found,) = Filter("b").of(groups)
    assert [run.id for run in found.lines] == ["b", "a"]


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        (Order.VALIDATION, "bac"),
        (Order.TEST, "acb"),
        (Order.PARAMETERS, "cba"),
        (Order.SECONDS, "acb"),
        (Order.NAME, "acb"),
        (Order.NEWEST, "cba"),
    ],
)
def test_rows_are_ordered_and_those_without_the_figure_come_last(order: Order, keys: str) -> None:
    lines = [
        line("a", settings="a", accuracy=0.4, test_accuracy=0.5, parameters=9, seconds=1.0, submitted=1.0),
        line("b", settings="b", accuracy=0.5, parameters=8, name="x", submitted=2.0),
        line("c", settings="c", accuracy=None, parameters=7, name="C", submitted=3.0),
    ]
    lines[2] = replace(lines[2], macro_f1=0.1)
    groups = group_runs(lines)
    assert "".join(known.key for known in in_order(groups, order)) == keys


def test_runs_that_were_submitted_at_once_stand_as_they_were_queued_the_last_first() -> None:
    groups = group_runs(line(key, settings=key, submitted=1.0, sequence=place) for place, key in enumerate("abc"))
    assert "".join(known.key for known in in_order(groups, Order.NEWEST)) == "cba"


def test_the_best_of_each_family_are_those_of_highest_accuracy() -> None:
    groups = [
        group(0.2, key="a", family="linear"),
        group(0.4, key="b"),
        group(0.5, key="c"),
        *group_runs([line("d", accuracy=None, settings="d", family="gru")]),
    ]
    assert [known.key for known in best_of_each_family(groups)] == ["c", "a"]


# --- settings ------------------------------------------------------------------------------------------------------


def test_only_settings_that_differ_are_listed() -> None:
    one, other = find_preset("dense-4").config, find_preset("dense-5").config
    assert differing_settings([one, other], [(42, 43), (42, 43)]) == {
        ("preset",): ["dense-4", "dense-5"],
        ("model", "regularizer"): ["l1", "l2"],
    }


def test_names_are_no_settings_and_seeds_are_those_given() -> None:
    config = find_preset("dense-5").config
    other = with_settings(config, {"name": "Mine"})
    assert differing_settings([config, other], [(42, 43), (42,)]) == {("training", "seed"): [[42, 43], [42]]}
    assert differing_settings([config, other], [(42,), (42,)]) == {}


def test_a_schedule_of_another_kind_is_one_setting_and_one_of_the_same_kind_is_not() -> None:
    config = find_preset("dense-5").config
    faster = with_settings(config, {"training.schedule.rate": 0.01})
    other = with_settings(config, {"training.schedule.kind": "plateau"})
    seeds = [(42,), (42,)]
    assert differing_settings([config, faster], seeds) == {("training", "schedule", "rate"): [1e-4, 0.01]}
    assert list(differing_settings([config, other], seeds)) == [("training", "schedule")]


def test_of_two_devices_only_what_differs_is_listed() -> None:
    config = find_preset("dense-5").config
    other = with_settings(config, {"device.kind": "cpu"})
    assert differing_settings([config, other], [(42,), (42,)]) == {("device", "kind"): ["auto", "cpu"]}


def test_a_setting_that_only_one_model_has_is_missing_in_the_other() -> None:
    found = differing_settings([find_preset("dense-5").config, find_preset("cnn").config], [(42,), (42,)])
    assert found["model", "hidden_layers"] == [5, MISSING]
    assert found["model", "family"] == ["dense", "cnn"]


def test_settings_that_a_model_has_no_use_for_are_missing_in_it() -> None:
    linear, network = find_preset("sgd").config, find_preset("residual").config
    found = differing_settings([linear, network], [(42,), (42,)])
    for path, (of_linear, _) in found.items():
        if path[0] == "augmentation" or path[:2] in (("training", "optimizer"), ("training", "schedule")):
            assert of_linear is MISSING, path
    assert found["training", "batch_size"] == [MISSING, network.training.batch_size]
    untaught = with_settings(network, {"training.teacher_share": 0.5})
    assert differing_settings([network, untaught], [(42,), (42,)]) == {}


# --- scores by emotion ---------------------------------------------------------------------------------------------


def scores(recall: float, cell: int) -> Evaluation:
    return Evaluation(
        images=7,
        accuracy=recall,
        macro_f1=recall,
        loss=1.0,
        per_class={name: ClassScores(precision=0, recall=recall, f1=0, support=1) for name in EMOTIONS},
        confusion=[[cell + (true == taken) for taken in range(7)] for true in range(7)],
    )


def test_recalls_are_averaged_over_runs() -> None:
    found = recalls([scores(0.2, 0), scores(0.4, 0)])
    assert tuple(found) == EMOTIONS
    assert found["Fear"].mean == pytest.approx(0.3)
    assert found["Fear"].deviation == pytest.approx(math.sqrt(0.02))


def test_confusion_of_several_runs_is_added_up() -> None:
    confusion = added_confusion([scores(0.2, 1), scores(0.4, 10)])
    assert confusion[0][:2] == [13, 11]
    assert confusion[6][6] == 13
