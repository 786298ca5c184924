import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import SGDClassifier

from emotion_core.config import LinearModel
from emotion_core.evaluation import log_loss
from emotion_core.presets import find_preset
from emotion_core.trainers.sgd import LinearLearner, LinearWeights, calibrated


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 300).astype(np.uint8)
    pixels = rng.random((300, 2_304), np.float32)
    pixels[np.arange(300), labels.astype(int) * 300] += 3
    return pixels, labels


@pytest.mark.parametrize("loss", ["hinge", "log_loss", "modified_huber"])
def test_a_pass_is_that_of_scikit_learn_over_the_same_order(faces, loss):
    pixels, labels = faces
    learner = LinearLearner(LinearModel(loss=loss), seed=3, class_weights=np.ones(7))
    order = np.concatenate(list(learner.steps(pixels, labels, epoch=1)))
    assert sorted(order) == list(range(300))
    reference = SGDClassifier(loss=loss, shuffle=False)
    reference.partial_fit(pixels[order], labels[order], classes=np.arange(7))
    weights = learner.weights()
    np.testing.assert_allclose(weights.coefficients, reference.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(weights.scores(pixels), reference.decision_function(pixels), rtol=1e-3, atol=1e-2)


def test_each_epoch_has_an_order_of_its_own_and_a_seed_repeats_it(faces):
    def order(seed, epoch):
        learner = LinearLearner(LinearModel(), seed, np.ones(7))
        return np.concatenate(list(learner.steps(*faces, epoch=epoch))).tolist()

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_temperature_makes_the_labels_likelier_and_changes_no_prediction(faces):
    pixels, labels = faces
    rng = np.random.default_rng(1)
    weights = LinearWeights(rng.normal(0, 5, (7, 2_304)).astype(np.float32), np.zeros(7, np.float32))
    fitted = calibrated(weights, pixels, labels)
    before, after = weights.probabilities(pixels), fitted.probabilities(pixels)
    assert log_loss(labels, after) < log_loss(labels, before)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    np.testing.assert_allclose(after, softmax(weights.scores(pixels) / fitted.temperature, axis=1), rtol=1e-5)
    nearby = [softmax(weights.scores(pixels) / (fitted.temperature * factor), axis=1) for factor in (0.8, 1.25)]
    assert log_loss(labels, after) <= min(log_loss(labels, other) for other in nearby)


@pytest.mark.tensorflow
@pytest.mark.parametrize(("preset", "fused"), [("dense-5", True), ("gru-attention", True), ("cnn", False)])
def test_small_operations_are_fused_on_a_processor_and_convolutions_are_not(preset, fused):
    import keras

    from emotion_core.models.build import build_model
    from emotion_core.trainers.network import compile_network

    config = find_preset(preset).config
    network = build_model(config.model)
    compile_network(network, config, steps_per_epoch=10)
    assert keras.backend.backend() == "tensorflow"
    assert network.jit_compile is fused
