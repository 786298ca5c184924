"""Reading a data set from whatever file holds it, once: afterwards its arrays are only mapped into memory."""

import json
from collections.abc import Iterator
from pathlib import Path

from emotion_core.config import SAMPLE, SAMPLE_NAME
from emotion_core.dataset.dataset import Dataset
from emotion_core.errors import BadInput
from emotion_core.readers.blocks import Block
from emotion_core.readers.cache import CacheKey, forget, load_or_build
from emotion_core.readers.csv_parser import parse_csv
from emotion_core.readers.image_folder import is_zip_of_pictures, picture_states, read_folder, read_zip
from emotion_core.readers.sources import open_csv, resolve_source
from emotion_core.sample import SAMPLE_VERSION, draw_sample
from emotion_core.settings import cache_folder


def load_dataset(source: str | Path, *, drop_incomplete: bool = False) -> Dataset:
    """Read a data set; the second time its arrays are only mapped into memory.

    Args:
        source: 'sample' for drawn faces, or the path of a CSV (plain, .gz, or alone in a .zip) or of a folder or zip
            of pictures in a sub-folder per emotion. A zip that holds both is read for its pictures.
        drop_incomplete: Leave out rows whose pixels are missing instead of refusing the file.

    Raises:
        BadInput: Says file, line, what was found there and what was expected.
    """
    if str(source) == SAMPLE:
        name, path = SAMPLE_NAME, SAMPLE
        stored = load_or_build(cache_folder(), CacheKey(SAMPLE, SAMPLE, str(SAMPLE_VERSION)), _draw_faces)
    else:
        file = resolve_source(source)
        name, path = file.name, str(file)
        stored = load_or_build(cache_folder(), _key(file, _state_of(file)), lambda: _read(file))
    dataset = Dataset(
        name=name,
        source=path,
        images=stored.images,
        labels=stored.labels,
        ids=stored.ids,
        usage=stored.usage,
        problems=stored.problems,
        fingerprint=stored.fingerprint,
    )
    if dataset.problems and not drop_incomplete:
        raise BadInput(_describe_problems(dataset))
    return dataset


def forget_parsed(path: Path) -> None:
    """Remove the arrays that were kept of a data set so that it is read faster; its file may be gone already."""
    forget(cache_folder(), _key(path.resolve(), state=""))


def _read(path: Path) -> Iterator[Block]:
    if path.is_dir():
        return read_folder(path)
    return read_zip(path) if is_zip_of_pictures(path) else _read_csv(path)


def _draw_faces() -> Iterator[Block]:
    images, labels = draw_sample()
    yield Block(images, labels, [str(number) for number in range(len(images))], usage=None)


def _read_csv(path: Path) -> Iterator[Block]:
    with open_csv(path) as stream:
        yield from parse_csv(stream, path.name)


def _key(path: Path, state: str) -> CacheKey:
    return CacheKey(title=path.stem, source=str(path), state=state)


def _state_of(path: Path) -> str:
    """Say which state of a file or folder is read: its size and time, for a folder those of each picture."""
    return json.dumps([_stamp(path)] if path.is_file() else picture_states(path))


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        status = file.stat()
    except OSError as error:  # gone a moment ago
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error
    return str(file), status.st_size, status.st_mtime_ns


def _describe_problems(dataset: Dataset) -> str:
    first, count = dataset.problems[0], len(dataset.problems)
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return (
        f"{dataset.name}: line {first.row} {first.message}; {rows} of {len(dataset) + count:,} like it. Fix the file, "
        "or choose to leave such rows out (--drop-incomplete on the command line)."
    )
