"""An export of everything that belongs to a business."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.attachment import tenant_prefix

KEPT = timedelta(days=7)
# After so many attempts that ended without a word something is wrong with the data, not with the machine.
MOST_ATTEMPTS = 5
# A worker that has not come to its next checkpoint within this is taken for dead.
LEASE = timedelta(seconds=90)


class ExportState(StrEnum):
    """How far it is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"


def export_key(tenant_id: UUID, export_id: UUID) -> str:
    """Where the archive is kept."""
    return f"{tenant_prefix(tenant_id)}exports/{export_id}.zip"
