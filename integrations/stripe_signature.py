"""Stripe's signatures on webhooks: https://docs.stripe.com/webhooks#verify-manually, without loading its library."""

import hashlib
import hmac

# How far the signed time may be from ours, in seconds, in either direction.
TOLERANCE_S = 300
_LONGEST_HEADER = 4_096


class BadSignature(Exception):
    """Not signed by Stripe, or not now; the message says which, for whoever sets it up."""


def verify(body: bytes, header: str | None, secrets: str, now: float) -> None:
    """Prove that a body was signed with one of our secrets within the last five minutes.

    Args:
        body: exactly as it came.
        header: Stripe-Signature: t=SECONDS,v1=HEX, with several v1 while a secret is being exchanged.
        secrets: STRIPE_WEBHOOK_SECRET; several, separated by commas, while a secret is being exchanged.
        now: seconds since 1970.

    Raises:
        BadSignature: forged, stale, or no signature at all.
    """
    if not header or len(header) > _LONGEST_HEADER:
        raise BadSignature("There is no Stripe-Signature header.")
    parts = [(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in header.split(","))]
    times = [value for name, value in parts if name == "t"]
    signatures = [value.encode() for name, value in parts if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12) or not signatures:
        raise BadSignature("The Stripe-Signature header holds no time and signature.")
    signed = times[0].encode() + b"." + body
    expected = [
        hmac.digest(secret.strip().encode(), signed, hashlib.sha256).hex().encode()
        for secret in secrets.split(",")
        if secret.strip()
    ]
    if not any(hmac.compare_digest(one, other) for one in expected for other in signatures):
        raise BadSignature("The signature is not that of this body.")
    # After the proof: a forged time must not be told from a forged signature.
    if abs(now - int(times[0])) > TOLERANCE_S:
        raise BadSignature("The signature is more than five minutes old, or the clocks differ.")
