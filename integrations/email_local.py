"""Emails without a mail server: they stay in the ledger, and the log says that they would have been sent."""

import structlog

from integrations.delivery import Accepted, not_too_late
from integrations.email import Email

log = structlog.get_logger("email")


class LocalEmailSender:
    """Sends nothing. The log names neither address nor words: they are customers' data, and stand in the ledger."""

    leaves_nothing = True

    async def send(self, email: Email, not_after: float) -> Accepted:
        """Log it."""
        not_too_late(not_after)
        log.info("email kept in the ledger", messageId=email.message_id, notification=email.event)
        return Accepted(provider_id=None)
