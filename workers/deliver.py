"""Delivers one message: claims it, hands it to its provider, writes down how that ended."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from auth.message_token import UNSUBSCRIBE_LASTS, unsubscribe_token
from domain.errors import Refusal
from domain.ids import Prefix, encode
from domain.message_retry import MOST_ATTEMPTS, retry_delay
from domain.notification import MessageChannel, MessageState, SuppressionReason
from integrations.delivery import (
    Accepted,
    DeliveryError,
    OptedOut,
    OutcomeUnknown,
    Refused,
    Rejected,
    boot_time,
)
from integrations.email import Email, EmailSender
from integrations.sms import Sms, SmsSender
from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.message_claim import accept, fail, give_up_on, mark_unknown, put_off, requeue
from models.opt_out import opt_out_of_texts
from resolvers.message_claim import Claimed, HeldBack, InFlight, claim
from settings import Settings
from workers.reconcile import Reconciler

log = structlog.get_logger("messages")

# Between attempts to write down how a delivery ended. What cannot be written is found out later, from the provider.
PERSISTENCE_S = (0.1, 0.5, 2.0)
BUSY_S = 2.0


class Deliverer:
    """What a worker's loop needs to deliver: its own way to the database, and the providers."""

    def __init__(self, settings: Settings, database: Database, sms: SmsSender, email: EmailSender) -> None:
        self._settings = settings
        self._database = database
        self._sms = sms
        self._email = email
        self._reconciler = Reconciler(settings, database, sms, email)

    async def deliver(self, tenant_id: UUID, message_id: UUID) -> None:
        """Do what is to be done about a message now: send it, find out about it, or nothing."""
        # Taken before the claim: the claim's time runs from no earlier than that.
        not_after = boot_time() + self._settings.message_claim_seconds / 3
        try:
            claimed = await self._claim(tenant_id, message_id)
        except Refusal:
            # Somebody holds its appointment, and for longer than we wait.
            await self._write(tenant_id, lambda session: put_off(session, message_id, BUSY_S))
            return
        match claimed:
            case Claimed():
                await self._send(tenant_id, claimed, not_after)
            case InFlight():
                await self._reconciler.find_out(tenant_id, message_id)
            case HeldBack(reason=reason, phone=phone):
                log.info("message held back", messageId=_shown(message_id), reason=reason.value)
                if phone is not None:
                    await self._opt_out(phone)

    async def _claim(self, tenant_id: UUID, message_id: UUID) -> Claimed | HeldBack | InFlight | None:
        async def work(session: Transaction) -> Claimed | HeldBack | InFlight | None:
            return await claim(session, message_id, self._settings)

        try:
            return await self._database.transact(tenant_id, work)
        except (Refusal, *UNREACHABLE):
            raise
        except Exception as error:
            # A row that breaks whoever touches it must not do so for ever.
            delay = retry_delay(1, random.random())  # noqa: S311
            failure = f"it could not be put into words ({type(error).__name__})"
            async with self._database.tenant(tenant_id) as session:
                await give_up_on(session, message_id, MOST_ATTEMPTS, delay, failure)
            log.warning("message broken", messageId=_shown(message_id), failure=failure, exc_info=True)
            return None

    async def _send(self, tenant_id: UUID, claimed: Claimed, not_after: float) -> None:
        attempts, fence = claimed.claim.attempts, claimed.claim.fence
        known = {
            "messageId": _shown(claimed.message_id),
            "notification": claimed.event.value,
            "channel": claimed.channel.value,
            "attempt": attempts,
        }
        reason, state = SuppressionReason.PROVIDER_REJECTED, MessageState.FAILED
        try:
            accepted = await self._hand_over(claimed, not_after)
        except Refused as refused:
            if attempts < MOST_ATTEMPTS:
                delay = retry_delay(attempts, random.random(), refused.retry_after)  # noqa: S311
                failure = refused.failure
                log.info("message refused for now", **known, failure=failure, retryIn=round(delay, 1))
                await self._write(
                    tenant_id, lambda session: requeue(session, claimed.message_id, fence, delay, failure)
                )
                return
            ended: DeliveryError = refused
        except OutcomeUnknown as unknown:
            log.info("message's outcome unknown", **known, failure=unknown.failure)
            settle, failure = self._settings.message_settle_seconds, unknown.failure
            await self._write(
                tenant_id, lambda session: mark_unknown(session, claimed.message_id, fence, settle, failure)
            )
            return
        except OptedOut as opted_out:
            ended, reason, state = opted_out, SuppressionReason.OPTED_OUT, MessageState.SUPPRESSED
            await self._opt_out(claimed.recipient)
        except Rejected as rejected:
            ended = rejected
        else:
            await self._write(
                tenant_id,
                lambda session: accept(session, claimed.message_id, fence, accepted.provider_id, accepted.segments),
            )
            return
        failure = ended.failure
        log.warning("message failed", **known, failure=failure)
        await self._write(
            tenant_id, lambda session: fail(session, claimed.message_id, fence, reason, failure, state=state)
        )

    async def _hand_over(self, claimed: Claimed, not_after: float) -> Accepted:
        facts, words, shown = claimed.facts, claimed.words, _shown(claimed.message_id)
        if claimed.channel is MessageChannel.SMS:
            tenant = encode(Prefix.TENANT, facts.tenant_id)
            sms = Sms(shown, tenant, claimed.event.value, claimed.recipient, words.body)
            return await self._sms.send(sms, not_after)
        secret = self._settings.secret_key.get_secret_value()
        token = unsubscribe_token(secret, facts.tenant_id, facts.customer_id, facts.now + UNSUBSCRIBE_LASTS)
        email = Email(
            message_id=shown,
            event=claimed.event.value,
            to=claimed.recipient,
            subject=words.subject or "",
            body=words.body,
            from_name=" ".join(facts.visit.business_name.split()),
            reply_to=facts.business_email,
            unsubscribe_url=f"{self._settings.origin}/unsubscribe/{token}",
        )
        return await self._email.send(email, not_after)

    async def _opt_out(self, phone: str) -> None:
        async with self._database.anonymous() as session:
            await opt_out_of_texts(session, phone)

    async def _write(self, tenant_id: UUID, work: Callable[[Transaction], Awaitable[object]]) -> None:
        for delay in (*PERSISTENCE_S, None):
            try:
                async with self._database.tenant(tenant_id) as session:
                    await work(session)
            except UNREACHABLE:
                if delay is None:
                    raise
                await asyncio.sleep(delay)
            else:
                return


def _shown(message_id: UUID) -> str:
    return encode(Prefix.MESSAGE, message_id)
