"""Saved runs that teach another: their answers stand beside the labels (knowledge distillation, Hinton et al. 2015)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Classifier, load_classifier
from emotion_core.config import MisalignedSplit, RandomSplit, RunConfig, with_settings
from emotion_core.errors import BadInput
from emotion_core.runs import Run, Runs


class Teachers:
    """What is taught of each face: the answer of one of several classifiers, mixed with the face's own label.

    The classifiers take turns, batch by batch. Over the epochs a face meets all of them, so that the mean of their
    answers is taught, at the cost of one.

    Args:
        classifiers: At least one.
        share: That of the answer, above 0 and at most 1; the rest is the label's.
    """

    def __init__(self, classifiers: Sequence[Classifier], share: float) -> None:
        self._classifiers = tuple(classifiers)
        self._share = np.float32(share)

    def teach(self, images: NDArray[np.uint8], targets: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
        """Return what is taught of faces.

        Args:
            images: uint8 (n, 48, 48), 0-255.
            targets: float32 (n, 7), shares of the emotions as the labels have them.
            turn: Number of the batch, from 0; it decides which classifier is asked.

        Returns:
            float32 (n, 7), shares of the emotions.
        """
        answers = self._classifiers[turn % len(self._classifiers)].probabilities(images)
        return self._share * answers + (1 - self._share) * targets


def load_teachers(config: RunConfig, runs: Runs) -> Teachers | None:
    """Return a run's teachers, None where it has none; raises RunNotFound or ModelUnavailable where one is gone."""
    training = config.training
    if not training.teachers:
        return None
    return Teachers([load_classifier(runs.find(teacher)) for teacher in training.teachers], training.teacher_share)


def name_teachers(config: RunConfig, runs: Runs) -> RunConfig:
    """Return the settings with the whole ids of the teachers instead of beginnings, or of `latest`.

    Raises:
        RunNotFound: One of them is no run, or several.
        ModelUnavailable: One of them has no model.
        BadInput: One of them stands there twice, or learnt from faces that are to validate.
    """
    teachers = [runs.find(teacher) for teacher in config.training.teachers]
    for place, teacher in enumerate(teachers):
        if teacher.id in {other.id for other in teachers[:place]}:
            raise BadInput(f"Run {teacher.id} is named as a teacher twice; name each run once.")
        load_classifier(teacher)
        _refuse_who_knows_the_answers(teacher, config)
    return with_settings(config, {"training.teachers": [teacher.id for teacher in teachers]})


def _refuse_who_knows_the_answers(teacher: Run, config: RunConfig) -> None:
    """Raise BadInput where a teacher learnt from the same data parted otherwise: it would tell of validation faces."""
    theirs = teacher.config
    same_data = theirs.data_fingerprint == config.data_fingerprint != ""
    if same_data and _parting(theirs) != _parting(config):
        raise BadInput(
            f"Run {teacher.id} learnt from faces that validate here, since its data were split otherwise. Choose a "
            "teacher of the same split, or give this run its split."
        )


def _parting(config: RunConfig) -> tuple[object, ...]:
    """Return what decides which rows train."""
    split = config.data.split
    return split, config.training.seed if isinstance(split, RandomSplit | MisalignedSplit) else None
