"""What is wrong with settings, in plain words instead of pydantic's."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_CHOSEN_AMONG = ("model", "split", "schedule")
"""Groups whose kind or family pydantic names as part of a place, which the path of a setting does not."""

_MOST_TOLD: Final = 5


def explain_errors(error: ValidationError) -> str:
    """Return one sentence that names the path of each setting that is wrong, of the first few, and what is wrong."""
    named = ((_shortened(_path(problem)), complaint(problem)) for problem in problems_of(error)[:_MOST_TOLD])
    return "; ".join(": ".join(filter(None, parts)) for parts in named) + "."


def problems_of(error: ValidationError) -> list[ErrorDetails]:
    """Return what is wrong, without what only follows from something else that is."""
    problems = error.errors(include_url=False)
    return [problem for problem in problems if not _follows(problem, problems)]


def _follows(problem: ErrorDetails, problems: Sequence[ErrorDetails]) -> bool:
    """Whether a list is called too short only because pydantic left out its faulty elements."""
    place = problem["loc"]
    return problem["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in problems
    )


def _path(problem: ErrorDetails) -> str:
    """Write the place of a problem as `--set` takes it."""
    place = problem["loc"]
    parts = [part for before, part in zip((None, *place), place, strict=False) if before not in _CHOSEN_AMONG]
    return ".".join(map(str, parts))


def complaint(problem: ErrorDetails) -> str:
    """Say what is wrong with a value, without a full stop."""
    got, limits = _shortened(problem["input"]), problem.get("ctx", {})
    match problem["type"]:
        case "value_error":
            return str(limits["error"])
        case "json_invalid":
            return "it is cut off, or no JSON"
        case "missing":
            return "this must be given"
        case "extra_forbidden":
            return "there is no such setting"
        case "union_tag_invalid":
            return f"{limits['tag']} is none of {limits['expected_tags']}"
        case "too_short":
            return f"at least {limits['min_length']} must be given"
        case "too_long":
            return f"at most {limits['max_length']} may be given"
        case "model_type":
            return f"{got} does not have the format that the field's help gives"
        case "int_type" | "float_type" if problem["input"] is None:
            return "this must not be empty"
        case "tuple_type":
            return f"{got} is not a list in square brackets, such as [1, 2]"
        case "model_attributes_type":
            return f"{got} chooses nothing here; set its kind or family instead"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"{got} is not a whole number"
        case "int_parsing_size":
            return f"{got} is too large"
        case "float_type" | "float_parsing":
            return f"{got} is not a number"
        case _:
            return f"{got} {problem['msg'].replace('Input should', 'should').replace('String should', 'should')}"


def _shortened(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
