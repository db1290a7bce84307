"""Tokens of the booking page's offers: signed, so that what was never offered cannot be booked."""

from datetime import datetime
from uuid import UUID

from auth.signed_token import sign, verify
from domain.booking import READABLE, Offer, pack_offer, unpack_offer
from domain.local_time import Interval

_PURPOSE = "booking offer"


def offer_token(secret: str, offer_id: UUID, window: Interval, packed_request: bytes, asked_at: datetime) -> str:
    """A token of an offer. Whether the offer is still good is told by the offer itself.

    Args:
        packed_request: see `domain.booking.pack_request`.
    """
    return sign(secret, _PURPOSE, pack_offer(offer_id, window, packed_request), asked_at + READABLE)


def read_offer_token(secret: str, token: str) -> Offer | None:
    """The offer, or None when the token is forged or malformed, or of more than a day ago."""
    packed = verify(secret, _PURPOSE, token)
    if packed is None:
        return None
    try:
        return unpack_offer(packed)
    except ValueError:
        return None
