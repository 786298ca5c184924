"""What a run's curves say: one plain sentence, or none where there is too little to say or all is well.

Each rule looks at the rows of history.csv for one thing and compares a few numbers; the first that finds its thing
speaks. The rules rather stay silent than cry wolf: losses on a small validation set jump about, and a rate that warms
up makes curves turn back for a while.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.config import DenseModel
from emotion_core.emotions import EMOTIONS, NUM_EMOTIONS
from emotion_core.runs import Run

if TYPE_CHECKING:
    import pandas as pd

Curve = NDArray[np.float64]

GUESSING_LOSS: Final = math.log(NUM_EMOTIONS)
"""Loss of a model that holds all emotions for equally likely."""

FEWEST_EPOCHS: Final = 3

_COLUMNS: Final = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")

CONFUSION_SHARE: Final = 0.99
"""A model that gives one answer to this share of the faces gives always the same."""


_WRONG_LABELS: Final = (
    "The labels were shuffled apart from the faces, so no face tells its label. Another model or learning rate would "
    "do no better; choose a split that keeps them together."
)


class Trouble(StrEnum):
    """What curves can say, and what they cannot but the settings do."""

    RATE_TOO_HIGH = "learning rate too high"
    CONSTANT = "constant prediction"
    OVERFITTING = "overfitting"
    UNDERFITTING = "underfitting"
    WRONG_LABELS = "labels of other faces"


@dataclass(frozen=True)
class Diagnosis:
    """What the curves show and one thing to try."""

    trouble: Trouble
    sentence: str


@dataclass(frozen=True)
class Curves:
    """A run's epochs as arrays (n,), losses and accuracies from 0 to 1, and what of its settings bears on them.

    Attributes:
        linear: Whether the model is a linear one, which has other settings to try.
        penalised: Whether the losses include a penalty on the weights.
        weighted: Whether the classes are weighed, which gives up accuracy for rare emotions.
    """

    epochs: Curve
    loss: Curve
    accuracy: Curve
    val_loss: Curve
    val_accuracy: Curve
    linear: bool = field(default=False, kw_only=True)
    penalised: bool = field(default=False, kw_only=True)
    weighted: bool = field(default=False, kw_only=True)


def diagnose_run(run: Run, history: "pd.DataFrame | None" = None) -> Diagnosis | None:
    """Say what a run's curves show; raises DamagedRun.

    Scores count only where the run ended by itself: those of one that goes on are of an earlier sitting. `history` is
    the run's own, where the caller has just read it.
    """
    history = run.history() if history is None else history
    if run.config.data.is_misaligned:  # whatever the curves do, this is why
        return Diagnosis(Trouble.WRONG_LABELS, _WRONG_LABELS) if len(history) else None
    scores = run.evaluation() if run.status().state.is_over else None
    model = run.config.model
    return diagnose(
        history,
        linear=model.family == "linear",
        penalised=isinstance(model, DenseModel) and model.is_penalised,
        weighted=run.config.training.class_weights != "none",
        confusion=scores.confusion if scores else None,
    )


def diagnose(
    history: "pd.DataFrame",
    *,
    linear: bool = False,
    penalised: bool = False,
    weighted: bool = False,
    confusion: Sequence[Sequence[int]] | None = None,
) -> Diagnosis | None:
    """Say what curves show; None where nothing stands out or there are fewer than FEWEST_EPOCHS.

    Args:
        history: A row per epoch, as `Run.history`.
        linear: As in `Curves`.
        penalised: As in `Curves`.
        weighted: As in `Curves`.
        confusion: Of the kept epoch: `confusion[true][predicted]` counts validation faces.
    """
    columns = (history[name].to_numpy(float) for name in _COLUMNS)
    curves = Curves(*columns, linear=linear, penalised=penalised, weighted=weighted)
    if len(history) < FEWEST_EPOCHS and np.isfinite([curves.loss, curves.val_loss]).all():
        return None
    return next(_findings(curves, confusion), None)


def _findings(curves: Curves, confusion: Sequence[Sequence[int]] | None) -> Iterator[Diagnosis]:
    if sentence := became_infinite(curves):
        yield Diagnosis(Trouble.RATE_TOO_HIGH, sentence)
        return  # there is nothing else to compare
    rules = {
        Trouble.RATE_TOO_HIGH: explodes(curves) or jumps(curves),
        Trouble.CONSTANT: (confusion and always_same_answer(confusion, curves)) or stands_still(curves),
        Trouble.OVERFITTING: overfits(curves),
        Trouble.UNDERFITTING: underfits(curves),
    }
    yield from (Diagnosis(trouble, sentence) for trouble, sentence in rules.items() if sentence)


# --- the rules -----------------------------------------------------------------------------------------------------


def became_infinite(curves: Curves) -> str:
    """A loss that is no number: the weights grew beyond what numbers hold."""
    gone = ~np.isfinite(curves.loss) | ~np.isfinite(curves.val_loss)
    if not gone.any():
        return ""
    epoch = curves.epochs[gone.argmax()]
    return (
        f"The loss stopped being a finite number in epoch {epoch:,.0f}: the steps were far too large. {_slower(curves)}"
    )


def explodes(curves: Curves, growth: float = 1.2) -> str:
    """Training loss that climbed to or above GUESSING_LOSS: after learning a little, worse than knowing nothing.

    The middle one of the last three losses is compared, so one bad epoch does not count, and the last, so a loss that
    comes down from far above, as with a strong penalty, does not: both must be `growth` times the lowest so far.
    """
    now, lowest = min(float(np.median(curves.loss[-3:])), curves.loss[-1]), curves.loss.min()
    if now < GUESSING_LOSS or now < growth * lowest:
        return ""
    return (
        f"The training loss climbed from {lowest:.2f} to {now:.2f}, while guessing gives {GUESSING_LOSS:.2f}: "
        f"each step undoes what was learnt. {_slower(curves)}"
    )


def jumps(curves: Curves, window: int = 8, rise: float = 0.1, rises: int = 3) -> str:
    """Training loss that leaps up again and again: by a tenth or more in three of the last eight epochs.

    Training loss is the mean over all faces, so it moves smoothly where steps are small enough; validation loss may
    jump without any harm.
    """
    last = curves.loss[-window - 1 :]
    leaps = int((last[1:] > (1 + rise) * last[:-1]).sum())
    if leaps < rises:
        return ""
    return (
        f"The training loss jumped in {leaps} of the last {len(last) - 1} epochs, between {last.min():.2f} and "
        f"{last.max():.2f}: the steps are too large to settle. {_slower(curves)}"
    )


def always_same_answer(confusion: Sequence[Sequence[int]], curves: Curves) -> str:
    """One column of the confusion matrix that holds CONFUSION_SHARE of all faces: one answer for everyone."""
    counts = np.asarray(confusion)
    answers, every = counts.sum(axis=0), counts.sum()
    if not every or answers.max() < CONFUSION_SHARE * every or counts.sum(axis=1).max() >= CONFUSION_SHARE * every:
        return ""
    answer = int(answers.argmax())
    return (
        f"Nearly every face is predicted as {EMOTIONS[answer]}, which is right for "
        f"{counts[answer, answer] / answers[answer]:.1%} of them. {_fairer(curves)}"
    )


def stands_still(curves: Curves, epochs: int = 4, gap: float = 0.05, moved: float = 0.02) -> str:
    """Validation accuracy that stays the same to the last face: about the share of the one emotion that is answered.

    Four epochs in a row must agree. A network that learns may do that by chance on few validation faces, so besides,
    the training accuracy must stay put as well (within `moved`) and near that share (within `gap`), and the
    validation loss may not be below what always answering alike can reach at best: -a ln a - (1-a) ln(1-a).
    """
    share, training = curves.val_accuracy[-epochs:], curves.accuracy[-epochs:]
    if len(share) < epochs or np.ptp(share) > 1e-6 or np.ptp(training) > moved or not 0 < share[0] < 1:
        return ""
    a = float(share[0])
    floor = -a * math.log(a) - (1 - a) * math.log(1 - a)
    if abs(training.mean() - a) > gap or curves.val_loss[-epochs:].min() < floor:
        return ""
    moving = np.flatnonzero(np.abs(curves.val_accuracy - a) > 1e-6)
    since = curves.epochs[moving[-1] + 1 if len(moving) else 0]
    return (
        f"The validation accuracy has been exactly {a:.1%} since epoch {since:,.0f}: the model gives "
        f"nearly every face the same answer. {_fairer(curves)}"
    )


def overfits(curves: Curves, rise: float = 0.05, knew: float = 1.5 / NUM_EMOTIONS) -> str:
    """Validation loss that turned up and stayed up while training loss went on falling.

    Each of the last epochs (three, or a tenth of all) must have a validation loss `rise` above the lowest, all come
    after that lowest one, and the training loss must have fallen since. Where it had `knew` of the validation faces
    right at most, about as many as by chance, there is nothing to unlearn: batch normalisation takes its time.
    """
    best, last = int(curves.val_loss.argmin()), max(3, len(curves.epochs) // 10)
    if len(curves.epochs) - 1 - best < last:
        return ""
    lowest, now = curves.val_loss[best], curves.val_loss[-1]
    stayed_up = curves.val_loss[-last:].min() >= (1 + rise) * lowest
    still_learning = curves.loss[-last:].mean() < curves.loss[best]
    had_learnt = curves.val_accuracy[best] > knew
    if not (stayed_up and still_learning and had_learnt):
        return ""
    advice = "a larger alpha" if curves.linear else "dropout, augmentation"
    return (
        f"The training loss keeps falling while the validation loss has risen since epoch {curves.epochs[best]:,.0f}, "
        f"from {lowest:.2f} to {now:.2f}: the model is memorising the training faces. Try {advice} or fewer epochs."
    )


def underfits(curves: Curves, fewest: int = 10, fall: float = 0.01, enough: float = 0.5, gap: float = 0.1) -> str:
    """Training that has settled at a poor result, on training faces too.

    After ten epochs or more: over the last six (or a fifth of all), the training loss fell by less than `fall` of
    itself from the first half to the second, both accuracies are below `enough` (that of training is measured on
    changed and blended faces), and validation is no worse than training by `gap`, since otherwise the trouble is
    another one. A penalty and class weights cost accuracy too.
    """
    if len(curves.epochs) < fewest:
        return ""
    last = max(6, len(curves.epochs) // 5)
    earlier, later = np.array_split(curves.loss[-last:], 2)
    accuracy, val_accuracy = curves.accuracy[-last:].mean(), curves.val_accuracy[-last:].mean()
    has_settled = later.mean() >= (1 - fall) * earlier.mean()
    if not has_settled or max(accuracy, val_accuracy) >= enough or val_accuracy < accuracy - gap:
        return ""
    weaker = "a weaker penalty, " if curves.penalised else ""
    advice = "a network instead" if curves.linear else f"{weaker}a larger network or a higher learning rate"
    included = ", penalty included" if curves.penalised else ""
    return (
        f"The training loss has settled at {later.mean():.2f}{included}, and only {accuracy:.0%} of the training faces "
        f"are recognised: {_what_else(curves)}the model is too simple or learns too slowly. Try {advice}."
    )


def _what_else(curves: Curves) -> str:
    """Name the settings that may cost accuracy by themselves, before the model is blamed."""
    costly = {"a strong penalty": curves.penalised, "the class weights": curves.weighted}
    named = " or ".join(name for name, is_on in costly.items() if is_on)
    return f"{named} may be the reason, which runs without would show, or " if named else ""


def _fairer(curves: Curves) -> str:
    return "Try class weights." if curves.linear else "Try a lower learning rate, then class weights."


def _slower(curves: Curves) -> str:
    return (
        "Try a larger alpha, which makes its steps smaller."
        if curves.linear
        else "Try a learning rate ten times lower."
    )
