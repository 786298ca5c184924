"""The documents of a run's folder: settings, status, scores and words, each a pydantic model in a file of its own."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from emotion_core.config.complaints import explain_errors
from emotion_core.errors import DamagedRun
from emotion_core.files import read_bytes, write_text

_Document = TypeVar("_Document", bound=BaseModel)


def read_document(path: Path, kind: type[_Document], content: str) -> _Document:
    """Return a document; raises DamagedRun, which says what the file should hold, its `content`, and what is wrong."""
    try:
        return kind.model_validate_json(read_bytes(path))
    except OSError as error:
        raise DamagedRun(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise DamagedRun(f"{path} does not hold {content}: {explain_errors(error)}") from error


def write_document(path: Path, document: BaseModel) -> None:
    """Write a document in one step."""
    write_text(path, document.model_dump_json(indent=2) + "\n")
