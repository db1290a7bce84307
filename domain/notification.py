"""What may be told to a customer: six events about an appointment, two channels, and nothing else."""

from enum import StrEnum


class NotificationEvent(StrEnum):
    """The whole list of reasons to write to a customer."""

    CONFIRMATION = "CONFIRMATION"
    REMINDER = "REMINDER"
    RESCHEDULED = "RESCHEDULED"
    CANCELLED = "CANCELLED"
    ON_THE_WAY = "ON_THE_WAY"
    FOLLOW_UP = "FOLLOW_UP"


class MessageChannel(StrEnum):
    """How it is told."""

    SMS = "SMS"
    EMAIL = "EMAIL"


class MessageState(StrEnum):
    """Where a message stands; the last five are final."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    SUPPRESSED = "SUPPRESSED"
    CANCELLED = "CANCELLED"


class SuppressionReason(StrEnum):
    """Why a message was not sent."""

    DISABLED = "DISABLED"
    OPTED_OUT = "OPTED_OUT"
    NO_RECIPIENT = "NO_RECIPIENT"
    SUPERSEDED = "SUPERSEDED"
    PROVIDER_REJECTED = "PROVIDER_REJECTED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
