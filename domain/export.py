"""An export of everything that belongs to a business."""

import re
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.attachment import tenant_prefix

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
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


def export_prefix(tenant_id: UUID, export_id: UUID) -> str:
    """What the keys of all that was written for an export begin with, unfinished archives too."""
    return f"{tenant_prefix(tenant_id)}exports/{export_id}/"


def export_key(tenant_id: UUID, export_id: UUID) -> str:
    """Where the archive is kept."""
    return f"{export_prefix(tenant_id, export_id)}export.zip"


def cell(value: str | None) -> str:
    """A cell for a spreadsheet: what it would take for a formula is marked as text (OWASP, CSV injection)."""
    if not value:
        return ""
    return f"'{value}" if value[0] in "=+-@\t\r" and not _NUMBER.fullmatch(value) else value
