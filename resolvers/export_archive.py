"""The archive of an export while it is written: pieces are gathered into parts, and each part is a checkpoint."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain.zip_stream import ZipStream
from integrations.file_store import FileStore, Part

PART_BYTES = 8_000_000
# Later parts are larger, so that a bucket's 10,000 parts suffice for any business.
GROWS_EVERY = 200
# Part numbers of different attempts differ: one that was taken for dead may still be writing.
ATTEMPTS = 8


class LostIt(Exception):
    """Another worker writes this archive now, or nobody wants it any more."""


@dataclass
class Archive:
    """A ZIP in a file store.

    Args:
        save: keeps a state, and tells whether the archive is still ours.
        where: how far the reading is, in the words of whoever reads; kept with each checkpoint.
    """

    store: FileStore
    key: str
    upload: str
    attempt: int
    save: Callable[[dict[str, Any]], Awaitable[bool]]
    part_bytes: int = PART_BYTES
    where: dict[str, Any] = field(default_factory=dict)
    zip: ZipStream = field(default_factory=lambda: ZipStream(datetime.now(UTC)))
    parts: list[Part] = field(default_factory=list)
    _waiting: bytearray = field(default_factory=bytearray)

    def take(self, content: bytes) -> None:
        """Add bytes of the ZIP."""
        self._waiting += content

    async def perhaps_checkpoint(self) -> None:
        """Write a part if there is enough for one. Only where `where` tells all that has been read.

        Raises:
            LostIt: this is not ours any more.
            StoreUnavailable: the store does not answer.
        """
        if len(self._waiting) >= self.part_bytes * (1 + len(self.parts) // GROWS_EVERY):
            self.take(self.zip.checkpoint())
            await self._checkpoint()

    async def close(self) -> int:
        """Write what is left and make the file whole; its size in bytes."""
        if self._waiting:
            await self._checkpoint()
        await self.store.finish(self.key, self.upload, self.parts)
        return sum(part.size for part in self.parts)

    async def _checkpoint(self) -> None:
        number = (len(self.parts) + 1) * ATTEMPTS + self.attempt % ATTEMPTS
        self.parts.append(await self.store.append(self.key, self.upload, number, bytes(self._waiting)))
        self._waiting.clear()
        if not await self.save(self._state()):
            raise LostIt

    def _state(self) -> dict[str, Any]:
        return {
            "upload": self.upload,
            "zip": self.zip.state(),
            "parts": [asdict(part) for part in self.parts],
            "where": self.where,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.upload = state["upload"]
        self.zip = ZipStream.resumed(state["zip"])
        self.parts = [Part(**part) for part in state["parts"]]
        self.where = dict(state["where"])
