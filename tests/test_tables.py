"""Tables: runs, scores and settings in words."""

import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emotion_core.comparison import MISSING, group_runs, single_runs
from emotion_core.config import SAMPLE_NAME, FirstRows, OneCycleRate, unused_settings, with_settings
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.evaluation import evaluate
from emotion_core.presets import find_preset
from emotion_core.runs import RunSummary, State
from ui import tables
from ui.fields import label_of

LINES = [
    RunSummary(
        id="20260101-100000-cnn-aaaa", name="cnn", state=State.FINISHED, preset="cnn", data="faces.csv", seed=42,
        epoch=30, best_epoch=24, val_accuracy=0.5817, training_accuracy=0.5943, macro_f1=0.51, parameters=7_260_075,
        seconds=75.4, submitted=1_760_000_000.0,
    ),
    RunSummary(id="20260101-100001-cnn-bbbb", name="cnn", state=State.QUEUED, preset="cnn", data=SAMPLE_NAME, seed=43),
    RunSummary(id="20260101-100002-cnn-cccc", name="cnn", state=State.QUEUED, preset="cnn", data=SAMPLE_NAME, seed=43),
    RunSummary(id="broken", name="broken", state=State.DAMAGED, reason="config.json cannot be read."),
]  # fmt: skip


SEEDS = [
    RunSummary(
        id=run_id, name="dense-5", state=State.FINISHED, preset="dense-5", data="faces.csv", seed=seed, epoch=100,
        epochs=100, val_accuracy=accuracy, macro_f1=0.4, test_accuracy=test, settings="same", as_preset=True,
    )
    for run_id, seed, accuracy, test in (("b", 43, 0.44, 0.41), ("a", 42, 0.42, None))
]  # fmt: skip


def test_every_run_has_a_row_damaged_ones_with_their_reason():
    table = tables.runs_table(single_runs(LINES))
    assert list(table["State"]) == ["Finished", "Queued", "Queued", "Damaged"]
    assert table["Reason"][3] == "config.json cannot be read."


def test_notes_of_a_group_are_those_that_people_wrote_about_its_runs_each_once():
    lines = [replace(line, notes=notes) for line, notes in zip(SEEDS, ("The better seed", ""), strict=True)]
    assert list(tables.runs_table(group_runs(lines))["Notes"]) == ["The better seed"]
    same = [replace(line, notes="Of one batch") for line in SEEDS]
    assert list(tables.runs_table(group_runs(same))["Notes"]) == ["Of one batch"]


def test_drawn_data_is_called_drawn():
    assert list(tables.runs_table(single_runs(LINES))["Data"])[:2] == ["faces.csv", SAMPLE_NAME]


def test_csv_gives_the_numbers_back_exactly():
    table = pd.read_csv(io.StringIO(tables.as_csv(tables.runs_table(single_runs(LINES)))))
    assert table["Validation accuracy"][0] == 0.5817
    assert table["Parameters"][0] == 7_260_075
    assert table["Validation accuracy"][1:].isna().all()


def test_csv_lists_the_runs_of_a_group_with_commas_between():
    table = pd.read_csv(io.StringIO(tables.as_csv(tables.runs_table(group_runs(SEEDS)))))
    assert list(table["Ids"]) == ["b, a"]
    assert list(table["Seeds"]) == ["42, 43"]


def test_on_screen_shares_are_percent_and_times_are_durations():
    table = tables.on_screen(tables.runs_table(single_runs(LINES)))
    assert table["Validation accuracy"][0] == pytest.approx(58.17)
    assert table["Time"][0] == pd.Timedelta(seconds=75)
    assert pd.isna(table["Time"][1])
    assert table["State"][0] == ["Finished"]


def test_a_table_of_no_runs_is_empty():
    assert len(tables.on_screen(tables.runs_table([]))) == 0


def test_a_group_has_means_and_stands_beside_the_coursework():
    row = tables.runs_table(group_runs(SEEDS)).iloc[0]
    assert row["Run"] == "Dense 5: L2, batch norm"
    assert row["Runs"] == 2
    assert row["Validation accuracy"] == pytest.approx(0.43)
    assert row["Validation deviation"] == pytest.approx(math.sqrt(0.0002))
    assert row["Coursework validation"] == pytest.approx(0.41825)
    assert row["Against the coursework"] == pytest.approx(0.43 - 0.41825)
    assert (row["Coursework test"], row["Runs with a test score"]) == (0.42, 1)
    assert row["Test against the coursework"] == pytest.approx(0.41 - 0.42)
    assert pd.isna(row["Test deviation"])


def test_a_changed_preset_is_called_changed_and_has_no_figures_of_the_coursework():
    row = tables.runs_table(group_runs([replace(line, as_preset=False) for line in SEEDS])).iloc[0]
    assert row["Preset"] == "dense-5, changed"
    assert pd.isna(row["Coursework validation"])


def test_rows_say_how_they_differ_from_the_baseline():
    (baseline,) = group_runs(SEEDS)
    (other,) = group_runs([replace(line, settings="other", val_accuracy=line.val_accuracy + 0.2) for line in SEEDS])
    table = tables.runs_table([baseline, other], baseline)
    assert pd.isna(table["Against the baseline"][0])
    assert table["Against the baseline"][1] == pytest.approx(0.2)
    assert list(table["Standing"]) == ["baseline", "beyond the spread of seeds"]
    assert list(table["Test standing"]) == ["baseline", "one seed: spread unknown"]
    assert list(tables.on_screen(table)["Standing"]) == [["baseline"], ["beyond the spread of seeds"]]


