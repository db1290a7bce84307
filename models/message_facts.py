"""All that a message needs to know of its appointment, in one statement: at its planning, and again at its claim."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Table, func, literal_column, select

from domain.message import Standing
from domain.notification import MessageChannel, NotificationEvent
from domain.notification_switch import Switches
from domain.notification_words import Visit
from domain.tenant import TenantStatus
from models.appointment import Appointment, AppointmentLine
from models.customer import Customer, CustomerAddress
from models.location import Location
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


APPOINTMENT = cast("Table", Appointment.__table__).alias("a")
CUSTOMER = cast("Table", Customer.__table__).alias("c")
SETTINGS = cast("Table", NotificationSettings.__table__).alias("s")
RULE = cast("Table", NotificationRule.__table__).alias("r")


def facts_columns(visit: Any) -> tuple[Any, ...]:
    """What `facts_of` reads, of a row of appointments joined to its customer, its location's settings and a rule of theirs."""
    of = visit.c

    def one(*columns: Any, where: Any) -> Any:
        # Some columns of one row, as a JSON array. What need not be locked stands beside the join and not in it: the join
        # of nine tables took the planner 30 ms at each of a connection's first executions, this takes 3.
        return select(func.jsonb_build_array(*columns)).where(where).correlate(visit).scalar_subquery()

    names = (
        select(func.string_agg(Service.name, literal_column("', ' ORDER BY appointment_lines.position")))
        .join(AppointmentLine, AppointmentLine.service_id == Service.id)
        .where(AppointmentLine.tenant_id == of.tenant_id, AppointmentLine.appointment_id == of.id)
        .correlate(visit)
        .scalar_subquery()
    )
    return (
        func.clock_timestamp().label("now"),
        of.tenant_id,
        of.id.label("appointment_id"),
        of.customer_id,
        of.number,
        of.status,
        func.coalesce(of.arrival_starts_at, of.starts_at).label("starts_at"),
        func.coalesce(of.arrival_ends_at, of.ends_at).label("ends_at"),
        of.on_the_way_at,
        of.completed_at,
        of.cancelled_at,
        of.eta,
        CUSTOMER.c.name.label("customer_name"),
        CUSTOMER.c.phone,
        CUSTOMER.c.email,
        CUSTOMER.c.sms_opted_out_at.is_not(None).label("sms_opted_out"),
        CUSTOMER.c.email_opted_out_at.is_not(None).label("email_opted_out"),
        func.coalesce(func.texts_opted_out(CUSTOMER.c.phone), False).label("answered_stop"),
        SETTINGS.c.sms_enabled,
        SETTINGS.c.email_enabled,
        SETTINGS.c.reminders_enabled,
        SETTINGS.c.quiet_hours_start,
        SETTINGS.c.quiet_hours_end,
        RULE.c.event.label("rule_event"),
        RULE.c.sms,
        RULE.c.email.label("email_on"),
        RULE.c.offset_minutes,
        RULE.c.sms_template,
        RULE.c.email_subject,
        RULE.c.email_template,
        one(Tenant.name, Tenant.phone, Tenant.email, Tenant.status, where=Tenant.id == of.tenant_id).label("business"),
        one(
            Location.name,
            Location.time_zone,
            where=(Location.tenant_id == of.tenant_id) & (Location.id == of.location_id),
        ).label("location"),
        one(
            CustomerAddress.line1,
            CustomerAddress.city,
            where=(CustomerAddress.tenant_id == of.tenant_id) & (CustomerAddress.id == of.address_id),
        ).label("address"),
        one(
            Technician.name,
            where=(Technician.tenant_id == of.tenant_id) & (Technician.id == of.technician_id),
        ).label("technician"),
        names.label("services"),
    )


_a = APPOINTMENT
FACTS = (
    select(*facts_columns(_a))
    .select_from(_a)
    .join(CUSTOMER, (CUSTOMER.c.tenant_id == _a.c.tenant_id) & (CUSTOMER.c.id == _a.c.customer_id))
    .join(SETTINGS, (SETTINGS.c.tenant_id == _a.c.tenant_id) & (SETTINGS.c.location_id == _a.c.location_id))
    .join(RULE, (RULE.c.tenant_id == _a.c.tenant_id) & (RULE.c.location_id == _a.c.location_id))
)


def facts_of(row: Row[Any]) -> Facts:
    """The facts of a row of `facts_columns`."""
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
