"""Erasing one customer: personal data goes from every table that has any, the figures stay."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Executable, case, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.appointment import AppointmentStatus
from domain.notification import MessageState
from models.appointment import Appointment, appointment_of
from models.attachment import Attachment, remove_attachments
from models.customer import Customer, CustomerAddress, CustomPrice
from models.equipment import Equipment
from models.message import Message
from models.query import rows, select_rows

ERASED = "(erased)"
# Fields of history that tell of nobody; every other one is emptied.
HARMLESS = ["status", "technicianId", "scheduled", "arrivalWindow", "durationMinutes", "total", "eta", "late"]
OPEN = (AppointmentStatus.REQUESTED, AppointmentStatus.SCHEDULED)
UNDER_WAY = (AppointmentStatus.ON_THE_WAY, AppointmentStatus.IN_PROGRESS)


async def lock_customer_for_erasure(session: AsyncSession, tenant_id: UUID, customer_id: UUID) -> Customer | None:
    """The customer, locked so that nothing new can refer to it until the transaction ends."""
    return await session.get(Customer, (tenant_id, customer_id), with_for_update=True, populate_existing=True)


async def appointments_of_customer(session: AsyncSession, tenant_id: UUID, customer_id: UUID) -> Sequence[UUID]:
    """The ids of all the customer's appointments, locked, in their order."""
    statement = (
        select(Appointment.id)
        .where(Appointment.tenant_id == tenant_id, Appointment.customer_id == customer_id)
        .order_by(Appointment.id)
        .with_for_update(key_share=True)
    )
    return (await session.execute(statement)).scalars().all()


async def those_in(
    session: AsyncSession, appointment_ids: Sequence[UUID], statuses: Sequence[AppointmentStatus]
) -> Sequence[Appointment]:
    """Those of these locked appointments that have one of the statuses, to be changed."""
    statement = select_rows(Appointment).where(Appointment.id.in_(appointment_ids), Appointment.status.in_(statuses))
    return [appointment_of(row) for row in await rows(session, Appointment, statement.order_by(Appointment.id))]


async def erase_rows(session: AsyncSession, customer: Customer, appointment_ids: Sequence[UUID]) -> None:
    """Empty what is known of a customer, whose row and appointments are locked."""
    tenant_id, customer_id, name = customer.tenant_id, customer.id, customer.name
    addresses = select(CustomerAddress.id).where(
        CustomerAddress.tenant_id == tenant_id, CustomerAddress.customer_id == customer_id
    )
    equipment = select(Equipment.id).where(Equipment.tenant_id == tenant_id, Equipment.address_id.in_(addresses))
    files = select_rows(Attachment).where(
        Attachment.tenant_id == tenant_id,
        Attachment.appointment_id.in_(appointment_ids) | Attachment.equipment_id.in_(equipment),
    )
    await remove_attachments(session, await rows(session, Attachment, files))
    statements: Sequence[Executable] = (
        delete(CustomPrice).where(CustomPrice.tenant_id == tenant_id, CustomPrice.customer_id == customer_id),
        delete(Equipment).where(Equipment.tenant_id == tenant_id, Equipment.address_id.in_(addresses)),
        update(CustomerAddress)
        .where(CustomerAddress.tenant_id == tenant_id, CustomerAddress.customer_id == customer_id)
        .values(
            label=None, line1=ERASED, line2=None, city="", postal_code="", latitude=None, longitude=None, precision=None
        ),
        update(Appointment)
        .where(Appointment.tenant_id == tenant_id, Appointment.customer_id == customer_id)
        .values(notes=None, internal_notes=None),
        update(Message)
        .where(Message.tenant_id == tenant_id, Message.customer_id == customer_id)
        .values(
            recipient="",
            subject=None,
            body="",
            failure=None,
            provider_id=None,
            # What a worker has claimed is on its way, and finishes under its own fence.
            state=case((Message.state == MessageState.QUEUED, MessageState.CANCELLED), else_=Message.state),
            updated_at=func.now(),
        ),
    )
    for statement in statements:
        await session.execute(statement.execution_options(synchronize_session=False))
    await session.execute(
        text("SELECT erase_history(:wanted, :harmless, :person)"),
        {"wanted": list(appointment_ids), "harmless": HARMLESS, "person": name},
    )
    customer.name, customer.search = ERASED, ""
    customer.phone = customer.email = customer.notes = None
    customer.erased_at = datetime.now(UTC)
    await session.flush()
