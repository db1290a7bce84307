"""Upkeep of a business's files: exports that have expired, uploads that nobody completed, files whose rows are gone."""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from domain.attachment import AttachmentState, upload_key
from integrations.file_store import FileStore, StoreUnavailable
from models.attachment import expired_uploads, remove_attachments, upload_is_swept
from models.database import Database
from models.export import forget_exports
from models.file_removal import FileRemoval, removals, removed

log = structlog.get_logger("upkeep")
AT_ONCE = 100


async def tidy(database: Database, store: FileStore, tenant_id: UUID, moment: datetime | None = None) -> int:
    """Do what is due of it; can be killed anywhere, and be done by two at once.

    Args:
        moment: what counts as now; None: this machine's clock, since nothing here depends on a minute.

    Returns:
        How many removals were carried out.
    """
    now = moment or datetime.now(UTC)
    async with database.tenant(tenant_id) as session:
        await forget_exports(session, tenant_id, now)
        late = await expired_uploads(session, now, AT_ONCE)
        await remove_attachments(session, [row for row in late if row.state is AttachmentState.PENDING])
    try:
        completed = [row.id for row in late if row.state is AttachmentState.READY]
        # Whoever had the URL may have put the bytes there once more, as they came.
        await store.delete([upload_key(tenant_id, each) for each in completed])
        async with database.tenant(tenant_id) as session:
            await upload_is_swept(session, completed)
            due = await removals(session, AT_ONCE)
        for row in due:
            await _remove(store, row)
        async with database.tenant(tenant_id) as session:
            await removed(session, [row.id for row in due])
    except StoreUnavailable as error:
        log.warning("files not removed", tenantId=str(tenant_id), error=str(error))
        return 0
    return len(due)


async def _remove(store: FileStore, row: FileRemoval) -> None:
    if row.key.endswith("/"):
        await store.delete_prefix(row.key)
    else:
        await store.delete([row.key])
