"""The links of account mails: to set a new password, and to accept an invitation. Each names a row that it uses up."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from auth.signed_token import sign, verify


class TokenPurpose(StrEnum):
    """What a token is good for."""

    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 (a purpose)
    INVITATION = "INVITATION"


def account_token(secret: str, purpose: TokenPurpose, tenant_id: UUID, token_id: UUID, expires_at: datetime) -> str:
    """The token of a row. It can be made again from ids, so that no row and no queue ever holds it."""
    return sign(secret, _purpose(purpose), tenant_id.bytes + token_id.bytes, expires_at)


def read_account_token(secret: str, purpose: TokenPurpose, token: str) -> tuple[UUID, UUID] | None:
    """The tenant and the row, or None when it is forged, malformed, of another purpose or has expired."""
    payload = verify(secret, _purpose(purpose), token)
    if payload is None or len(payload) != 32:
        return None
    return UUID(bytes=payload[:16]), UUID(bytes=payload[16:])


def _purpose(purpose: TokenPurpose) -> str:
    return f"account {purpose.value.lower()}"
