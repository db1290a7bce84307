"""The statements of a change: one takes all its locks, one writes it and reads what its customer is to be told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import (
    Select,
    Table,
    Text,
    Uuid,
    any_,
    column,
    exists,
    func,
    literal_column,
    null,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from models.appointment import Appointment, appointment_of
from models.location import Location
from models.message import MESSAGE_CHANNEL, Message, note_signal
from models.message_facts import CUSTOMER, RULE, SETTINGS, Facts, facts_columns, facts_of
from models.prepared import OF_TENANT, Prepared
from models.query import among, select_rows
from models.technician import HeldTechnician, Technician, note_held
from models.tenant import refuse_closed, standing

_APPOINTMENTS = cast("Table", Appointment.__table__)
_MESSAGES = cast("Table", Message.__table__)
# What never changes once an appointment has been made, and what the database fills in.
_FIXED = frozenset(
    {"tenant_id", "id", "number", "location_id", "customer_id", "address_id", "source", "created_at", "updated_at"}
)
# All the rest is written, always: the statement is the same for every change, so that its plan is kept.
_CHANGED = [each.key for each in _APPOINTMENTS.c if each.computed is None and each.key not in _FIXED]


@dataclass(frozen=True, slots=True)
class Locked:
    """An appointment that nobody else changes until the transaction ends, and what its location promises."""

    appointment: Appointment
    time_zone: str
    arrival_window_minutes: int


def _locks(appointment_id: Any, joining: Any) -> Select[Any]:
    # Each part needs the rows of the one before, which thus are locked first, whatever the planner makes of it. What is
    # locked is as it is after the wait; what is not (the location) is as it was when the statement began.
    business = standing().cte("business")
    open_or_not = exists(select(literal_column("1")).select_from(business))
    asked = select_rows(Appointment).where(Appointment.id == appointment_id, open_or_not)
    visit = asked.with_for_update(key_share=True).cte("visit")
    theirs = select(visit.c.technician_id).scalar_subquery()
    involved = array([theirs] if joining is None else [theirs, type_coerce(joining, Uuid())])
    people = (
        select(Technician.__table__.c.id, Technician.__table__.c.name, Technician.__table__.c.active)
        .where(Technician.id == any_(involved))
        .order_by(Technician.id)
        .with_for_update(key_share=True)
        .cte("people")
    )

    def of_location(wanted: Any) -> Any:
        found = select(wanted).where(Location.tenant_id == visit.c.tenant_id, Location.id == visit.c.location_id)
        return found.correlate(visit).scalar_subquery().label(wanted.key)

    return select(
        *(each.label(f"business_{each.key}") for each in business.c),
        *visit.c,
        of_location(Location.time_zone),
        of_location(Location.arrival_window_minutes),
        *(each.label(f"person_{each.key}") for each in people.c),
    ).select_from(business.outerjoin(visit, true()).outerjoin(people, true()))


_lock: Prepared[Any] = Prepared(Appointment, _locks)


async def lock_change(session: AsyncSession, appointment_id: UUID, joining: UUID | None) -> Locked | None:
    """The appointment, as it is now, once everything is locked that a change of it needs; None when there is none.

    In the order that all follow, or two of them deadlock: the business, against its cancellation; the appointment; its
    technician and the one that may join, by their ids. Every change of somebody's calendar happens under that person's lock,
    or two writers wait for each other inside the exclusion constraint.

    Raises:
        Refusal: as `models.tenant.require_open`.
    """
    found = await _lock(session, appointment_id, joining)
    if found:
        refuse_closed(found[0].business_status, found[0].business_unpaid)
    if not found or found[0].id is None:
        return None
    people = [HeldTechnician(row.person_id, row.person_name, row.person_active) for row in found if row.person_id]
    note_held(session, {found[0].technician_id, joining}, people)
    return Locked(appointment_of(found[0]), found[0].time_zone, found[0].arrival_window_minutes)


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Queued messages of these events become `state`; what a worker has claimed is on its way and stays."""

    events: Collection[NotificationEvent]
    state: MessageState


