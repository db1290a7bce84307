"""A tenant: one home-service business."""

from datetime import timedelta
from enum import StrEnum

# "We keep a soft-deleted copy for 90 days in case you change your mind, then we purge operational data."
KEPT_AFTER_CANCELLATION = timedelta(days=90)


class TenantStatus(StrEnum):
    """How the business stands with us."""

    TRIALING = "TRIALING"
    ACTIVE = "ACTIVE"
    PAST_DUE = "PAST_DUE"
    CANCELLED = "CANCELLED"


class Role(StrEnum):
    """What a user of the business is; a fixed set of scopes, see permissions/roles.py."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    DISPATCHER = "DISPATCHER"
    TECHNICIAN = "TECHNICIAN"
    VIEWER = "VIEWER"
