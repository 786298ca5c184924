"""What an exported run may hold, and a look at a zip that says it is one."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeVar

from pydantic import BaseModel, ValidationError

from emotion_core.archive.weights import Arrays, linear_weights, network_weights, validation_of
from emotion_core.archive.zips import CheckedZip
from emotion_core.config import LinearModel, RunConfig
from emotion_core.errors import BadInput
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import HISTORY_COLUMNS, PROGRESS_COLUMNS, About, State, Status, Validation
from emotion_core.units import KILOBYTE, MEGABYTE

LIMITS: Final = {
    "config.json": 64 * KILOBYTE,
    "status.json": 64 * KILOBYTE,
    "about.json": 256 * KILOBYTE,
    "evaluation.json": 64 * KILOBYTE,
    "history.csv": 4 * MEGABYTE,
    "progress.csv": 4 * MEGABYTE,
    "log.txt": 1 * MEGABYTE,
    "linear.npz": 1 * MEGABYTE,
    "validation.npz": 64 * MEGABYTE,
    "model.keras": 256 * MEGABYTE,
}
"""The files of an exported run, and the most bytes that each may have."""

MAX_ARCHIVE_BYTES: Final = sum(LIMITS.values())

TABLES: Final = {"history.csv": HISTORY_COLUMNS, "progress.csv": PROGRESS_COLUMNS}

_RUN_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]{1,60}")
_LITTER: Final = re.compile(r"__MACOSX/.*|.*/\.DS_Store", re.DOTALL)
"""What one operating system adds to the zips it makes; it is never read."""

_Document = TypeVar("_Document", bound=BaseModel)


@dataclass(frozen=True)
class Incoming:
    """A run that was looked at and found sound; `network` is the whole of its model.keras."""

    id: str
    config: RunConfig
    status: Status
    about: About
    evaluation: RunEvaluation | None
    validation: Validation | None
    linear: Arrays | None
    network: bytes | None
    log: str
    tables: Mapping[str, str]


def look_into(content: BinaryIO, title: str) -> Incoming:
    """Return the run in a zip that errors call `title`; raises BadInput where anything is not as `pack` makes it."""
    size = content.seek(0, io.SEEK_END)
    if size > MAX_ARCHIVE_BYTES:
        raise BadInput(f"{title} has {size:,} bytes; an exported run has at most {MAX_ARCHIVE_BYTES:,}.")
    archive = CheckedZip(content, title)
    run_id = _only_folder(archive)
    entries = {name: f"{run_id}/{name}" for name in LIMITS}
    files = {name: archive.read(entry, LIMITS[name]) for name, entry in entries.items() if entry in archive.names}
    config = _document(RunConfig, "config.json", files, title)
    status = _document(Status, "status.json", files, title)
    if config is None or status is None:
        raise BadInput(f"{title} lacks its config.json or status.json, so it is not an exported run.")
    _refuse_unfinished(status.state, title)
    _refuse_other_family(config, files, title)
    evaluation = _document(RunEvaluation, "evaluation.json", files, title)
    validation = validation_of(files.get("validation.npz"), f"validation.npz in {title}")
    if evaluation and validation and len(validation.rows) != evaluation.images:
        raise BadInput(f"validation.npz in {title} is not of the faces that evaluation.json in it counts.")
    return Incoming(
        id=run_id,
        config=config,
        status=status.model_copy(update={"sequence": 0}),
        about=_document(About, "about.json", files, title) or About(),
        evaluation=evaluation,
        validation=validation,
        linear=linear_weights(files.get("linear.npz"), f"linear.npz in {title}"),
        network=network_weights(files.get("model.keras"), config.model, f"model.keras in {title}"),
        log=files.get("log.txt", b"").decode(errors="replace"),
        tables={name: _table(files[name], TABLES[name], config.training.epochs) for name in TABLES if name in files},
    )


def _only_folder(archive: CheckedZip) -> str:
    """Return the run's id, which is the only folder; raises BadInput where anything unknown is there."""
    folders = set()
    for name in archive.names:
        if _LITTER.fullmatch(name):
            continue
        folder, slash, file = name.partition("/")
        if not (_RUN_ID.fullmatch(folder) and slash and (file in LIMITS or not file)):
            raise BadInput(f"{archive.title} holds {name[:80]!r}, which is not part of an exported run.")
        folders.add(folder)
    if len(folders) != 1:
        raise BadInput(f"{archive.title} holds {len(folders)} runs; one was expected.")
    return folders.pop()


def _document(kind: type[_Document], name: str, files: Mapping[str, bytes], title: str) -> _Document | None:
    if name not in files:
        return None
    try:
        return kind.model_validate_json(files[name])
    except ValidationError as error:
        raise BadInput(f"{name} in {title} does not hold what this version expects.") from error


def _refuse_unfinished(state: State, title: str) -> None:
    if not state.is_over or state is State.DAMAGED:
        raise BadInput(f"{title} was exported while its run was {state}; a run can be imported once it is over.")


def _refuse_other_family(config: RunConfig, files: Mapping[str, bytes], title: str) -> None:
    other = "model.keras" if isinstance(config.model, LinearModel) else "linear.npz"
    if other in files:
        raise BadInput(f"{title} holds {other}, but its config.json describes a {config.model.family} model.")


def _table(content: bytes, columns: tuple[str, ...], epochs: int) -> str:
    """Return the rows that are whole, numbers and of an epoch that there is, written anew under their header."""
    rows = (_numbers(line) for line in content.decode(errors="replace").splitlines()[1:])
    whole = (row for row in rows if len(row) == len(columns) and 1 <= row[0] <= epochs and row[0].is_integer())
    return "\n".join([",".join(columns), *(",".join(f"{number:.7g}" for number in row) for row in whole)]) + "\n"


def _numbers(line: str) -> list[float]:
    try:
        return [float(number) for number in line.split(",")]
    except ValueError:
        return []
