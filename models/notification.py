"""What a location has switched on: master toggles, and a rule for each event."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from domain.notification import NotificationEvent
from models.base import Base, of_tenant, one_of, within_tenant


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
