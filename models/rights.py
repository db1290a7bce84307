"""Changes of rights: counted within the tenant and signalled to every process, so that sockets end with the rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.tenant import Role
from models.database import send_signal
from models.tenant import count_up, counter_value

RIGHTS_CHANNEL = "sps_rights"
RIGHTS_COUNTER = "rights"


class RightsChange(StrEnum):
    """Whose rights are others now."""

    SESSION_ENDED = "session"
    USER_OUT = "user"
    "All log-ins of a user have ended."
    ROLE_CHANGED = "role"
    KEY_REVOKED = "key"
    RULES_CHANGED = "tenant"
    "What everybody of the tenant needs."


@dataclass(frozen=True, slots=True)
class Rights:
    """What a session or key stands for now."""

    id: UUID
    role: Role | None
    technician_id: UUID | None
    second_factor_missing: bool


async def announce(session: AsyncSession, tenant_id: UUID, change: RightsChange, subject: UUID) -> None:
    """Tell every process, by ids alone, when the transaction commits.

    The counter makes it certain: whoever reads an event that was committed later, reads the new number too.
    """
    await count_up(session, tenant_id, RIGHTS_COUNTER)
    await send_signal(session, RIGHTS_CHANNEL, f"{tenant_id}:{change.value}:{subject}")


async def rights_version(session: AsyncSession) -> int:
    """How often the tenant's rights have changed."""
    return await counter_value(session, RIGHTS_COUNTER)


async def rights_of(
    session: AsyncSession, session_ids: Sequence[UUID], api_key_ids: Sequence[UUID]
) -> dict[UUID, Rights]:
    """What these sessions and keys, of any tenant, stand for; those that have ended are missing."""
    found = await session.execute(
        text("SELECT * FROM rights_of(:sessions, :keys)"), {"sessions": list(session_ids), "keys": list(api_key_ids)}
    )
    return {
        row["id"]: Rights(**{**row, "role": Role(row["role"]) if row["role"] else None}) for row in found.mappings()
    }
