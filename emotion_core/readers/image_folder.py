"""Folders and zips of pictures, in a sub-folder per emotion, as blocks of arrays.

An emotion's pictures lie in a folder of its name or number, at any depth. Where folders named train, validation or
test lie above those (or Training, PublicTest and PrivateTest), they become the usage of the pictures, as in Kaggle's
CSV.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion_core.chunks import chunks
from emotion_core.emotions import EMOTIONS, label_of
from emotion_core.errors import BadInput
from emotion_core.images import decode_image, to_face, to_gray
from emotion_core.readers.blocks import Block
from emotion_core.readers.sources import csv_members, is_zip, member_path, open_zip, size_limit, visible_members
from emotion_core.readers.usage import usage_of
from emotion_core.units import MEGABYTE

_FACES_PER_BLOCK: Final = 256
_MAX_FILE_BYTES: Final = 50 * MEGABYTE
_LONGEST_HEADER: Final = 10_000
_TABLES: Final = (".csv", ".csv.gz", ".zip")
_ARCHIVES: Final = (".zip", ".gz", ".tar", ".tgz", ".7z", ".rar")
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp"})  # a JPEG from the web may be a .jfif
_OTHER_SUFFIXES: Final = frozenset({".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2", ".pgm", ".ppm"})


@dataclass(frozen=True)
class _Picture:
    """Where a picture lies under the folder, and how its bytes are read."""

    path: PurePosixPath
    read: Callable[[], bytes]


def read_folder(folder: Path) -> Iterator[Block]:
    """Yield the faces of a folder's pictures; raises BadInput naming the picture or folder that cannot be used."""
    files = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in _list_files(folder)}
    _refuse_other_kinds(files, folder.name)
    pictures = [_Picture(place, _file_reader(path)) for place, path in files.items() if _is_image(path.name)]
    tables = sorted(place.name for place in files if place.name.lower().endswith(_TABLES) and len(place.parts) == 1)
    if tables and not pictures:
        raise BadInput(f"{folder.name} is a folder; name one of its files instead: {', '.join(tables)}.")
    return _read_pictures(pictures, folder.name)


def read_zip(path: Path) -> Iterator[Block]:
    """Yield the faces of a zip's pictures; raises BadInput naming the picture that cannot be used."""
    with open_zip(path) as archive:
        _refuse_other_kinds(map(member_path, visible_members(archive)), path.name)
        members = [member for member in visible_members(archive) if _is_image(member.filename)]
        inner = [member.filename for member in visible_members(archive) if member.filename.lower().endswith(_ARCHIVES)]
        if inner and not members:
            raise BadInput(f"{path.name} holds neither a CSV nor pictures but {inner[0]}; unpack {path.name} first.")
        size_limit(path.name, sum(member.file_size for member in members))
        pictures = [_Picture(member_path(member), _member_reader(archive, member)) for member in members]
        yield from _read_pictures(pictures, path.name)


def picture_states(folder: Path) -> list[tuple[str, int, int]]:
    """Return path, size and time of each picture at any depth, also of kinds that cannot be read, none that is hidden.

    Raises BadInput where one may not look.
    """
    kinds = (*_SUFFIXES, *_OTHER_SUFFIXES)
    return sorted(_state(entry) for entry in _entries(folder) if entry.name.lower().endswith(kinds))


def _list_files(folder: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in _entries(folder))


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the files of a folder and of those in it at any depth, none that is hidden; raises BadInput.

    Links are followed, into each folder once.
    """
    seen: set[str] = set()
    waiting = [str(folder)]
    while waiting:
        place = waiting.pop()
        if (real := os.path.realpath(place)) in seen:  # a link that leads back
            continue
        seen.add(real)
        folders = []
        for entry in _look_into(place):
            if _is_folder(entry):
                folders.append(entry.path)
            else:
                yield entry
        waiting += sorted(folders, reverse=True)


def _look_into(place: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(place) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise BadInput(f"{place} cannot be looked into: {error.strerror}.") from error


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _state(entry: "os.DirEntry[str]") -> tuple[str, int, int]:
    try:
        status = entry.stat()
    except OSError as error:  # gone a moment ago, or a link to nothing
        raise BadInput(f"{entry.path} cannot be read: {error.strerror}.") from error
    return entry.path, status.st_size, status.st_mtime_ns


def has_class_folders(folder: Path) -> bool:
    """Whether folders named after emotions lie in the folder or one level deeper; nothing is read."""
    inside = _folders_in(folder)
    deeper = (path for place in inside for path in _folders_in(place))
    return any(label_of(path.name) is not None for path in chain(inside, deeper))


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, none where one may not look, without a look at each of its many files."""
    return [folder / name for name in next(os.walk(folder), ("", [], []))[1]]


