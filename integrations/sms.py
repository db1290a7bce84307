"""Texts: what a sender can do, and which one the settings ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from integrations.delivery import Accepted, Found
from settings import Settings


@dataclass(frozen=True, slots=True)
class Sms:
    """A text. `message_id` and `tenant_id` are TypeIDs, `event` what it tells of: these may be logged, the others not."""

    message_id: str
    tenant_id: str
    event: str
    to: str
    body: str


class SmsSender(Protocol):
    """Hands texts to a provider."""

    async def send(self, sms: Sms, not_after: float) -> Accepted:
        """Hand a text over, unless the moment `not_after` (of `boot_time`) has passed.

        Raises:
            DeliveryError: Refused, Rejected, OptedOut or OutcomeUnknown.
        """

    async def find(self, to: str, body: str, since: datetime) -> Sequence[Found]:
        """The texts with these words that the provider took for this number since a moment; none proves that none was.

        Raises:
            CannotTell: the list could not be read to its end.
        """

    async def close(self) -> None:
        """Let go of connections and threads."""


def sms_sender(settings: Settings) -> SmsSender:
    """Twilio where an account is set; else the local sender.

    Raises:
        ValueError: TWILIO_ACCOUNT_SID without TWILIO_AUTH_TOKEN or TWILIO_FROM.
    """
    if settings.twilio_account_sid is None:
        from integrations.sms_local import LocalSmsSender

        return LocalSmsSender()
    from integrations.sms_twilio import TwilioSmsSender

    return TwilioSmsSender(settings)
