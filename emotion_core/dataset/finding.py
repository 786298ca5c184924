"""What in a folder looks like a data set: told by names and headers, before anything is read."""

from pathlib import Path

from emotion_core.errors import BadInput
from emotion_core.readers.csv_lines import read_header
from emotion_core.readers.image_folder import has_class_folders


def find_datasets(folder: Path) -> list[Path]:
    """Return what in a folder looks like a data set, by name; only the header of a CSV is read.

    A name that is no text, as archives from another system may leave it, cannot be shown: such a file is left out.
    """
    return sorted(path for path in folder.glob("*") if _is_presentable(path.name) and _may_hold_faces(path))


def chance_of_labels(path: Path) -> float:
    """Return how likely a data set that `find_datasets` found has labels: 0 or 1, or between where it is packed."""
    if path.is_dir():
        return 1
    return float("emotion" in _columns(path)) if path.name.lower().endswith(".csv") else 0.5


def _is_presentable(name: str) -> bool:
    return not name.startswith(".") and not any("\udc80" <= letter <= "\udcff" for letter in name)


def _may_hold_faces(path: Path) -> bool:
    name = path.name.lower()
    try:
        if path.is_dir():
            return has_class_folders(path)
    except OSError:  # one may list the folder that it lies in, but not enter it
        return False
    return "pixels" in _columns(path) if name.endswith(".csv") else name.endswith((".csv.gz", ".zip"))


def _columns(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            return tuple(read_header(file.readline(10_000), path.name))
    except (OSError, BadInput):
        return ()
