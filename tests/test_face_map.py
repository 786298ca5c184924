"""Which faces are on a map, what a network makes of them, and how they are laid out."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotion_core.config import FirstRows, RandomSplit, UsageSplit
from emotion_core.dataset import Dataset, split_rows
from emotion_core.drawing.face import draw_face
from emotion_core.drawing.person import Expression, Person
from emotion_core.errors import BadInput, ModelUnavailable
from emotion_core.face_map import (
    LEAST_FACES,
    MOST_FACES,
    NEIGHBOURS,
    FaceMap,
    FeatureReader,
    agreement_by_chance,
    draw_map,
    pixels_of,
    rows_to_map,
)
from emotion_core.images import to_network_input
from emotion_core.runs import Run

PROJECT = Path(__file__).parent.parent
SHIPPED = [Run(path.parent) for path in sorted((PROJECT / "trained").glob("*/model.onnx"))]


def dataset(labels: np.ndarray | None, count: int = 0) -> Dataset:
    count = count if labels is None else len(labels)
    return Dataset(
        name="faces.csv",
        source="/faces.csv",
        images=np.broadcast_to(np.zeros((1, 48, 48), np.uint8), (count, 48, 48)),
        labels=labels,
        ids=np.arange(count).astype(str),
        usage=None,
        problems=(),
        fingerprint="",
    )


def mixed_labels(count: int) -> np.ndarray:
    """Labels of which the first is rare and the fourth common."""
    return np.random.default_rng(1).choice(7, count, p=[0.02, 0.1, 0.1, 0.48, 0.1, 0.1, 0.1]).astype(np.uint8)


def save_dense(path: Path, hidden: np.ndarray, last: str = "MatMul") -> None:
    """Write a network with one hidden layer (2304, units) of weights, without bias."""
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["faces", "shape"], ["pixels"]),
            helper.make_node("MatMul", ["pixels", "hidden"], ["sums"]),
            helper.make_node("Relu", ["sums"], ["units"]),
            helper.make_node(last, ["units", "emotions"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "dense",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 48, 48, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])],
        [
            numpy_helper.from_array(np.array([-1, 48 * 48]), "shape"),
            numpy_helper.from_array(hidden, "hidden"),
            numpy_helper.from_array(np.ones((hidden.shape[1], 7), np.float32), "emotions"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def hidden() -> np.ndarray:
    return np.random.default_rng(2).normal(0, 0.05, (48 * 48, 5)).astype(np.float32)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(6).integers(0, 256, (300, 48, 48), dtype=np.uint8)


# --- which faces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [FirstRows(), RandomSplit()])
def test_only_validation_rows_are_on_a_map_as_many_of_each_emotion_as_there_are(split: FirstRows | RandomSplit):
    faces = dataset(mixed_labels(14_000))
    validation = split_rows(faces, split, 5).validation
    rows = rows_to_map(faces, split, 5)
    assert list(rows) == sorted(set(rows))
    assert set(rows) <= set(validation)
    there = np.bincount(faces.labels[validation], minlength=7)
    assert list(np.bincount(faces.labels[rows], minlength=7)) == list(there.clip(max=MOST_FACES // 7))
    assert there[0] < MOST_FACES // 7 < there[3]


def test_the_same_faces_are_chosen_each_time():
    faces = dataset(mixed_labels(14_000))
    assert list(rows_to_map(faces, FirstRows(), 5)) == list(rows_to_map(faces, FirstRows(), 5))


def test_unlabelled_faces_may_all_be_on_a_map():
    rows = rows_to_map(dataset(None, 9_000), FirstRows(), 0)
    assert len(rows) == MOST_FACES
    assert rows.max() > 8_000


def test_a_set_that_cannot_be_split_so_may_all_be_on_a_map():
    faces = dataset(np.arange(70, dtype=np.uint8) % 7)
    assert list(rows_to_map(faces, UsageSplit(), 0)) == list(range(70))


def test_too_few_faces_are_refused():
    with pytest.raises(BadInput, match=rf"faces\.csv has {LEAST_FACES - 1}\."):
        rows_to_map(dataset(None, LEAST_FACES - 1), FirstRows(), 0)


# --- features ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["MatMul", "Gemm"])
def test_features_are_what_enters_the_last_layer(tmp_path: Path, hidden: np.ndarray, images: np.ndarray, last: str):
    save_dense(tmp_path / "model.onnx", hidden, last)
    steps: list[tuple[int, int]] = []
    features = FeatureReader(tmp_path / "model.onnx").features(images, lambda done, total: steps.append((done, total)))
    wanted = np.maximum(to_network_input(images).reshape(300, -1) @ hidden, 0)
    np.testing.assert_allclose(features, wanted, atol=1e-4)
    assert steps == [(256, 300), (300, 300)]


@pytest.mark.parametrize("content", [None, b"", b"no model at all"])
def test_a_missing_or_damaged_network_is_named(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"model\.onnx"):
        FeatureReader(tmp_path / "model.onnx")


@pytest.mark.parametrize("run", SHIPPED, ids=lambda run: run.id)
def test_every_shipped_network_tells_faces_apart(run: Run):
    people = [Person.invent(np.random.default_rng(seed)) for seed in range(2)]
    pictures = [draw_face(person, Expression(smile=smile)) for person, smile in zip(people, (-1, 1), strict=True)]
    faces = np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA) for picture in pictures])
    features = FeatureReader(run.onnx_path).features(faces)
    assert features.shape[1] >= 64
    assert abs(features[0] - features[1]).max() > 0.1


def test_pixels_are_features_from_0_to_1(images: np.ndarray):
    features = pixels_of(images)
    np.testing.assert_allclose(features[7], images[7].ravel() / 255, rtol=1e-6)


# --- the map -------------------------------------------------------------------------------------------------------

GROUPS = np.repeat(np.arange(3, dtype=np.uint8), 20)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """Sixty faces in three groups far apart, float32 (60, 30)."""
    rng = np.random.default_rng(8)
    return (rng.normal(0, 20, (3, 30))[GROUPS] + rng.normal(0, 1, (60, 30))).astype(np.float32)


@pytest.fixture(scope="module")
def drawn(features: np.ndarray) -> FaceMap:
    return draw_map(np.arange(60), features)


def test_faces_that_are_alike_lie_together(drawn: FaceMap):
    assert drawn.agreement(GROUPS).mean() > 0.95


def test_a_map_fills_its_square_and_no_face_is_its_own_neighbour(drawn: FaceMap):
    assert drawn.points.min(axis=0).tolist() == [-1, -1]
    assert drawn.points.max(axis=0).tolist() == [1, 1]
    assert drawn.neighbours.shape == (60, NEIGHBOURS)
    assert not (drawn.neighbours == np.arange(60)[:, np.newaxis]).any()


def test_a_map_is_the_same_each_time(drawn: FaceMap, features: np.ndarray):
    np.testing.assert_array_equal(draw_map(np.arange(60), features).points, drawn.points)


@pytest.mark.parametrize("count", [LEAST_FACES, 31])
def test_the_smallest_maps_and_faces_all_alike_can_be_drawn(count: int):
    points = draw_map(np.arange(count), np.ones((count, 8), np.float32)).points
    assert np.isfinite(points).all()


def test_agreement_counts_the_neighbours_of_the_same_label():
    neighbours = np.array([[1, 2], [0, 2], [0, 1], [0, 1]])
    faces = FaceMap(np.arange(4), np.zeros((4, 2), np.float32), neighbours)
    assert list(faces.agreement(np.array([5, 5, 1, 1], np.uint8))) == [0.5, 0.5, 0, 0]


def test_agreement_by_chance_is_that_of_a_shuffled_map():
    labels = np.array([0] * 30 + [3] * 10, np.uint8)
    rng = np.random.default_rng(0)
    pairs = [labels[rng.permutation(40)[:2]] for _ in range(20_000)]
    assert agreement_by_chance(labels) == pytest.approx(np.mean([a == b for a, b in pairs]), abs=0.02)
    assert agreement_by_chance(labels) == (30 * 29 + 10 * 9) / (40 * 39)  # a face is not its own neighbour
