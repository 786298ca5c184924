"""From a run's folder to a zip and back."""

import io
import secrets
import shutil
import zipfile
from contextlib import nullcontext, suppress
from pathlib import Path, PurePath
from typing import BinaryIO, Final

import numpy as np

from emotion_core.archive.contents import LIMITS, Incoming, look_into
from emotion_core.archive.preparing import prepare
from emotion_core.errors import BadInput, EmotionError
from emotion_core.files import rename_folder, replacing, write_text
from emotion_core.runs import Run, Runs, State
from emotion_core.runs.documents import write_document

_LOG: Final = "log.txt"
_SCORES: Final = ("evaluation.json", "validation.npz")
_INCOMPRESSIBLE: Final = (".keras", ".npz")
_READABLE: Final = 0o644 << 16


def pack(run: Run, file: Path | BinaryIO) -> None:
    """Write a run that is over as one zip, which `unpack` is sure to take.

    Left out are the checkpoints and locks, and the serving copy of a network, which is made anew where it comes in; a
    network of which there is only that copy, such as ships with the app, loses its model (`loses_model`). Scores stay
    out where the weights are of a later epoch.
    Raises BadInput for a run that is not over or a file that cannot be written, DamagedRun or BadInput where one of its
    own files cannot be used.
    """
    content = _zipped(run)
    look_into(io.BytesIO(content), f"{run.id}.zip")
    if not isinstance(file, Path):
        file.write(content)
        return
    try:
        with replacing(file) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror or error}.") from error


def loses_model(run: Run) -> bool:
    """Whether a run can classify here and could not where its zip comes in."""
    return run.onnx_path.exists() and not run.keras_path.exists()


def unpack(file: Path | BinaryIO, runs: Runs) -> Run:
    """Take in a run that `pack` wrote, under its own id or, where that is taken, a new one; raises BadInput.

    The serving copy of a network is made in the background, which takes about a minute.
    """
    title = PurePath(str(getattr(file, "name", "The zip"))).name[:80]
    try:
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as content:
            incoming = look_into(content, title)
    except OSError as error:
        raise BadInput(f"{title} cannot be read: {error.strerror}.") from error
    try:
        run = _move_in(incoming, runs)
    except OSError as error:
        raise EmotionError(f"{title} could not be saved in {runs.folder}: {error.strerror}.") from error
    if incoming.network is not None:
        prepare(run)
    return run


def _zipped(run: Run) -> bytes:
    state = run.state()
    if not state.is_over:
        raise BadInput(f"Run {run.id} is {state}; it can be exported once it is over.")
    documents = {
        "config.json": run.config,
        "status.json": run.status().model_copy(update={"state": state}),
        "about.json": run.about(),
    }
    left_out = _SCORES if _is_ahead_of_its_scores(run, state) else ()
    contents = {path.name: _read(path) for path in run.files() if path.name in LIMITS and path.name not in left_out}
    contents |= {name: document.model_dump_json(indent=2).encode() for name, document in documents.items()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(f"{run.id}/{name}")
            entry.external_attr = _READABLE
            is_dense = PurePath(name).suffix in _INCOMPRESSIBLE
            archive.writestr(entry, content, zipfile.ZIP_STORED if is_dense else zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _is_ahead_of_its_scores(run: Run, state: State) -> bool:
    """Whether the weights are of a later epoch than the scores: a scored run went on and did not come to its end."""
    evaluation = run.evaluation()
    if evaluation is None or state in (State.FINISHED, State.STOPPED):
        return False
    status = run.status()
    kept = status.epoch if run.config.training.keep == "last" else status.best_epoch
    return kept != evaluation.best_epoch


def _read(path: Path) -> bytes:
    """Return a file's bytes, of a long log the last ones; raises BadInput where there are too many."""
    limit = LIMITS[path.name]
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size > limit and path.name != _LOG:
            raise BadInput(f"{path} has {size:,} bytes; at most {limit:,} can be exported.")
        file.seek(max(0, size - limit))
        return file.read(limit)


def _move_in(incoming: Incoming, runs: Runs) -> Run:
    """Write the run's folder aside and give it its name in one step."""
    runs.folder.mkdir(parents=True, exist_ok=True)
    draft = runs.folder / f".new-{incoming.id}-{secrets.token_hex(4)}"
    draft.mkdir()
    try:
        _write(incoming, Run(draft))
        return Run(_named(draft, incoming.id))
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # it is gone where all went well


def _named(draft: Path, run_id: str) -> Path:
    """Rename the draft to the run's id, or to one with another ending where that is taken."""
    if not (wanted := draft.with_name(run_id)).exists():
        with suppress(OSError):  # someone may have taken it since
            return rename_folder(draft, wanted)
    return rename_folder(draft, draft.with_name(f"{run_id.rpartition('-')[0]}-{secrets.token_hex(4)}"))


def _write(incoming: Incoming, run: Run) -> None:
    documents = {"config.json": incoming.config, "status.json": incoming.status, "evaluation.json": incoming.evaluation}
    for name, document in documents.items():
        if document is not None:
            write_document(run.folder / name, document)
    if incoming.evaluation is not None and incoming.validation is not None:
        run.save_evaluation(incoming.evaluation, incoming.validation)
    run.write_about(incoming.about)
    for name, table in incoming.tables.items():
        write_text(run.folder / name, table)
    write_text(run.log_path, incoming.log)
    if incoming.linear is not None:
        with replacing(run.linear_path) as temporary:
            np.savez(temporary, **incoming.linear)  # type: ignore[arg-type]
    if incoming.network is not None:
        with replacing(run.keras_path) as temporary:
            temporary.write_bytes(incoming.network)
