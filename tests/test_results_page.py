"""The page of results: groups over seeds, what is looked for, the baseline, and rows beside each other."""

import json
from pathlib import Path

import pytest
from conftest import save_finished_run, shown
from streamlit.testing.v1 import AppTest

from emotion_core.comparison import group_runs, single_runs
from emotion_core.config import SAMPLE_NAME, with_settings
from emotion_core.presets import find_preset
from emotion_core.runs import About, Run, Runs, State, summarise
from ui.compared import COLOURS, MOST_COMPARED, MOST_MATRICES
from ui.results_columns import COLUMNS
from ui.results_table import ROOM, usual_columns
from ui.results_view import View

RESULTS = "pages/compare_runs.py"
SECTIONS = ("Curves", "Recall by emotion", "Confusion", "Cost", "Settings")


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


def open_results(**parameters: str) -> AppTest:
    """Open the page as a link or a reload does, its address there from the first run on."""
    page = AppTest.from_file(str(Path(__file__).parent.parent / "app.py"), default_timeout=60)
    for name, value in parameters.items():
        page.query_params[name] = value
    return checked(page.switch_page(RESULTS).run())


def checked(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    assert page.title[0].value == "Results"
    return page


def said(page: AppTest) -> str:
    return "\n".join(shown(element.value) for kind in ("caption", "info", "markdown") for element in page.get(kind))


def drawn(page: AppTest) -> str:
    return "\n".join(element.value for element in page.html)


def names(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Run"])


def plots(page: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def seeds(runs: Runs, preset: str = "dense-5", count: int = 2, **settings: object) -> list[Run]:
    """Save runs of one preset that repeat each other."""
    return [save_finished_run(runs, preset=preset, seed=42 + number, **settings) for number in range(count)]  # type: ignore[arg-type]


def key_of(run: Run) -> str:
    return summarise(run).settings


# --- rows ----------------------------------------------------------------------------------------------------------


def test_seeds_make_one_row_unless_they_are_asked_for_apart(runs: Runs) -> None:
    first, second = seeds(runs)
    page = open_results()
    row = page.dataframe[0].value.iloc[0]
    mean = (first.evaluation().accuracy + second.evaluation().accuracy) / 2
    assert (names(page), row["Runs"]) == (["Dense 5: L2, batch norm"], 2)
    assert row["Validation accuracy"] == pytest.approx(100 * mean)
    page.toggle(key="grouped").set_value(False)
    assert names(checked(page.run())) == ["Dense 5: L2, batch norm"] * 2


def test_every_run_is_listed_with_damaged_ones(runs: Runs) -> None:
    save_finished_run(runs)
    for state in (State.QUEUED, State.RUNNING, State.STOPPED, State.FAILED):  # no one computes it: interrupted
        runs.create(find_preset("dense-5").config).record(state=state, reason="Why it is so.")
    (runs.create(find_preset("sgd").config).folder / "config.json").write_text("{half", encoding="utf-8")
    table = open_results(grouped="false").dataframe[0].value
    assert sorted(state for states in table["State"] for state in states) == [
        "Damaged", "Failed", "Finished", "Interrupted", "Queued", "Stopped"
    ]  # fmt: skip


def test_a_single_run_has_its_scores_and_says_that_its_faces_were_drawn(finished_run: Run) -> None:
    page = open_results()
    row = page.dataframe[0].value.iloc[0]
    assert row["Validation accuracy"] == pytest.approx(100 * finished_run.evaluation().accuracy)
    assert row["Kept epoch"] == finished_run.evaluation().best_epoch
    assert row["Data"] == SAMPLE_NAME
    assert "Drawn faces" in said(page)


def test_a_stopped_run_says_how_many_epochs_it_had_of_how_many(runs: Runs) -> None:
    save_finished_run(runs, preset="dense-5").record(state=State.STOPPED, epoch=7, epochs=100)
    page = open_results()
    assert list(page.dataframe[0].value["Epochs"]) == ["7 of 100"]
    assert "Epochs" in page.dataframe[0].proto.column_order


def test_drawn_and_real_faces_stand_in_rows_of_their_own(runs: Runs) -> None:
    save_finished_run(runs, preset="dense-5")
    real = save_finished_run(runs, preset="dense-5", seed=43)
    config = with_settings(real.config, {"data.source": "data/faces.csv"})
    (real.folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    page = open_results()
    assert sorted(page.dataframe[0].value["Data"]) == [SAMPLE_NAME, "faces.csv"]
    assert "Data" in page.dataframe[0].proto.column_order
    assert "Some of these rows learnt from drawn faces" in said(page)


def test_the_lines_of_runs_are_read_once(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds(runs, count=3)
    open_results()
    read: list[str] = []
    evaluation = Run.evaluation
    monkeypatch.setattr(Run, "evaluation", lambda run: read.append(run.id) or evaluation(run))
    open_results()
    assert read == []
    open_results(compare="Confusion")
    assert len(read) == 3


# --- looking for rows ----------------------------------------------------------------------------------------------


def test_rows_are_found_by_words_and_by_kind(runs: Runs) -> None:
    seeds(runs)
    save_finished_run(runs).write_about(About(notes="For lecture three", tags=("keep",)))
    assert names(open_results(search="LECTURE")) == ["Linear baseline"]
    assert names(open_results(tag="keep")) == ["Linear baseline"]
    assert names(open_results(family="Dense")) == ["Dense 5: L2, batch norm"]
    page = open_results(state="Finished")
    assert len(names(page)) == 2
    page.multiselect(key="from-preset").set_value(["sgd"])
    assert names(checked(page.run())) == ["Linear baseline"]


def test_a_search_that_finds_nothing_says_so(finished_run: Run) -> None:
    page = open_results(search="nonsense")
    assert "No run matches." in said(page)
    assert not page.dataframe


def test_rows_are_sorted_as_asked(runs: Runs) -> None:
    save_finished_run(runs, skill=0.9)
    save_finished_run(runs, preset="dense-5", skill=0.2)
    assert names(open_results()) == ["Linear baseline", "Dense 5: L2, batch norm"]
    page = open_results()
    page.selectbox(key="sort").set_value("Name")
    assert names(checked(page.run())) == ["Dense 5: L2, batch norm", "Linear baseline"]
    assert names(open_results(sort="Newest")) == ["Dense 5: L2, batch norm", "Linear baseline"]


def test_columns_that_are_chosen_are_shown(finished_run: Run) -> None:
    page = open_results()
    page.multiselect(key="columns").set_value(["Images per second", "Reason", "Notes"])
    checked(page.run())
    assert list(page.dataframe[0].proto.column_order) == ["Open", "Run", "Images per second", "Reason", "Notes"]


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("pinned", [True, False])
def test_the_usual_columns_fit_beside_each_other(runs: Runs, grouped: bool, pinned: bool) -> None:
    config = with_settings(find_preset("cnn").config, {"data.source": "faces.csv"})
    for state in State:
        runs.create(config).record(state=state, epoch=7)
    save_finished_run(runs, preset="dense-5").write_about(About(tags=("keep",)))
    lines = runs.summaries()
    rows = group_runs(lines) if grouped else single_runs(lines)
    columns = usual_columns(View(rows, rows, rows[0] if pinned else None, grouped, []))
    assert sum(COLUMNS[name]["width"] for name in columns) <= ROOM
    assert {"Validation accuracy", "Data"} - ({"Data"} if pinned else set()) <= set(columns)
    assert ("Against the baseline" in columns) is pinned


# --- baseline ------------------------------------------------------------------------------------------------------


def compared_seeds(runs: Runs) -> tuple[Run, Run]:
    """Two groups of two seeds whose accuracies overlap, and one of one seed."""
    better = [save_finished_run(runs, preset="dense-5", seed=seed, skill=skill) for seed, skill in ((1, 0.3), (2, 0.8))]
    other = [save_finished_run(runs, preset="dense-4", seed=seed, skill=skill) for seed, skill in ((1, 0.2), (2, 0.8))]
    save_finished_run(runs, preset="dense-3")
    return better[0], other[0]


def test_a_pinned_baseline_says_how_the_others_differ_and_whether_seeds_could_do_that(runs: Runs) -> None:
    _, other = compared_seeds(runs)
    page = open_results(baseline=key_of(other))
    table = page.dataframe[0].value.set_index("Run")
    assert list(table.loc["Dense 4: L1, batch norm", "Standing"]) == ["baseline"]
    assert list(table.loc["Dense 5: L2, batch norm", "Standing"]) == ["within the spread of seeds"]
    assert list(table.loc["Dense 3: L1", "Standing"]) == ["one seed: spread unknown"]
    ours, theirs = table.loc["Dense 5: L2, batch norm"], table.loc["Dense 4: L1, batch norm"]
    assert ours["Against the baseline"] == pytest.approx(ours["Validation accuracy"] - theirs["Validation accuracy"])
    assert "Within the spread of seeds" in said(page)
    assert "One seed: spread unknown" in said(page)
    assert {"Against the baseline", "Standing"} <= set(page.dataframe[0].proto.column_order)


def test_the_baseline_stands_in_the_address_and_may_be_named_by_a_run(runs: Runs) -> None:
    better, other = compared_seeds(runs)
    page = open_results(baseline=other.id)
    assert page.query_params["baseline"] == key_of(other)
    page.selectbox(key="results-baseline").set_value(key_of(better))
    checked(page.run())
    assert page.query_params["baseline"] == key_of(better)
    page.selectbox(key="results-baseline").set_value("")
    assert "baseline" not in checked(page.run()).query_params


def test_a_baseline_that_is_not_there_is_none(finished_run: Run) -> None:
    page = open_results(baseline="nonsense")
    assert page.selectbox(key="results-baseline").value == ""
    assert "baseline" not in page.query_params


# --- side by side --------------------------------------------------------------------------------------------------


def test_with_nothing_ticked_the_best_of_each_kind_are_compared(runs: Runs) -> None:
    seeds(runs)
    save_finished_run(runs, preset="dense-4", skill=0.1)
    save_finished_run(runs)
    page = open_results()
    assert "best of each kind of model" in said(page)
    assert "Dense 5" in drawn(page)
    assert "Linear baseline" in drawn(page)
    assert "Dense 4" not in drawn(page)
    assert len(plots(page)) == 2


def test_a_ticked_group_is_all_its_seeds_in_one_colour_and_stays_in_the_address(runs: Runs) -> None:
    first, second = seeds(runs)
    save_finished_run(runs)
    page = open_results(runs=first.id)
    assert set(page.query_params["runs"].split(",")) == {first.id, second.id}
    assert "1 ticked." in said(page)
    curves = plots(page)[0]["data"]
    assert {curve["name"] for curve in curves} == {f"Dense 5: L2, batch norm (seed {seed})" for seed in (42, 43)}
    assert {curve["line"]["color"] for curve in curves} == {COLOURS[0]}


def test_a_ticked_row_stays_ticked_while_a_filter_hides_it(runs: Runs) -> None:
    first, _ = seeds(runs)
    other = save_finished_run(runs)
    page = open_results(runs=f"{first.id},{other.id}", search="linear")
    assert names(page) == ["Linear baseline"]
    assert "2 ticked; 1 of them hidden by the filter." in said(page)
    assert first.id in page.query_params["runs"]


def test_everything_ticked_is_let_go_at_once(runs: Runs) -> None:
    first, _ = seeds(runs)
    page = open_results(runs=first.id, search="dense")
    assert "1 ticked." in said(page)
    checked(page.button(key="untick-all").click().run())
    assert "Tick rows of the table" in said(page)
    assert "runs" not in page.query_params


def test_training_curves_are_drawn_where_they_are_asked_for(finished_run: Run) -> None:
    page = open_results(runs=finished_run.id)
    assert len(plots(page)[0]["data"]) == 1
    page.toggle(key="training").set_value(True)
    assert len(plots(checked(page.run()))[0]["data"]) == 2


def test_loss_may_have_a_logarithmic_scale(finished_run: Run) -> None:
    page = open_results()
    page.toggle(key="log-loss").set_value(True)
    accuracy, loss = plots(checked(page.run()))
    assert "type" not in accuracy["layout"]["yaxis"]
    assert loss["layout"]["yaxis"]["type"] == "log"


def test_scores_by_emotion_are_bars_in_the_colours_of_their_rows(runs: Runs) -> None:
    first, _ = seeds(runs)
    other = save_finished_run(runs, skill=0.9)
    page = open_results(runs=f"{first.id},{other.id}", compare="Recall by emotion")
    (figure,) = plots(page)
    assert [bars["marker"]["color"] for bars in figure["data"]] == list(COLOURS[:2])
    assert figure["data"][0]["name"] == "Linear baseline"
    assert "standard deviation" in said(page)


def test_confusion_of_at_most_four_rows_is_shown(runs: Runs) -> None:
    saved = [save_finished_run(runs, preset=f"dense-{number}") for number in range(1, 7)]
    page = open_results(runs=",".join(run.id for run in saved), compare="Confusion")
    assert drawn(page).count("<table") == MOST_MATRICES
    assert "There is no room for 2 more" in said(page)


def test_cost_is_a_point_per_scored_row_or_the_ticked_ones_alone(runs: Runs) -> None:
    first, _ = seeds(runs)
    save_finished_run(runs)
    runs.create(find_preset("cnn").config)
    page = open_results(runs=first.id, compare="Cost")
    assert sorted(plots(page)[0]["data"][0]["customdata"]) == ["Dense 5: L2, batch norm", "Linear baseline"]
    page.toggle(key="only-these").set_value(True)
    assert plots(checked(page.run()))[0]["data"][0]["customdata"] == ["Dense 5: L2, batch norm"]
    page.segmented_control(key="cost").set_value("parameters")
    assert plots(checked(page.run()))[0]["layout"]["xaxis"]["title"]["text"] == "Parameters"
    page.segmented_control(key="score").set_value("test_accuracy")
    assert "None of these runs has a test accuracy yet." in said(checked(page.run()))


def test_only_settings_that_differ_are_shown(runs: Runs) -> None:
    saved = [save_finished_run(runs, preset=preset) for preset in ("dense-4", "dense-5")]
    table = open_results(runs=",".join(run.id for run in saved), compare="Settings").table[0].value
    assert [shown(setting) for setting in table.index] == ["Preset", "Model · Regulariser"]
    assert sorted(table.loc["Model · Regulariser"]) == ["l1", "l2"]


def test_settings_of_runs_whose_names_differ_in_spaces_alone_stand_apart(runs: Runs) -> None:
    saved = [save_finished_run(runs, preset=preset, seed=seed) for preset, seed in (("dense-4", 1), ("dense-5", 2))]
    for run, name in zip(saved, ("My  run", "My run"), strict=True):
        run.write_about(About(name=name))
    table = open_results(runs=",".join(run.id for run in saved), compare="Settings").table[0].value
    assert sorted(map(shown, table.columns)) == ["My run (seed 1)", "My run (seed 2)"]


def test_settings_of_one_row_differ_from_nothing(finished_run: Run) -> None:
    assert "Tick two or more rows" in said(open_results(compare="Settings"))


def test_no_more_rows_are_drawn_than_can_be_told_apart_and_that_is_said(runs: Runs) -> None:
    saved = [save_finished_run(runs, epochs=2, seed=seed) for seed in range(50)]
    page = open_results(grouped="false", runs=",".join(run.id for run in saved))
    assert "50 ticked" in said(page)
    assert f"shown are the {MOST_COMPARED} with the highest validation accuracy" in said(page)
    assert len(plots(page)[0]["data"]) == MOST_COMPARED


def test_a_group_of_many_seeds_says_that_not_all_of_their_curves_are_drawn(runs: Runs) -> None:
    for seed in range(8):
        save_finished_run(runs, epochs=2, seed=seed)
    page = open_results()
    assert len(plots(page)[0]["data"]) == 5
    assert "Up to 5 seeds of each row are drawn." in said(page)


def test_rows_of_one_name_are_told_apart(runs: Runs) -> None:
    saved = [save_finished_run(runs, preset=preset, name="Mine") for preset in ("dense-4", "dense-5")]
    page = open_results(runs=",".join(run.id for run in saved))
    labels = [curve["name"] for curve in plots(page)[0]["data"]]
    assert len(set(labels)) == 2
    assert all(label.startswith("Mine") for label in labels)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("grouped", ["true", "false"])
def test_ticked_runs_may_be_damaged_queued_or_without_files(runs: Runs, section: str, grouped: str) -> None:
    whole, torn = save_finished_run(runs, preset="dense-4"), save_finished_run(runs, preset="dense-5")
    (torn.folder / "history.csv").unlink()
    damaged, queued = runs.create(find_preset("sgd").config), runs.create(find_preset("cnn").config)
    (damaged.folder / "status.json").write_text("{", encoding="utf-8")
    ids = ",".join(run.id for run in (whole, torn, damaged, queued))
    page = open_results(runs=ids, compare=section, grouped=grouped)
    assert "4 ticked." in said(page)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_folder_without_scores_says_so(runs: Runs, section: str) -> None:
    runs.create(find_preset("cnn").config)
    assert "Nothing is scored yet." in said(open_results(compare=section))


def test_an_unknown_section_or_column_in_the_address_is_passed_over(finished_run: Run) -> None:
    assert len(plots(open_results(compare="Nonsense", columns="Nonsense", sort="Nonsense"))) == 2
