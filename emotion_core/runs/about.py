"""What people write about a run: its name, notes and tags. It decides nothing and may change at any time."""

from collections.abc import Iterable
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from emotion_core.config import LONGEST_NAME
from emotion_core.errors import BadInput

LONGEST_NOTES: Final = 10_000
LONGEST_TAG: Final = 40
MOST_TAGS: Final = 20

Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]


class About(BaseModel):
    """What about.json holds; an empty name leaves the one that the run was submitted with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", max_length=LONGEST_NAME)
    notes: str = Field("", max_length=LONGEST_NOTES)
    tags: tuple[Tag, ...] = Field((), max_length=MOST_TAGS)

    @classmethod
    def as_typed(cls, name: str, notes: str, tags: Iterable[str]) -> Self:
        """Take what a person typed: name and tags in a line each, a tag once; raises BadInput where it is too long."""
        tags = tuple(tag for tag in dict.fromkeys(map(_in_one_line, tags)) if tag)
        if len(tags) > MOST_TAGS:
            raise BadInput(f"There are {len(tags)} tags; a run may have at most {MOST_TAGS}.")
        return cls(
            name=_fitting("The name", _in_one_line(name), LONGEST_NAME),
            notes=_fitting("The text of the notes", notes.strip(), LONGEST_NOTES),
            tags=tuple(_fitting("A tag", tag, LONGEST_TAG) for tag in tags),
        )


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _fitting(what: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadInput(f"{what} has {len(text):,} characters; at most {longest:,} fit.")
    return text
