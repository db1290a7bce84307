"""The two links that messages carry: to the customer's tracking page, and to take oneself off the list."""

from datetime import datetime, timedelta
from uuid import UUID

from auth.signed_token import sign, verify

_TRACKING, _UNSUBSCRIBE = "tracking", "unsubscribe"
# A visit is over within a day; a link to unsubscribe must work for long after the email came.
TRACKING_LASTS = timedelta(hours=24)
UNSUBSCRIBE_LASTS = timedelta(days=400)


def tracking_token(secret: str, tenant_id: UUID, appointment_id: UUID, expires_at: datetime) -> str:
    """A token for one appointment's tracking page."""
    return sign(secret, _TRACKING, tenant_id.bytes + appointment_id.bytes, expires_at)


def read_tracking_token(secret: str, token: str) -> tuple[UUID, UUID] | None:
    """Tenant and appointment, or None when the token is none or has expired."""
    return _pair(verify(secret, _TRACKING, token))


def unsubscribe_token(secret: str, tenant_id: UUID, customer_id: UUID, expires_at: datetime) -> str:
    """A token that takes one customer off one business's emails."""
    return sign(secret, _UNSUBSCRIBE, tenant_id.bytes + customer_id.bytes, expires_at)


def read_unsubscribe_token(secret: str, token: str) -> tuple[UUID, UUID] | None:
    """Tenant and customer, or None when the token is none or has expired."""
    return _pair(verify(secret, _UNSUBSCRIBE, token))


def _pair(payload: bytes | None) -> tuple[UUID, UUID] | None:
    if payload is None or len(payload) != 32:
        return None
    return UUID(bytes=payload[:16]), UUID(bytes=payload[16:])
