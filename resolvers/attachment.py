"""Uploads: a URL for the bytes, and their check when they have come; what is kept is cleaned, and reached by signed URLs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from auth.message_token import read_tracking_token
from domain.attachment import (
    JPEG,
    MOST_BYTES,
    MOST_OF_CUSTOMER,
    UPLOAD_LASTS,
    URL_LASTS,
    AttachmentKind,
    AttachmentState,
    checked_name,
    checked_size,
    checked_type,
    stored_key,
    thumbnail_key,
    upload_key,
    with_ending,
)
from domain.errors import ErrorCode, Refusal, invalid, not_found
from domain.ids import new_id
from integrations.file_store import FileStore, StoreUnavailable, Upload, file_store
from models.appointment import Appointment
from models.attachment import (
    Attachment,
    attached_by_customer,
    lock_attachment,
    remove_attachments,
    visited_attachments,
    visited_equipment,
)
from models.customer import CustomerAddress
from models.database import Database, Transaction
from models.equipment import Equipment
from models.look_up import look_up_upload
from models.query import by_ids
from permissions.principal import Principal
from resolvers.attachment_content import Kept, kept_form
from resolvers.caller import Caller
from settings import Settings


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What the caller wants to upload, and to what; `by_customer`: who came by a tracking link instead of a session."""

    kind: AttachmentKind
    file_name: str
    content_type: str
    byte_size: int
    appointment_id: UUID | None = None
    equipment_id: UUID | None = None
    by_customer: bool = False


def caller_of_tracking_token(database: Database, settings: Settings, token: str) -> tuple[Caller, UUID]:
    """The customer behind a tracking link, who may add files to this one visit, and nothing else.

    Raises:
        Refusal: TOKEN_EXPIRED for a token that is none of ours, too.
    """
    found = read_tracking_token(settings.secret_key.get_secret_value(), token)
    if found is None:
        raise Refusal(ErrorCode.TOKEN_EXPIRED, "That link is no longer good.", ("input", "trackingToken"))
    tenant_id, appointment_id = found
    return Caller(_customer(tenant_id), database, settings), appointment_id


async def caller_of_upload(database: Database, settings: Settings, attachment_id: UUID) -> Caller:
    """The customer who asked for an upload a moment ago; the attachment's id is known to nobody else.

    Raises:
        Refusal: NOT_FOUND.
    """
    async with database.anonymous() as session:
        tenant_id = await look_up_upload(session, attachment_id)
    if tenant_id is None:
        raise not_found("upload", "attachmentId")
    return Caller(_customer(tenant_id), database, settings)


def _customer(tenant_id: UUID) -> Principal:
    return Principal(tenant_id=tenant_id, actor="customer", scopes=frozenset())


async def request_upload(caller: Caller, wanted: NewUpload) -> tuple[UUID, Upload]:
    """An attachment in waiting, and where to put its bytes within ten minutes.

    Raises:
        Refusal: INVALID_INPUT, NOT_FOUND (also for a visit or an appliance that is not the calling technician's), BUSY when
            the file store does not answer.
    """
    name, kind = checked_name(wanted.file_name), checked_type(wanted.content_type)
    size = checked_size(wanted.byte_size)
    if wanted.appointment_id is None and wanted.equipment_id is None:
        raise invalid("Say which appointment or which equipment it belongs to.", "appointmentId")
    attachment_id = new_id()

    async def work(session: Transaction) -> None:
        await _check_target(session, caller, wanted)
        session.add(
            Attachment(
                tenant_id=caller.tenant_id,
                id=attachment_id,
                appointment_id=wanted.appointment_id,
                equipment_id=wanted.equipment_id,
                kind=wanted.kind,
                state=AttachmentState.PENDING,
                file_name=name,
                content_type=kind,
                byte_size=size,
                by_customer=wanted.by_customer,
                # A PUT that begins in the last second is still let finish.
                upload_until=datetime.now(UTC) + 2 * UPLOAD_LASTS,
            )
        )

    await caller.transact(work)
    upload = _store(caller).upload_url(upload_key(caller.tenant_id, attachment_id), kind, size, UPLOAD_LASTS)
    return attachment_id, upload


async def _check_target(session: Transaction, caller: Caller, wanted: NewUpload) -> None:
    appointment = None
    if wanted.appointment_id is not None:
        # Locked where a customer's files are counted: two requests at once must not both be the last that is allowed.
        lock = {"key_share": True} if wanted.by_customer else None
        appointment = await session.get(Appointment, (caller.tenant_id, wanted.appointment_id), with_for_update=lock)
        if appointment is None or caller.visited_by not in (None, appointment.technician_id):
            raise not_found("appointment", "appointmentId")
        if wanted.by_customer and await attached_by_customer(session, appointment.id) >= MOST_OF_CUSTOMER:
            raise invalid(f"At most {MOST_OF_CUSTOMER} files can be added to a visit.", "appointmentId")
    if wanted.equipment_id is not None:
        await _check_equipment(session, caller, wanted.equipment_id, appointment if wanted.by_customer else None)


