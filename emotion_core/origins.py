"""Where the faces of a run lie on this machine, and whether a data set holds them.

A run names the file that it learnt from by a path of the machine on which it was trained.
"""

from pathlib import Path

from emotion_core.config import RunConfig
from emotion_core.dataset import Dataset, labels_of_run
from emotion_core.errors import BadInput
from emotion_core.runs import Validation
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
    return list(dict.fromkeys(str(path) for path in paths if _exists(path)))


def learnt_from(config: RunConfig, dataset: Dataset) -> bool:
    """Whether a run learnt from a data set: by the digest; for runs of old, which have none, by the file's name."""
    if config.data_fingerprint:
        return config.data_fingerprint == dataset.fingerprint
    return config.data.name == dataset.name


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


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a run from outside may name what could be no path
        return False
