"""What shipping does to a network's file."""

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotion_core.classifier import OnnxClassifier

SCRIPT = Path(__file__).parent.parent / "scripts" / "ship.py"


@pytest.fixture(scope="module")
def ship():
    specification = importlib.util.spec_from_file_location("ship", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def network(tmp_path):
    """A linear network on the pixels, with a temperature."""
    rng = np.random.default_rng(1)
    arrays = {
        "shape": np.array([-1, 2304], np.int64),
        "weights": rng.normal(0, 0.05, (2304, 7)).astype(np.float32),
        "offsets": rng.normal(0, 1, 7).astype(np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["faces", "shape"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["product"]),
            helper.make_node("Add", ["product", "offsets"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"]),
        ],
        "linear",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, [None, 48, 48, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 7])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"temperature": "2.5"})
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    return path


def test_weights_in_16_bits_take_half_the_room_and_say_the_same(ship, network, tmp_path):
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(network.read_bytes())
    ship.store_in_16_bits(copy)
    assert copy.stat().st_size < 0.52 * network.stat().st_size
    ship.refuse_if_it_says_otherwise(network, copy)
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    expected, got = OnnxClassifier(network).probabilities(faces), OnnxClassifier(copy).probabilities(faces)
    np.testing.assert_allclose(got, expected, atol=1e-3)
    assert (got != expected).any()
    assert OnnxClassifier(copy).probabilities(faces).dtype == np.float32


def test_few_numbers_stay_as_they_are(ship, network):
    ship.store_in_16_bits(network)
    kinds = {weights.name: weights.data_type for weights in onnx.load(network).graph.initializer}
    assert kinds == {"shape": TensorProto.INT64, "weights/16bits": TensorProto.FLOAT16, "offsets": TensorProto.FLOAT}


def test_a_network_that_says_something_else_does_not_ship(ship, network, tmp_path):
    other = onnx.load(network)
    other.graph.initializer[2].CopyFrom(numpy_helper.from_array(np.arange(7, dtype=np.float32), "offsets"))
    onnx.save(other, tmp_path / "other.onnx")
    with pytest.raises(SystemExit, match="differ by up to"):
        ship.refuse_if_it_says_otherwise(network, tmp_path / "other.onnx")
