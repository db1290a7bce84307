"""Where files are kept: a private place in which every access, up and down, is by a URL signed for that one request."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

from settings import Settings


class StoreUnavailable(Exception):
    """The store does not answer, or refuses us; nothing was changed that cannot be done again."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where and how to PUT the bytes: the URL is good for these headers and this size alone."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file that is written piece by piece; `tag` is the store's name for it."""

    number: int
    tag: str
    size: int


class FileStore(Protocol):
    """Files by key. Every method but the two that sign may raise StoreUnavailable."""

    def upload_url(self, key: str, content_type: str, byte_size: int, lasts: timedelta) -> Upload:
        """A URL to put exactly so many bytes of that type under the key."""

    def download_url(self, key: str, file_name: str, content_type: str, lasts: timedelta) -> str:
        """A URL to read the file by, under this name and type."""

    async def read(self, key: str, at_most: int) -> bytes | None:
        """The content, or its first `at_most` + 1 bytes where it has more; None when there is no such file."""

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """The content in pieces; nothing when there is no such file."""

    async def write(self, key: str, content: bytes, content_type: str) -> None:
        """Keep a file."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these files; those that are not there are no matter."""

    async def delete_prefix(self, prefix: str) -> int:
        """Remove all files whose key begins so, unfinished ones too; how many there were."""

    async def begin(self, key: str, content_type: str) -> str:
        """Begin a file that is written in parts; what the other calls name it by."""

    async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
        """Write part `number` (from 1; all but the last have 5 MiB or more), in the place of one that was written before."""

    async def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """The parts are the file: from now on it can be read."""

    async def abandon(self, key: str, upload: str) -> None:
        """Forget the parts."""


@lru_cache(maxsize=8)
def file_store(settings: Settings) -> FileStore:
    """The store that the settings name: a bucket, or a folder below the data folder."""
    if settings.s3_bucket:
        from integrations.file_store_s3 import S3Files

        return S3Files(settings)
    from integrations.file_store_local import LocalFiles

    return LocalFiles(settings)


def store_url(settings: Settings) -> str | None:
    """What the URLs of all files begin with, up to a slash; None: they are of our own origin."""
    if settings.s3_bucket is None:
        return None
    from integrations.file_store_s3 import S3Files

    return S3Files.url_prefix(settings)


def disposition(file_name: str, content_type: str) -> str:
    """The Content-Disposition header: images may be shown, anything else is saved (RFC 6266, RFC 8187)."""
    shown = "inline" if content_type.startswith("image/") else "attachment"
    plain = "".join(character if character.isascii() and character not in '"\\%' else "_" for character in file_name)
    return f"{shown}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
