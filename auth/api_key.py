"""API keys: shown once, found by their prefix, compared by an HMAC that needs the server's secret."""

import hashlib
import hmac
import re
import secrets
import string

KIND = "sps_live_"
_ALPHABET = string.ascii_letters + string.digits
# The first characters name the key and are shown in lists; the others, 256 bits, are the secret.
NAMING, SECRET = 8, 43
_SHAPE = re.compile(rf"{KIND}[A-Za-z0-9]{{{NAMING + SECRET}}}", re.ASCII)


def new_key() -> str:
    """A fresh key."""
    return KIND + "".join(secrets.choice(_ALPHABET) for _ in range(NAMING + SECRET))


def prefix_of(key: str) -> str | None:
    """The part of a key that is no secret, or None when the text is no key of ours: truncated, say."""
    return key[: len(KIND) + NAMING] if _SHAPE.fullmatch(key) else None


def key_hash(secret: str, key: str) -> bytes:
    """What is stored of a key.

    Args:
        secret: SPS_SECRET_KEY. Whoever has only the database can neither check a key nor make one up.
    """
    return hmac.digest(hmac.digest(secret.encode(), b"api key", hashlib.sha256), key.encode(), hashlib.sha256)


def is_key(secret: str, key: str, stored: bytes | None) -> bool:
    """Whether the key is the one of the hash, in constant time; with no hash it takes as long and is not."""
    return hmac.compare_digest(key_hash(secret, key), stored or bytes(hashlib.sha256().digest_size)) and bool(stored)
