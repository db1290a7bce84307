"""Cursors of the event stream: the tenant and a number, opaque to callers."""

import base64
import binascii
from uuid import UUID

from domain.errors import ErrorCode, Refusal

_VERSION = b"\x01"


def encode_cursor(tenant_id: UUID, seq: int) -> str:
    """The cursor of the tenant's event `seq`; 0 is before the first."""
    return base64.urlsafe_b64encode(_VERSION + tenant_id.bytes + seq.to_bytes(8, "big")).decode().rstrip("=")


def decode_cursor(tenant_id: UUID, cursor: str) -> int:
    """The number behind a cursor of this tenant.

    Raises:
        Refusal: INVALID_INPUT when it is no cursor, or another tenant's.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 25 or raw[:1] != _VERSION or raw[1:17] != tenant_id.bytes:
        raise Refusal(ErrorCode.INVALID_INPUT, "That is not a cursor of this event stream.", ("after",))
    return int.from_bytes(raw[17:], "big")
