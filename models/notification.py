"""What a location has switched on: master toggles, and a rule for each event."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.notification import NotificationEvent
from models.base import Base, of_tenant, one_of, within_tenant
from models.query import rows, select_rows


class NotificationSettings(Base):
    """A location's master toggles and quiet hours (local wall time as HH:MM; both null: none)."""

    __tablename__ = "notification_settings"
    __table_args__ = (of_tenant(), within_tenant("location_id", "locations", ondelete="CASCADE"))

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(primary_key=True)
    sms_enabled: Mapped[bool]
    email_enabled: Mapped[bool]
    reminders_enabled: Mapped[bool]
    quiet_hours_start: Mapped[str | None]
    quiet_hours_end: Mapped[str | None]


class NotificationRule(Base):
    """One event's switches and words. `offset_minutes`: before the visit (REMINDER) or after it (FOLLOW_UP)."""

    __tablename__ = "notification_rules"
    __table_args__ = (of_tenant(), within_tenant("location_id", "locations", ondelete="CASCADE"))

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[NotificationEvent] = mapped_column(one_of(NotificationEvent, "event"), primary_key=True)
    sms: Mapped[bool]
    email: Mapped[bool]
    offset_minutes: Mapped[int | None]
    sms_template: Mapped[str]
    email_subject: Mapped[str]
    email_template: Mapped[str]


async def settings_of(session: AsyncSession, location_ids: Sequence[UUID]) -> Sequence[NotificationSettings]:
    """The settings of these locations."""
    statement = select_rows(NotificationSettings).where(NotificationSettings.location_id.in_(location_ids))
    return await rows(session, NotificationSettings, statement)


async def rules_of(session: AsyncSession, location_ids: Sequence[UUID]) -> Sequence[NotificationRule]:
    """The rules of these locations."""
    statement = select_rows(NotificationRule).where(NotificationRule.location_id.in_(location_ids))
    return await rows(session, NotificationRule, statement)


async def lock_settings(
    session: AsyncSession, tenant_id: UUID, location_id: UUID
) -> tuple[NotificationSettings, dict[NotificationEvent, NotificationRule]] | None:
    """A location's settings and rules, to be changed; claims of messages wait for the commit, and then see it.

    The settings' row comes first, as in claims, and stands for the rules: they change under its lock alone.
    """
    settings = await session.get(
        NotificationSettings, (tenant_id, location_id), with_for_update=True, populate_existing=True
    )
    if settings is None:
        return None
    found = await session.execute(select(NotificationRule).where(NotificationRule.location_id == location_id))
    return settings, {rule.event: rule for rule in found.scalars()}