async def _check_equipment(
    session: Transaction, caller: Caller, equipment_id: UUID, customers: Appointment | None
) -> None:
    row = await session.get(Equipment, (caller.tenant_id, equipment_id))
    if row is None:
        raise not_found("equipment", "equipmentId")
    if customers is not None:
        place = await session.get(CustomerAddress, (caller.tenant_id, row.address_id))
        if place is None or place.customer_id != customers.customer_id:
            raise not_found("equipment", "equipmentId")
    if caller.visited_by is not None and not await visited_equipment(session, [equipment_id], caller.visited_by):
        raise not_found("equipment", "equipmentId")


async def complete_upload(caller: Caller, attachment_id: UUID) -> Attachment:
    """Check and clean what was uploaded, and keep it; a second call answers the same attachment again.

    Raises:
        Refusal: NOT_FOUND; INVALID_INPUT when nothing was uploaded, or it is not what was announced or not fit to be kept;
            BUSY when the file store does not answer.
    """
    async with caller.reading() as session:
        announced = (await by_ids(session, Attachment, [attachment_id])).get(attachment_id)
        visible = announced is not None and await _visible(session, caller, announced)
    if announced is None or not visible:
        raise not_found("upload", "attachmentId")
    if announced.state is AttachmentState.READY:
        return announced
    store = _store(caller)
    source = upload_key(caller.tenant_id, attachment_id)
    try:
        # Outside of any transaction: it takes as long as the network and the image do.
        content = await store.read(source, MOST_BYTES)
        kept = await kept_form(content, announced.content_type, announced.byte_size)
        key = stored_key(caller.tenant_id, attachment_id, hashlib.sha256(kept.content).hexdigest())
        await store.write(key, kept.content, kept.content_type)
        if kept.thumbnail:
            await store.write(thumbnail_key(key), kept.thumbnail, "image/jpeg")
        row = await _make_ready(caller, attachment_id, key, kept)
        await store.delete([source])
    except StoreUnavailable as error:
        raise Refusal(ErrorCode.BUSY, "The file store does not answer. Nothing was lost; try again.") from error
    return row


async def _make_ready(caller: Caller, attachment_id: UUID, key: str, kept: Kept) -> Attachment:
    async def work(session: Transaction) -> Attachment:
        row = await lock_attachment(session, caller.tenant_id, attachment_id)
        if row is None:
            raise not_found("upload", "attachmentId")
        if row.state is AttachmentState.PENDING:
            row.state, row.storage_key, row.has_thumbnail = AttachmentState.READY, key, kept.thumbnail is not None
            row.file_name = with_ending(row.file_name, kept.content_type)
            row.content_type, row.byte_size = kept.content_type, len(kept.content)
            row.uploaded_at = datetime.now(UTC)
            await session.flush()
        return row

    return await caller.transact(work)


async def delete_attachment(caller: Caller, attachment_id: UUID) -> None:
    """Delete an attachment; its files follow within seconds.

    Raises:
        Refusal: NOT_FOUND.
    """

    async def work(session: Transaction) -> None:
        row = await lock_attachment(session, caller.tenant_id, attachment_id)
        if row is None or not await _visible(session, caller, row):
            raise not_found("attachment", "attachmentId")
        await remove_attachments(session, [row])

    await caller.transact(work)


async def attachments_by_id(caller: Caller, ids: Sequence[UUID]) -> dict[UUID, Attachment]:
    """Those of these attachments that are there and that the caller may see."""
    async with caller.reading() as session:
        found = [row for row in (await by_ids(session, Attachment, ids)).values() if row.state is AttachmentState.READY]
        if caller.visited_by is not None:
            visible = await visited_attachments(session, found, caller.visited_by)
            found = [row for row in found if row.id in visible]
    return {row.id: row for row in found}


def attachment_url(settings: Settings, row: Attachment) -> str:
    """A URL for this one request to read the file by; it lasts five minutes."""
    return _url(settings, row.storage_key or "", row.file_name, row.content_type)


def thumbnail_url(settings: Settings, row: Attachment) -> str | None:
    """The same for the small JPEG of an image; documents have none."""
    if not row.has_thumbnail:
        return None
    return _url(settings, thumbnail_key(row.storage_key or ""), with_ending(row.file_name, JPEG), JPEG)


def _url(settings: Settings, key: str, file_name: str, content_type: str) -> str:
    return file_store(settings).download_url(key, file_name, content_type, URL_LASTS)


async def _visible(session: Transaction, caller: Caller, row: Attachment) -> bool:
    return caller.visited_by is None or row.id in await visited_attachments(session, [row], caller.visited_by)


def _store(caller: Caller) -> FileStore:
    return file_store(caller.settings)
