"""The coursework's table: which configurations it holds, with which seeds, and the figures it reports for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emotion_core.config import RunConfig, with_settings
from emotion_core.presets import PRESETS

SEEDS: Final[dict[str, tuple[int, ...]]] = {
    "sgd": (42, 43, 44),
    "sgd-misaligned": (42, 43, 44),
    **dict.fromkeys(
        (
            "dense-1",
            "dense-2",
            "dense-3",
            "dense-4",
            "dense-l2-dropout",
            "dense-5",
            "dense-6",
            "dense-7",
            "dense-single",
            "gru-attention",
            "cnn",
        ),
        (42, 43),
    ),
}
"""The seeds with which each preset of the coursework is trained, in the order of its table."""


@dataclass(frozen=True)
class Reported:
    """What the coursework reports for one model; accuracies from 0 to 1, one per iteration.

    Attributes:
        training: On the training images.
        validation: On the validation images; empty where it has none.
        kaggle: The competition's score on the test images.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    kaggle: float

    @property
    def compared(self) -> float:
        """The mean that ours is compared with: over the validation figures, for SGD over those that there are.

        The coursework's own means are not all of the same thing, so that they are reckoned anew here.
        """
        figures = self.validation or self.training
        return sum(figures) / len(figures)


_SGD: Final = Reported(training=(0.1934, 0.2181, 0.2112), validation=(), kaggle=0.21)

REPORTED: Final[dict[str, Reported]] = {
    "sgd": _SGD,
    "sgd-misaligned": _SGD,
    "dense-5": Reported(training=(0.3949, 0.3991), validation=(0.4179, 0.4186), kaggle=0.42),
    "gru-attention": Reported(training=(0.3401, 0.3201), validation=(0.3579, 0.3314), kaggle=0.36),
    "cnn": Reported(training=(0.5943, 0.5480), validation=(0.5807, 0.5817), kaggle=0.59),
}
"""The coursework's figures by preset. Its SGD was misaligned, so that both of ours are measured against them."""


def coursework_runs(presets: Sequence[str] = tuple(SEEDS)) -> tuple[RunConfig, ...]:
    """Return the configuration of every run of the table, or of some of its presets: one per preset and seed."""
    return tuple(
        with_settings(PRESETS[name].config, {"training.seed": seed, "name": f"{PRESETS[name].title} · seed {seed}"})
        for name in presets
        for seed in SEEDS[name]
    )
