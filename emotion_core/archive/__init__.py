"""A run as one zip, to carry it to another machine.

What comes in is a stranger's. Only known files are read, each up to a size of its own; numbers, settings and words are
parsed and written anew; a network's weights are kept as they are, and only ever loaded into a network that is built
from the run's settings. A run comes in whole or not at all, and nothing outside its own folder is written.
"""

from emotion_core.archive.contents import MAX_ARCHIVE_BYTES
from emotion_core.archive.packing import loses_model, pack, unpack
from emotion_core.archive.preparing import is_being_prepared, prepare, why_not_prepared

__all__ = ["MAX_ARCHIVE_BYTES", "is_being_prepared", "loses_model", "pack", "prepare", "unpack", "why_not_prepared"]
