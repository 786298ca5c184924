"""The Kaggle page: a test file in, its predictions out, a score where the labels are known."""

import io
import os
import zipfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import figures, open_app, said, save_csv, save_finished_run, shown, the_button
from streamlit.testing.v1 import AppTest

from emotion_core.classifier import load_classifier
from emotion_core.config import with_settings
from emotion_core.dataset import load_dataset
from emotion_core.emotions import EMOTIONS
from emotion_core.ensemble import Ensemble
from emotion_core.evaluation import RunEvaluation, evaluate
from emotion_core.presets import find_preset
from emotion_core.runs import About, Run, Runs, Validation
from emotion_core.submission import Style

IDS = ("10", "7", "abc", "11", "12")


@pytest.fixture
def test_file(runs_folder: Path) -> Path:
    """Five faces without labels, in the data folder, with ids that no row number could replace."""
    faces = np.random.default_rng(1).integers(0, 256, (len(IDS), 48 * 48))
    path = runs_folder.parent / "data" / "faces.csv"
    lines = [f"{name},{' '.join(map(str, face))}\n" for name, face in zip(IDS, faces, strict=True)]
    path.write_text("id,pixels\n" + "".join(lines))
    return path


@pytest.fixture
def open_page(runs_folder: Path) -> Callable[..., AppTest]:
    """Open the page with query parameters, as a link or a reload does."""
    return partial(open_app, "pages/predict_kaggle.py")


@pytest.fixture
def predicted(open_page, finished_run: Run, test_file: Path) -> AppTest:
    return predict(open_page())


@pytest.fixture
def second_run(runs_folder: Path, finished_run: Run) -> Run:
    """A run that scored lower than the first, and whose model answers otherwise."""
    run = save_finished_run(Runs(runs_folder), name="Second run", seed=43, skill=0.1)
    weights = np.random.default_rng(43).normal(0, 0.02, (7, 48 * 48)).astype(np.float32)
    np.savez(run.linear_path, coefficients=weights, intercepts=np.zeros(7, np.float32), temperature=np.float32(1))
    return run


def predict(page: AppTest) -> AppTest:
    the_button(page, "predict-").click().run()
    assert not page.exception
    return page


def give_labels(page: AppTest, text: str) -> AppTest:
    (uploader,) = (each for each in page.file_uploader if each.label.startswith("Labels"))
    uploader.set_value(("labels.csv", text.encode(), "text/csv")).run()
    assert not page.exception
    return page


def expected_labels(run: Run, path: Path) -> list[int]:
    return load_classifier(run).probabilities(load_dataset(path).images).argmax(axis=1).tolist()


def test_labels_of_one_file_score_no_other(predicted: AppTest, runs_folder: Path):
    give_labels(predicted, "id,emotion\n" + "".join(f"{name},0\n" for name in IDS))
    save_csv(runs_folder.parent / "data" / "other.csv", None)
    predicted.run()
    predicted.selectbox(key="kaggle-data").set_value("other.csv").run()
    assert "This file has no labels" in said(predict(predicted))


def test_without_a_model_the_page_leads_to_training(open_page):
    assert [button.label for button in open_page().button] == ["Train a model"]


def test_nothing_is_predicted_before_it_is_asked(open_page, finished_run: Run, test_file: Path):
    page = open_page()
    assert the_button(page, "predict-").label == "Predict"
    assert not page.get("download_button")
    assert any("5 faces" in caption.value for caption in page.caption)


def test_download_holds_the_models_answer_for_each_id(predicted: AppTest, finished_run: Run, test_file: Path):
    (download,) = predicted.get("download_button")
    assert download.label == "Download CSV"
    labels = expected_labels(finished_run, test_file)
    rows = "".join(f"{name},{label}\n" for name, label in zip(IDS, labels, strict=True))
    assert predicted.session_state["prediction"].csv(load_dataset(test_file), Style()) == "id,predicted class\n" + rows


def test_a_file_that_lacks_rows_is_said_to_do_so(open_page, finished_run: Run, test_file: Path):
    with test_file.open("a", encoding="utf-8") as file:
        file.write("13,\n")
    page = open_page()
    (leave_out,) = [button for button in page.button if button.label == "Leave such rows out"]
    page = predict(leave_out.click().run())
    assert ["1 row without pixels is left out" in warning.value for warning in page.warning] == [True]


