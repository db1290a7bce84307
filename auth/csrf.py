"""The token against cross-site forgery: it follows from the session, so that one planted by another host fits none."""

import base64
import hashlib
import hmac


def csrf_token(secret: str, session_token: str) -> str:
    """The token of a session.

    Args:
        secret: SPS_SECRET_KEY.
        session_token: the session cookie's value.
    """
    key = hmac.digest(secret.encode(), b"csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(hmac.digest(key, session_token.encode(), hashlib.sha256)).decode().rstrip("=")


def is_csrf_token(secret: str, session_token: str, token: str) -> bool:
    """Whether the token is that of the session, in constant time."""
    return hmac.compare_digest(csrf_token(secret, session_token).encode(), token.encode())
