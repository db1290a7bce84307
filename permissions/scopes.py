"""Scopes (resource:action) and the roles, which are fixed sets of them."""

from collections.abc import Mapping
from enum import StrEnum

from domain.tenant import Role


class Scope(StrEnum):
    """What can be permitted. API keys are given some of these, users have those of their role."""

    TENANT_READ = "tenant:read"
    TENANT_WRITE = "tenant:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    LOCATIONS_READ = "locations:read"
    LOCATIONS_WRITE = "locations:write"
    TECHNICIANS_READ = "technicians:read"
    TECHNICIANS_WRITE = "technicians:write"
    SERVICES_READ = "services:read"
    SERVICES_WRITE = "services:write"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    APPOINTMENTS_READ = "appointments:read"
    APPOINTMENTS_WRITE = "appointments:write"
    "Make, change, schedule and assign."
    APPOINTMENTS_PROGRESS = "appointments:progress"
    "On the way, start, complete, no-show and undo."
    POSITIONS_REPORT = "positions:report"
    MESSAGES_READ = "messages:read"
    ATTACHMENTS_READ = "attachments:read"
    ATTACHMENTS_WRITE = "attachments:write"
    "Upload photos, dataplates and documents, and delete them."
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    EXPORTS_READ = "exports:read"
    EXPORTS_WRITE = "exports:write"
    "Ask for an export of everything."
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    SECURITY_READ = "security:read"
    "The security log."
    SECURITY_WRITE = "security:write"
    "What log-ins need: a second factor for everybody."
    CUSTOMERS_ERASE = "customers:erase"
    ACCOUNT_CLOSE = "account:close"
    "Cancel, restore and delete the business's account."


_TECHNICIAN = frozenset(
    {
        Scope.TENANT_READ,
        Scope.LOCATIONS_READ,
        Scope.TECHNICIANS_READ,
        Scope.SERVICES_READ,
        Scope.CUSTOMERS_READ,
        Scope.APPOINTMENTS_READ,
        Scope.APPOINTMENTS_PROGRESS,
        Scope.POSITIONS_REPORT,
        Scope.MESSAGES_READ,
        Scope.ATTACHMENTS_READ,
        Scope.ATTACHMENTS_WRITE,
    }
)
_VIEWER = frozenset(
    {
        Scope.TENANT_READ,
        Scope.LOCATIONS_READ,
        Scope.TECHNICIANS_READ,
        Scope.SERVICES_READ,
        Scope.CUSTOMERS_READ,
        Scope.APPOINTMENTS_READ,
        Scope.MESSAGES_READ,
        Scope.ATTACHMENTS_READ,
    }
)
_DISPATCHER = _VIEWER | {
    Scope.TECHNICIANS_WRITE,
    Scope.CUSTOMERS_WRITE,
    Scope.APPOINTMENTS_WRITE,
    Scope.APPOINTMENTS_PROGRESS,
    Scope.POSITIONS_REPORT,
    Scope.ATTACHMENTS_WRITE,
}
# An owner has something that nobody else has, so that nobody else can make one: see resolvers/user.py.
_OWNER_ALONE = frozenset({Scope.SECURITY_READ, Scope.SECURITY_WRITE, Scope.ACCOUNT_CLOSE})
_ADMIN = frozenset(Scope) - _OWNER_ALONE

ROLES: Mapping[Role, frozenset[Scope]] = {
    Role.OWNER: frozenset(Scope),
    Role.ADMIN: _ADMIN,
    Role.DISPATCHER: _DISPATCHER,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.VIEWER: _VIEWER,
}

# Keys manage the business's data; people, keys and the account are managed by people, so that a key that leaks makes no other.
KEY_SCOPES: frozenset[Scope] = frozenset(Scope) - {
    Scope.USERS_WRITE,
    Scope.API_KEYS_WRITE,
    Scope.SECURITY_WRITE,
    Scope.ACCOUNT_CLOSE,
}


def scopes_of(role: Role) -> frozenset[str]:
    """The scopes of a role, as a principal carries them."""
    return _NAMES[role]


_NAMES: Mapping[Role, frozenset[str]] = {
    role: frozenset(scope.value for scope in scopes) for role, scopes in ROLES.items()
}