def test_file_is_named_by_run_and_day(predicted: AppTest):
    name = f"predictions_Fixture-run_{date.today()}.csv"
    assert predicted.session_state["prediction"].file_name == name
    assert f"`{name}`: 5 rows under the header `id,predicted class`." in [
        caption.value for caption in predicted.caption
    ]


def test_runs_of_one_name_have_files_of_their_own(open_page, runs_folder: Path, test_file: Path):
    runs = [save_finished_run(Runs(runs_folder), name="twin", seed=seed) for seed in (1, 2)]
    names = [predict(open_page(run=run.id)).session_state["prediction"].file_name for run in runs]
    assert names == [f"predictions_twin-seed-{seed}_{date.today()}.csv" for seed in (1, 2)]


def test_header_and_names_change_the_file_and_its_preview_without_predicting_again(
    predicted: AppTest, finished_run: Run, test_file: Path
):
    predicted.selectbox(key="header").select("emotion")
    predicted.selectbox(key="labels").select("Names").run()
    assert not predicted.exception
    names = [EMOTIONS[label] for label in expected_labels(finished_run, test_file)]
    assert predicted.dataframe[0].value["emotion"].tolist() == names
    assert any("under the header `id,emotion`" in caption.value for caption in predicted.caption)


def test_preview_shows_the_rows_with_their_faces(predicted: AppTest, finished_run: Run, test_file: Path):
    rows = predicted.dataframe[0].value
    assert rows["id"].tolist() == list(IDS)
    assert rows["predicted class"].tolist() == expected_labels(finished_run, test_file)
    assert all(face.startswith("data:image/png;base64,") for face in rows["Face"])


def test_result_is_still_there_after_a_visit_to_another_page(predicted: AppTest):
    predicted.switch_page("pages/classify_faces.py").run().switch_page("pages/predict_kaggle.py").run()
    assert len(predicted.dataframe) == 1


def test_result_of_another_file_is_not_shown(predicted: AppTest, test_file: Path):
    (test_file.parent / "other.csv").write_text("id,pixels\n1," + " ".join(["9"] * 2304) + "\n")
    predicted.run()
    predicted.selectbox(key="kaggle-data").select("other.csv").run()
    assert not predicted.dataframe
    assert the_button(predicted, "predict-").label == "Predict"


def test_result_of_a_model_that_was_trained_further_is_not_shown(predicted: AppTest, finished_run: Run):
    replace_model(finished_run)
    assert not predicted.run().dataframe
    assert the_button(predicted, "predict-").label == "Predict"


def replace_model(run: Run) -> None:
    """Write another model as training that goes on does, at a later moment."""
    content, written = run.linear_path.read_bytes(), run.linear_path.stat().st_mtime
    run.linear_path.write_bytes(content)
    os.utime(run.linear_path, (written + 5, written + 5))


def test_a_click_for_a_run_that_is_gone_predicts_with_no_other(
    open_page, runs_folder: Path, finished_run: Run, second_run: Run, test_file: Path
):
    page = open_page(run=second_run.id)
    asked = the_button(page, "predict-").click()
    Runs(runs_folder).delete(second_run)
    asked.run()
    assert not page.exception
    assert not page.dataframe
    assert second_run.id in shown(page.warning[0].value)


def test_a_run_that_is_deleted_while_it_predicts_loses_no_prediction(
    open_page, runs_folder: Path, finished_run: Run, second_run: Run, test_file: Path, monkeypatch
):
    page, answer = open_page(run=second_run.id), Ensemble.probabilities

    def delete_and_answer(self, *arguments):
        Runs(runs_folder).delete(second_run)
        return answer(self, *arguments)

    monkeypatch.setattr(Ensemble, "probabilities", delete_and_answer)
    the_button(page, "predict-").click().run()
    assert not page.exception
    assert [run_id for run_id, _ in page.session_state["prediction"].models] == [second_run.id]


