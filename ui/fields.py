"""What a form needs to know about the fields of a configuration: labels, bounds, choices, kinds (no st.*).

Everything is read from the pydantic models of `emotion_core.config`, so a new setting needs no work here.
"""

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from enum import Enum, auto
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from emotion_core.config import RunConfig, Settings, complaint, problems_of, with_settings
from emotion_core.errors import BadInput
from emotion_core.grid import parse_values

WORDS = {
    "amsgrad": "AMSGrad",
    "cnn": "CNN",
    "cpu": "CPU",
    "elasticnet": "elastic net",
    "gelu": "GELU",
    "gpu": "GPU",
    "gru": "GRU",
    "huber": "Huber",
    "initializer": "initialiser",
    "jax": "JAX",
    "l1": "L1",
    "l1l2": "L1 and L2",
    "l2": "L2",
    "norm": "normalisation",
    "optimizer": "optimiser",
    "regularizer": "regulariser",
    "relu": "ReLU",
    "sgd": "SGD",
    "selu": "SELU",
    "standardize": "standardise",
    "tensorflow": "TensorFlow",
    "torch": "PyTorch",
}
"""Words of field and choice names that are written otherwise on screen."""

PHRASES = {
    "family": "Kind of model",
    "kind": "Computes on",  # of a device; of anything else its own label stands before its kinds
    "one_cycle": "1cycle",
    "usage": "Usage column",
}
"""Names that are called otherwise as a whole."""

EMPTY = ("empty", "none", "never")
"""What a person may write for the value of a field that is left empty."""

LIMITS = {
    "ge": "lower",
    "gt": "lower",
    "le": "upper",
    "lt": "upper",
    "min_length": "min_length",
    "max_length": "max_length",
}
"""Pydantic's constraints, by the limit of a field that each sets."""


class Kind(Enum):
    """How a field is filled in."""

    FIXED = auto()  # has only one value, so it is not asked
    CHOICE = auto()  # one of several names
    SWITCH = auto()  # on or off
    WHOLE = auto()  # an int
    REAL = auto()  # a float
    TEXT = auto()
    GROUP = auto()  # settings within settings
    VARIANT = auto()  # one of several groups, told apart by `kind` or `family`
    NAMES = auto()  # a list of names, chosen among those that the page marks
    NOTATION = auto()  # a list short enough to be written: 500, 400, 300 or 64x7, 64x3
    LIST = auto()  # a list of groups


@dataclass(frozen=True)
class Field:
    """One field, as a form sees it.

    `type` is the bare type: that of an element where the field holds a list. `marks` say something about choices.
    """

    name: str
    kind: Kind
    type: Any
    help: str = ""
    optional: bool = False
    lower: float | None = None
    upper: float | None = None
    min_length: int = 0
    max_length: int | None = None
    choices: tuple[Any, ...] = ()
    discriminator: str = ""
    marks: Mapping[Any, str] = default(default_factory=dict)

    @property
    def label(self) -> str:
        """What the field is called on screen."""
        return label_of(self.name)

    @property
    def offered(self) -> tuple[Any, ...]:
        """The values that there are, where one is chosen and not typed."""
        return (True, False) if self.kind is Kind.SWITCH else self.choices

    def say(self, choice: Any) -> str:
        """Write a choice as a person would: `PyTorch (not installed)`, `On`."""
        if self.kind is Kind.SWITCH:
            return "On" if choice else "Off"
        return label_of(choice) + (f" ({self.marks[choice]})" if choice in self.marks else "")

    @property
    def variants(self) -> dict[str, type[Settings]]:
        """The groups to choose from, by the name that tells them apart."""
        return {variant.model_fields[self.discriminator].default: variant for variant in self.choices}


@dataclass(frozen=True)
class Scalar:
    """A setting that holds one value, and the value that it holds."""

    field: Field
    value: Any


def fields_of(settings: type[BaseModel]) -> dict[str, Field]:
    """Describe the fields of a group of settings, in order, without those that have only one value."""
    described = (_describe(name, info) for name, info in settings.model_fields.items())
    return {field.name: field for field in described if field.kind is not Kind.FIXED}


def scalars_of(settings: BaseModel, path: str = "") -> dict[str, Scalar]:
    """Return, by path, every setting that holds one number, choice or switch, also within lists and chosen groups."""
    found: dict[str, Scalar] = {}
    for name, field in fields_of(type(settings)).items():
        place, value = f"{path}{name}", getattr(settings, name)
        match field.kind:
            case Kind.GROUP | Kind.VARIANT:
                found |= scalars_of(value, f"{place}.")
            case Kind.LIST:
                for number, item in enumerate(value):
                    found |= scalars_of(item, f"{place}.{number}.")
            case Kind.CHOICE | Kind.SWITCH | Kind.WHOLE | Kind.REAL:
                found[place] = Scalar(field, value)
    return found


def values_from(text: str, *, optional: bool = False) -> list[Any]:
    """Read the values that a field is to take in turn; `empty` is one of them where the field may be empty."""
    return [None if optional and value in EMPTY else value for value in parse_values(text)]


def values_example(config: RunConfig, path: str, scalar: Scalar) -> str:
    """Give two values that a field of numbers may take beside what `config` holds, beginning with its own."""
    others = [value for value in _others(scalar.field, scalar.value or 0) if _is_taken(config, path, value)]
    other = f"{others[0]:g}" if others else ""
    own = "" if scalar.value is None else f"{scalar.value:g}"
    return ", ".join(filter(None, (own, other, "" if own else EMPTY[0])))