def is_zip_of_pictures(path: Path) -> bool:
    """Whether a file is a zip to be read for its pictures; raises BadInput where it is damaged.

    It is where it holds no CSV, and where pictures lie in folders of emotions. Folders that are only numbered may hold
    anything, so a CSV of pixels beside them is what is meant.
    """
    if not is_zip(path):
        return False
    with open_zip(path) as archive:
        tables = csv_members(archive)
        pictures = [member_path(member) for member in visible_members(archive) if _is_image(member.filename)]
        classes = {picture.parent.name for picture in pictures if label_of(picture.parent.name) is not None}
        if all(name.isdecimal() for name in classes) and any(_has_pixels(archive, table) for table in tables):
            return False
        return bool(classes) or not tables


def _has_pixels(archive: zipfile.ZipFile, table: zipfile.ZipInfo) -> bool:
    """Whether a CSV in a zip has a column of pixels."""
    with archive.open(table) as file:
        return b"pixels" in file.readline(_LONGEST_HEADER).lower()


def _refuse_other_kinds(paths: Iterable[PurePosixPath], name: str) -> None:
    """Raise BadInput where a picture of another kind lies in the folder of an emotion: it would be lost in silence."""
    for path in paths:
        if path.suffix.lower() in _OTHER_SUFFIXES and label_of(path.parent.name) is not None:
            raise BadInput(f"{name}: {path} is of a kind that cannot be read; expected JPEG, PNG, WebP or BMP.")


def _read_pictures(pictures: list[_Picture], name: str) -> Iterator[Block]:
    if not pictures:
        raise BadInput(f"{name} holds neither a CSV nor pictures; expected pictures in folders named after emotions.")
    pictures = sorted(pictures, key=_shuffled)
    usage = _usage_of_each(pictures, name)
    for part in chunks(len(pictures), _FACES_PER_BLOCK):
        yield Block(
            images=np.stack([_read_face(picture, name) for picture in pictures[part]]),
            labels=np.array([_label_of(picture, name) for picture in pictures[part]], np.uint8),
            ids=[str(picture.path).encode(errors="replace").decode() for picture in pictures[part]],
            usage=None if usage is None else usage[part],
        )


def _read_face(picture: _Picture, name: str) -> NDArray[np.uint8]:
    return to_face(to_gray(decode_image(picture.read(), f"{name}: {picture.path}")))


def _label_of(picture: _Picture, name: str) -> int:
    """The label of the folder that the picture lies in."""
    label = label_of(picture.path.parent.name)
    if label is None:
        raise BadInput(f"{name}: {picture.path} is not in a folder named after an emotion: {', '.join(EMOTIONS)}.")
    return label


def _usage_of_each(pictures: list[_Picture], name: str) -> list[str] | None:
    """Return the usage of each picture, None where no folder is named for one.

    Raises BadInput where some are and some are not, lest one that tests be taken to train.
    """
    usage = [_usage_of(picture) for picture in pictures]
    known = [word for word in usage if word is not None]
    if not known:
        return None
    if len(known) < len(pictures):
        raise BadInput(
            f"{name}: {pictures[usage.index(None)].path} is not in a folder named train, validation or test, as others "
            "are; put it into one of them."
        )
    return known


def _usage_of(picture: _Picture) -> str | None:
    """What the nearest folder named for a usage says, None without one."""
    return next(filter(None, map(usage_of, picture.path.parts[-2::-1])), None)


def _shuffled(picture: _Picture) -> bytes:
    """Order of the rows: mixed, so that the first rows hold every emotion, yet the same each time."""
    return hashlib.blake2b(str(picture.path).encode(errors="surrogateescape")).digest()


def _file_reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            _check_size(str(path), path.stat().st_size)
            return path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}.") from error

    return read


def _member_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        _check_size(member.filename, member.file_size)  # zipfile never gives more than is stated
        return archive.read(member)

    return read


def _check_size(name: str, size: int) -> None:
    if size > _MAX_FILE_BYTES:
        raise BadInput(f"{name} has {size:,} bytes; a picture may have at most {_MAX_FILE_BYTES:,}.")


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _SUFFIXES
