"""Saved runs that teach another: their answers stand beside the labels (knowledge distillation, Hinton et al. 2015)."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_core.classifier import Classifier, load_classifier
from emotion_core.config import RunConfig, with_settings
from emotion_core.dataset import Dataset
from emotion_core.ensemble import refuse_twice
from emotion_core.fine_tuning import refuse_who_knows_the_answers
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


def load_teachers(
    config: RunConfig, runs: Runs, load: Callable[[Run], Classifier] = load_classifier
) -> Teachers | None:
    """Return a run's teachers, None where it has none; raises RunNotFound or ModelUnavailable where one is gone.

    Args:
        config: Settings of the run that is taught.
        runs: Where the teachers are.
        load: Makes a classifier of a teacher; by default its serving copy.
    """
    training = config.training
    if not training.teachers:
        return None
    return Teachers(
        [load(runs.find(teacher, latest_with_model=True)) for teacher in training.teachers], training.teacher_share
    )


def resolve_teachers(config: RunConfig, runs: Runs, faces: Dataset) -> RunConfig:
    """Return the settings with the whole ids of the teachers instead of beginnings, or of `latest`.

    Args:
        config: Settings of a run, with teachers or without.
        runs: Where the teachers are.
        faces: What the run is to learn from.

    Raises:
        RunNotFound: One of them is no run, or several.
        ModelUnavailable: One of them has no model.
        BadInput: One of them stands there twice, or learnt from faces that are to validate.
    """
    teachers = [runs.find(teacher, latest_with_model=True) for teacher in config.training.teachers]
    refuse_twice(teachers)
    for teacher in teachers:
        if not teacher.keras_path.exists():  # with it a trainer can do, whether or not it can serve
            load_classifier(teacher)
        refuse_who_knows_the_answers(teacher, config, runs, faces)
    return with_settings(config, {"training.teachers": [teacher.id for teacher in teachers]})