def test_labels_in_any_order_give_the_score(predicted: AppTest, finished_run: Run, test_file: Path):
    truth = dict(zip(IDS, expected_labels(finished_run, test_file), strict=True))
    truth["abc"] = (truth["abc"] + 1) % 7
    page = give_labels(predicted, "id,emotion\n" + "".join(f"{name},{truth[name]}\n" for name in reversed(IDS)))
    assert {metric.label: metric.value for metric in page.metric}["Accuracy"] == "80.0%"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("id,emotion\n10,3\n", "1 of 5"), ("id,emotion\n10,9\n", "labels.csv: line 2"), ("nonsense", "labels.csv")],
)
def test_unusable_labels_are_one_sentence_and_the_download_stays(predicted: AppTest, text: str, reason: str):
    page = give_labels(predicted, text)
    assert reason in shown(page.error[0].value)
    assert len(page.get("download_button")) == 1


def test_a_run_that_learnt_from_drawn_faces_is_marked_as_it_answers_and_with_its_score(
    open_page, finished_run: Run, faces_csv
):
    page = open_page()
    assert said(page).count("Drawn faces") == 1
    assert said(predict(page)).count("Drawn faces") == 2


def test_a_run_that_learnt_from_photographs_is_not_marked(open_page, runs_folder: Path, faces_csv: Path):
    run = learnt_from(runs_folder, faces_csv, [number % 7 for number in range(70)])
    assert "Drawn faces" not in said(predict(open_page(run=run.id)))


def test_labels_of_the_file_itself_are_used(open_page, finished_run: Run, runs_folder: Path):
    path = runs_folder.parent / "data" / "labelled.csv"
    path.write_text(
        "emotion,pixels\n" + "".join(f"{label},{' '.join([str(40 * label)] * 2304)}\n" for label in range(7))
    )
    page = open_page()
    the_button(page, "predict-").click().run()
    share = np.mean(np.array(expected_labels(finished_run, path)) == np.arange(7))
    assert {metric.label: metric.value for metric in page.metric}["Accuracy"] == f"{share:.1%}"
    assert not any("flatters" in caption.value for caption in page.caption)


def test_score_on_its_own_training_file_is_said_to_flatter(open_page, finished_run: Run):
    page = open_page()  # no file in the data folder: the sample, which the run learnt from
    the_button(page, "predict-").click().run()
    assert any("flatters" in caption.value for caption in page.caption)


@pytest.mark.parametrize(("fingerprint", "flatters"), [("its", True), ("another", False)])
def test_its_training_file_is_known_by_what_it_holds(
    open_page, finished_run: Run, runs_folder: Path, fingerprint: str, flatters: bool
):
    path = save_csv(runs_folder.parent / "data" / "renamed.csv", [0, 1, 2])
    digests = {"its": load_dataset(path).fingerprint, "another": "0" * 32}
    changes = {"data.source": "/elsewhere/renamed.csv", "data_fingerprint": digests[fingerprint]}
    (finished_run.folder / "config.json").write_text(with_settings(finished_run.config, changes).model_dump_json())
    page = open_page(data="renamed.csv")
    the_button(page, "predict-").click().run()
    assert not page.exception
    assert any("flatters" in caption.value for caption in page.caption) is flatters


def test_damaged_model_is_one_sentence(open_page, finished_run: Run, test_file: Path):
    finished_run.linear_path.write_bytes(b"torn")
    page = open_page()
    the_button(page, "predict-").click().run()
    assert "linear.npz cannot be used as a model" in shown(page.error[0].value)


def test_labels_give_macro_f1_and_the_confusion_matrix(predicted: AppTest, finished_run: Run, test_file: Path):
    assert "data-cell" not in figures(predicted)
    truth = expected_labels(finished_run, test_file)
    page = give_labels(
        predicted, "id,emotion\n" + "".join(f"{row},{label}\n" for row, label in zip(IDS, truth, strict=True))
    )
    probabilities = load_classifier(finished_run).probabilities(load_dataset(test_file).images)
    scores = evaluate(np.array(truth), probabilities)
    assert {metric.label: metric.value for metric in page.metric}["Macro-F1"] == f"{scores.macro_f1:.3f}"
    (low, high), (lowest, highest) = scores.accuracy_interval(), scores.macro_f1_interval()
    interval = f"accuracy {100 * low:.1f} to {100 * high:.1f}%, macro-F1 {lowest:.3f} to {highest:.3f}."
    assert any(interval in caption.value for caption in page.caption)
    found = {label for label in range(7) if f'data-cell="{EMOTIONS[label]}-{EMOTIONS[label]}"' in figures(page)}
    assert found == set(truth)


