"""All that a message needs to know of its appointment, in one statement, as it is read at planning."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, bindparam, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.message import Standing
from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from domain.notification_switch import Switches
from domain.notification_words import Visit
from domain.tenant import TenantStatus
from models.appointment import Appointment, AppointmentLine
from models.customer import Customer, CustomerAddress
from models.location import Location
from models.message import MESSAGE_CHANNEL, Message, note_signal
from models.notification import NotificationRule, NotificationSettings
from models.service import Service
from models.technician import Technician
from models.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Facts:
    """One event's rule at one appointment, with everything that its templates can name.

    `now` is the database's clock: no machine's own is asked when something falls due.
    """

    now: datetime
    tenant_id: UUID
    tenant_open: bool
    appointment_id: UUID
    customer_id: UUID
    event: NotificationEvent
    switches: Switches
    offset_minutes: int | None
    sms_template: str
    email_subject: str
    email_template: str
    quiet_hours_start: str | None
    quiet_hours_end: str | None
    phone: str | None
    email: str | None
    sms_opted_out: bool
    email_opted_out: bool
    answered_stop: bool
    business_email: str | None
    standing: Standing
    visit: Visit

    def recipient(self, channel: MessageChannel) -> str | None:
        """Where the customer is reached, if at all."""
        return self.phone if channel is MessageChannel.SMS else self.email

    def opted_out(self, channel: MessageChannel) -> bool:
        """Whether the customer wants nothing on that channel: by the customer's row, or as the owner of the number."""
        return self.sms_opted_out or self.answered_stop if channel is MessageChannel.SMS else self.email_opted_out


APPOINTMENT = aliased(Appointment, name="a")
CUSTOMER = aliased(Customer, name="c")
SETTINGS = aliased(NotificationSettings, name="s")
RULE = aliased(NotificationRule, name="r")


def _one(*columns: Any, where: Any) -> Any:
    """Some columns of one row, as a JSON array. What need not be locked stands beside the join and not in it: the join of
    nine tables took the planner 30 ms at each of a connection's first executions, this takes 3."""
    found = select(func.jsonb_build_array(*columns)).where(where)
    return found.correlate(APPOINTMENT).scalar_subquery()


