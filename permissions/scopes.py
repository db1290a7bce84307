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
    }
)
_VIEWER = frozenset(scope for scope in Scope if scope.endswith(":read") and scope is not Scope.USERS_READ)
_DISPATCHER = _VIEWER | {
    Scope.TECHNICIANS_WRITE,
    Scope.CUSTOMERS_WRITE,
    Scope.APPOINTMENTS_WRITE,
    Scope.APPOINTMENTS_PROGRESS,
    Scope.POSITIONS_REPORT,
}
_ADMIN = frozenset(Scope)

ROLES: Mapping[Role, frozenset[Scope]] = {
    Role.OWNER: frozenset(Scope),
    Role.ADMIN: _ADMIN,
    Role.DISPATCHER: _DISPATCHER,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.VIEWER: _VIEWER,
}
