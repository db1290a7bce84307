"""Sends account mails: reset requests are turned into mails, and what is due is handed to the mail server."""

import asyncio
from datetime import UTC, datetime

import structlog

from auth.account_token import TokenPurpose, account_token
from domain.account_mail import GIVEN_UP_AFTER, AccountMailKind, AccountMailState, retry_delay, words_of
from domain.ids import Prefix, encode
from integrations.delivery import DeliveryError, OutcomeUnknown, Refused, boot_time
from integrations.email import Email, EmailSender, email_sender
from integrations.email_folder import FolderEmailSender
from models.account_mail import DueMail, MailFacts, dispatch_account_mails, finish_mail, mail_facts
from models.database import Database
from models.errors import UNREACHABLE
from resolvers.password import work_off_reset_request
from settings import Settings

log = structlog.get_logger("account_mail")

LOOK_S = 1.0
# How long a mail that was handed out to a process is left to it; longer than a mail server may take to answer.
LEASE_S = 60.0
ROOM = 20
SENDER_NAME = "Service Pro Stream"
_PAGES = {
    AccountMailKind.PASSWORD_RESET: "password-reset",
    AccountMailKind.INVITATION: "invitation",
    AccountMailKind.PASSWORD_CHANGED: "password-reset",
}


def account_mail_sender(settings: Settings) -> EmailSender:
    """The mail server where one is set; else a folder, since somebody must be able to follow the links.

    Raises:
        ValueError: SMTP_URL is none.
    """
    if settings.smtp_url is None:
        return FolderEmailSender(settings.data_dir / "mail")
    return email_sender(settings)


class AccountMailer:
    """One of possibly many: rows that one works on, others skip.

    A mail whose sending ended in doubt is sent again: two links are better than none, and each works once.
    """

    def __init__(self, settings: Settings, database: Database, sender: EmailSender) -> None:
        self._settings = settings
        self._database = database
        self._sender = sender

    async def run(self) -> None:
        """Send until cancelled; neither a lost database nor a lost mail server ends it."""
        while True:
            try:
                busy = await self.work_off()
            except UNREACHABLE as error:
                log.warning("no account mail sent", error=type(error).__name__)
                busy = 0
            await asyncio.sleep(0 if busy else LOOK_S)

    async def work_off(self) -> int:
        """Do what is due now, and tell how much that was."""
        done = 0
        while done < ROOM and await work_off_reset_request(self._database, self._settings):
            done += 1
        async with self._database.anonymous() as session:
            due = await dispatch_account_mails(session, LEASE_S, ROOM)
        for mail in due:
            await self._send(mail)
        return done + len(due)

    async def _send(self, mail: DueMail) -> None:
        async with self._database.tenant(mail.tenant_id) as session:
            facts = await mail_facts(session, mail)
        if facts is None:
            return
        known = {"mailId": encode(Prefix.ACCOUNT_MAIL, mail.id), "notification": facts.kind.value}
        state, failure, again_in = AccountMailState.SENT, None, None
        try:
            await self._sender.send(self._email(mail, facts), boot_time() + LEASE_S / 2)
        except (Refused, OutcomeUnknown) as error:
            failure = error.failure
            if datetime.now(UTC) - facts.created_at < GIVEN_UP_AFTER:
                state, again_in = AccountMailState.QUEUED, retry_delay(mail.attempts).total_seconds()
                log.info("account mail not sent yet", **known, failure=failure)
            else:
                state = AccountMailState.FAILED
                log.warning("account mail given up", **known, failure=failure)
        except DeliveryError as error:
            state, failure = AccountMailState.FAILED, error.failure
            log.warning("account mail failed", **known, failure=failure)
        async with self._database.tenant(mail.tenant_id) as session:
            await finish_mail(session, mail, state, failure=failure, again_in=again_in)

    def _email(self, mail: DueMail, facts: MailFacts) -> Email:
        link = f"{self._settings.origin}/{_PAGES[facts.kind]}"
        if facts.token_id is not None and facts.expires_at is not None:
            secret = self._settings.secret_key.get_secret_value()
            purpose = TokenPurpose(facts.kind.value)
            token = account_token(secret, purpose, mail.tenant_id, facts.token_id, facts.expires_at)
            # Behind a #, which browsers send to nobody: no log and no Referer ever has it.
            link = f"{link}#{token}"
        words = words_of(facts.kind, name=facts.name, business=facts.business, link=link, by=facts.invited_by)
        return Email(
            message_id=encode(Prefix.ACCOUNT_MAIL, mail.id),
            event=facts.kind.value,
            to=facts.recipient,
            subject=" ".join(words.subject.split()),
            body=words.body,
            from_name=SENDER_NAME,
            reply_to=None,
            unsubscribe_url=None,
        )
