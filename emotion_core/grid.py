"""Many runs from one configuration: one for each combination of the values that some of its settings are to take."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any, Final

from emotion_core.config import CHOOSERS, LONGEST_NAME, RunConfig, with_settings
from emotion_core.errors import BadInput
from emotion_core.presets import title_of

MAX_RUNS: Final = 200
"""How many runs one submission may make."""


def expand(
    config: RunConfig, choices: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any] = MappingProxyType({})
) -> list[RunConfig]:
    """Return a configuration for each combination of values; the first path varies slowest.

    Each name tells what varies: `name · seed 43, batch size 64`.

    Args:
        config: What all of them share.
        choices: Values by dotted path, for example `{"training.seed": [42, 43]}`.
        fixed: Settings by dotted path that all of them take, within whatever kind or family is chosen.

    Raises:
        BadInput: More than MAX_RUNS, no value or the same one twice at a path, or a value or path that cannot be.
    """
    check_count(count(choices))
    words = _words([path for path, values in choices.items() if len(values) > 1])
    name = config.name or _title(config, fixed)
    configs = [
        _combined(config, name, dict(fixed) | dict(zip(choices, values, strict=True)), words)
        for values in product(*choices.values())
    ]
    refuse_twins(configs)
    return configs


def count(choices: Mapping[str, Sequence[Any]]) -> int:
    """Return how many runs the values make; raises BadInput where a path has none."""
    empty = next((path for path, values in choices.items() if not len(values)), None)
    if empty:
        raise BadInput(f"{empty} needs at least one value.")
    return math.prod(map(len, choices.values()))


def check_count(runs: int) -> None:
    """Raise BadInput where these are more runs than one submission may make."""
    if runs > MAX_RUNS:
        raise BadInput(f"That makes {runs:,} runs; at most {MAX_RUNS} can be queued at once.")


def parse_values(text: str) -> list[Any]:
    """Read values with commas, semicolons or else spaces between: as JSON where they are JSON, as text otherwise.

    `42, 43` gives two numbers, `none, balanced` two texts, `[500, 400], [300]` two lists.
    """
    try:
        return list(json.loads(f"[{text}]"))
    except (ValueError, RecursionError):
        return [_value(part) for part in _parts(text)]


def _title(config: RunConfig, fixed: Mapping[str, Any]) -> str:
    """Return what runs are called that nobody named: what is the same in all of them decides."""
    try:
        return title_of(with_settings(config, dict(fixed)))
    except BadInput:  # it only makes sense within a kind that is yet to be chosen
        return config.preset


def _combined(config: RunConfig, title: str, assignments: dict[str, Any], words: Mapping[str, str]) -> RunConfig:
    told = ", ".join(f"{word} {_said(assignments[path])}" for path, word in words.items())
    whole = str(assignments.get("name") or title)
    stem = without_seed(whole) if "training.seed" in words else whole
    name = {"name": _named(stem, told)} if told else {}
    return with_settings(config, assignments | name)


_SEED_AT_END: Final = re.compile(r"\W*\bseed\b\W*\d*\W*$", re.IGNORECASE)


def without_seed(name: str) -> str:
    """Return a name without ` · seed 42` or `(seed 42)` at its end, its number or not."""
    return _SEED_AT_END.sub("", name)


def _named(name: str, told: str) -> str:
    """Add to a name what the run is one of; where that is too long for a name, the name gives way."""
    ending = f" · {told}"[:LONGEST_NAME]
    return name[: LONGEST_NAME - len(ending)] + ending


def refuse_twins(configs: Iterable[RunConfig]) -> None:
    """Raise BadInput where two runs are the same but for their names."""
    seen = set()
    for config in configs:
        settings = config.model_copy(update={"name": ""})
        if settings in seen:
            raise BadInput(f"{config.name or config.preset} would be trained twice; give each value once.")
        seen.add(settings)


def _words(paths: Sequence[str]) -> dict[str, str]:
    """Return for each path the shortest ending that tells it from the others, in words: `seed`, `batch size`."""
    owners = Counter(ending for path in paths for ending in _endings(path))
    return {path: next((ending for ending in _endings(path) if owners[ending] == 1), path) for path in paths}


def _endings(path: str) -> Iterator[str]:
    """Yield the endings of a path from the shortest: `rate`, `schedule rate`, `training schedule rate`."""
    parts = path.split(".")
    named = parts[:-1] if parts[-1] in CHOOSERS and len(parts) > 1 else parts
    for start in range(len(named) - 1, -1, -1):
        if not named[start].isdecimal():  # a place in a list says nothing without the list
            yield " ".join(str(int(part) + 1) if part.isdecimal() else part for part in named[start:]).replace("_", " ")


def _said(value: Any) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case None:
            return "none"
        case _:
            return str(value).replace("_", " ")


def _parts(text: str) -> Iterator[str]:
    listed = text.replace(";", ",")
    parts = listed.split(",") if "," in listed else listed.split()
    return (part.strip() for part in parts if part.strip())


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
