"""The demo's ledger: what customers were told up to now, in its final state; what would be told later is not planned.

Numbers and addresses of the demo are nobody's. Were anything of it queued, a real provider would be asked to reach them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from domain.message import Standing, occasion
from domain.message_due import due_time
from domain.message_plan import message_plan
from domain.message_segments import segments
from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from domain.notification_defaults import DEFAULT_RULES
from domain.notification_switch import Switches
from domain.notification_template import rendered, rendered_subject, rendered_text
from domain.notification_words import Visit, words_of
from resolvers.demo_customers import DemoCustomer
from resolvers.demo_history import Step

REJECTED = 0.01
RULES = {rule.event: rule for rule in DEFAULT_RULES}
# A link to a visit of the past leads nowhere: its sentence is left out.
_LINK = re.compile(r" [^.{}]*{{ tracking_url }}")


@dataclass(frozen=True, slots=True)
class Told:
    """A message that an event of the visit planned; `standing` and `visit` are as they were then."""

    event: NotificationEvent
    due: datetime
    planned_at: datetime
    standing: Standing
    visit: Visit
    taken_back: MessageState | None = None
    taken_at: datetime | None = None


def messages(
    rng: Random, customer: DemoCustomer, visit: Visit, steps: Sequence[Step], now: datetime
) -> Iterator[dict[str, Any]]:
    """The columns of the messages about one visit, ids left out.

    Args:
        visit: its times and the expected arrival are taken from the steps.
    """
    for told in _told(visit, steps, now):
        rule = RULES[told.event]
        switches = Switches(
            sms_enabled=True, email_enabled=True, reminders_enabled=True, sms=rule.sms, email=rule.email
        )
        for channel in MessageChannel:
            if switches.on(told.event, channel):
                yield _planned(customer, told, channel) | _outcome(rng, customer, told, channel)


def _told(visit: Visit, steps: Sequence[Step], now: datetime) -> Iterator[Told]:
    pending: list[Told] = []
    for before, step in zip([None, *steps], steps, strict=False):
        yield from (told for told in pending if told.due <= step.at)
        pending = [told for told in pending if told.due > step.at]
        window = step.after["arrival_starts_at"], step.after["arrival_ends_at"]
        plan = message_plan(
            step.type,
            before.after["status"] if before else None,
            step.after["status"],
            promised=window[0] is not None,
            moved=before is not None and before.after["arrival_starts_at"] != window[0],
        )
        stale = [told for told in pending if told.event in plan.take_back]
        yield from (replace(told, taken_back=plan.taken_back, taken_at=step.at) for told in stale)
        pending = [told for told in pending if told not in stale]
        standing = Standing(
            step.after["status"], *window, on_the_way_at=step.at, completed_at=step.at, cancelled_at=step.at
        )
        as_it_was = replace(visit, starts_at=window[0], ends_at=window[1], eta=step.after["eta"])
        for event in plan.tell:
            due = due_time(event, step.at, *window, RULES[event].offset_minutes)
            if due is not None:
                pending.append(Told(event, due, step.at, standing, as_it_was))
    yield from (told for told in pending if told.due <= now)


def _planned(customer: DemoCustomer, told: Told, channel: MessageChannel) -> dict[str, Any]:
    rule, words = RULES[told.event], words_of(told.visit, "")
    if channel is MessageChannel.SMS:
        body, subject = rendered_text(_without_link(rule.sms_template), words), None
    else:
        body, subject = rendered(_without_link(rule.email_template), words), rendered_subject(rule.email_subject, words)
    return {
        "event": told.event,
        "channel": channel,
        "occasion_at": occasion(told.event, told.standing),
        "recipient": (customer.phone if channel is MessageChannel.SMS else customer.email) or "",
        "subject": subject,
        "body": body,
        "segments": segments(body) if channel is MessageChannel.SMS else None,
        "send_at": told.due,
        "next_attempt_at": told.due,
        "relay_at": told.due,
        "created_at": told.planned_at,
    }


def _outcome(rng: Random, customer: DemoCustomer, told: Told, channel: MessageChannel) -> dict[str, Any]:
    by_text = channel is MessageChannel.SMS
    state, reason = MessageState.SUPPRESSED, _why_not(customer, by_text=by_text)
    sent_at, delivered_at, failure = None, None, None
    if reason is None and told.taken_back is not None:
        state = told.taken_back
        reason = SuppressionReason.SUPERSEDED if state is MessageState.SUPPRESSED else None
    elif reason is None and rng.random() < REJECTED:
        state, reason = MessageState.FAILED, SuppressionReason.PROVIDER_REJECTED
        failure = "The recipient cannot be reached."
    elif reason is None:
        sent_at = told.due + timedelta(milliseconds=rng.randint(150, 1_500))
        # Only carriers tell that something has arrived.
        delivered_at = sent_at + timedelta(milliseconds=rng.randint(800, 6_000)) if by_text else None
        state = MessageState.DELIVERED if by_text else MessageState.SENT
    attempts = 1 if sent_at or failure else 0
    return {
        "state": state,
        "reason": reason,
        "claimed_at": told.due if attempts else None,
        "attempts": attempts,
        "fence": attempts,
        "sent_at": sent_at,
        "delivered_at": delivered_at,
        "failure": failure,
        "updated_at": delivered_at or sent_at or told.taken_at or (told.due if failure else told.planned_at),
    }


def _why_not(customer: DemoCustomer, *, by_text: bool) -> SuppressionReason | None:
    if (customer.phone if by_text else customer.email) is None:
        return SuppressionReason.NO_RECIPIENT
    opted_out = customer.sms_opted_out if by_text else customer.email_opted_out
    return SuppressionReason.OPTED_OUT if opted_out else None


def _without_link(template: str) -> str:
    return _LINK.sub("", template)
