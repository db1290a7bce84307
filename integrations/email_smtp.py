"""Emails by SMTP: whatever fails before the words are handed over has certainly not been sent."""

import asyncio
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from integrations.delivery import Accepted, OutcomeUnknown, Refused, Rejected, not_too_late
from integrations.email import Email
from integrations.email_mime import mime
from settings import Settings

SECONDS = 10.0


class SmtpEmailSender:
    """Sends by the server of SMTP_URL: smtp:// (STARTTLS when offered) or smtps://.

    Raises:
        ValueError: the URL or SPS_EMAIL_FROM is none.
    """

    leaves_nothing = False

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.smtp_url or "")
        if url.scheme not in {"smtp", "smtps"} or not url.hostname:
            raise ValueError("SMTP_URL is written smtp://user:password@host:587 or smtps://…")
        self._sender = parseaddr(settings.email_from)[1]
        if "@" not in self._sender:
            raise ValueError("SPS_EMAIL_FROM is an email address")
        self._domain = self._sender.rpartition("@")[2]
        self._host, self._tls = url.hostname, url.scheme == "smtps"
        self._port = url.port or (465 if self._tls else 25)
        self._user = unquote(url.username) if url.username else None
        self._password = unquote(url.password) if url.password else None
        self._seconds = min(SECONDS, settings.message_claim_seconds / 6)

    async def send(self, email: Email, not_after: float) -> Accepted:
        """See `EmailSender.send`."""
        message = mime(email, self._sender, self._domain)
        not_too_late(not_after)
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls,
            username=self._user,
            password=self._password,
            timeout=self._seconds,
        )
        try:
            await self._prepare(client, email.to)
            await self._hand_over(client, message.as_bytes())
        finally:
            client.close()
        return Accepted(provider_id=str(message["Message-ID"]))

    async def _prepare(self, client: aiosmtplib.SMTP, to: str) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await client.connect()
                options = [] if to.isascii() else ["SMTPUTF8"]
                await client.mail(self._sender, options=options, encoding="ascii" if to.isascii() else "utf-8")
                await client.rcpt(to, encoding="ascii" if to.isascii() else "utf-8")
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
            raise _answered(error) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Refused(f"the mail server could not be reached or used ({type(error).__name__})") from None

    async def _hand_over(self, client: aiosmtplib.SMTP, raw: bytes) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await client.data(raw)
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(error) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise OutcomeUnknown(f"the mail server did not answer ({type(error).__name__})") from None


def _answered(error: aiosmtplib.SMTPResponseException) -> Refused | Rejected:
    # Its words may repeat the address.
    if 500 <= error.code < 600:
        return Rejected(f"the mail server rejected it ({error.code})")
    return Refused(f"the mail server is busy ({error.code})")
