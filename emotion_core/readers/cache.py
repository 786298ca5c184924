"""Data sets read before: arrays on disk, mapped into memory instead of parsed again.

A cache is a folder. It is written under a temporary name and renamed when it is whole, so a reader gets all of it or
nothing; its manifest lists the size and time of each file, so one that was cut or changed is noticed and made anew.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from emotion_core.emotions import IMAGE_SIZE
from emotion_core.errors import EmotionError
from emotion_core.readers.blocks import Block, Problem

_LAYOUT: Final = 4
"""Changes with what is written below and with what the readers make of a file."""

_MANIFEST: Final = "manifest.json"
_NO_IMAGES: Final = np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)


@dataclass(frozen=True)
class CacheKey:
    """Which source, and which state of it. `title` only makes the folder's name readable."""

    title: str
    source: str
    state: str

    @property
    def prefix(self) -> str:
        """What the folders of all states of the source begin with."""
        return f"{re.sub(r'[^A-Za-z0-9_]+', '-', self.title)[:40]}-{_digest(self.source)}-"

    @property
    def folder_name(self) -> str:
        """Name of the cache's folder."""
        return self.prefix + _digest(f"{self.state} {_LAYOUT}")


@dataclass(frozen=True, eq=False)
class StoredFaces:
    """A data set's arrays, mapped; as in `dataset.Dataset`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    ids: NDArray[np.str_]
    usage: NDArray[np.str_] | None
    problems: tuple[Problem, ...]
    fingerprint: str


def load_or_build(cache: Path, key: CacheKey, read_blocks: Callable[[], Iterator[Block]]) -> StoredFaces:
    """Return what is stored under `key`, after reading the source and storing it where nothing whole is there.

    Of several processes at once one reads the source and the others wait for it.

    Args:
        cache: Folder of all caches; made where it is missing.
        key: Names the source and its state; caches of the source's other states are removed.
        read_blocks: Reads the source; what it raises is passed on and nothing is stored.
    """
    stored = _load(cache / key.folder_name)
    if stored is not None:
        return stored
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{key.prefix}lock"):
            return _load(cache / key.folder_name) or _build(cache, key, read_blocks)
    except OSError as error:
        raise EmotionError(f"The parsed faces cannot be saved in {cache}: {error.strerror or error}.") from error


def forget(cache: Path, key: CacheKey) -> None:
    """Remove what is stored of a source, in whatever state it was."""
    for stored in cache.glob(f"{key.prefix}*"):
        shutil.rmtree(stored, ignore_errors=True)


def _build(cache: Path, key: CacheKey, read_blocks: Callable[[], Iterator[Block]]) -> StoredFaces:
    draft = cache / f".new-{key.folder_name}"
    shutil.rmtree(draft, ignore_errors=True)  # left by a process that died
    draft.mkdir()
    try:
        _write(draft, read_blocks())
        forget(cache, key)
        draft.rename(cache / key.folder_name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    stored = _load(cache / key.folder_name)
    if stored is None:
        raise EmotionError(f"The parsed faces in {cache / key.folder_name} cannot be read back.")
    return stored


def _write(folder: Path, blocks: Iterator[Block]) -> None:
    """Write the arrays of all blocks, and at last the manifest."""
    digest = hashlib.sha256()
    rest = _write_images(folder / "images.npy", blocks, digest)
    _save(folder / "ids.npy", np.array([name for block in rest for name in block.ids], np.str_))
    if rest[0].labels is not None:
        labels = np.concatenate([block.labels for block in rest if block.labels is not None])
        digest.update(labels.tobytes())
        _save(folder / "labels.npy", labels)
    if rest[0].usage is not None:
        usage = [word for block in rest for word in block.usage or ()]
        digest.update("\n".join(usage).encode())
        _save(folder / "usage.npy", np.array(usage, np.str_))
    manifest = {
        "files": {path.name: _stamp(path) for path in folder.iterdir()},
        "problems": [asdict(problem) for block in rest for problem in block.problems],
        "fingerprint": digest.hexdigest()[:32],
    }
    with (folder / _MANIFEST).open("wb") as file:
        file.write(json.dumps(manifest).encode())
        _flush(file)


def _write_images(path: Path, blocks: Iterator[Block], digest: "hashlib._Hash") -> list[Block]:
    """Write the images of each block as it comes, and return the blocks without them."""
    rest: list[Block] = []
    with path.open("wb") as file:
        _write_header(file, 0)
        for block in blocks:
            pixels = np.ascontiguousarray(block.images).data
            file.write(pixels)
            digest.update(pixels)
            rest.append(replace(block, images=_NO_IMAGES))
        file.seek(0)
        _write_header(file, sum(len(block.ids) for block in rest))
        _flush(file)
    return rest


def _save(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        _flush(file)


def _load(folder: Path) -> StoredFaces | None:
    """Return what a cache's folder holds, or None where it is missing or not as it was written."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        files = manifest["files"]
        if any(_stamp(folder / name) != stamp for name, stamp in files.items()):
            return None
        return StoredFaces(
            images=np.load(folder / "images.npy", mmap_mode="r"),
            labels=np.load(folder / "labels.npy") if "labels.npy" in files else None,
            ids=np.load(folder / "ids.npy"),
            usage=np.load(folder / "usage.npy") if "usage.npy" in files else None,
            problems=tuple(Problem(**problem) for problem in manifest["problems"]),
            fingerprint=manifest["fingerprint"],
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError):
        return None


def _write_header(file: IO[bytes], count: int) -> None:
    """Write the header of a .npy of `count` faces; its length is the same for every count."""
    shape = (count, IMAGE_SIZE, IMAGE_SIZE)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()
