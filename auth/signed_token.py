"""Signed tokens: short enough for a text, expiring, good for one purpose; nothing of them is stored."""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

# 128 bits: nobody guesses that, and each byte more is one and a third characters of a text.
MAC_BYTES = 16
EXPIRY_BYTES = 5


def sign(secret: str, purpose: str, payload: bytes, expires_at: datetime) -> str:
    """A token, safe in URLs, that `verify` opens until it expires.

    Args:
        secret: SPS_SECRET_KEY; a key for each purpose is derived from it.
        purpose: what the token is good for. One of another purpose does not verify.
        payload: what it carries. Anybody can read it, nobody can change it.
        expires_at: aware; whole seconds count.
    """
    signed = int(expires_at.timestamp()).to_bytes(EXPIRY_BYTES, "big") + payload
    return base64.urlsafe_b64encode(signed + _mac(secret, purpose, signed)).decode().rstrip("=")


def verify(secret: str, purpose: str, token: str, now: datetime | None = None) -> bytes | None:
    """The payload, or None when the token is forged, malformed, of another purpose or has expired.

    Args:
        now: aware; the machine's clock when left out.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    signed, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if len(signed) < EXPIRY_BYTES or not hmac.compare_digest(mac, _mac(secret, purpose, signed)):
        return None
    # One token has one spelling: bits that base64 leaves over must not make a second.
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token.rstrip("="):
        return None
    if int.from_bytes(signed[:EXPIRY_BYTES], "big") <= (now or datetime.now(UTC)).timestamp():
        return None
    return signed[EXPIRY_BYTES:]


def _mac(secret: str, purpose: str, signed: bytes) -> bytes:
    key = hmac.digest(secret.encode(), f"signed token: {purpose}".encode(), hashlib.sha256)
    return hmac.digest(key, signed, hashlib.sha256)[:MAC_BYTES]