def test_groups_of_one_name_are_told_apart_by_data_then_by_key():
    groups = group_runs(
        [
            RunSummary(id="a", name="cnn", state=State.FINISHED, data="faces.csv", settings="1111"),
            RunSummary(id="b", name="cnn", state=State.FINISHED, data=SAMPLE_NAME, settings="2222"),
            RunSummary(id="c", name="cnn", state=State.FINISHED, data=SAMPLE_NAME, settings="3333"),
            RunSummary(id="d", name="gru", state=State.FINISHED, data=SAMPLE_NAME, settings="4444"),
        ]
    )
    assert list(tables.row_names(groups).values()) == [
        "cnn (faces.csv)", "cnn (Sample (drawn faces)) 2222", "cnn (Sample (drawn faces)) 3333", "gru"
    ]  # fmt: skip


def test_settings_that_differ_are_in_words_and_missing_ones_a_dash():
    table = tables.settings_table(
        {("model", "hidden_layers"): [5, MISSING], ("training", "seed"): [[42, 43], [42]]}, ["Dense", "CNN"], {}
    )
    assert list(table.index) == ["Model · Hidden layers", "Training · Seed"]
    assert table.to_numpy().tolist() == [["5", "–"], ["42, 43", "42"]]


def test_runs_of_one_name_are_told_apart():
    names = tables.distinct_names(LINES)
    assert len(set(names.values())) == len(LINES)
    assert names[LINES[0].id] == "cnn (seed 42)"
    assert names["broken"] == "broken"


def test_names_that_differ_in_white_space_alone_are_told_apart():
    lines = [replace(LINES[0], id=str(seed), name=name, seed=seed) for seed, name in ((1, "My  run"), (2, "My run"))]
    assert list(tables.distinct_names(lines).values()) == ["My run (seed 1)", "My run (seed 2)"]


def test_labels_tell_name_score_and_day():
    label = tables.run_labels(LINES)[LINES[0].id]
    assert label.startswith("cnn (seed 42) · 58.2% · ")
    assert "Oct" in label


def test_class_scores_are_percent():
    row = class_row("Happy", true=["Happy"] * 4 + ["Sad"], predicted=["Happy", "Fear", "Fear", "Fear", "Happy"])
    assert (row["Precision"], row["Recall"], row["Faces"]) == (50, 25, 4)
    assert row["F1"] == pytest.approx(100 / 3)


def test_an_emotion_without_faces_has_no_scores():
    row = class_row("Happy", true=["Sad"], predicted=["Happy"])
    assert row[["Precision", "Recall", "F1"]].isna().all()
    assert row["Faces"] == 0


def test_an_emotion_that_was_never_predicted_has_no_precision():
    row = class_row("Sad", true=["Sad", "Happy"], predicted=["Happy", "Happy"])
    assert pd.isna(row["Precision"])
    assert (row["Recall"], row["F1"]) == (0, 0)


def class_row(emotion: str, true: list[str], predicted: list[str]) -> pd.Series:
    """An emotion's row where faces of some emotions are taken for others."""
    labels, answers = (np.array([EMOTIONS.index(name) for name in names]) for names in (true, predicted))
    return tables.class_table(evaluate(labels, np.eye(NUM_EMOTIONS)[answers])).set_index("Emotion").loc[emotion]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        ((), "none"),
        (True, "yes"),
        (1e-4, "0.0001"),
        ((500, 400), "500, 400"),
        (OneCycleRate().model_dump(), "1cycle, start 0.001, peak 0.01, end 1e-07, iterations none"),
        (FirstRows().model_dump(), "First rows, count 2900"),
        ({"filters": 64, "kernel_size": 7}, "64 of 7x7"),
    ],
)
def test_settings_are_written_in_words(value: object, words: str):
    assert tables.in_words(value).startswith(words)


@pytest.mark.parametrize("preset", ["sgd", "dense-5", "cnn"])
def test_every_setting_that_a_run_has_a_use_for_is_in_its_configuration(preset: str):
    config = find_preset(preset).config
    unused = unused_settings(config)
    sections = tables.configuration(config, {})
    for name in ("data", "augmentation", "model", "training", "prediction", "device"):
        used = [field for field in type(getattr(config, name)).model_fields if f"{name}.{field}" not in unused]
        assert list(sections.get(name.capitalize(), ())) == list(map(label_of, used))


def test_a_linear_model_has_no_optimiser_and_nothing_that_changes_faces():
    sections = tables.configuration(find_preset("sgd").config, {})
    assert list(sections["Training"]) == ["Epochs", "Seed", "Class weights", "Early stopping patience", "Keep"]
    assert not {"Augmentation", "Prediction"} & set(sections)


def test_runs_that_taught_are_called_by_name_and_without_any_there_is_no_share_of_theirs():
    alone = find_preset("cnn").config
    taught = with_settings(alone, {"training.teachers": ["known", "gone"], "training.start_from": ["known"]})
    training = tables.configuration(taught, {"known": "The teacher"})["Training"]
    assert (training["Teachers"], training["Start from"]) == ("The teacher, gone", "The teacher")
    assert training["Teacher share"] == "0.8"
    assert "Teacher share" not in tables.configuration(alone, {})["Training"]
    table = tables.settings_table({("training", "teachers"): [("known",), ()]}, ["One", "Other"], {"known": "Teacher"})
    assert table.to_numpy().tolist() == [["Teacher", "none"]]
