"""Files in a folder, reached through our own server by URLs that are signed like a bucket's."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from auth.signed_token import sign, verify
from integrations.file_store import Part, StoreUnavailable, Upload
from settings import Settings

_PUT, _GET = "file upload", "file download"
PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed URL allows: to put these bytes, or to read this file."""

    key: str
    content_type: str
    byte_size: int = 0
    file_name: str = ""


class LocalFiles:
    """Implements FileStore on a folder that only we can read. Keys are ours alone and hold no part of a caller's text.

    Args:
        settings: the data folder, the origin and the key that URLs are signed with.
    """

    def __init__(self, settings: Settings) -> None:
        self.root = settings.data_dir.expanduser().absolute() / "files"
        self._origin = settings.origin
        self._secret = settings.secret_key.get_secret_value()

    def upload_url(self, key: str, content_type: str, byte_size: int, lasts: timedelta) -> Upload:
        """A URL to put exactly so many bytes of that type under the key."""
        payload = orjson.dumps([key, content_type, byte_size])
        return Upload(self._url(_PUT, payload, lasts), {"Content-Type": content_type})

    def download_url(self, key: str, file_name: str, content_type: str, lasts: timedelta) -> str:
        """A URL to read the file by, under this name and type."""
        return self._url(_GET, orjson.dumps([key, content_type, file_name]), lasts)

    def upload_grant(self, token: str) -> Grant | None:
        """What an upload's token allows; None when it is forged or has expired."""
        payload = verify(self._secret, _PUT, token)
        if payload is None:
            return None
        key, content_type, byte_size = orjson.loads(payload)
        return Grant(key, content_type, byte_size=byte_size)

    def download_grant(self, token: str) -> Grant | None:
        """What a download's token allows; None when it is forged or has expired."""
        payload = verify(self._secret, _GET, token)
        if payload is None:
            return None
        key, content_type, file_name = orjson.loads(payload)
        return Grant(key, content_type, file_name=file_name)

    def path(self, key: str) -> Path:
        """Where a file lies.

        Raises:
            ValueError: the key leads out of the folder.
        """
        parts = key.split("/")
        if any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise ValueError("not a key of a file")
        return self.root.joinpath(*parts)

    @contextmanager
    def receiving(self, key: str) -> Iterator[Path]:
        """A path to write to beside the file's place: it gets there whole when the block ends well, or not at all."""
        target = self.path(key)
        with _available():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{os.getpid()}.{id(target):x}.part")
        try:
            yield partial
            with _available():
                partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    async def read(self, key: str, at_most: int) -> bytes | None:
        """The content, or its first `at_most` + 1 bytes where it has more; None when there is no such file."""

        def work() -> bytes | None:
            try:
                with _available(), self.path(key).open("rb") as file:
                    return file.read(at_most + 1)
            except FileNotFoundError:
                return None

        return await asyncio.to_thread(work)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The content in pieces; nothing when there is no such file."""
        try:
            with _available():
                file = await asyncio.to_thread(self.path(key).open, "rb")
        except FileNotFoundError:
            return
        with file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    async def write(self, key: str, content: bytes, content_type: str) -> None:
        """Keep a file. Its type goes with each URL, so that nothing here needs it."""

        def work() -> None:
            with self.receiving(key) as path, _available():
                path.write_bytes(content)

        await asyncio.to_thread(work)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these files; those that are not there are no matter."""

        def work() -> None:
            with _available():
                for key in keys:
                    self.path(key).unlink(missing_ok=True)

        await asyncio.to_thread(work)

    async def delete_prefix(self, prefix: str) -> int:
        """Remove all files whose key begins so (a folder's key with its slash); how many there were."""
        folder = self.path(prefix.rstrip("/"))

        def work() -> int:
            count = sum(len(files) for _, _, files in os.walk(folder))
            while folder.exists():
                # Another one that removes the same may be a step ahead.
                with suppress(FileNotFoundError), _available():
                    shutil.rmtree(folder)
            return count

        return await asyncio.to_thread(work)

    async def begin(self, key: str, content_type: str) -> str:
        """Begin a file that is written in parts: a folder beside its place."""
        folder = self._parts(key)

        def work() -> None:
            with _available():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(mode=0o700, parents=True)

        await asyncio.to_thread(work)
        return folder.name

    async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
        """Write a part. It is on the disk before it counts, as a bucket's is."""
        path = self._parts(key) / f"{number:06}"

        def work() -> None:
            with _available(), path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

        await asyncio.to_thread(work)
        return Part(number, path.name, len(content))

    async def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Put the parts together."""
        folder = self._parts(key)

        def work() -> None:
            with _available():
                if not folder.exists() and self.path(key).exists():
                    # An earlier attempt got here, and died before it could say so.
                    return
                with self.receiving(key) as path, path.open("wb") as whole:
                    for part in parts:
                        with (folder / part.tag).open("rb") as file:
                            shutil.copyfileobj(file, whole, PIECE)
                shutil.rmtree(folder)

        await asyncio.to_thread(work)

    async def abandon(self, key: str, upload: str) -> None:
        """Forget the parts."""
        await asyncio.to_thread(shutil.rmtree, self._parts(key), ignore_errors=True)

    def _parts(self, key: str) -> Path:
        path = self.path(key)
        return path.with_name(f"{path.name}.parts")

    def _url(self, purpose: str, payload: bytes, lasts: timedelta) -> str:
        return f"{self._origin}/files/{sign(self._secret, purpose, payload, datetime.now(UTC) + lasts)}"


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"the folder of files: {error.strerror}") from error
