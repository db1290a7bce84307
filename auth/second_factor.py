"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for when the phone is gone."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import pyotp

NONCE_BYTES = 16
SECRET_BYTES = 20
STEP_SECONDS = 30
# Clocks of phones differ, and typing takes time: the step before and the one after count too.
STEPS_AROUND = (-1, 0, 1)
RECOVERY_CODES = 10
# Crockford's letters: none looks like another.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_HALF = 5
ISSUER = "Service Pro Stream"


def new_nonce() -> bytes:
    """What is stored of a second factor. It is no secret: the shared secret follows from it and the server's key."""
    return secrets.token_bytes(NONCE_BYTES)


def shared_secret(secret: str, user_id: UUID, nonce: bytes) -> str:
    """The secret that the authenticator app shares, in base 32.

    Args:
        secret: SPS_SECRET_KEY. Another one makes every enrolment worthless.
    """
    key = hmac.digest(secret.encode(), b"second factor", hashlib.sha256)
    return base64.b32encode(hmac.digest(key, user_id.bytes + nonce, hashlib.sha256)[:SECRET_BYTES]).decode()


def enrolment_uri(shared: str, account: str) -> str:
    """What the QR code of an enrolment holds: otpauth://…"""
    return pyotp.TOTP(shared).provisioning_uri(name=account, issuer_name=ISSUER)


def matching_step(shared: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step of a code, or None when it is wrong or was used: no code counts twice.

    Args:
        now: aware.
        last_step: the step of the last code that was taken.
    """
    current = int(now.timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(shared)
    found = None
    for step in (current + around for around in STEPS_AROUND):
        # All are compared, so that the time does not tell how near a guess was.
        if hmac.compare_digest(generator.generate_otp(step).encode(), code.encode()) and step > last_step:
            found = step
    return found


def is_recovery_code(text: str) -> bool:
    """Whether it is written like one, and not like an app's code."""
    bare = _bare(text)
    return len(bare) == 2 * _HALF and all(letter in _LETTERS for letter in bare)


def new_recovery_codes() -> list[str]:
    """Fresh ones, each for one log-in: 50 bits, and guesses are throttled."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_HALF)) for _ in range(2))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(secret: str, code: str) -> bytes:
    """What is stored of a recovery code; without the server's key nobody can search for it."""
    key = hmac.digest(secret.encode(), b"recovery code", hashlib.sha256)
    return hmac.digest(key, _bare(code).encode(), hashlib.sha256)


def _bare(text: str) -> str:
    return text.replace("-", "").replace(" ", "").lower()
