"""A tenant: one home-service business."""

from enum import StrEnum


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
