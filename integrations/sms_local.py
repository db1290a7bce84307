"""Texts without a provider: they stay in the ledger, and the log says that they would have been sent."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from integrations.delivery import Accepted, Found, not_too_late
from integrations.sms import Sms

log = structlog.get_logger("sms")


class LocalSmsSender:
    """Sends nothing. The log names neither number nor words: they are customers' data, and stand in the ledger."""

    async def send(self, sms: Sms, not_after: float) -> Accepted:
        """Log it."""
        not_too_late(not_after)
        log.info("text kept in the ledger", messageId=sms.message_id, notification=sms.event)
        return Accepted(provider_id=None)

    async def find(self, to: str, body: str, since: datetime) -> Sequence[Found]:
        """Nothing leaves, so that nothing is ever found."""
        return ()

    async def close(self) -> None:
        """Nothing is held."""
