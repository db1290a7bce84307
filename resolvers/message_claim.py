"""Claiming a message: whether it may still go out is settled under locks, with the words in which it goes."""

from dataclasses import dataclass
from uuid import UUID

from domain.message import is_fresh
from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from domain.notification_quiet import send_time
from models.database import Transaction
from models.message_claim import Claim, claim_message, defer, put_off, suppress
from models.message_facts import Facts
from models.message_lock import Waiting, lock_facts
from resolvers.message_text import Words, put_into_words
from settings import Settings

# How soon to look again at a message that waits for an earlier one of its appointment.
TURN_S = 1.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker, and nobody else, now sends once."""

    message_id: UUID
    channel: MessageChannel
    recipient: str
    words: Words
    claim: Claim
    facts: Facts

    @property
    def event(self) -> NotificationEvent:
        """What it tells of."""
        return self.facts.event


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A message that is not going to be sent. `phone` is set when its owner had answered STOP before this customer was
    entered, and the customer's row does not say so yet."""

    reason: SuppressionReason
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class InFlight:
    """A message that somebody has claimed."""


async def claim(session: Transaction, message_id: UUID, settings: Settings) -> Claimed | HeldBack | InFlight | None:
    """Claim a message that is due; None when there is nothing to do about it now.

    What decides is read under locks that last until the commit: a reschedule, a switch or an opt-out that has been
    committed is seen, and one that has not been waits until the claim stands.
    """
    locked = await lock_facts(session, message_id)
    if locked is None:
        # Its location has no such rule any more.
        await suppress(session, message_id, SuppressionReason.DISABLED)
        return None
    found, facts = locked
    if found.state is MessageState.SENDING:
        return InFlight()
    if found.state is not MessageState.QUEUED or found.next_attempt_at > facts.now:
        return None
    reason = _held_back(found, facts)
    if reason is not None:
        await suppress(session, message_id, reason)
        unsaid = reason is SuppressionReason.OPTED_OUT and facts.answered_stop and not facts.sms_opted_out
        return HeldBack(reason, facts.phone if unsaid and found.channel is MessageChannel.SMS else None)
    opens = send_time(facts.event, facts.now, facts.quiet_hours_start, facts.quiet_hours_end, facts.visit.zone)
    if opens > facts.now:
        await defer(session, message_id, opens)
        return None
    recipient = facts.recipient(found.channel) or ""
    # Anew at each claim: it says what is true when it is sent, and the ledger keeps those words.
    words = put_into_words(facts, found.channel, settings)
    taken = await claim_message(
        session,
        message_id,
        settings.message_claim_seconds,
        recipient=recipient,
        subject=words.subject,
        body=words.body,
        segments=words.segments,
    )
    if taken is None:
        await put_off(session, message_id, TURN_S)
        return None
    return Claimed(message_id, found.channel, recipient, words, taken, facts)


def _held_back(found: Waiting, facts: Facts) -> SuppressionReason | None:
    if not is_fresh(facts.event, found.occasion_at, facts.standing, facts.now):
        return SuppressionReason.SUPERSEDED
    if not facts.tenant_open or not facts.switches.on(facts.event, found.channel):
        return SuppressionReason.DISABLED
    if facts.recipient(found.channel) is None:
        return SuppressionReason.NO_RECIPIENT
    if facts.opted_out(found.channel):
        return SuppressionReason.OPTED_OUT
    return None
