"""Which rows a recurrent network attends to."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotion_core.attention import AttentionReader, load_attention
from emotion_core.config import GruModel, LinearModel, RunConfig
from emotion_core.errors import ModelUnavailable
from emotion_core.images import to_network_input
from emotion_core.runs import Run, Runs

PROJECT = Path(__file__).parent.parent
SHIPPED = [Run(path.parent) for path in sorted((PROJECT / "trained").glob("*/model.onnx"))]


@pytest.fixture
def face():
    return np.random.default_rng(6).integers(0, 256, (48, 48), dtype=np.uint8)


@pytest.fixture
def gru_run(tmp_path):
    return Runs(tmp_path / "runs").create(RunConfig(model=GruModel()))


@pytest.fixture
def columns():
    """What each pixel of a row adds to the row's score, float32 (48, 1)."""
    return np.random.default_rng(5).normal(0, 0.5, (48, 1)).astype(np.float32)


def save_attending(path: Path, columns: np.ndarray, **metadata: str) -> None:
    """Write a network that attends to rows by their pixels, and gives probabilities by the mean row it then sees."""
    graph = helper.make_graph(
        [
            helper.make_node("Squeeze", ["faces", "last"], ["rows"]),  # (n, 48, 48)
            helper.make_node("MatMul", ["rows", "columns"], ["scores"]),  # (n, 48, 1)
            helper.make_node("Softmax", ["scores"], ["weights"], axis=1),
            helper.make_node("Mul", ["weights", "rows"], ["weighed"]),
            helper.make_node("ReduceSum", ["weighed", "first"], ["attended"], keepdims=0),  # (n, 48)
            helper.make_node("MatMul", ["attended", "emotions"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "attending",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 48, 48, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])],
        [
            numpy_helper.from_array(array, name)
            for name, array in {
                "last": np.array([3]),
                "first": np.array([1]),
                "columns": columns,
                "emotions": np.ones((48, 7), np.float32),
            }.items()
        ],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(network, metadata)
    onnx.checker.check_model(network)
    onnx.save(network, path)


def expected(face: np.ndarray, columns: np.ndarray) -> np.ndarray:
    scores = np.exp(face / 255.0 @ columns[:, 0])
    return scores / scores.sum()


def test_weights_are_those_that_the_network_gives_to_rows(gru_run, columns, face):
    save_attending(gru_run.onnx_path, columns)
    weights = load_attention(gru_run).weights(face)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, expected(face, columns), atol=1e-6)


def test_where_a_network_sees_the_mirror_image_too_weights_are_the_mean_of_both(gru_run, columns, face):
    save_attending(gru_run.onnx_path, columns, flip_average="1")
    both = (expected(face, columns) + expected(face[:, ::-1], columns)) / 2
    np.testing.assert_allclose(load_attention(gru_run).weights(face), both, atol=1e-6)
    assert abs(both - expected(face, columns)).max() > 0.01


def test_a_model_of_another_family_attends_to_no_rows(tmp_path):
    assert load_attention(Runs(tmp_path / "runs").create(RunConfig(model=LinearModel()))) is None


@pytest.mark.parametrize("content", [None, b"", b"no model at all", b"PK\x03\x04 torn"])
def test_a_missing_or_damaged_file_is_named(gru_run, content):
    if content is not None:
        gru_run.onnx_path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"model\.onnx"):
        load_attention(gru_run)


def test_a_cut_off_file_is_refused(gru_run, columns):
    save_attending(gru_run.onnx_path, columns)
    gru_run.onnx_path.write_bytes(gru_run.onnx_path.read_bytes()[:-200])
    with pytest.raises(ModelUnavailable, match=r"model\.onnx"):
        load_attention(gru_run)


def test_a_network_without_attention_is_refused():
    dense = next(run for run in SHIPPED if run.config.model.family == "dense")
    with pytest.raises(ModelUnavailable, match=r"weighs \(1, 7\)"):
        AttentionReader(dense.onnx_path)


def test_a_face_of_another_size_is_refused(gru_run, columns, face):
    save_attending(gru_run.onnx_path, columns)
    with pytest.raises(ValueError, match="48, 48"):
        load_attention(gru_run).weights(face[:24])


def test_shipped_recurrent_networks_attend_to_some_rows_more_than_to_others(face):
    readers = [reader for reader in map(load_attention, SHIPPED) if reader]
    assert readers
    for reader in readers:
        weights, others = reader.weights(face), reader.weights(255 - face)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1, abs=1e-5)
        assert weights.max() > 2 / 48
        assert abs(weights - others).max() > 1e-3


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "settings",
    [
        GruModel(gru_units=(4, 6), attention_units=3, dense_layers=({"units": 5, "batch_norm": True},)),
        GruModel(gru_units=(5,), batch_norm=False, attention_units=4, dense_layers=()),
    ],
)
def test_weights_are_those_of_the_layer_that_keras_exported(tmp_path, face, settings):
    import keras

    from emotion_core.export import export_onnx
    from emotion_core.models.build import build_model
    from emotion_core.models.gru import ATTENTION_LAYER
    from emotion_core.models.saved import load_network, save_network

    run = Runs(tmp_path / "runs").create(RunConfig(model=settings))
    keras.utils.set_random_seed(8)
    network, random = build_model(settings), np.random.default_rng(8)
    network.set_weights([weight + random.uniform(0, 0.2, weight.shape) for weight in network.get_weights()])
    save_network(network, run)
    export_onnx(run, temperature=1.0)
    kept = load_network(run)
    attention = kept.get_layer(ATTENTION_LAYER)
    rows, query = keras.Model(kept.input, attention.input)(to_network_input(face[np.newaxis]))
    weights = np.asarray(attention.weigh(rows, query))[0, :, 0]
    assert np.ptp(weights) > 1e-3
    np.testing.assert_allclose(load_attention(run).weights(face), weights, atol=1e-5)