def _statement(
    appointment_id: Any, row: Any, told: Any, stale: Any, taken_state: Any, taken_reason: Any
) -> Select[Any]:
    """The change is written where there is a `row`, its customer's facts are read where there is something to be `told`, and
    messages are taken back where some are `stale`: in one statement, since others wait for the appointment meanwhile."""
    visit = _APPOINTMENTS.alias("a") if row is None else _written(row)
    answered: list[Any] = [visit.c.updated_at]
    if told is not None:
        answered += facts_columns(visit)
    if stale is not None:
        answered += _taking_back(appointment_id, stale, taken_state, taken_reason)
    statement = select(*answered).select_from(visit).where(visit.c.id == appointment_id)
    if told is None:
        return statement
    of_customer = (CUSTOMER.c.tenant_id == visit.c.tenant_id) & (CUSTOMER.c.id == visit.c.customer_id)
    of_location = (SETTINGS.c.tenant_id == visit.c.tenant_id) & (SETTINGS.c.location_id == visit.c.location_id)
    of_settings = (RULE.c.tenant_id == SETTINGS.c.tenant_id) & (RULE.c.location_id == SETTINGS.c.location_id)
    # Outer joins, so that there is a row whatever the location has.
    return (
        statement.join(CUSTOMER, of_customer)
        .outerjoin(SETTINGS, of_location)
        .outerjoin(RULE, of_settings & among(RULE.c.event, told))
    )


def _written(row: Any) -> Any:
    given = (
        func.jsonb_to_record(type_coerce(row, Text).cast(JSONB))
        .table_valued(*(column(name, _APPOINTMENTS.c[name].type) for name in ("id", *_CHANGED)), name="g")
        .render_derived(with_types=True)
    )
    written = (
        update(_APPOINTMENTS)
        .where(_APPOINTMENTS.c.tenant_id == OF_TENANT, _APPOINTMENTS.c.id == given.c.id)
        .values({name: given.c[name] for name in _CHANGED})
    )
    return written.returning(*(each for each in _APPOINTMENTS.c if each.computed is None)).cte("a")


def _taking_back(appointment_id: Any, stale: Any, state: Any, reason: Any) -> list[Any]:
    taken = (
        update(_MESSAGES)
        .where(
            _MESSAGES.c.tenant_id == OF_TENANT,
            _MESSAGES.c.appointment_id == appointment_id,
            _MESSAGES.c.state == MessageState.QUEUED,
            among(_MESSAGES.c.event, stale),
        )
        .values(state=state, reason=null() if reason is None else reason, updated_at=func.now())
        .returning(
            _MESSAGES.c.tenant_id,
            _MESSAGES.c.id,
            (
                _MESSAGES.c.event.cast(Text) + ":" + _MESSAGES.c.channel.cast(Text) + ":" + _MESSAGES.c.id.cast(Text)
            ).label("told"),
        )
        .cte("taken")
    )
    payload = func.min(taken.c.tenant_id.cast(Text)) + ":" + func.string_agg(taken.c.id.cast(Text), ",")
    signalled = select(func.pg_notify(MESSAGE_CHANNEL, payload)).having(func.count() > 0).scalar_subquery()
    told = select(func.array_agg(taken.c.told)).scalar_subquery()
    return [told.label("taken"), signalled.label("signalled")]


_write: Prepared[Any] = Prepared(Appointment, _statement)


async def write_change(
    session: AsyncSession,
    appointment: Appointment,
    tell: Sequence[NotificationEvent],
    stale: TakeBack | None,
    *,
    made: bool = False,
) -> tuple[Mapping[NotificationEvent, Facts], set[tuple[NotificationEvent, MessageChannel]]]:
    """Write a locked appointment as it now is, take its stale messages back, and read the facts of what is to be told.

    Args:
        made: it has just been made, and stands in the database already.

    Returns:
        The facts by event, where the location has a rule; the event and channel of each message that was taken back.

    Raises:
        sqlalchemy.exc.IntegrityError: somebody would be in two places, by `models.errors.NO_DOUBLE_BOOKING`.
    """
    if made and not tell:
        return {}, set()
    superseded = stale is not None and stale.state is MessageState.SUPPRESSED
    found = await _write(
        session,
        appointment.id,
        None if made else _row(appointment),
        [event.value for event in tell] or None,
        [event.value for event in stale.events] if stale else None,
        stale.state if stale else None,
        SuppressionReason.SUPERSEDED if superseded else None,
    )
    if not made:
        appointment.updated_at = found[0].updated_at
    facts = {row.rule_event: facts_of(row) for row in found if row.rule_event} if tell else {}
    return facts, _noted(session, found[0].taken) if stale else set()


def _row(appointment: Appointment) -> str:
    return orjson.dumps({name: getattr(appointment, name) for name in ("id", *_CHANGED)}, default=str).decode()


def _noted(session: AsyncSession, taken: Sequence[str] | None) -> set[tuple[NotificationEvent, MessageChannel]]:
    told = [each.split(":") for each in taken or ()]
    if told:
        note_signal(session, [UUID(identity) for _, _, identity in told])
    return {(NotificationEvent(event), MessageChannel(channel)) for event, channel, _ in told}
