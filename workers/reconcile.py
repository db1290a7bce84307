"""Finds out what became of a message that may have been sent, and decides where nobody can tell."""

from datetime import timedelta
from uuid import UUID

import structlog

from domain.ids import Prefix, encode
from domain.message import reported_state
from domain.message_retry import MOST_ATTEMPTS, Verdict, still_unknown
from domain.notification import MessageChannel, MessageState, SuppressionReason
from integrations.delivery import CannotTell
from integrations.email import EmailSender
from integrations.sms import SmsSender
from models.database import Database
from models.message_claim import fail, requeue
from models.message_unknown import Unknown, adopt, has_twin_in_flight, look_again, unknown_message
from settings import Settings

log = structlog.get_logger("messages")

# How soon to look again while the provider cannot tell, or an equal text is on its way.
AGAIN_S, TWIN_S = 15.0, 3.0


class Reconciler:
    """Asks the provider's list; where it has none, goes by `domain.message_retry.still_unknown`."""

    def __init__(self, settings: Settings, database: Database, sms: SmsSender, email: EmailSender) -> None:
        self._settings = settings
        self._database = database
        self._sms = sms
        self._email = email

    async def find_out(self, tenant_id: UUID, message_id: UUID) -> None:
        """Settle a message whose outcome is unknown, or leave it for later; nothing for one that is on its way."""
        async with self._database.tenant(tenant_id) as session:
            unknown = await unknown_message(
                session, message_id, self._settings.message_claim_seconds, self._settings.message_settle_seconds
            )
            twin = unknown is not None and await has_twin_in_flight(session, unknown)
        if unknown is None:
            return
        if twin:
            await self._later(tenant_id, unknown, TWIN_S)
            return
        absent = unknown.channel is MessageChannel.EMAIL and self._email.leaves_nothing
        if unknown.channel is MessageChannel.SMS:
            try:
                if await self._found(tenant_id, unknown):
                    return
                absent = unknown.now >= unknown.definite_at
                if not absent:
                    await self._later(tenant_id, unknown, (unknown.definite_at - unknown.now).total_seconds())
                    return
            except CannotTell as error:
                log.info("message's outcome still unknown", messageId=_shown(unknown), failure=error.failure)
        if absent:
            await self._again(tenant_id, unknown, "it had not reached the provider")
        else:
            await self._decide(tenant_id, unknown)

    async def _found(self, tenant_id: UUID, unknown: Unknown) -> bool:
        for listed in await self._sms.find(unknown.recipient, unknown.body, unknown.claimed_at):
            state = reported_state(listed.status) or MessageState.SENT
            failed = state is MessageState.FAILED
            async with self._database.tenant(tenant_id) as session:
                mine = await adopt(
                    session,
                    unknown,
                    listed.provider_id,
                    state=state,
                    reason=SuppressionReason.PROVIDER_REJECTED.value if failed else None,
                    failure=f"the provider could not deliver it ({listed.error})" if failed else None,
                    segments=listed.segments,
                )
            if mine:
                log.info("message found at the provider", messageId=_shown(unknown), state=state.value)
                return True
        return False

    async def _decide(self, tenant_id: UUID, unknown: Unknown) -> None:
        decision = still_unknown(unknown.event, unknown.unknown_since, unknown.occasion_at, unknown.now)
        match decision.verdict:
            case Verdict.WAIT:
                until = decision.until or unknown.now
                left = min((until - unknown.now) / timedelta(seconds=1), AGAIN_S)
                await self._later(tenant_id, unknown, max(left, 0.5))
            case Verdict.SEND_AGAIN:
                log.warning("message sent again, perhaps twice", messageId=_shown(unknown))
                await self._again(tenant_id, unknown, "nobody could tell whether it had gone out")
            case Verdict.DROP:
                await self._give_up(tenant_id, unknown, MessageState.SUPPRESSED)

    async def _again(self, tenant_id: UUID, unknown: Unknown, failure: str) -> None:
        if unknown.attempts >= MOST_ATTEMPTS:
            await self._give_up(tenant_id, unknown, MessageState.FAILED)
            return
        async with self._database.tenant(tenant_id) as session:
            await requeue(session, unknown.message_id, unknown.fence, 0.0, failure)

    async def _give_up(self, tenant_id: UUID, unknown: Unknown, state: MessageState) -> None:
        log.warning("message given up", messageId=_shown(unknown), attempt=unknown.attempts, state=state.value)
        failure = "nobody could tell whether it had gone out"
        async with self._database.tenant(tenant_id) as session:
            await fail(
                session,
                unknown.message_id,
                unknown.fence,
                SuppressionReason.OUTCOME_UNKNOWN,
                failure,
                state=state,
            )

    async def _later(self, tenant_id: UUID, unknown: Unknown, seconds: float) -> None:
        async with self._database.tenant(tenant_id) as session:
            await look_again(session, unknown.message_id, unknown.fence, seconds)


def _shown(unknown: Unknown) -> str:
    return encode(Prefix.MESSAGE, unknown.message_id)
