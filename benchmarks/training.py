"""Training steps: the notebook's pipeline against ours, and ours without augmentation or fusing, in one run.

    python benchmarks/training.py [PRESET...] [--rounds N]

Each side trains the same network from the same start on the same faces in the same batches: the notebook's with Keras's
`ImageDataGenerator.flow` over faces that were divided beforehand, ours as a run of the product does, with its batches,
its schedule, and the callback that reports, looks for a request to stop and saves checkpoints. Timed is the loop over
batches, from the end of its first to the end of its last; validation and saving are left out on all sides. The sides
take turns, and ratios are medians over the turns. "augmentation" is its share of a step, "by fusing" how many times as
fast XLA makes ours where it is used on a processor (`trainers.backend.fuses_operations`), 1 elsewhere. The backend is
TensorFlow unless KERAS_BACKEND says otherwise.

Goals: dense networks at least 1.7 times the notebook's images per second, no family slower (on a GPU 10 times), and
augmentation under 10 % of a step. The exit code is 1 where one is missed.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from emotion_core.callbacks import ReportToRecorder
from emotion_core.config import Augmentation, RunConfig, with_settings
from emotion_core.images import to_network_input
from emotion_core.models.build import build_model
from emotion_core.presets import find_preset
from emotion_core.recorder import Recorder
from emotion_core.runs import Runs
from emotion_core.sample import draw_sample
from emotion_core.trainers import TrainingData
from emotion_core.trainers.backend import computes_on_gpu, device_name, prepare_backend
from emotion_core.trainers.network import compile_network, make_batches, validation_targets

STEPS = {"dense": 160, "gru": 48, "cnn": 6, "residual": 6}
"""Batches in a turn, so that each takes a second or more on a processor."""

LONGER_ON_GPU = 10

GOALS = {"dense": 1.7}
LARGEST_SHARE = 0.10
COLUMNS = ("notebook", "ours", "not augmented", "ours/notebook", "augmentation", "by fusing")


class Clock(keras.callbacks.Callback):
    """Times the loop over batches, from the end of the first batch to the end of the last.

    Only there it waits for the device, as a run does that reports once a second.
    """

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.speeds: list[float] = []  # batches per second, a turn each
        self._batches = batches
        self._first = 0
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Expect the first batch, or the first few that are learnt at once."""
        self._first = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Begin or end a turn."""
        if self._first < 0:
            float(logs["loss"])
            self._first, self._began = batch, time.perf_counter()
        elif batch >= self._batches - 1:
            float(logs["loss"])
            self.speeds.append((self._batches - 1 - self._first) / (time.perf_counter() - self._began))


class Side:
    """One way of training, which can be taken a turn further."""

    def __init__(
        self, model: keras.Model, batches: Any, validation: Any, callbacks: list[keras.callbacks.Callback]
    ) -> None:
        self.clock = Clock(len(batches))
        self._model, self._batches, self._validation = model, batches, validation
        self._callbacks = [*callbacks, self.clock]
        self._turns = 0

    def take_turn(self) -> None:
        """Train one pass over the faces."""
        self._model.fit(
            self._batches,
            initial_epoch=self._turns,
            epochs=self._turns + 1,
            validation_data=self._validation,
            callbacks=self._callbacks,
            shuffle=False,
            verbose=0,
        )
        self._turns += 1


def notebook(config: RunConfig, data: TrainingData) -> Side:
    """As the notebook trains: every face divided beforehand, Keras's generator, Keras's schedule."""
    # NOTE: the class behind tensorflow.keras.preprocessing.image; JAX and PyTorch may be here without TensorFlow.
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(rotation_range=30, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1)
    batches = generator.flow(to_network_input(data.faces), data.labels, batch_size=config.training.batch_size, seed=1)
    model = fresh_model(config)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-4, amsgrad=True),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-4 * 0.95**epoch)
    return Side(model, batches, (to_network_input(data.validation_faces), data.validation_labels), [rate])


def ours(config: RunConfig, data: TrainingData, runs: Runs, *, fused: bool = True) -> Side:
    """As a run of the product trains; also without having operations fused."""
    batches, model = make_batches(config, data), fresh_model(config)
    compile_network(model, config, steps_per_epoch=len(batches))
    if not fused:
        model.jit_compile = False
    run = runs.create(config)
    recorder = Recorder(run, len(batches), len(data.labels))
    recorder.training_begins(keras.backend.backend(), device_name(), model.count_params())
    validation = to_network_input(data.validation_faces), validation_targets(data, config.training)
    return Side(model, batches, validation, [ReportToRecorder(recorder, run, plateau=None)])


def fresh_model(config: RunConfig) -> keras.Model:
    """Return a network that begins as all sides do."""
    keras.utils.set_random_seed(config.training.seed)
    return build_model(config.model)


@dataclass(frozen=True)
class Verdict:
    """What one preset came to; speeds in images per second."""

    preset: str
    family: str
    notebook: float
    ours: float
    plain: float
    ratio: float
    share: float
    fusing: float
    goal: float

    @property
    def met(self) -> bool:
        """Whether both goals are."""
        return self.ratio >= self.goal and self.share <= LARGEST_SHARE


def some_faces(count: int) -> TrainingData:
    images, labels = draw_sample()
    rows = np.resize(np.arange(len(images)), count)
    few = slice(0, 64)
    return TrainingData(images[rows], labels[rows], images[few], labels[few], np.arange(64), np.ones(7))


def compare(preset: str, rounds: int, runs: Runs) -> Verdict:
    config = with_settings(find_preset(preset).config, {"training.early_stopping_patience": None})
    family, batch = config.model.family, config.training.batch_size
    prepare_backend(config.device)
    gpu = computes_on_gpu()
    data = some_faces(STEPS[family] * batch * (LONGER_ON_GPU if gpu else 1))
    plain = with_settings(config, {"augmentation": Augmentation().model_dump()})
    sides = {
        "notebook": notebook(config, data),
        "ours": ours(config, data, runs),
        "plain": ours(plain, data, runs),
        "unfused": ours(config, data, runs, fused=False),
    }
    for turn in range(rounds + 1):
        for side in sides.values():
            side.take_turn()
            if not turn:
                side.clock.speeds.clear()  # the first turn compiles
    speeds = {name: batch * np.array(side.clock.speeds) for name, side in sides.items()}
    return Verdict(
        preset,
        family,
        *(median(speeds[name]) for name in ("notebook", "ours", "plain")),
        ratio=median(speeds["ours"] / speeds["notebook"]),
        share=median(1 - speeds["ours"] / speeds["plain"]),
        fusing=median(speeds["ours"] / speeds["unfused"]),
        goal=10.0 if gpu else GOALS.get(family, 1.0),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=["dense-5", "gru-attention", "cnn"], metavar="PRESET")
    parser.add_argument("--rounds", type=int, default=5, help="turns that are timed (default: 5)")
    options = parser.parse_args()
    missed = False
    print(f"{'images per second':20s}" + "".join(f"{name:>16s}" for name in COLUMNS))
    for preset in options.presets:
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
            verdict = compare(preset, options.rounds, Runs(Path(folder)))
        missed |= not verdict.met
        print(
            f"{preset:20s}{verdict.notebook:16,.0f}{verdict.ours:16,.0f}{verdict.plain:16,.0f}{verdict.ratio:16.2f}"
            f"{verdict.share:16.0%}{verdict.fusing:16.2f}   {'met' if verdict.met else 'MISSED'}",
            flush=True,
        )
    print(f"{keras.backend.backend()} on {device_name()}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
