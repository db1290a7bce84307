"""A ZIP that is written piece by piece and can be gone on with by another process: its whole state fits into JSON.

The format is PKWARE's APPNOTE 6.3, with Zip64 where it is needed. At a checkpoint the compressor is flushed so that what
follows does not lean on what came before; a fresh compressor then goes on within the same entry.
"""

import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

DEFLATED = 8
# Fast: the text of an export shrinks to about a tenth at any level.
LEVEL = 3
_LOCAL = struct.Struct("<4s5H3L2H")
_DESCRIPTOR = struct.Struct("<4sLQQ")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_BIG32, _BIG16 = 0xFFFFFFFF, 0xFFFF
# Bit 3: sizes and checksum follow the data; bit 11: the name is UTF-8.
_FLAGS = 0x0808
_VERSION = 45


@dataclass
class _Entry:
    name: str
    offset: int
    crc: int = 0
    size: int = 0
    packed: int = 0


@dataclass
class ZipStream:
    """Each method returns the bytes to be written next. One entry is open at a time.

    Attributes:
        moment: what all entries are dated by.
        offset: bytes returned so far.
    """

    moment: datetime
    offset: int = 0
    _done: list[_Entry] = field(default_factory=list)
    _open: _Entry | None = None
    _compressor: "zlib._Compress | None" = None

    @property
    def is_open(self) -> bool:
        """Whether an entry is open."""
        return self._open is not None

    def begin(self, name: str) -> bytes:
        """Open an entry."""
        if self._open is not None:
            raise ValueError("an entry is open")
        self._open = _Entry(name, self.offset)
        encoded = name.encode()
        # Sizes of Zip64 from the start: how long the entry will be, nobody knows yet.
        extra = struct.pack("<2H2Q", 1, 16, 0, 0)
        time, day = _dos(self.moment)
        head = _LOCAL.pack(
            b"PK\3\4", _VERSION, _FLAGS, DEFLATED, time, day, 0, _BIG32, _BIG32, len(encoded), len(extra)
        )
        return self._count(head + encoded + extra)

    def write(self, content: bytes) -> bytes:
        """Add to the open entry."""
        entry = self._current()
        entry.crc = zlib.crc32(content, entry.crc)
        entry.size += len(content)
        return self._packed(self._deflate().compress(content))

    def checkpoint(self) -> bytes:
        """Bring out all that was written; `state` then tells all that another process needs to go on."""
        if self._open is None or self._compressor is None:
            return b""
        return self._packed(self._compressor.flush(zlib.Z_FULL_FLUSH))

    def end(self) -> bytes:
        """Close the entry."""
        entry = self._current()
        out = self._packed(self._deflate().flush())
        self._compressor = None
        self._open = None
        self._done.append(entry)
        return out + self._count(_DESCRIPTOR.pack(b"PK\7\x08", entry.crc, entry.packed, entry.size))

    def finish(self) -> bytes:
        """The directory, with which the archive is whole."""
        if self._open is not None:
            raise ValueError("an entry is open")
        start = self.offset
        directory = b"".join(self._record(entry) for entry in self._done)
        count, end = len(self._done), start + len(directory)
        tail = _END64.pack(b"PK\6\6", 44, _VERSION, _VERSION, 0, 0, count, count, len(directory), start)
        tail += _LOCATOR64.pack(b"PK\6\7", 0, end, 1)
        short = min(count, _BIG16)
        tail += _END.pack(b"PK\5\6", 0, 0, short, short, min(len(directory), _BIG32), min(start, _BIG32), 0)
        return self._count(directory + tail)

    def state(self) -> dict[str, Any]:
        """What `resumed` goes on from. Only right after `checkpoint`, `end`, or before the first entry."""
        return {
            "moment": self.moment.isoformat(),
            "offset": self.offset,
            "done": [_listed(entry) for entry in self._done],
            "open": _listed(self._open) if self._open else None,
        }

    @classmethod
    def resumed(cls, state: dict[str, Any]) -> "ZipStream":
        """The stream of a state."""
        made = cls(datetime.fromisoformat(state["moment"]), state["offset"], [_Entry(*each) for each in state["done"]])
        made._open = _Entry(*state["open"]) if state["open"] else None
        return made

    def _current(self) -> _Entry:
        if self._open is None:
            raise ValueError("no entry is open")
        return self._open

    def _deflate(self) -> "zlib._Compress":
        if self._compressor is None:
            self._compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return self._compressor

    def _packed(self, out: bytes) -> bytes:
        self._current().packed += len(out)
        return self._count(out)

    def _count(self, out: bytes) -> bytes:
        self.offset += len(out)
        return out

    def _record(self, entry: _Entry) -> bytes:
        encoded = entry.name.encode()
        large = [value for value in (entry.size, entry.packed, entry.offset) if value >= _BIG32]
        extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        time, day = _dos(self.moment)
        sizes = [min(value, _BIG32) for value in (entry.packed, entry.size)]
        return (
            _CENTRAL.pack(
                b"PK\1\2", (3 << 8) | _VERSION, _VERSION, _FLAGS, DEFLATED, time, day, entry.crc, *sizes,
                len(encoded), len(extra), 0, 0, 0, 0o600 << 16, min(entry.offset, _BIG32),
            )
            + encoded
            + extra
        )  # fmt: skip


def _listed(entry: _Entry) -> list[Any]:
    return [entry.name, entry.offset, entry.crc, entry.size, entry.packed]


def _dos(moment: datetime) -> tuple[int, int]:
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (moment.year - 1980) << 9 | moment.month << 5 | moment.day
