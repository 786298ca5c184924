"""Data sets that the app itself put into the folder of data: uploads and cleaned copies.

Their names end in a digest, by which they are told from what a person put there. None is ever shown before someone has
chosen it, since it is one person's choice and not everybody's; and the app may remove it again.
"""

import hashlib
import re
from pathlib import Path, PurePath
from typing import Final

from emotion_core.dataset import forget_parsed, load_dataset
from emotion_core.errors import BadInput
from emotion_core.files import replacing
from emotion_core.runs import Runs

_DIGEST: Final = re.compile(r"(?=\d{0,7}[a-f])[0-9a-f]{8}")
"""Eight digits and a letter among them, since eight digits alone are rather a date."""


def name_of_copy(name: str, digest: str) -> str:
    """Return what a copy is called, which tells its content.

    Args:
        name: What it is a copy of, with its suffixes, such as `faces.csv.gz`.
        digest: SHA-256 of the content, in hexadecimal.
    """
    stem, dot, suffixes = PurePath(name).name.partition(".")
    return f"{stem}-{_DIGEST.findall(digest)[0]}{dot}{suffixes}"


def is_kept_copy(path: Path) -> bool:
    """Whether a data set is one that the app put there."""
    _, dash, digest = path.name.partition(".")[0].rpartition("-")
    return bool(dash) and _DIGEST.fullmatch(digest) is not None and not path.is_dir()


def keep_copy(content: bytes | memoryview, name: str, folder: Path) -> Path:
    """Save a data set that someone brought and return its path; the same content is kept once.

    Args:
        content: The file.
        name: What the person calls it.
        folder: The folder of data; made where it is missing.

    Raises:
        BadInput: It is no data set, which is then not kept, or it cannot be saved.
    """
    path = folder / name_of_copy(name, hashlib.sha256(content).hexdigest())
    is_new = not path.exists()
    try:
        if is_new:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{name} cannot be saved in {path.parent}: {error.strerror or error}.") from error
    try:
        load_dataset(path, drop_incomplete=True)
    except Exception as error:
        if is_new:  # one that was kept before may be what runs have learnt from
            path.unlink(missing_ok=True)
        if isinstance(error, BadInput):
            raise BadInput(str(error).replace(path.name, name)) from error
        raise
    return path


def remove_kept_copy(path: Path, runs: Runs) -> None:
    """Remove a copy for good, with what was kept of it to read it faster.

    Raises:
        BadInput: The app did not put it there, a run that is not over learns from it, or its folder refuses.
    """
    if not is_kept_copy(path):
        raise BadInput(f"{path.name} was not added in the app, so it is not removed here.")
    learning = [line for line in runs.in_hand() if line.data == path.name]
    if learning:
        raise BadInput(f"{path.name} is in use: {learning[0].name} learns from it. Stop that run first.")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{path} cannot be removed: {error.strerror}.") from error
    forget_parsed(path)
