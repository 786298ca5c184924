"""Training that begins with the weights of saved runs (fine-tuning), and what such a run must not have learnt from."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from emotion_core.config import ResidualModel, RunConfig, with_settings
from emotion_core.dataset import Dataset, rows_of_run
from emotion_core.ensemble import refuse_twice
from emotion_core.errors import BadInput, RunNotFound
from emotion_core.origins import learnt_from, sources_of_knowledge
from emotion_core.runs import Run, Runs, RunSummary

_DROPOUT: Final[Any] = {"dropout": True, "blocks": {"__all__": {"dropout"}}}
"""The settings of a model that change none of its weights, of whichever family it is."""


def beginnings(lines: Iterable[RunSummary], runs: Runs, family: str) -> list[RunSummary]:
    """Return those of some runs, in their order, whose weights training can begin with, for networks of a family."""
    return [line for line in lines if line.family == family and _has_weights(runs.run_of(line))]


def resolve_start(config: RunConfig, runs: Runs, faces: Dataset) -> RunConfig:
    """Return the settings with the whole ids of the runs whose weights training begins with, where there are any.

    Args:
        config: Settings of a run.
        runs: Where the other runs are.
        faces: What the run is to learn from.

    Raises:
        RunNotFound: One of them is no run, or several.
        BadInput: One of them stands there twice, has no weights to go on from, another network, or learnt from faces
            that are to validate; or they did not all begin with the same weights.
    """
    if not config.training.start_from:
        return config
    starts = [runs.find(start, latest_with_model=True) for start in config.training.start_from]
    refuse_twice(starts)
    for start in starts:
        _refuse_unfit(start, config)
        refuse_who_knows_the_answers(start, config, runs, faces)
    _refuse_strangers(starts, runs)
    return with_settings(config, {"training.start_from": [start.id for start in starts]})


def _refuse_unfit(start: Run, config: RunConfig) -> None:
    if not _has_weights(start):
        raise BadInput(
            f"Run {start.id} has no weights to start training from. Runs trained here have them, and so do the "
            "residual networks that come with the app."
        )
    if not _same_network(start, config):
        raise BadInput(
            f"The network of run {start.id} is built differently from this one, so its weights do not fit. Choose "
            "the same model settings; only dropout may differ."
        )


def _refuse_strangers(starts: Sequence[Run], runs: Runs) -> None:
    """Raise BadInput where runs do not go back to one: the mean of weights that grew apart from the start is noise."""
    origins = {_origin(start, runs): start.id for start in starts}
    if len(origins) > 1:
        one, other = list(origins.values())[:2]
        raise BadInput(
            f"The mean of the weights of runs {one} and {other} would be useless, since neither was fine-tuned from "
            "the other, nor both from a third. Average their predictions instead, on the Kaggle page."
        )


def _origin(run: Run, runs: Runs) -> str:
    """Return the id of the run that began with weights drawn at random, as far back as runs are still here."""
    met = [run.id]
    while start_from := run.config.training.start_from:
        met.append(start_from[0])
        if met.count(start_from[0]) > 1:
            break
        try:
            run = runs.find(start_from[0])
        except RunNotFound:
            break
    return met[-1]


def refuse_who_knows_the_answers(other: Run, config: RunConfig, runs: Runs, faces: Dataset) -> None:
    """Raise BadInput where another run learnt from faces of the same data that are to validate here.

    So does what a run began with, and who taught it, as far back as runs are still here.
    """
    ours = rows_of_run(faces, config)
    for source in sources_of_knowledge(other, runs):
        if not learnt_from(source.config, faces):
            continue
        theirs = rows_of_run(faces, source.config)
        if known := len(np.intersect1d(theirs.training, ours.validation)):
            whose = "" if source is other else f", which run {other.id} learnt from,"
            raise BadInput(
                f"Run {source.id}{whose} learnt from {known:,} of the validation faces here, since its data were split "
                "differently. Choose a run with the same split, or give this run its split."
            )


def _has_weights(run: Run) -> bool:
    """Whether training can go on from a run: from its model.keras, or from a serving copy that can be unfolded."""
    return run.keras_path.exists() or (run.onnx_path.exists() and isinstance(run.config.model, ResidualModel))


def _same_network(start: Run, config: RunConfig) -> bool:
    theirs, ours = (one.model.model_dump(exclude=_DROPOUT) for one in (start.config, config))
    return theirs == ours
