"""The end of a business's data: rows, files, queued work and exports go for good; what the law wants kept stays."""

from datetime import datetime
from uuid import UUID

import structlog

from domain.attachment import all_prefixes
from integrations.file_store import FileStore, StoreUnavailable
from models.database import Database
from models.errors import UNREACHABLE
from models.purge import claim_purge, empty_tenant, purge_queue, purge_rows, purged_tables, swept

log = structlog.get_logger("purge")
# Each batch is a transaction of its own: the longest that anybody can wait for one of its locks.
BATCH = 1_000


async def purge_tenant(database: Database, store: FileStore, tenant_id: UUID, moment: datetime | None = None) -> bool:
    """Purge a business whose 90 days are over, or that was deleted; tells whether it was, and is done.

    It can be killed anywhere and begun again: what is gone is gone, and only the last step says that all is.

    Args:
        moment: what counts as now; None: the database's clock.
    """
    async with database.tenant(tenant_id) as session:
        claimed = await claim_purge(session, tenant_id, moment)
    if claimed is None:
        return False
    try:
        # First those whose workers would go on writing files: from here on they lose their claim.
        for table in ("exports", *(name for name in purged_tables() if name != "exports")):
            await _empty(database, tenant_id, table)
        for prefix in all_prefixes(tenant_id):
            await store.delete_prefix(prefix)
        async with database.tenant(tenant_id) as session:
            await purge_queue(session, tenant_id)
            # The second time is the last look for files that came late.
            await (swept if claimed.again else empty_tenant)(session, tenant_id)
    except (StoreUnavailable, *UNREACHABLE) as error:
        # Its claim lapses, and somebody goes on.
        log.warning("purge interrupted", tenantId=str(tenant_id), error=type(error).__name__, exc_info=True)
        return False
    log.info("purged", tenantId=str(tenant_id))
    return True


async def _empty(database: Database, tenant_id: UUID, table: str) -> None:
    gone = BATCH
    while gone == BATCH:
        async with database.tenant(tenant_id) as session:
            gone = await purge_rows(session, tenant_id, table, BATCH)
