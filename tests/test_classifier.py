"""Saved models at work."""

import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotion_core.calibration import softmax
from emotion_core.classifier import BATCH_SIZE, best_run, by_merit, load_classifier
from emotion_core.config import Data, LinearModel, RunConfig
from emotion_core.errors import ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.runs import Runs, RunSummary, State


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "runs")


@pytest.fixture
def run(runs):
    return runs.create(RunConfig(model=LinearModel()))


@pytest.fixture
def weights():
    random = np.random.default_rng(5)
    return random.normal(0, 0.05, (7, 2304)).astype(np.float32), random.normal(size=7).astype(np.float32)


@pytest.fixture
def images():
    return np.random.default_rng(6).integers(0, 256, (BATCH_SIZE + 44, 48, 48), dtype=np.uint8)


def save_onnx(path: Path, weights, side: int = 48) -> None:
    """Write a network of one dense layer and a softmax."""
    coefficients, intercepts = weights
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["faces"], ["pixels"]),
            helper.make_node("Gemm", ["pixels", "coefficients", "intercepts"], ["scores"], transB=1),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        ],
        "dense",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", side, side, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(intercepts)])],
        [numpy_helper.from_array(coefficients, "coefficients"), numpy_helper.from_array(intercepts, "intercepts")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def save_linear(path: Path, weights, temperature: float = 1.0) -> None:
    np.savez(path, coefficients=weights[0], intercepts=weights[1], temperature=np.float32(temperature))


def expected(images, weights, temperature=1.0):
    scores = images.reshape(len(images), -1) / 255.0 @ weights[0].astype(float).T + weights[1]
    powers = np.exp(scores / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("save", "path"), [(save_onnx, "onnx_path"), (save_linear, "linear_path")])
def test_saved_model_gives_the_probabilities_of_its_formula(run, weights, images, save, path):
    save(getattr(run, path), weights)
    probabilities = load_classifier(run).probabilities(images)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected(images, weights), atol=1e-5)


def test_temperature_softens_a_linear_model(run, weights, images):
    save_linear(run.linear_path, weights, temperature=4)
    np.testing.assert_allclose(load_classifier(run).probabilities(images), expected(images, weights, 4), atol=1e-5)


def describe(path: Path, **metadata: str) -> None:
    network = onnx.load(path)
    onnx.helper.set_model_props(network, metadata)
    onnx.save(network, path)


def test_temperature_of_a_network_is_in_its_file(run, weights, images):
    save_onnx(run.onnx_path, weights)
    describe(run.onnx_path, temperature="4.0")
    np.testing.assert_allclose(load_classifier(run).probabilities(images), expected(images, weights, 4), atol=1e-5)


def test_a_network_may_be_asked_about_the_mirror_image_too(run, weights, images):
    save_onnx(run.onnx_path, weights)
    describe(run.onnx_path, flip_average="1")
    both = (expected(images, weights) + expected(images[:, :, ::-1], weights)) / 2
    probabilities = load_classifier(run).probabilities(images)
    np.testing.assert_allclose(probabilities, both, atol=1e-5)
    np.testing.assert_allclose(load_classifier(run).probabilities(images[:, :, ::-1]), probabilities, atol=1e-5)


@pytest.mark.parametrize("temperature", ["0", "-1", "nan", "inf", "warm"])
def test_a_network_with_a_temperature_that_is_none_is_refused(run, weights, temperature):
    save_onnx(run.onnx_path, weights)
    describe(run.onnx_path, temperature=temperature)
    with pytest.raises(ModelUnavailable, match=r"model\.onnx"):
        load_classifier(run)


def test_network_is_preferred_where_a_run_has_both(run, weights, images):
    save_onnx(run.onnx_path, weights)
    save_linear(run.linear_path, (-weights[0], weights[1]))
    np.testing.assert_allclose(load_classifier(run).probabilities(images), expected(images, weights), atol=1e-5)


def test_progress_is_told_after_each_batch(run, weights, images):
    save_linear(run.linear_path, weights)
    told = []
    load_classifier(run).probabilities(images, lambda done, total: told.append((done, total)))
    assert told == [(BATCH_SIZE, len(images)), (len(images), len(images))]


