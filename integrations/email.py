"""Emails: what a sender can do, and which one the settings ask for."""

from dataclasses import dataclass
from typing import Protocol

from integrations.delivery import Accepted
from settings import Settings


@dataclass(frozen=True, slots=True)
class Email:
    """An email in plain words. `message_id` is its TypeID, `event` what it tells of; both may be logged, the others may not.

    `unsubscribe_url` answers POST by taking the customer off the list, at once and without a question (RFC 8058). Mails to
    our own users about their accounts have none.
    """

    message_id: str
    event: str
    to: str
    subject: str
    body: str
    from_name: str
    reply_to: str | None
    unsubscribe_url: str | None


class EmailSender(Protocol):
    """Hands emails to a mail server.

    `leaves_nothing`: nothing ever leaves this machine, so that a message whose worker was lost has certainly not been sent.
    """

    leaves_nothing: bool

    async def send(self, email: Email, not_after: float) -> Accepted:
        """Hand an email over, unless the moment `not_after` (of `boot_time`) has passed.

        Raises:
            DeliveryError: Refused, Rejected or OutcomeUnknown.
        """


def email_sender(settings: Settings) -> EmailSender:
    """SMTP where a server is set; else the local sender.

    Raises:
        ValueError: SMTP_URL is none.
    """
    if settings.smtp_url is None:
        from integrations.email_local import LocalEmailSender

        return LocalEmailSender()
    from integrations.email_smtp import SmtpEmailSender

    return SmtpEmailSender(settings)
