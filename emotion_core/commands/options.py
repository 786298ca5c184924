"""From words of the command line to the library's own things."""

import argparse
import json
from pathlib import Path
from typing import Any

from emotion_core import settings
from emotion_core.config import RunConfig, with_settings
from emotion_core.errors import BadInput
from emotion_core.presets import find_preset
from emotion_core.runs import Runs


def runs_of(options: argparse.Namespace) -> Runs:
    """Return the folder of runs that `--runs` or the environment names."""
    folder: Path = options.runs or settings.runs_folder()
    return Runs(folder.expanduser().resolve())


def configure(preset: str, options: argparse.Namespace) -> RunConfig:
    """Return a preset's settings with the changes that the options ask for; raises BadInput."""
    named = {
        "data.source": options.data,
        "data.drop_incomplete": options.drop_incomplete or None,
        "training.epochs": options.epochs,
        "training.seed": options.seed,
        "name": options.name,
    }
    changes = {path: value for path, value in named.items() if value is not None}
    return with_settings(find_preset(preset).config, changes | dict(map(_assignment, options.settings)))


def _assignment(text: str) -> tuple[str, Any]:
    """Split `path=value`; the value is read as JSON where it is JSON, and as text otherwise."""
    path, equals, value = text.partition("=")
    if not path.strip() or not equals:
        raise BadInput(f"--set takes path=value, for example training.batch_size=64, and got {text!r}.")
    try:
        return path.strip(), json.loads(value)
    except ValueError:
        return path.strip(), value