_services = (
    select(func.string_agg(Service.name, literal_column("', ' ORDER BY appointment_lines.position")))
    .join(AppointmentLine, AppointmentLine.service_id == Service.id)
    .where(AppointmentLine.tenant_id == APPOINTMENT.tenant_id, AppointmentLine.appointment_id == APPOINTMENT.id)
    .correlate(APPOINTMENT)
    .scalar_subquery()
)
_COLUMNS: tuple[Any, ...] = (
    func.clock_timestamp().label("now"),
    APPOINTMENT.tenant_id,
    APPOINTMENT.id.label("appointment_id"),
    APPOINTMENT.customer_id,
    APPOINTMENT.number,
    APPOINTMENT.status,
    func.coalesce(APPOINTMENT.arrival_starts_at, APPOINTMENT.starts_at).label("starts_at"),
    func.coalesce(APPOINTMENT.arrival_ends_at, APPOINTMENT.ends_at).label("ends_at"),
    APPOINTMENT.on_the_way_at,
    APPOINTMENT.completed_at,
    APPOINTMENT.cancelled_at,
    APPOINTMENT.eta,
    CUSTOMER.name.label("customer_name"),
    CUSTOMER.phone,
    CUSTOMER.email,
    CUSTOMER.sms_opted_out_at.is_not(None).label("sms_opted_out"),
    CUSTOMER.email_opted_out_at.is_not(None).label("email_opted_out"),
    func.coalesce(func.texts_opted_out(CUSTOMER.phone), False).label("answered_stop"),
    SETTINGS.sms_enabled,
    SETTINGS.email_enabled,
    SETTINGS.reminders_enabled,
    SETTINGS.quiet_hours_start,
    SETTINGS.quiet_hours_end,
    RULE.event.label("rule_event"),
    RULE.sms,
    RULE.email.label("email_on"),
    RULE.offset_minutes,
    RULE.sms_template,
    RULE.email_subject,
    RULE.email_template,
    _one(Tenant.name, Tenant.phone, Tenant.email, Tenant.status, where=Tenant.id == APPOINTMENT.tenant_id).label(
        "business"
    ),
    _one(
        Location.name,
        Location.time_zone,
        where=(Location.tenant_id == APPOINTMENT.tenant_id) & (Location.id == APPOINTMENT.location_id),
    ).label("location"),
    _one(
        CustomerAddress.line1,
        CustomerAddress.city,
        where=(CustomerAddress.tenant_id == APPOINTMENT.tenant_id) & (CustomerAddress.id == APPOINTMENT.address_id),
    ).label("address"),
    _one(
        Technician.name,
        where=(Technician.tenant_id == APPOINTMENT.tenant_id) & (Technician.id == APPOINTMENT.technician_id),
    ).label("technician"),
    _services.label("services"),
)
_a = APPOINTMENT
FACTS = (
    select(*_COLUMNS)
    .select_from(_a)
    .join(CUSTOMER, (CUSTOMER.tenant_id == _a.tenant_id) & (CUSTOMER.id == _a.customer_id))
    .join(SETTINGS, (SETTINGS.tenant_id == _a.tenant_id) & (SETTINGS.location_id == _a.location_id))
    .join(RULE, (RULE.tenant_id == _a.tenant_id) & (RULE.location_id == _a.location_id))
)
_FOR_PLANNING = FACTS.where(_a.id == bindparam("appointment"), RULE.event.in_(bindparam("events", expanding=True)))
_taken = (
    update(Message)
    .where(
        Message.appointment_id == bindparam("appointment"),
        Message.state == MessageState.QUEUED,
        Message.event.in_(bindparam("stale", expanding=True)),
    )
    .values(
        state=bindparam("taken_state", type_=Message.__table__.c.state.type),
        reason=bindparam("taken_reason", type_=Message.__table__.c.reason.type),
        updated_at=func.now(),
    )
    .returning(
        Message.tenant_id,
        Message.id,
        (Message.event.cast(Text) + ":" + Message.channel.cast(Text) + ":" + Message.id.cast(Text)).label("told"),
    )
    .cte("taken")
)
_signalled = (
    select(
        func.pg_notify(
            MESSAGE_CHANNEL,
            func.min(_taken.c.tenant_id.cast(Text)) + ":" + func.string_agg(_taken.c.id.cast(Text), ","),
        )
    )
    .having(func.count() > 0)
    .scalar_subquery()
)
_told = select(func.array_agg(_taken.c.told)).scalar_subquery().label("taken")
# In one statement, since each costs a round trip while others wait for the appointment.
_TAKING_BACK = _FOR_PLANNING.add_columns(_told, _signalled.label("signalled"))


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Queued messages of these events become `state`; what a worker has claimed is on its way and stays."""

    events: Collection[NotificationEvent]
    state: MessageState


async def facts_for_planning(
    session: AsyncSession, appointment_id: UUID, events: Sequence[NotificationEvent], stale: TakeBack | None
) -> tuple[dict[NotificationEvent, Facts], set[tuple[NotificationEvent, MessageChannel]]]:
    """The facts for each of these events of an appointment that has been flushed, with its stale messages taken back.

    Returns:
        The facts, and the event and channel of each message that was taken back.
    """
    values: dict[str, Any] = {"appointment": appointment_id, "events": list(events)}
    if stale is None:
        return {row.rule_event: facts_of(row) for row in await session.execute(_FOR_PLANNING, values)}, set()
    rows = (await session.execute(_TAKING_BACK, values | _taking(stale))).all()
    taken = _noted(session, rows[0].taken) if rows else set()
    return {row.rule_event: facts_of(row) for row in rows}, taken


async def take_back(session: AsyncSession, appointment_id: UUID, stale: TakeBack) -> None:
    """Take back stale messages where nothing is planned anew."""
    found = await session.execute(select(_told, _signalled), {"appointment": appointment_id, **_taking(stale)})
    _noted(session, found.scalar_one())


def _noted(session: AsyncSession, taken: Sequence[str] | None) -> set[tuple[NotificationEvent, MessageChannel]]:
    told = [each.split(":") for each in taken or ()]
    if told:
        note_signal(session, [UUID(identity) for _, _, identity in told])
    return {(NotificationEvent(event), MessageChannel(channel)) for event, channel, _ in told}


def _taking(stale: TakeBack) -> dict[str, Any]:
    superseded = stale.state is MessageState.SUPPRESSED
    return {
        "stale": list(stale.events),
        "taken_state": stale.state,
        "taken_reason": SuppressionReason.SUPERSEDED if superseded else None,
    }


def facts_of(row: Row[Any]) -> Facts:
    """The facts of a row of `FACTS`."""
    business_name, business_phone, business_email, tenant_status = row.business
    location_name, zone = row.location
    return Facts(
        now=row.now,
        tenant_id=row.tenant_id,
        tenant_open=tenant_status != TenantStatus.CANCELLED,
        appointment_id=row.appointment_id,
        customer_id=row.customer_id,
        event=row.rule_event,
        switches=Switches(row.sms_enabled, row.email_enabled, row.reminders_enabled, row.sms, row.email_on),
        offset_minutes=row.offset_minutes,
        sms_template=row.sms_template,
        email_subject=row.email_subject,
        email_template=row.email_template,
        quiet_hours_start=row.quiet_hours_start,
        quiet_hours_end=row.quiet_hours_end,
        phone=row.phone,
        email=row.email,
        sms_opted_out=row.sms_opted_out,
        email_opted_out=row.email_opted_out,
        answered_stop=row.answered_stop,
        business_email=business_email,
        standing=Standing(
            status=row.status,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            on_the_way_at=row.on_the_way_at,
            completed_at=row.completed_at,
            cancelled_at=row.cancelled_at,
        ),
        visit=Visit(
            business_name=business_name,
            business_phone=business_phone,
            location_name=location_name,
            zone=zone,
            customer_name=row.customer_name,
            number=row.number,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            address=", ".join(row.address),
            services=row.services or "",
            technician_name=row.technician[0] if row.technician else None,
            eta=row.eta,
        ),
    )