# --- several runs --------------------------------------------------------------------------------------------------


def test_average_is_the_mean_of_the_runs_and_its_file_says_so(
    open_page, finished_run: Run, second_run: Run, test_file: Path
):
    page = open_page(run=finished_run.id)
    page.multiselect(key="average-with").select(second_run.id).run()
    prediction = predict(page).session_state["prediction"]
    images = load_dataset(test_file).images
    alone = [load_classifier(run).probabilities(images) for run in (finished_run, second_run)]
    np.testing.assert_allclose(prediction.probabilities, sum(alone) / 2, atol=1e-6)
    assert prediction.file_name == f"predictions_ensemble-2_{date.today()}.csv"
    assert page.query_params["with"] in (second_run.id, [second_run.id])


def test_result_of_other_runs_on_average_is_not_shown(predicted: AppTest, second_run: Run):
    predicted.run()
    predicted.multiselect(key="average-with").select(second_run.id).run()
    assert not predicted.dataframe
    predicted.multiselect(key="average-with").unselect(second_run.id).run()
    assert len(predicted.dataframe) == 1


def test_link_opens_the_average_that_it_names_and_passes_over_what_is_not_here(
    open_page, finished_run: Run, second_run: Run, test_file: Path
):
    page = open_page(run=finished_run.id, **{"with": f"{second_run.id},gone,{finished_run.id}"})
    assert page.multiselect(key="average-with").value == [second_run.id]


def test_average_is_still_chosen_after_a_visit_to_another_page(
    open_page, finished_run: Run, second_run: Run, test_file: Path
):
    page = open_page(run=finished_run.id, **{"with": second_run.id})
    page.switch_page("pages/classify_faces.py").run()
    page.query_params.clear()
    page.switch_page("pages/predict_kaggle.py").run()
    assert page.multiselect(key="average-with").value == [second_run.id]


def test_run_that_is_chosen_itself_leaves_the_average(open_page, finished_run: Run, second_run: Run, test_file: Path):
    page = open_page(run=finished_run.id, **{"with": second_run.id})
    page.selectbox(key="kaggle-run").select(second_run.id).run()
    assert not page.exception
    assert page.multiselect(key="average-with").value == []
    assert page.multiselect(key="average-with").options == ["Fixture run"]


def test_damaged_model_in_an_average_is_one_sentence(open_page, finished_run: Run, second_run: Run, test_file: Path):
    second_run.linear_path.write_bytes(b"torn")
    page = predict(open_page(run=finished_run.id, **{"with": second_run.id}))
    assert "linear.npz cannot be used as a model" in shown(page.error[0].value)


def test_every_run_s_file_is_in_the_zip_but_for_a_damaged_one_which_is_named(
    open_page, runs_folder: Path, finished_run: Run, second_run: Run, test_file: Path
):
    save_finished_run(Runs(runs_folder), name="Torn run").linear_path.write_bytes(b"torn")
    page = open_page()
    page.button(key="every-run").click().run()
    assert not page.exception
    assert [download.label for download in page.get("download_button")] == ["Download 2 CSVs"]
    (warning,) = page.warning
    assert shown(warning.value).startswith("Torn run is not in the zip: ")
    every, dataset = page.session_state["every-prediction"], load_dataset(test_file)
    with zipfile.ZipFile(io.BytesIO(every.zip(dataset, Style()))) as file:
        texts = {name: file.read(name).decode() for name in file.namelist()}
    assert texts == {
        f"predictions_{name}_{date.today()}.csv": "id,predicted class\n"
        + "".join(f"{row},{label}\n" for row, label in zip(IDS, expected_labels(run, test_file), strict=True))
        for name, run in (("Fixture-run", finished_run), ("Second-run", second_run))
    }


