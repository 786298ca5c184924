"""From words of the command line to the library's own things."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from emotion_core import settings
from emotion_core.config import RunConfig, with_settings
from emotion_core.errors import BadInput
from emotion_core.grid import check_count, count, expand, parse_values, refuse_twins
from emotion_core.presets import find_preset
from emotion_core.runs import Runs

_SET_BY_ITSELF: Final = ("schema_version", "preset", "data_fingerprint")


def runs_of(options: argparse.Namespace) -> Runs:
    """Return the folder of runs that `--runs` or the environment names."""
    folder: Path = options.runs or settings.runs_folder()
    return Runs(folder.resolve())


def configure(preset: str, options: argparse.Namespace) -> RunConfig:
    """Return a preset's settings with the changes that the options ask for; raises BadInput."""
    return with_settings(find_preset(preset).config, _changes(options))


def configure_all(options: argparse.Namespace) -> list[RunConfig]:
    """Return the settings of every run that the options ask for; raises BadInput."""
    choices, changes = _choices(options), _changes(options)
    if twice := sorted(choices.keys() & changes.keys()):
        raise BadInput(f"{', '.join(twice)} is given twice; give it once.")
    check_count(count(choices) * len(options.presets))
    configs = [config for preset in options.presets for config in expand(find_preset(preset).config, choices, changes)]
    refuse_twins(configs)
    return configs


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    """Return the values that the options set, by path."""
    named = {
        "data.source": options.data,
        "data.drop_incomplete": options.drop_incomplete or None,
        "training.epochs": options.epochs,
        "training.seed": options.seed,
        "name": options.name,
    }
    given = [(path, value) for path, value in named.items() if value is not None]
    given += map(_assignment, options.settings)
    if twice := _repeated(path for path, _ in given):
        raise BadInput(f"{', '.join(twice)} is given twice; give it once.")
    if own := [path for path, _ in given if path in _SET_BY_ITSELF]:
        raise BadInput(f"{', '.join(own)} follows from the preset and the data and cannot be set.")
    return dict(given)


def _repeated(words: Iterable[str]) -> list[str]:
    return [word for word, times in Counter(words).items() if times > 1]


def _choices(options: argparse.Namespace) -> dict[str, list[Any]]:
    """Return the values that settings are to take in turn, by path."""
    varied = [] if options.seeds is None else [("training.seed", parse_values(options.seeds))]
    varied += map(_variation, options.grid)
    choices = dict(varied)
    if len(choices) < len(varied):
        raise BadInput("--seeds and --grid name a setting twice; give all of its values at once.")
    return choices


def _variation(text: str) -> tuple[str, list[Any]]:
    path, values = _split(text, "--grid takes path=value,value,..., for example training.batch_size=32,64")
    return path, parse_values(values)


def _assignment(text: str) -> tuple[str, Any]:
    """Split `path=value`; the value is read as JSON where it is JSON, and as text otherwise."""
    path, value = _split(text, "--set takes path=value, for example training.batch_size=64")
    try:
        return path, json.loads(value)
    except ValueError:
        return path, value


def _split(text: str, form: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not path.strip() or not equals:
        raise BadInput(f"{form}, and got {text!r}.")
    return path.strip(), value
