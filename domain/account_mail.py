"""Mails to the business's own users about their accounts: operational, and about nothing else."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

RESET_LASTS = timedelta(minutes=30)
INVITATION_LASTS = timedelta(days=7)
# A mail that could not be sent by then would bring a link that has expired, or news of last week.
GIVEN_UP_AFTER = timedelta(hours=6)
LONGEST_DELAY = timedelta(minutes=10)


class AccountMailKind(StrEnum):
    """What a mail is about."""

    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 (a kind)
    INVITATION = "INVITATION"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 (a kind)


class AccountMailState(StrEnum):
    """Whether it was sent."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Words:
    """Subject and text, both plain."""

    subject: str
    body: str


def words_of(kind: AccountMailKind, *, name: str, business: str, link: str, by: str | None) -> Words:
    """The words of a mail.

    Args:
        link: where the reader goes on; for a notice, where a password is reset.
        by: who invited.
    """
    match kind:
        case AccountMailKind.PASSWORD_RESET:
            return Words(
                "Set a new password",
                f"Hello {name},\n\nsomebody asked for a new password for your account at {business}. If that was you,"
                f" set it here within 30 minutes:\n\n{link}\n\nIf it was not, do nothing: your password stays as it is.",
            )
        case AccountMailKind.INVITATION:
            return Words(
                f"{business} invites you",
                f"Hello {name},\n\n{by or business} has made an account for you at {business}. Choose a password within"
                f" 7 days, and you are in:\n\n{link}",
            )
        case AccountMailKind.PASSWORD_CHANGED:
            return Words(
                "Your password was changed",
                f"Hello {name},\n\nthe password of your account at {business} was changed, and its other log-ins were"
                f" ended. If that was not you, set a new one at once:\n\n{link}",
            )


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many attempts that failed."""
    return min(timedelta(seconds=15 * 2 ** max(0, attempts - 1)), LONGEST_DELAY)