def _others(field: Field, now: float) -> list[float]:
    """Return twice and half of a number, of which a fraction is best halved; for 0, a fifth of the field's bound."""
    if not now:
        return [max(field.lower or 0, float(f"{(field.upper or 50) / 5:.0g}"))]
    return [2 * now, round(now / 2)] if field.kind is Kind.WHOLE else [float(f"{now / 2:.1g}")]


def _is_taken(config: RunConfig, path: str, value: float) -> bool:
    try:
        with_settings(config, {path: value})
    except BadInput:
        return False
    return True


def label_of(name: str) -> str:
    """Write the name of a field or a choice as a person would: `he_normal` as `He normal`."""
    if name in PHRASES:
        return PHRASES[name]
    text = " ".join(WORDS.get(word, word) for word in name.split("_"))
    return text[:1].upper() + text[1:]


def step_of(field: Field, start: float | None) -> float:
    """Return what one press of + adds: a tenth of the start value's order of magnitude, else of the bound's."""
    if field.kind is Kind.WHOLE:
        return 1
    size = start or field.upper or 1
    return float(10.0 ** (math.floor(math.log10(abs(size))) - 1))


def as_notation(items: Any) -> str:
    """Write a list on one line: `500, 400` for numbers, `64x7, 64x3` for groups of numbers."""
    return ", ".join(
        "x".join(str(value) for value in item.values()) if isinstance(item, dict) else str(item) for item in items
    )


def from_notation(text: str, element: Any) -> list[Any]:
    """Read what `as_notation` writes. What cannot be read stays text, for validation to object to."""
    parts = [part.strip() for part in text.replace(";", ",").split(",")]
    return [_element(part, element) for part in parts if part]


def notation_example(field: Field) -> str:
    """Say how a list is written."""
    if isinstance(field.type, type) and issubclass(field.type, Settings):
        names = " x ".join(label_of(name).lower() for name in field.type.model_fields)
        example = "x".join(str(info.default) for info in field.type.model_fields.values())
        return f"Write each as {names}, for example {example}, separated by commas."
    return "Numbers separated by commas."


def explain(error: BadInput) -> tuple[str, ...]:
    """Say why settings were refused, in the words of the form where the configuration's own rules refused them."""
    cause = error.__cause__
    return sentences(cause) if isinstance(cause, ValidationError) else (str(error),)


def sentences(error: ValidationError) -> tuple[str, ...]:
    """Say what is wrong, one sentence a field, in the words of the form."""
    named = ((place_label(problem["loc"]), complaint(problem)) for problem in problems_of(error))
    return tuple(": ".join(filter(None, parts)) + "." for parts in named)


def place_label(parts: Sequence[str | int]) -> str:
    """Write `("model", "cnn", "blocks", 0)` as `Model, CNN, Blocks 1`."""
    words = [f" {part + 1}" if isinstance(part, int) else f", {label_of(part)}" for part in parts]
    return "".join(words).removeprefix(", ")


def _element(text: str, element: Any) -> Any:
    if not (isinstance(element, type) and issubclass(element, Settings)):
        return text
    values = text.lower().replace("×", "x").replace("*", "x").split("x")
    names = list(element.model_fields)
    return dict(zip(names, map(str.strip, values), strict=True)) if len(values) == len(names) else text


def _describe(name: str, info: FieldInfo) -> Field:
    annotation, optional = _without_none(info.annotation)
    limits = _limits(info.metadata)
    help_text = info.description or ""
    choices: tuple[Any, ...] = ()
    if info.discriminator:
        kind, choices = Kind.VARIANT, get_args(annotation)
    elif get_origin(annotation) is Literal:
        choices = get_args(annotation)
        kind = Kind.CHOICE if len(choices) > 1 else Kind.FIXED
    elif get_origin(annotation) is tuple:
        annotation = _bare(get_args(annotation)[0])
        kind = _kind_of_list(annotation)
    elif _is_settings(annotation):
        kind = Kind.GROUP
    else:
        kind = {bool: Kind.SWITCH, int: Kind.WHOLE, float: Kind.REAL, str: Kind.TEXT}[annotation]  # type: ignore[index]
    return Field(
        name=name,
        kind=kind,
        type=annotation,
        help=help_text,
        optional=optional,
        choices=choices,
        discriminator=str(info.discriminator or ""),
        **limits,
    )


def _kind_of_list(element: Any) -> Kind:
    if element is str:
        return Kind.NAMES
    return Kind.LIST if _is_settings(element) and not _is_flat(element) else Kind.NOTATION


def _limits(metadata: list[Any]) -> dict[str, Any]:
    """Collect bounds from pydantic's constraints; an open bound is taken as a closed one, validation is exact."""
    return {
        limit: getattr(constraint, name)
        for constraint in metadata
        for name, limit in LIMITS.items()
        if hasattr(constraint, name)
    }


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [part for part in get_args(annotation) if part is not type(None)]
        if len(kept) == 1:
            return _bare(kept[0]), True
    return annotation, False


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_settings(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Settings)


def _is_flat(settings: type[Settings]) -> bool:
    """Whether a group holds whole numbers only, so that it can be written on one line."""
    return all(info.annotation is int for info in settings.model_fields.values())
