"""Files that hold faces, opened: a CSV as it is, in gzip or in a zip, and zips of images.

What a file is follows from its first bytes, not from its name. Nothing is trusted about how large a compressed file
becomes: reading stops at a limit.
"""

import gzip
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from emotion_core.errors import BadInput
from emotion_core.readers.csv_lines import ByteStream
from emotion_core.readers.memory import available_memory
from emotion_core.settings import MAX_UPLOAD_BYTES
from emotion_core.units import MEGABYTE

_DAMAGED: Final = (
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    IndexError,
    UnicodeDecodeError,
    NotImplementedError,
)
"""What the readers of compressed files raise for one that is damaged, or whose names are not what it says they are."""


def resolve_source(source: str | Path) -> Path:
    """Return the full path of a file or folder; raises BadInput where none is there, or an empty or too large file."""
    if not str(source).strip():
        raise BadInput("No data was named; expected a CSV, a folder or zip of pictures, or 'sample'.")
    try:
        path = Path(source).expanduser().resolve()
        str(path).encode()
        if path.is_file():
            _check_size(path)
        elif not path.is_dir():
            raise BadInput(f"{path} {'is neither a file nor a folder' if path.exists() else 'does not exist'}.")
    except UnicodeEncodeError as error:
        name = os.fsencode(path).decode(errors="replace")
        raise BadInput(f"The name of {name} is not UTF-8 text, so nothing can refer to it; rename it.") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"{str(source)[:200]!r} cannot be opened: {getattr(error, 'strerror', None) or error}."
        ) from error
    return path


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does; raises BadInput where it cannot be read."""
    with _reporting_damage(path.name):
        return _first_bytes(path, 4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def open_csv(path: Path) -> Iterator[ByteStream]:
    """Open a CSV, plain, in gzip or alone in a zip; raises BadInput, also on reading where the file is damaged."""
    with _reporting_damage(path.name):
        if is_zip(path):
            with zipfile.ZipFile(path) as archive:
                member = _only_csv(archive, path.name)
                with archive.open(member) as file:
                    yield _LimitedStream(file, path.name, size_limit(path.name, member.file_size))
        elif _first_bytes(path, 2) == b"\x1f\x8b":
            with gzip.open(path) as file:
                yield _LimitedStream(file, path.name, size_limit(path.name, path.stat().st_size))
        else:
            with path.open("rb", buffering=0) as file:
                yield _LimitedStream(file, path.name, size_limit(path.name, path.stat().st_size))


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; raises BadInput, also on reading from it where it is damaged."""
    with _reporting_damage(path.name), zipfile.ZipFile(path) as archive:
        yield archive


def visible_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return a zip's files, without those that systems add for themselves."""
    return [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in member_path(member).parts)
    ]


def csv_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the CSVs of a zip."""
    return [member for member in visible_members(archive) if member.filename.lower().endswith(".csv")]


def member_path(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return the path of a file in a zip, also of one that Windows packed with backslashes."""
    return PurePosixPath(member.filename.replace("\\", "/"))


def size_limit(name: str, stated: int) -> int:
    """Return how many bytes of `name` may be read; raises BadInput where it states more.

    A pixel takes at least two bytes in a CSV and one in memory, so a file fits whose half does.
    """
    memory = available_memory()
    if stated > 2 * memory:
        raise BadInput(
            f"{name} needs up to {_megabytes(stated // 2)} of memory; this machine has {_megabytes(memory)} left."
        )
    if stated > MAX_UPLOAD_BYTES:
        raise BadInput(f"{name} unpacks to {_megabytes(stated)}; at most {_megabytes(MAX_UPLOAD_BYTES)} can be read.")
    return min(MAX_UPLOAD_BYTES, 2 * memory)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class _LimitedStream:
    """A stream that raises BadInput when it gives more than `limit` bytes, whatever its header stated."""

    def __init__(self, stream: _Readable, name: str, limit: int) -> None:
        self._stream = stream
        self._name = name
        self._limit = limit
        self._left = limit

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        data = self._stream.read(size) or b""
        self._left -= len(data)
        if self._left < 0:
            raise BadInput(f"{self._name} unpacks to more than the {_megabytes(self._limit)} that can be read.")
        return data


def _check_size(path: Path) -> None:
    """Raise BadInput where a file is empty or too large to be read."""
    size = path.stat().st_size
    if size == 0:
        raise BadInput(f"{path.name} is empty; expected a CSV with a header and a row per face.")
    if size > MAX_UPLOAD_BYTES:
        raise BadInput(f"{path.name} is {_megabytes(size)}; at most {_megabytes(MAX_UPLOAD_BYTES)} can be read.")


def _only_csv(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = csv_members(archive)
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:5])
        raise BadInput(f"{name} holds {len(members)} CSVs ({names}); expected one.")
    return members[0]


@contextmanager
def _reporting_damage(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise BadInput(f"{name} is damaged or cut off and cannot be unpacked.") from error
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror or error}.") from error
    except RuntimeError as error:  # how zipfile says that it lacks a password
        if "password" not in str(error):
            raise
        raise BadInput(f"{name} is protected by a password; unpack it first.") from error


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:,.0f} MB"
