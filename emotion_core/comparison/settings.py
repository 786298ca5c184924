"""In which settings runs differ."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from emotion_core.config import RunConfig, unused_settings


class _Missing:
    """Stands for a setting that a configuration does not have."""


MISSING: Final = _Missing()


SettingPath = tuple[str, ...]
"""The names that lead to a setting, such as `("training", "schedule", "rate")`."""


def differing_settings(configs: Sequence[RunConfig], seeds: Sequence[Sequence[int]]) -> dict[SettingPath, list[Any]]:
    """Return the settings that are not the same in all configurations, by their path, with the value of each.

    A schedule or split of another kind is one setting, since its parts mean something else then. Where a configuration
    has no such setting, or no use for it, stands MISSING; settings of no use stand at their defaults, so they are
    listed only where another configuration departs from these.

    Args:
        configs: What is compared.
        seeds: The seeds that were used with each, in place of its own.
    """
    unused = [unused_settings(config) for config in configs]
    found = _differences([_document(*pair) for pair in zip(configs, seeds, strict=True)], ())
    used = {path: list(map(partial(_unless_unused, path), values, unused)) for path, values in found}
    return {path: values for path, values in used.items() if any(value != values[0] for value in values)}


def _unless_unused(path: SettingPath, value: Any, unused: Sequence[str]) -> Any:
    return MISSING if ".".join(path[:2]) in unused else value


def _document(config: RunConfig, seeds: Sequence[int]) -> dict[str, Any]:
    document = config.model_dump(exclude={"schema_version", "name"})
    document["training"]["seed"] = list(seeds)
    return document


def _differences(values: list[Any], path: SettingPath) -> Iterator[tuple[SettingPath, list[Any]]]:
    if all(value == values[0] for value in values):
        return
    if all(isinstance(value, dict) and _is_same_group(value, values[0]) for value in values):
        for name in dict.fromkeys(name for value in values for name in value):
            yield from _differences([value.get(name, MISSING) for value in values], (*path, name))
    else:
        yield path, values


def _is_same_group(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two groups can be compared part by part: they are of one kind, or have the same parts."""
    return one.get("kind") == other.get("kind") or one.keys() == other.keys()
