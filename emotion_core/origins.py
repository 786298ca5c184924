"""Where the faces of a run lie on this machine, whether a data set holds them, and which of its rows a run knows.

A run names the file that it learnt from by a path of the machine on which it was trained.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from emotion_core.config import RunConfig
from emotion_core.dataset import Dataset, Rows, labels_of_run, rows_of_run
from emotion_core.errors import BadInput, RunNotFound
from emotion_core.readers.image_folder import has_class_folders
from emotion_core.runs import Run, Runs, Validation
from emotion_core.settings import PROJECT, data_folder


def find_sources(config: RunConfig) -> list[str]:
    """Return what `load_dataset` may be given to read the faces of a run, likeliest first; none where nothing is left.

    They are looked for where the run says, from the project's folder on, and by their name in the data folder. A path
    into a network is not followed: a run from outside may name any, and a look at it must not call its sender.
    """
    source = config.data.source
    if config.data.is_drawn:
        return [source]
    named = [] if _is_in_a_network(source) else [PROJECT / source]
    paths = [*named, data_folder() / config.data.name]
    return list(dict.fromkeys(str(path) for path in paths if _may_be_a_data_set(path)))


def learnt_from(config: RunConfig, dataset: Dataset) -> bool:
    """Whether a run learnt from a data set: by the digest; for runs of old, which have none, by the file's name."""
    if config.data_fingerprint:
        return config.data_fingerprint == dataset.fingerprint
    return config.data.name == dataset.name


def sources_of_knowledge(run: Run, runs: Runs) -> Iterator[Run]:
    """Yield a run and all that its knowledge comes from: what it began with, its teachers, and theirs in turn.

    What was deleted, or left behind where a run was trained, is left out.
    """
    met, waiting = {run.id}, [run]
    while waiting:
        source = waiting.pop()
        yield source
        for name in (*source.config.training.start_from, *source.config.training.teachers):
            with suppress(RunNotFound):
                found = runs.find(name)
                if found.id not in met:
                    met.add(found.id)
                    waiting.append(found)


def seen_rows(run: Run, runs: Runs, dataset: Dataset) -> Rows | None:
    """Return the rows of a data set that had a part in what a run knows, also through others; None where none had.

    Raises BadInput where the data set cannot be split as a run says.
    """
    learners = [source for source in sources_of_knowledge(run, runs) if learnt_from(source.config, dataset)]
    if not learners:
        return None
    parts = [rows_of_run(dataset, learner.config) for learner in learners]
    training = np.unique(np.concatenate([rows.training for rows in parts]))
    validation = np.unique(np.concatenate([rows.validation for rows in parts]))
    return Rows(training, np.setdiff1d(validation, training))


def holds_faces(dataset: Dataset, config: RunConfig, validation: Validation) -> bool:
    """Whether a data set has a run's validation faces in the rows that the run names.

    Judged by the digest of the data where the run has one, and always by the labels, which are looked up row by row.
    """
    if config.data_fingerprint and config.data_fingerprint != dataset.fingerprint:
        return False
    if validation.rows.min() < 0 or validation.rows.max() >= len(dataset):
        return False
    try:
        labels = labels_of_run(dataset, config)
    except BadInput:  # it has no labels
        return False
    return bool((labels[validation.rows] == validation.labels).all())


def _is_in_a_network(source: str) -> bool:
    return source.replace("\\", "/").startswith("//")


def _may_be_a_data_set(path: Path) -> bool:
    """Whether a path leads to a file, or to a folder of emotions: all below any other would be looked through."""
    try:
        if not path.exists():
            return False
        is_place_of_much_else = path.resolve() in (PROJECT, *PROJECT.parents)
        return path.is_file() or (not is_place_of_much_else and has_class_folders(path))
    except (OSError, ValueError):  # a run from outside may name what could be no path
        return False
