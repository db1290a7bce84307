"""An export whose worker is killed is gone on with by the next, and is as whole as any other."""

import asyncio
import io
import os
import signal
import sys
import zipfile
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from integrations.file_store import Part
from integrations.file_store_local import LocalFiles
from models.export_tables import EXPORTED
from resolvers.export_run import run_export
from tests.export.furnish import furnish
from tests.export.test_export import LIST, ask, id_of
from tests.files.bench import Bench

ROOT = Path(__file__).resolve().parents[2]
PART_BYTES = 1_500


async def killed_after(bench: Bench, export_id: UUID, parts: int) -> int:
    """Have a process write the export, and SIGKILL it once it has written so many parts; how many it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.export.write", bench.database.url, str(bench.settings.data_dir),
        str(bench.tenant), str(export_id), str(PART_BYTES),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    written = 0
    while written < parts and await process.stdout.readline():
        written += 1
        if written < parts:
            process.stdin.write(b"\n")
            await process.stdin.drain()
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    return written


def lapse(owner_url: str, bench: Bench) -> None:
    """Let the dead worker's lease be over."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(bench.tenant)])
        connection.execute("UPDATE exports SET lease_until = now() WHERE state = 'RUNNING'")


class Counting(LocalFiles):
    """A folder that counts the parts that it is given."""

    parts = 0

    async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
        self.parts += 1
        return await super().append(key, upload, number, content)


@pytest.mark.parametrize("kills", [[1], [2, 2, 4]])
async def test_a_killed_export_is_gone_on_with(folder: Bench, owner_url: str, kills: list[int]) -> None:
    await furnish(folder)
    for number in range(30):
        await folder.world.book(notes=f"note {number} " + os.urandom(200).hex())
    export_id = id_of((await ask(folder))["export"])
    for parts in kills:
        assert await killed_after(folder, export_id, parts) == parts
        assert not await run_export(folder.database, folder.store, folder.tenant, export_id), "the lease is still held"
        lapse(owner_url, folder)
    last = Counting(folder.settings)
    assert await run_export(folder.database, last, folder.tenant, export_id, part_bytes=PART_BYTES)
    [listed] = (await folder.world.api.ask(LIST))["exports"]
    archive = zipfile.ZipFile(io.BytesIO((await folder.fetch(listed["url"])).content))
    assert archive.testzip() is None
    rows = archive.read("data/appointments.jsonl").splitlines()
    assert len(rows) == len(set(rows)) == 31
    assert {f"data/{name}.jsonl" for name in EXPORTED} <= set(archive.namelist())
    assert len(archive.namelist()) == len(set(archive.namelist()))
    # The part at which a worker died was written, and not yet noted: what came before it is never done again.
    fresh = Counting(folder.settings)
    export = id_of((await ask(folder))["export"])
    assert await run_export(folder.database, fresh, folder.tenant, export, part_bytes=PART_BYTES)
    assert last.parts <= fresh.parts - sum(each - 1 for each in kills)


async def test_a_worker_that_was_taken_for_dead_writes_nothing_more(folder: Bench, owner_url: str) -> None:
    await furnish(folder)
    export_id = id_of((await ask(folder))["export"])

    class Slow(Counting):
        """So slow that another one takes over before its first part is noted."""

        async def append(self, key: str, upload: str, number: int, content: bytes) -> Part:
            part = await super().append(key, upload, number, content)
            lapse(owner_url, folder)
            assert await run_export(folder.database, folder.store, folder.tenant, export_id)
            return part

    slow = Slow(folder.settings)
    assert not await run_export(folder.database, slow, folder.tenant, export_id, part_bytes=PART_BYTES)
    assert slow.parts == 1
    [listed] = (await folder.world.api.ask(LIST))["exports"]
    assert listed["state"] == "READY"
    assert zipfile.ZipFile(io.BytesIO((await folder.fetch(listed["url"])).content)).testzip() is None


async def test_what_breaks_every_worker_fails_in_the_end(bench: Bench, owner_url: str) -> None:
    if bench.bucket is None:
        return
    export_id = id_of((await ask(bench))["export"])
    bench.bucket.fails = 1_000
    for _ in range(6):
        assert not await run_export(bench.database, bench.store, bench.tenant, export_id)
        lapse(owner_url, bench)
    bench.bucket.fails = 0
    [listed] = (await bench.world.api.ask(LIST))["exports"]
    assert (listed["state"], listed["url"]) == ("FAILED", None)
    assert (await ask(bench))["export"]["id"] != listed["id"]
