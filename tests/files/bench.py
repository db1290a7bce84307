"""A business with its file store, and the steps of an upload."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from domain.ids import Prefix, decode
from integrations.file_store import FileStore, file_store
from models.database import Database
from settings import Settings
from tests.service import TLS, Client, running_service
from tests.standins.s3 import S3StandIn
from tests.world import World, new_world

SECRET = "a key that server and test share"
COMPLETED = (
    "attachment { id kind fileName contentType byteSize url thumbnailUrl uploadedAt } userErrors { code message path }"
)


@dataclass
class Bench:
    """A business with its file store."""

    world: World
    settings: Settings
    database: Database
    store: FileStore
    bucket: S3StandIn | None
    tenant: UUID

    async def request(self, client: Client | None = None, **given: Any) -> Any:
        """uploadRequest."""
        return await (client or self.world.api).do(
            "uploadRequest",
            "attachmentId url headers userErrors { code message path }",
            **({"kind": "PHOTO", "fileName": "photo.jpg", "contentType": "image/jpeg"} | given),
        )

    async def put(self, asked: Any, content: bytes, **headers: str) -> httpx.Response:
        """PUT to the URL that was given out; nothing of ours goes along."""
        async with httpx.AsyncClient(verify=TLS) as http:
            return await http.put(asked["url"], content=content, headers=asked["headers"] | headers)

    async def complete(self, attachment_id: str, client: Client | None = None) -> Any:
        """uploadComplete."""
        return await (client or self.world.api).do("uploadComplete", COMPLETED, attachmentId=attachment_id)

    async def upload(self, content: bytes, client: Client | None = None, **given: Any) -> Any:
        """All three steps; the payload of the last."""
        asked = await self.request(client, byteSize=len(content), **given)
        assert asked["userErrors"] == [], asked
        assert (await self.put(asked, content)).status_code == 200
        return await self.complete(asked["attachmentId"], client)

    async def fetch(self, url: str) -> httpx.Response:
        async with httpx.AsyncClient(verify=TLS) as http:
            return await http.get(url)

    def stored(self) -> list[str]:
        """The keys of all that is kept."""
        if self.bucket is not None:
            return sorted(self.bucket.objects)
        root = self.settings.data_dir / "files"
        # A worker may be removing them.
        return sorted(str((Path(at) / name).relative_to(root)) for at, _, names in os.walk(root) for name in names)

    def content(self) -> bytes:
        """All that is kept, end to end."""
        if self.bucket is not None:
            return b"".join(self.bucket.objects.values())
        root = self.settings.data_dir / "files"
        return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


@asynccontextmanager
async def made_bench(database_url: str, folder: Path, bucket: S3StandIn | None) -> AsyncIterator[Bench]:
    """The product on loopback with its files in the folder, or in the bucket."""
    shared: dict[str, Any] = {"secret_key": SECRET, "data_dir": folder, **(bucket.settings() if bucket else {})}
    async with running_service(database_url, **shared) as service, new_world(service) as world:
        settings = Settings(database_url=database_url, port=service.port, **shared)
        database = Database(database_url, pool_size=6)
        tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
        assert tenant is not None
        yield Bench(world, settings, database, file_store(settings), bucket, tenant)
        await database.close()
