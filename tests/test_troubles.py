"""Why a training failed: errors that really happen, and what is said of them."""

import subprocess
import sys
import traceback

import numpy as np
import pytest

from emotion_core.config import with_settings
from emotion_core.errors import BadInput
from emotion_core.presets import find_preset
from emotion_core.troubles import DISK_FULL, explain, explain_log, is_out_of_memory

CNN = with_settings(find_preset("cnn").config, {"training.batch_size": 112})
ADVICE = "Memory ran out. Try a batch size of 56 instead of 112, or a smaller network."


def test_a_sentence_stays_as_it_is():
    assert explain(BadInput("faces.csv is empty."), CNN) == "faces.csv is empty."


def test_an_unforeseen_error_is_one_line():
    assert explain(ValueError("first\nsecond"), CNN) == "ValueError: first"
    assert len(explain(ValueError("x" * 9_000), CNN)) < 400


def test_an_array_too_large_for_memory_is_told_from_other_errors():
    with pytest.raises(MemoryError) as caught:
        np.ones(2**55, np.float64)
    assert explain(caught.value, CNN) == ADVICE
    assert explain(caught.value, find_preset("sgd").config).startswith("Memory ran out. Close other programs")
    assert not is_out_of_memory(ValueError("shapes do not agree"))


@pytest.mark.tensorflow
def test_a_tensor_too_large_for_memory_is_told_by_tensorflow():
    import tensorflow

    with pytest.raises(tensorflow.errors.ResourceExhaustedError) as caught:
        tensorflow.zeros([2**45])
    assert explain(caught.value, CNN) == ADVICE
    assert explain_log("".join(traceback.format_exception(caught.value)), CNN) == ADVICE


def test_a_tensor_too_large_for_memory_is_told_by_jax():
    jax = pytest.importorskip("jax")
    with pytest.raises(jax.errors.JaxRuntimeError) as caught:
        jax.numpy.zeros(2**45).block_until_ready()
    assert explain(caught.value, CNN) == ADVICE


def test_a_tensor_too_large_for_memory_is_told_by_torch():
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2**45)
    assert explain(caught.value, CNN) == ADVICE


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_a_full_disk_is_told_by_error_and_by_log(tmp_path):
    import resource

    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "open(sys.argv[1], 'wb', buffering=0).write(b'x' * 10)\n"
        "open(sys.argv[1], 'ab', buffering=0).write(b'x')"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path / "file")], capture_output=True, check=False)
    assert explain_log(answer.stderr.decode(), CNN) == DISK_FULL
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, former[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            (tmp_path / "file").open("ab", buffering=0).write(b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert explain(caught.value, CNN) == DISK_FULL


def test_an_ordinary_log_explains_nothing():
    assert explain_log("epoch 1: loss 1.9\nTraceback: ValueError", CNN) is None
