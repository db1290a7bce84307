"""Photos, dataplates and documents in the schema, and the uploads by which they come."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.attachment import AttachmentKind
from domain.errors import ErrorCode, Refusal
from domain.ids import Prefix
from models.attachment import Attachment as AttachmentRow
from permissions.guards import Requires, raise_unauthenticated
from permissions.scopes import Scope
from resolvers.attachment import (
    NewUpload,
    attachment_url,
    caller_of_tracking_token,
    caller_of_upload,
    complete_upload,
    delete_attachment,
    request_upload,
    thumbnail_url,
)
from schema.checks import Payload
from schema.context import Info
from schema.fields import PUBLIC, mutation, relation
from schema.node import Node, id_of, node_id
from schema.scalars import Json

strawberry.enum(AttachmentKind)


@strawberry.type
class Attachment(Node):
    """A file of a visit or of an appliance."""

    row: strawberry.Private[AttachmentRow]
    kind: AttachmentKind
    file_name: str
    content_type: str
    byte_size: int
    uploaded_at: datetime

    @classmethod
    def of(cls, row: AttachmentRow) -> "Attachment":
        """The object of a row that is READY."""
        return cls(
            row=row,
            id=node_id(Prefix.ATTACHMENT, row.id),
            kind=row.kind,
            file_name=row.file_name,
            content_type=row.content_type,
            byte_size=row.byte_size,
            uploaded_at=row.uploaded_at or row.created_at,
        )

    # Public like the object's other fields: whoever was given the attachment, a customer by a tracking link too, may read it.
    @relation(PUBLIC, "Signed, valid for at most 5 minutes.")
    async def url(self, info: Info) -> str:
        """Where the file can be read now."""
        return attachment_url(info.context.settings, self.row)

    @relation(PUBLIC, "A small JPEG of an image, signed likewise; null for documents.")
    async def thumbnail_url(self, info: Info) -> str | None:
        """Where the small picture can be read now."""
        return thumbnail_url(info.context.settings, self.row)


@strawberry.input
class UploadRequestInput:
    """What is to be uploaded, and to what: an appointment, an appliance, or both."""

    tracking_token: str | None = strawberry.field(default=None, description="A customer's, instead of a session.")
    appointment_id: strawberry.ID | None = None
    equipment_id: strawberry.ID | None = None
    kind: AttachmentKind
    file_name: str
    content_type: str
    byte_size: int


@strawberry.input
class UploadCompleteInput:
    """The upload that is done."""

    attachment_id: strawberry.ID


@strawberry.input
class AttachmentDeleteInput:
    """The attachment to delete."""

    attachment_id: strawberry.ID


@strawberry.type(description="PUT the bytes to `url` with `headers`, then call uploadComplete.")
class UploadRequestPayload(Payload):
    """Where the bytes go, or why they go nowhere."""

    attachment_id: strawberry.ID | None = None
    url: str | None = None
    headers: Json | None = None


@strawberry.type
class UploadCompletePayload(Payload):
    """The attachment, or why there is none."""

    attachment: Attachment | None = None


@strawberry.type
class AttachmentDeletePayload(Payload):
    """Whether it is gone."""


@strawberry.type
class AttachmentMutation:
    """Root fields."""

    @mutation(PUBLIC, "With a session or key that has attachments:write, or with the token from a message.")
    async def upload_request(self, info: Info, input: UploadRequestInput) -> UploadRequestPayload:
        """Ask where to put a file's bytes."""
        appointment_id = _optional(Prefix.APPOINTMENT, input.appointment_id, "appointment", "appointmentId")
        equipment_id = _optional(Prefix.EQUIPMENT, input.equipment_id, "equipment", "equipmentId")
        context = info.context
        if input.tracking_token is None:
            _require_writer(info)
            caller = context.caller
        else:
            caller, visit = caller_of_tracking_token(context.database, context.settings, input.tracking_token)
            if appointment_id not in (None, visit):
                raise Refusal(ErrorCode.NOT_FOUND, "There is no such appointment.", ("input", "appointmentId"))
            appointment_id = visit
        attachment_id, upload = await request_upload(
            caller,
            NewUpload(
                kind=input.kind,
                file_name=input.file_name,
                content_type=input.content_type,
                byte_size=input.byte_size,
                appointment_id=appointment_id,
                equipment_id=equipment_id,
                by_customer=input.tracking_token is not None,
            ),
        )
        return UploadRequestPayload(
            attachment_id=node_id(Prefix.ATTACHMENT, attachment_id), url=upload.url, headers=Json(dict(upload.headers))
        )

    @mutation(PUBLIC, "By whoever asked for the upload. Called again, it answers the same attachment.")
    async def upload_complete(self, info: Info, input: UploadCompleteInput) -> UploadCompletePayload:
        """Have the uploaded bytes checked, cleaned and kept."""
        attachment_id = id_of(Prefix.ATTACHMENT, input.attachment_id, "upload", "attachmentId")
        context = info.context
        if context.principal is not None and context.principal.may(Scope.ATTACHMENTS_WRITE):
            try:
                return UploadCompletePayload(
                    attachment=Attachment.of(await complete_upload(context.caller, attachment_id))
                )
            except Refusal as refusal:
                # Somebody of an office may look at a customer's tracking page.
                if refusal.code is not ErrorCode.NOT_FOUND:
                    raise
        caller = await caller_of_upload(context.database, context.settings, attachment_id)
        return UploadCompletePayload(attachment=Attachment.of(await complete_upload(caller, attachment_id)))

    @mutation(Scope.ATTACHMENTS_WRITE)
    async def attachment_delete(self, info: Info, input: AttachmentDeleteInput) -> AttachmentDeletePayload:
        """Delete a file."""
        await delete_attachment(
            info.context.caller, id_of(Prefix.ATTACHMENT, input.attachment_id, "attachment", "attachmentId")
        )
        return AttachmentDeletePayload()


def _require_writer(info: Info) -> None:
    if info.context.principal is None:
        raise_unauthenticated()
    guard = Requires(Scope.ATTACHMENTS_WRITE)
    if not guard.allows(info.context.principal):
        guard.on_unauthorized()


def _optional(prefix: Prefix, text: str | None, noun: str, *path: str) -> UUID | None:
    return None if text is None else id_of(prefix, text, noun, *path)
