"""When a message is tried again, and what becomes of one whose outcome nobody knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.notification import NotificationEvent

MOST_ATTEMPTS = 5
FIRST_DELAY_S, GROWTH, LONGEST_DELAY_S = 4.0, 3.0, 120.0
# A provider that asks for more than this is not waited for.
LONGEST_RETRY_AFTER_S = 3_600.0


def retry_delay(attempts: int, luck: float, retry_after: float | None = None) -> float:
    """Seconds until the next attempt.

    Args:
        attempts: how many there were, at least 1.
        luck: 0..1, drawn for each: without it, all that failed together come back together.
        retry_after: what the provider asked for, in seconds; never undercut.
    """
    backoff = min(FIRST_DELAY_S * GROWTH ** (attempts - 1), LONGEST_DELAY_S) * (0.5 + luck)
    return max(backoff, min(retry_after or 0.0, LONGEST_RETRY_AFTER_S))


class Verdict(StrEnum):
    """What to do about a message that may or may not have gone out."""

    WAIT = "wait"
    SEND_AGAIN = "send again"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict; with WAIT, when to look again at the latest."""

    verdict: Verdict
    until: datetime | None = None


AGAIN_AFTER = timedelta(minutes=5)
REMINDER_NEEDS = timedelta(hours=1)
ON_THE_WAY_LASTS = timedelta(minutes=10)
FOLLOW_UP_WAITS = timedelta(hours=24)


def still_unknown(
    event: NotificationEvent, unknown_since: datetime, planned_for: datetime | None, now: datetime
) -> Decision:
    """What becomes of a message whose provider cannot say whether it went out.

    A second confirmation, reschedule or cancellation is better than none. So is a reminder, while an hour remains before
    the visit. A late "on the way" is worse than none. A follow-up is in no hurry: it waits a day for the answer, and is
    then let go rather than sent twice.

    Args:
        planned_for: the moment that the message tells of, e.g. where the promised window begins.
    """
    match event:
        case NotificationEvent.ON_THE_WAY:
            return _after(unknown_since + ON_THE_WAY_LASTS, Verdict.DROP, now)
        case NotificationEvent.FOLLOW_UP:
            return _after(unknown_since + FOLLOW_UP_WAITS, Verdict.DROP, now)
        case NotificationEvent.REMINDER if planned_for is None or now > planned_for - REMINDER_NEEDS:
            return Decision(Verdict.DROP)
        case _:
            return _after(unknown_since + AGAIN_AFTER, Verdict.SEND_AGAIN, now)


def _after(moment: datetime, verdict: Verdict, now: datetime) -> Decision:
    return Decision(verdict) if now >= moment else Decision(Verdict.WAIT, moment)