def test_no_images_give_no_rows(run, weights):
    save_linear(run.linear_path, weights)
    assert load_classifier(run).probabilities(np.empty((0, 48, 48), np.uint8)).shape == (0, 7)


def test_several_threads_may_use_one_model(run, weights, images):
    save_onnx(run.onnx_path, weights)
    classifier, results = load_classifier(run), {}
    threads = [
        threading.Thread(target=lambda part=part: results.update({part: classifier.probabilities(images[part::3])}))
        for part in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for part in range(3):
        np.testing.assert_allclose(results[part], expected(images[part::3], weights), atol=1e-5)


def test_softmax_bears_large_logits():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0]], np.float32)), [[1, 0]])


def test_run_without_a_model_says_so(run):
    with pytest.raises(ModelUnavailable, match="no model"):
        load_classifier(run)


@pytest.mark.parametrize("path", ["onnx_path", "linear_path"])
@pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x03\x04 torn"])
def test_damaged_model_is_refused_by_name(run, path, content):
    getattr(run, path).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=getattr(run, path).name):
        load_classifier(run)


def test_cut_off_network_is_refused(run, weights):
    save_onnx(run.onnx_path, weights)
    run.onnx_path.write_bytes(run.onnx_path.read_bytes()[:-20_000])
    with pytest.raises(ModelUnavailable):
        load_classifier(run)


@pytest.mark.parametrize(("classes", "side"), [(3, 48), (7, 32)])
def test_network_for_something_else_is_refused(run, classes, side):
    save_onnx(run.onnx_path, (np.zeros((classes, side**2), np.float32), np.zeros(classes, np.float32)), side)
    with pytest.raises(ModelUnavailable, match=r"model\.onnx"):
        load_classifier(run)


def test_linear_weights_of_another_shape_are_refused(run):
    save_linear(run.linear_path, (np.zeros((7, 100), np.float32), np.zeros(7, np.float32)))
    with pytest.raises(ModelUnavailable, match=r"\(7, 100\)"):
        load_classifier(run)


def add_run(runs: Runs, source: str, accuracy: float | None, with_model: bool = True):
    run = runs.create(RunConfig(data=Data(source=source), model=LinearModel()))
    run.record(state=State.FINISHED, best_val_accuracy=accuracy)
    if with_model:
        save_linear(run.linear_path, (np.zeros((7, 2304), np.float32), np.zeros(7, np.float32)))
    return run


def test_best_run_is_the_most_accurate_that_has_a_model(runs):
    add_run(runs, "faces.csv", 0.4)
    best = add_run(runs, "faces.csv", 0.6)
    add_run(runs, "faces.csv", 0.9, with_model=False)
    assert best_run(runs).id == best.id


def test_being_right_about_a_few_faces_is_no_merit():
    scored = [RunSummary("few", "few", State.FINISHED, val_accuracy=1.0, validation_images=3, has_model=True)]
    scored += [RunSummary("many", "many", State.FINISHED, val_accuracy=0.7, validation_images=2900, has_model=True)]
    assert [line.id for line in by_merit(scored)] == ["many", "few"]


def test_runs_on_drawn_faces_stand_behind_all_others(runs):
    add_run(runs, "sample", 0.99)
    real = add_run(runs, "faces.csv", None)
    assert best_run(runs).id == real.id


def test_drawn_faces_are_better_than_nothing(runs):
    add_run(runs, "sample", 0.5)
    best = add_run(runs, "sample", 0.9)
    assert best_run(runs).id == best.id


def test_no_model_at_all_is_said(runs):
    add_run(runs, "faces.csv", 0.9, with_model=False)
    with pytest.raises(ModelUnavailable, match="train one"):
        best_run(runs)


def test_network_input_is_the_one_that_training_uses(run, weights, images):
    save_linear(run.linear_path, weights)
    inputs = to_network_input(images[:3]).reshape(3, -1)
    np.testing.assert_allclose(
        load_classifier(run).probabilities(images[:3]), softmax(inputs @ weights[0].T + weights[1]), atol=1e-6
    )
