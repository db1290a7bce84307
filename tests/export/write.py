"""Writes an export in a process of its own, a line for each checkpoint, so that a test can kill it at any of them.

usage: python -m tests.export.write DATABASE_URL FOLDER TENANT EXPORT PART_BYTES
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from integrations.file_store import Part
from integrations.file_store_local import LocalFiles
from models.database import Database
from resolvers.export_run import run_export
from settings import Settings


class Telling(LocalFiles):
    """A folder that waits to be told after each part, as a slow bucket would."""

    async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
        part = await super().append(key, upload, number, content)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        return part


async def main(url: str, folder: str, tenant: str, export: str, part_bytes: str) -> None:
    database = Database(url, pool_size=3)
    store = Telling(Settings(database_url=url, data_dir=Path(folder)))
    await run_export(database, store, UUID(tenant), UUID(export), part_bytes=int(part_bytes))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
