"""Attachments: photos, dataplates and documents of visits and appliances; the bytes lie in the file store."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.attachment import AttachmentKind, AttachmentState, attachment_prefix, upload_key
from models.appointment import Appointment
from models.base import TenantRow, of_tenant, one_of, within_tenant
from models.customer import CustomerAddress
from models.equipment import Equipment
from models.file_removal import remove_later
from models.query import rows, select_rows


class Attachment(TenantRow):
    """A file of an appointment, of an appliance, or of both.

    PENDING: a URL to put the bytes was given out, and nobody sees it yet. While `upload_until` is set, bytes may still lie
    where they were put, as they came; upkeep removes them after that moment.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments"),
        within_tenant("equipment_id", "equipment"),
        CheckConstraint("num_nonnulls(appointment_id, equipment_id) > 0", name="of_something"),
        CheckConstraint("(state = 'READY') = (storage_key IS NOT NULL)", name="ready_is_stored"),
        Index(None, "tenant_id", "appointment_id"),
        Index(None, "tenant_id", "equipment_id"),
        Index("ix_attachments_upload_until", "upload_until", postgresql_where=text("upload_until IS NOT NULL")),
    )

    appointment_id: Mapped[UUID | None]
    equipment_id: Mapped[UUID | None]
    kind: Mapped[AttachmentKind] = mapped_column(one_of(AttachmentKind, "kind"))
    state: Mapped[AttachmentState] = mapped_column(one_of(AttachmentState, "state"))
    file_name: Mapped[str]
    content_type: Mapped[str]
    byte_size: Mapped[int]
    storage_key: Mapped[str | None]
    has_thumbnail: Mapped[bool] = mapped_column(server_default=text("false"))
    by_customer: Mapped[bool] = mapped_column(server_default=text("false"))
    upload_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    uploaded_at: Mapped[datetime | None]


async def lock_attachment(session: AsyncSession, tenant_id: UUID, attachment_id: UUID) -> Attachment | None:
    """The attachment, locked until the transaction ends."""
    return await session.get(Attachment, (tenant_id, attachment_id), with_for_update=True, populate_existing=True)


async def remove_attachments(session: AsyncSession, attachments: Sequence[Attachment]) -> None:
    """Delete these rows, and have their files removed."""
    if not attachments:
        return
    tenant_id = attachments[0].tenant_id
    ids = [row.id for row in attachments]
    await session.execute(delete(Attachment).where(Attachment.tenant_id == tenant_id, Attachment.id.in_(ids)))
    keys = [key for each in ids for key in (attachment_prefix(tenant_id, each), upload_key(tenant_id, each))]
    remove_later(session, tenant_id, keys)


async def expired_uploads(session: AsyncSession, moment: datetime, limit: int) -> Sequence[Attachment]:
    """Attachments whose upload URL is past use at a moment, and where bytes may still lie as they came."""
    statement = select_rows(Attachment).where(Attachment.upload_until <= moment).order_by(Attachment.upload_until)
    return await rows(session, Attachment, statement.limit(limit))


async def upload_is_swept(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Note that no bytes lie where these were put any more."""
    await session.execute(update(Attachment).where(Attachment.id.in_(ids)).values(upload_until=None))


async def attachments_of_appointments(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Attachment]:
    """What has been attached to these appointments, in the order in which it came."""
    return await _ready(session, Attachment.appointment_id.in_(ids))


async def attachments_of_equipment(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Attachment]:
    """What has been attached to these appliances, in the order in which it came."""
    return await _ready(session, Attachment.equipment_id.in_(ids))


async def _ready(session: AsyncSession, condition: ColumnElement[bool]) -> Sequence[Attachment]:
    statement = select_rows(Attachment).where(condition, Attachment.state == AttachmentState.READY)
    return await rows(session, Attachment, statement.order_by(Attachment.uploaded_at, Attachment.id))


async def ready_after(session: AsyncSession, after: UUID | None, limit: int) -> Sequence[Attachment]:
    """The next attachments in the order of their ids."""
    statement = select_rows(Attachment).where(Attachment.state == AttachmentState.READY)
    if after is not None:
        statement = statement.where(Attachment.id > after)
    return await rows(session, Attachment, statement.order_by(Attachment.id).limit(limit))


async def attached_by_customer(session: AsyncSession, appointment_id: UUID) -> int:
    """How many files the customer has added to a visit, or has asked to add."""
    found = await session.execute(
        select(func.count()).where(Attachment.appointment_id == appointment_id, Attachment.by_customer)
    )
    return int(found.scalar_one())


async def visited_attachments(
    session: AsyncSession, attachments: Sequence[Attachment], technician_id: UUID
) -> set[UUID]:
    """Those of these attachments that belong to appointments of the technician, or to their customers' appliances."""
    by_appointment = select(Appointment.id).where(
        Appointment.id.in_([row.appointment_id for row in attachments if row.appointment_id]),
        Appointment.technician_id == technician_id,
    )
    by_equipment = await visited_equipment(
        session, [row.equipment_id for row in attachments if row.equipment_id], technician_id
    )
    visited = set((await session.execute(by_appointment)).scalars()) | by_equipment
    return {row.id for row in attachments if {row.appointment_id, row.equipment_id} & visited}


async def visited_equipment(session: AsyncSession, equipment_ids: Sequence[UUID], technician_id: UUID) -> set[UUID]:
    """Those of these appliances whose customers have an appointment with the technician."""
    if not equipment_ids:
        return set()
    statement = (
        select(Equipment.id)
        .join(
            CustomerAddress,
            (CustomerAddress.tenant_id == Equipment.tenant_id) & (CustomerAddress.id == Equipment.address_id),
        )
        .join(
            Appointment,
            (Appointment.tenant_id == CustomerAddress.tenant_id)
            & (Appointment.customer_id == CustomerAddress.customer_id),
        )
        .where(Equipment.id.in_(equipment_ids), Appointment.technician_id == technician_id)
    )
    return set((await session.execute(statement)).scalars())
