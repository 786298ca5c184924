"""Training steps: the notebook's pipeline against ours, and ours without augmentation, in one run.

    python benchmarks/training.py [PRESET...] [--rounds N]

Each side trains the same network from the same start on the same faces in the same batches: the notebook's with Keras's
`ImageDataGenerator.flow` over faces that were divided beforehand, ours as a run of the product does, with its batches,
its schedule, and the callback that reports, looks for a request to stop and saves checkpoints. Timed is the loop over
batches, from the end of its first to the end of its last; validation and saving are left out on all sides. The sides
take turns, and ratios are medians over the turns. The backend is TensorFlow unless KERAS_BACKEND says otherwise.

Goals: dense networks at least 1.7 times the notebook's images per second, no family slower (on a GPU 10 times), and
augmentation under 10 % of a step. The exit code is 1 where one is missed.
"""

import argparse
import os
import sys
import tempfile
import time
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
from emotion_core.trainers.backend import device_name, prepare_backend
from emotion_core.trainers.network import compile_network, make_batches

STEPS = {"dense": 100, "gru": 50, "cnn": 6}
"""Batches in a turn, so that each takes a second or more."""

GOALS = {"dense": 1.7}
LARGEST_SHARE = 0.10


class Clock(keras.callbacks.Callback):
    """Times the loop over batches, from the end of the first batch to the end of the last."""

    def __init__(self) -> None:
        super().__init__()
        self.speeds: list[float] = []  # batches per second, a turn each

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin a turn."""
        self._ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the time, once the device has done the batch."""
        float(logs["loss"])
        self._ends.append(time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the turn's speed."""
        self.speeds.append((len(self._ends) - 1) / (self._ends[-1] - self._ends[0]))


class Side:
    """One way of training, which can be taken a turn further."""

    def __init__(self, config: RunConfig, data: TrainingData) -> None:
        self.clock = Clock()
        self.turns = 0
        keras.utils.set_random_seed(config.training.seed)
        self._model = build_model(config.model)
        self._validation = (to_network_input(data.validation_faces), data.validation_labels)

    def take_turn(self) -> None:
        """Train one pass over the faces."""
        self._model.fit(
            self._batches(),
            initial_epoch=self.turns,
            epochs=self.turns + 1,
            validation_data=self._validation,
            callbacks=[*self._callbacks(), self.clock],
            verbose=0,
            **self._options(),
        )
        self.turns += 1

    def _batches(self) -> Any:
        raise NotImplementedError

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        return []

    def _options(self) -> dict[str, Any]:
        return {}


class Notebook(Side):
    """As the notebook trains: every face divided beforehand, Keras's generator, Keras's schedule."""

    def __init__(self, config: RunConfig, data: TrainingData) -> None:
        super().__init__(config, data)
        from tensorflow.keras.preprocessing.image import ImageDataGenerator  # slow to import

        generator = ImageDataGenerator(rotation_range=30, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1)
        self._flow = generator.flow(
            to_network_input(data.faces), data.labels, batch_size=config.training.batch_size, seed=1
        )
        self._model.compile(
            optimizer=keras.optimizers.Adam(1e-4, amsgrad=True),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )

    def _batches(self) -> Any:
        return self._flow

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        return [keras.callbacks.LearningRateScheduler(lambda epoch: 1e-4 * 0.95**epoch)]


class Ours(Side):
    """As a run of the product trains."""

    def __init__(self, config: RunConfig, data: TrainingData, runs: Runs) -> None:
        super().__init__(config, data)
        self._own = make_batches(config, data)
        compile_network(self._model, config, steps_per_epoch=len(self._own))
        run = runs.create(config)
        recorder = Recorder(run, len(self._own), len(data.labels))
        recorder.training_begins(keras.backend.backend(), device_name(), self._model.count_params())
        self._report = ReportToRecorder(recorder, run, plateau=None)

    def _batches(self) -> Any:
        return self._own

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        return [self._report]

    def _options(self) -> dict[str, Any]:
        return {"shuffle": False}


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
    data = some_faces(STEPS[family] * batch)
    plain = with_settings(config, {"augmentation": Augmentation().model_dump()})
    sides = {"notebook": Notebook(config, data), "ours": Ours(config, data, runs), "plain": Ours(plain, data, runs)}
    for turn in range(rounds + 1):
        for side in sides.values():
            side.take_turn()
            if not turn:
                side.clock.speeds.clear()  # the first turn compiles
    speeds = {name: batch * np.array(side.clock.speeds) for name, side in sides.items()}
    gpu = device_name() != "CPU"
    return Verdict(
        preset,
        family,
        *(median(speeds[name]) for name in ("notebook", "ours", "plain")),
        ratio=median(speeds["ours"] / speeds["notebook"]),
        share=median(1 - speeds["ours"] / speeds["plain"]),
        goal=10.0 if gpu else GOALS.get(family, 1.0),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=["dense-5", "gru-attention", "cnn"], metavar="PRESET")
    parser.add_argument("--rounds", type=int, default=5, help="turns that are timed (default: 5)")
    options = parser.parse_args()
    missed = False
    print("images per second            notebook       ours  without augmentation   ours/notebook   augmentation")
    for preset in options.presets:
        with tempfile.TemporaryDirectory() as folder:
            verdict = compare(preset, options.rounds, Runs(Path(folder)))
        missed |= not verdict.met
        print(
            f"{preset:24s} {verdict.notebook:12,.0f} {verdict.ours:10,.0f} {verdict.plain:21,.0f} "
            f"{verdict.ratio:15.2f} {verdict.share:13.0%} of a step   {'met' if verdict.met else 'MISSED'}",
            flush=True,
        )
    print(f"{keras.backend.backend()} on {device_name()}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
