"""The coursework's table as something to queue: its runs by preset, and which of them are there already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emotion_core.config import RunConfig, with_settings
from emotion_core.coursework import SEEDS, coursework_runs
from emotion_core.errors import BadInput
from emotion_core.presets import PRESETS, Preset
from emotion_core.runs import RunSummary, State, settings_digest

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset


@dataclass(frozen=True)
class Entry:
    """A preset's part of the table.

    Attributes:
        configs: Its runs, one a seed.
        missing: Those of them that no run with the same settings and seed has finished or is in hand for.
    """

    preset: Preset
    configs: tuple[RunConfig, ...]
    missing: tuple[RunConfig, ...]


def settings_of_data(dataset: "Dataset") -> dict[str, Any]:
    """Return what all runs that learn from a data set have in common, by dotted path."""
    return {
        "data.source": dataset.source,
        "data.drop_incomplete": bool(dataset.problems),
        "data_fingerprint": dataset.fingerprint,
    }


def table_of(presets: Sequence[str], settings: Mapping[str, Any], lines: Iterable[RunSummary]) -> tuple[Entry, ...]:
    """Return the table, or the part of it that belongs to some presets, in its order.

    Args:
        presets: Names of presets; none means all.
        settings: What all runs share: `settings_of_data`, and the epochs if not their own.
        lines: The runs that there are.

    Raises:
        BadInput: A name that the table does not hold, or a setting that cannot be.
    """
    strangers = set(presets).difference(SEEDS)
    if strangers:
        raise BadInput(f"The coursework's table has no {min(strangers)!r}; it has: {', '.join(SEEDS)}.")
    there = {(line.settings, line.seed) for line in lines if line.state is State.FINISHED or not line.state.is_over}
    return tuple(_entry(name, settings, there) for name in SEEDS if name in presets or not presets)


def _entry(name: str, settings: Mapping[str, Any], there: set[tuple[str, int | None]]) -> Entry:
    configs = tuple(with_settings(config, dict(settings)) for config in coursework_runs([name]))
    missing = tuple(config for config in configs if (settings_digest(config), config.training.seed) not in there)
    return Entry(PRESETS[name], configs, missing)
