"""Random tokens: handed out once, kept as hashes."""

import hashlib
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """What is stored of a token. It is random in full length, so that a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).digest()
