"""Asking for an export of everything, and fetching it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from domain.errors import ErrorCode, Refusal, not_found
from domain.export import KEPT, ExportState, export_key
from domain.ids import Prefix, encode, new_id
from domain.security_event import SecurityEventType
from integrations.file_store import file_store
from models.database import Transaction
from models.export import Export, exports_newest_first, unfinished_export
from models.tenant import lock_tenant
from resolvers.caller import Caller
from resolvers.security_event import record_of
from settings import Settings


async def request_export(caller: Caller) -> Export:
    """Have everything exported; a request while one is being written answers that one. A cancelled business may, too.

    Raises:
        Refusal: TENANT_CANCELLED when its data is being deleted.
    """

    async def work(session: Transaction) -> Export:
        # The lock lets two requests at once find each other's export.
        tenant = await lock_tenant(session, caller.tenant_id)
        if tenant is None:
            raise not_found("business")
        if tenant.purge_started_at is not None:
            raise Refusal(
                ErrorCode.TENANT_CANCELLED, "The account's data is being deleted: there is nothing to export."
            )
        found = await unfinished_export(session)
        if found is not None:
            return found
        row = Export(
            tenant_id=caller.tenant_id, id=new_id(), state=ExportState.QUEUED, expires_at=datetime.now(UTC) + KEPT
        )
        session.add(row)
        record_of(session, caller, SecurityEventType.EXPORT_REQUESTED, exportId=encode(Prefix.EXPORT, row.id))
        await session.flush()
        return row

    return await caller.transact(work, even_cancelled=True)


async def list_exports(caller: Caller) -> Sequence[Export]:
    """The business's exports, newest first."""
    async with caller.reading() as session:
        return await exports_newest_first(session)


def export_url(settings: Settings, row: Export) -> str | None:
    """A link to the archive that is good as long as the archive is kept; None until it is whole."""
    left = row.expires_at - datetime.now(UTC)
    if row.state is not ExportState.READY or left <= timedelta(0):
        return None
    name = f"export-{row.created_at:%Y-%m-%d}.zip"
    return file_store(settings).download_url(export_key(row.tenant_id, row.id), name, "application/zip", left)
