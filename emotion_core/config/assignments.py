"""Values set at dotted paths, as `--set` on the command line and the form do."""

from typing import Any, Final, get_args

from emotion_core.config.base import Settings
from emotion_core.config.data import Split
from emotion_core.config.models import Model
from emotion_core.config.run import RunConfig, parse_config
from emotion_core.config.schedules import Schedule
from emotion_core.errors import BadInput

_CHOICES: Final[dict[Any, type[Settings]]] = {
    choice.model_fields[discriminator].default: choice
    for union, discriminator in ((Split, "kind"), (Schedule, "kind"), (Model, "family"))
    for choice in get_args(get_args(union)[0])
}
"""The groups that can be chosen from, by the kind or family that chooses them."""

_EMPTY: Final = ("", "None")
"""How people write that a number is to be left out."""

CHOOSERS: Final = ("kind", "family")
"""Settings that choose their group, which starts anew with them."""


def with_settings(config: RunConfig, assignments: dict[str, Any]) -> RunConfig:
    """Return `config` with values set at dotted paths, for example `{"training.epochs": 5}`; raise BadInput.

    Setting `kind` of a schedule or split, or `family` of a model, starts that group from its defaults. In whatever
    order they come, a group is set before its settings, and its kind or family before the others.
    """
    document = config.model_dump()
    for path in sorted(assignments, key=_precedence):
        _assign(document, path, assignments[path])
    return parse_config(document)


def _precedence(path: str) -> tuple[int, bool]:
    return path.count("."), path.rpartition(".")[2] not in CHOOSERS


def _assign(document: Any, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for depth, part in enumerate(parents):
        document = _child(document, part, ".".join(parents[: depth + 1]))
    names = _names_in(document)
    if last in names:
        if last in CHOOSERS and _is_another_choice(document[last], value):
            document.clear()  # the new group's settings begin with their defaults
        if isinstance(value, bool) and not isinstance(document.get(last, value), bool):
            raise BadInput(f"{path}: {str(value).lower()} is for switches, and this is none.")  # or it would be 1 or 0
        former = document.get(last)
        if isinstance(former, str) and isinstance(value, int | float):
            value = str(value)  # a name may be a year
        if value in _EMPTY and not isinstance(former, str | tuple):
            value = None
        document[last] = value
    elif isinstance(document, tuple | list) and any(isinstance(element, dict) for element in document):
        raise BadInput(f"{path}: set a field of the element, for example {path}.filters=32")
    elif isinstance(document, tuple | list):
        whole = ".".join(parents)
        raise BadInput(f"{path}: set all values at once, for example {whole}={list(document)}")
    else:
        raise BadInput(f"There is no setting {path!r}; the settings there are: {', '.join(names) or 'none'}.")


def _is_another_choice(chosen: Any, value: Any) -> bool:
    """Whether a kind or family stands for another group than the one chosen; the kinds of a device stand for none."""
    return str(chosen) in _CHOICES and str(value) in _CHOICES and chosen != value


def _names_in(document: Any) -> list[str]:
    """Return the settings of a group, also of one that was just started anew and holds nothing but its kind."""
    if not isinstance(document, dict):
        return []
    choice = _CHOICES.get(str(document.get("kind", document.get("family"))))
    return list(choice.model_fields if choice else document)


def _child(document: Any, part: str, path: str) -> Any:
    if isinstance(document, dict) and part in document:
        return document[part]
    if isinstance(document, tuple | list) and part.isdecimal() and int(part) < len(document):
        return document[int(part)]
    if isinstance(document, tuple | list):
        raise BadInput(f"There is no setting {path!r}; there are {len(document)}, the first with number 0.")
    raise BadInput(f"There is no setting {path!r}; the settings there are: {', '.join(_names_in(document)) or 'none'}.")