def test_a_run_that_was_renamed_gives_its_files_its_new_name(open_page, finished_run: Run, test_file: Path):
    page = open_page()
    page.button(key="every-run").click().run()
    predict(page)
    finished_run.write_about(About(name="New name"))
    name = f"predictions_New-name_{date.today()}.csv"
    assert f"`{name}`: 5 rows" in said(page.run())
    every = page.session_state["every-prediction"].zip(load_dataset(test_file), Style())
    assert zipfile.ZipFile(io.BytesIO(every)).namelist() == [name]


def test_no_zip_is_offered_where_no_model_could_be_used(open_page, finished_run: Run, test_file: Path):
    finished_run.linear_path.write_bytes(b"torn")
    page = open_page()
    page.button(key="every-run").click().run()
    assert not page.exception
    assert not page.get("download_button")
    assert shown(page.warning[0].value).startswith("Fixture run is not in the zip: ")


def test_zip_is_not_offered_once_another_run_has_come(open_page, runs_folder: Path, finished_run: Run, test_file: Path):
    page = open_page()
    page.button(key="every-run").click().run()
    assert [download.label for download in page.get("download_button")] == ["Download 1 CSV"]
    save_finished_run(Runs(runs_folder), name="New run")
    page.run()
    assert not page.get("download_button")
    assert page.button(key="every-run").label == "Every run's CSV"


def test_zip_is_not_offered_once_a_model_was_trained_further(open_page, finished_run: Run, test_file: Path):
    page = open_page()
    page.button(key="every-run").click().run()
    assert page.get("download_button")
    replace_model(finished_run)
    assert not page.run().get("download_button")


# --- class balance -------------------------------------------------------------------------------------------------


def learnt_from(runs_folder: Path, source: Path, labels: list[int]) -> Run:
    """A run with a model that was trained on a file, the first fifth of whose rows validated."""
    config = with_settings(find_preset("dense-1").config, {"data.source": str(source)})
    run, template = Runs(runs_folder).create(config), save_finished_run(Runs(runs_folder))
    rows = np.arange(len(labels) // 5)
    answers = np.full((len(rows), 7), 1 / 7, np.float32)
    truth = np.array(labels, np.uint8)[rows]
    scores = template.evaluation().model_dump() | evaluate(truth, answers).model_dump()
    run.save_evaluation(RunEvaluation(**scores), Validation(rows, truth, answers))
    run.linear_path.write_bytes(template.linear_path.read_bytes())
    return run


def test_predicted_balance_stands_beside_that_of_the_faces_that_trained(open_page, runs_folder: Path, test_file: Path):
    labels = [6] * 20 + [0] * 50 + [1] * 20 + [3] * 10
    source = save_csv(runs_folder.parent / "train.csv", labels)
    run = learnt_from(runs_folder, source, labels)
    drawn = figures(predict(open_page(run=run.id, data="faces.csv")))
    assert "Training" in drawn
    shares = {"62.5%": 1, "25.0%": 1, "12.5%": 1}  # of 80 rows, without the 20 that validated
    assert {share: drawn.count(f">{share}<") for share in shares} == shares
    assert drawn.count(">0.0%<") == 4
    counts = np.bincount(expected_labels(run, test_file), minlength=7)
    assert all(f">{count} &middot; {count / 5:.1%}<" in drawn for count in counts)


def test_balance_of_faces_that_are_not_here_is_not_made_up(open_page, runs_folder: Path, test_file: Path):
    labels = [0, 1] * 10
    source = save_csv(runs_folder.parent / "train.csv", labels)
    run = learnt_from(runs_folder, source, labels)
    source.unlink()
    page = predict(open_page(run=run.id, data="faces.csv"))
    assert "Training" not in figures(page)
    assert "were not found on this machine" in said(page)


def test_balance_of_another_file_of_that_name_is_not_taken(open_page, runs_folder: Path, test_file: Path):
    labels = [0, 1] * 10
    source = save_csv(runs_folder.parent / "train.csv", labels)
    run = learnt_from(runs_folder, source, labels)
    save_csv(source, [1, 0] * 10)
    assert "Training" not in figures(predict(open_page(run=run.id, data="faces.csv")))
