"""Zips that strangers made: opened only where their list of entries is plain and short, read only up to a limit.

What a zip says about itself is not believed: sizes are counted while reading. Nothing is ever extracted by the name
that an entry gives itself; whoever reads decides where the bytes go.
"""

import io
import stat
import struct
import zipfile
from typing import BinaryIO, Final

from emotion_core.errors import BadInput

MAX_LIST_BYTES: Final = 64 * 2**10
"""Largest list of entries that is parsed; one of a run takes about a kilobyte."""

_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\5\6"
_ZIP64_LOCATOR: Final = (20, b"PK\6\7")  # its size, which stands before the end, and its signature
_ENCRYPTED: Final = 0x41
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class CheckedZip:
    """A zip whose entries are plain files, each with a name of its own; raises BadInput for any other.

    Args:
        content: The zip's bytes; read as long as this object is used.
        title: What errors call it.
    """

    def __init__(self, content: BinaryIO, title: str) -> None:
        self.title = title
        if not _has_short_list(content):
            raise BadInput(f"{title} is not a complete zip file, or not one of a run.")
        try:
            self._zip = zipfile.ZipFile(content)
        except Exception as error:  # damaged bytes make zipfile, struct and codecs raise errors of many kinds
            raise BadInput(f"{title} is not a complete zip file: {error}.") from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            self._refuse_where_odd(entry)
            self._entries[entry.filename] = entry

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the entries, in order; those that end in `/` are folders."""
        return tuple(self._entries)

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of an entry; raises BadInput where they are damaged or more than `limit`."""
        try:
            with self._zip.open(self._entries[name]) as entry:
                content = entry.read(limit + 1)
        except Exception as error:  # as above
            raise BadInput(f"{self._where(name)} is damaged: {error}.") from error
        if len(content) > limit:
            raise BadInput(f"{self._where(name)} is larger than {limit:,} bytes, the most that is read.")
        return content

    def _refuse_where_odd(self, entry: zipfile.ZipInfo) -> None:
        where = self._where(entry.orig_filename)
        if entry.filename in self._entries:
            raise BadInput(f"{where} occurs twice.")
        if entry.filename != entry.orig_filename:
            raise BadInput(f"{where} has an invalid file name.")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadInput(f"{where} is a link or a device, not a file.")
        if entry.flag_bits & _ENCRYPTED:
            raise BadInput(f"{where} is encrypted.")
        if entry.compress_type not in _COMPRESSIONS:
            raise BadInput(f"{where} uses an unsupported compression.")

    def _where(self, name: str) -> str:
        return f"{name[:80]!r} in {self.title}"


def _has_short_list(content: BinaryIO) -> bool:
    """Whether the file ends with a zip's usual end, right after a short list of entries: no comment, no zip64.

    NOTE: zipfile makes an object of every entry before it can be asked anything: a list of a gigabyte takes all memory.
    """
    end = content.seek(0, io.SEEK_END) - _END.size
    if end < 0:
        return False
    content.seek(end)
    signature, disk, first_disk, _, _, size, start, comment = _END.unpack(content.read(_END.size))
    if signature != _END_SIGNATURE or disk or first_disk or comment or size > MAX_LIST_BYTES or start + size != end:
        return False
    before, zip64 = _ZIP64_LOCATOR
    content.seek(max(0, end - before))
    return content.read(len(zip64)) != zip64
