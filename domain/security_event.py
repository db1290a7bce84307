"""What the security log tells of, and for how long it is kept."""

from datetime import timedelta
from enum import StrEnum

# The privacy policy, section 8: security logs are kept for up to a year.
KEPT = timedelta(days=365)


class SecurityEventType(StrEnum):
    """The kinds of entries; `details` of each are said behind it."""

    SIGNED_UP = "SIGNED_UP"
    LOGGED_IN = "LOGGED_IN"
    "secondFactor: none, code or recovery code."
    LOG_IN_FAILED = "LOG_IN_FAILED"
    "reason: password or second factor."
    LOGGED_OUT = "LOGGED_OUT"
    PASSWORD_CONFIRMATION_FAILED = "PASSWORD_CONFIRMATION_FAILED"  # noqa: S105 (a kind)
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"  # noqa: S105 (a kind)
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 (a kind)
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 (a kind)
    USER_INVITED = "USER_INVITED"
    "userId, role."
    INVITATION_ACCEPTED = "INVITATION_ACCEPTED"
    ROLE_CHANGED = "ROLE_CHANGED"
    "userId, before, after."
    USER_REMOVED = "USER_REMOVED"
    "userId, role."
    API_KEY_CREATED = "API_KEY_CREATED"
    "apiKeyId, scopes, expiresAt."
    API_KEY_REVOKED = "API_KEY_REVOKED"
    "apiKeyId."
    SECOND_FACTOR_ENABLED = "SECOND_FACTOR_ENABLED"
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED"
    SECOND_FACTOR_RULE_CHANGED = "SECOND_FACTOR_RULE_CHANGED"
    "required."
    ACCESS_DENIED = "ACCESS_DENIED"
    "scope: the one that was missing."
    EXPORT_REQUESTED = "EXPORT_REQUESTED"
    "exportId."
    ACCOUNT_CANCELLED = "ACCOUNT_CANCELLED"
    ACCOUNT_RESTORED = "ACCOUNT_RESTORED"
    ACCOUNT_DELETED = "ACCOUNT_DELETED"
    CUSTOMER_ERASED = "CUSTOMER_ERASED"
    "customerId."
