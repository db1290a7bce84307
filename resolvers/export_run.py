"""Writing an export: all tables as JSON Lines, the main ones as CSV, the files, a manifest; in bounded memory."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog

from domain.attachment import ENDINGS
from domain.export import cell, export_key
from integrations.file_store import FileStore, StoreUnavailable
from models.attachment import Attachment, ready_after
from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.export import checkpoint, claim_export, finish_export, give_export_back
from models.export_rows import begin_reading, cell_page, json_page
from models.export_tables import EXPORTED, IN_CSV, NOT_EXPORTED, exported_table
from resolvers.export_archive import PART_BYTES, Archive, LostIt

log = structlog.get_logger("export")
FILES_A_PAGE = 200
RETRY_S = 15.0
# In this order; one that began with another order is begun anew.
STEPS: Sequence[tuple[str, str]] = (
    *(("rows", name) for name in EXPORTED),
    *(("cells", name) for name in IN_CSV),
    ("files", ""),
    ("manifest", ""),
)
FORMAT = 1


@dataclass(frozen=True, slots=True)
class _Job:
    tenant_id: UUID
    export_id: UUID
    session: Transaction
    store: FileStore
    archive: Archive


async def run_export(
    database: Database, store: FileStore, tenant_id: UUID, export_id: UUID, *, part_bytes: int = PART_BYTES
) -> bool:
    """Write an export, from where an earlier attempt left it; False when it is not ours to write, or not now.

    All rows are read as of one moment; after a crash the rest is read as of another, and the manifest names both.
    """
    async with database.tenant(tenant_id) as session:
        claim = await claim_export(session, export_id)
    if claim is None:
        return False

    async def save(state: dict[str, Any]) -> bool:
        async with database.tenant(tenant_id) as session:
            return await checkpoint(session, export_id, claim.fence, state)

    try:
        key = export_key(tenant_id, export_id)
        archive = Archive(store, key, "", claim.fence, save, part_bytes)
        if claim.progress is not None and claim.progress["where"]["steps"] == _names():
            archive.resume(claim.progress)
        else:
            archive.upload = await store.begin(key, "application/zip")
            archive.where = {"steps": _names(), "step": 0, "after": None, "counts": {}, "moments": []}
        async with database.snapshot(tenant_id) as session:
            archive.where["moments"].append((await begin_reading(session)).isoformat())
            await _write(_Job(tenant_id, export_id, session, store, archive))
        size = await archive.close()
    except LostIt:
        log.info("export is another's", exportId=str(export_id))
        return False
    except (StoreUnavailable, *UNREACHABLE) as error:
        log.warning("export interrupted", exportId=str(export_id), error=type(error).__name__, exc_info=True)
        async with database.tenant(tenant_id) as session:
            await give_export_back(session, export_id, claim.fence, RETRY_S)
        return False
    async with database.tenant(tenant_id) as session:
        return await finish_export(session, export_id, claim.fence, size)


async def _write(job: _Job) -> None:
    where = job.archive.where
    while where["step"] < len(STEPS):
        kind, name = STEPS[where["step"]]
        await _WRITERS[kind](job, name)
        where["step"] += 1
        where["after"] = None
        await job.archive.perhaps_checkpoint()
    if not where.get("finished"):
        where["finished"] = True
        job.archive.take(job.archive.zip.finish())


async def _rows(job: _Job, name: str) -> None:
    table = exported_table(name)

    async def page(after: list[str] | None) -> tuple[bytes, int, list[str] | None]:
        found = await json_page(job.session, job.tenant_id, table, after)
        return "".join(f"{line}\n" for line in found.rows).encode(), len(found.rows), found.after

    await _entry(job, f"data/{name}.jsonl", b"", page)


async def _cells(job: _Job, name: str) -> None:
    table = exported_table(name)

    async def page(after: list[str] | None) -> tuple[bytes, int, list[str] | None]:
        found = await cell_page(job.session, job.tenant_id, table, after)
        return _csv(found.rows), len(found.rows), found.after

    await _entry(job, f"csv/{name}.csv", _csv([table.columns]), page)


async def _entry(
    job: _Job,
    path: str,
    head: bytes,
    page: Callable[[list[str] | None], Awaitable[tuple[bytes, int, list[str] | None]]],
) -> None:
    archive, where = job.archive, job.archive.where
    if not archive.zip.is_open:
        archive.take(archive.zip.begin(path))
        archive.take(archive.zip.write(head))
        where["counts"][path] = 0
    while True:
        content, number, after = await page(where["after"])
        # In a thread: deflating a page takes milliseconds that other work of this loop needs.
        archive.take(await asyncio.to_thread(archive.zip.write, content))
        where["counts"][path] += number
        where["after"] = after
        if after is None:
            break
        await archive.perhaps_checkpoint()
    archive.take(archive.zip.end())


async def _files(job: _Job, _name: str) -> None:
    archive, where = job.archive, job.archive.where
    counts = where["counts"]
    counts.setdefault("attachments", 0)
    while True:
        after = UUID(where["after"][0]) if where["after"] else None
        found = await ready_after(job.session, after, FILES_A_PAGE)
        for row in found:
            await _file(job, row)
            where["after"] = [str(row.id)]
            await archive.perhaps_checkpoint()
        if len(found) < FILES_A_PAGE:
            return


async def _file(job: _Job, row: Attachment) -> None:
    archive, size = job.archive, 0
    archive.take(archive.zip.begin(f"attachments/{row.id}{ENDINGS[row.content_type]}"))
    async for piece in job.store.stream(row.storage_key or ""):
        size += len(piece)
        archive.take(await asyncio.to_thread(archive.zip.write, piece))
    archive.take(archive.zip.end())
    # Deleted since the moment that we read as of.
    counted = "attachments" if size else "attachments that were deleted meanwhile"
    archive.where["counts"][counted] = archive.where["counts"].get(counted, 0) + 1


async def _manifest(job: _Job, _name: str) -> None:
    archive, where = job.archive, job.archive.where
    counts: Mapping[str, int] = where["counts"]
    manifest = {
        "format": FORMAT,
        "tenantId": str(job.tenant_id),
        "exportId": str(job.export_id),
        "readAsOf": where["moments"],
        "counts": counts,
        "columns": {name: exported_table(name).columns for name in EXPORTED},
        "leftOut": dict(NOT_EXPORTED),
    }
    archive.take(archive.zip.begin("manifest.json"))
    archive.take(archive.zip.write(orjson.dumps(manifest, option=orjson.OPT_INDENT_2)))
    archive.take(archive.zip.end())


_WRITERS: Mapping[str, Callable[[_Job, str], Awaitable[None]]] = {
    "rows": _rows,
    "cells": _cells,
    "files": _files,
    "manifest": _manifest,
}


def _names() -> list[list[str]]:
    return [[kind, name, *(exported_table(name).columns if name else ())] for kind, name in STEPS]


def _csv(rows: Sequence[Sequence[str | None]]) -> bytes:
    made = io.StringIO()
    csv.writer(made).writerows([cell(value) for value in row] for row in rows)
    return made.getvalue().encode()
