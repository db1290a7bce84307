"""Configuration warnings in the schema."""

from collections.abc import Callable
from typing import Any

import strawberry

from domain.ids import Prefix
from permissions.scopes import Scope
from resolvers.configuration_warning import Warned, configuration_warnings
from schema.context import Info
from schema.fields import AUTHENTICATED, query, relation
from schema.location import Location
from schema.node import Node
from schema.service import Service
from schema.technician import Technician


@strawberry.type(
    description="A setting that would fail silently: a service no technician has the skill for, a location without hours, SMS on"
    " without a number."
)
class ConfigurationWarning:
    """A warning."""

    warned: strawberry.Private[Warned]
    code: str = strawberry.field(description="Stable; docs/warnings.md explains each.")
    message: str

    @classmethod
    def of(cls, warned: Warned) -> "ConfigurationWarning":
        """The object of a warning."""
        return cls(warned=warned, code=warned.warning.code.value, message=warned.warning.message)

    @relation(AUTHENTICATED, "What it is about; null also where the caller may not see that.")
    async def node(self, info: Info) -> Node | None:
        """The object."""
        about, row = self.warned.warning.about, self.warned.row
        if about is None or not info.context.caller.principal.may(_SCOPES[about[0]]):
            return None
        return _TYPES[about[0]](row)


_SCOPES = {
    Prefix.LOCATION: Scope.LOCATIONS_READ,
    Prefix.TECHNICIAN: Scope.TECHNICIANS_READ,
    Prefix.SERVICE: Scope.SERVICES_READ,
}
_TYPES: dict[Prefix, Callable[[Any], Node]] = {
    Prefix.LOCATION: Location.of,
    Prefix.TECHNICIAN: Technician.of,
    Prefix.SERVICE: Service.of,
}


@strawberry.type
class ConfigurationWarningQuery:
    """Root fields."""

    @query(Scope.TENANT_READ)
    async def configuration_warnings(self, info: Info) -> list[ConfigurationWarning] | None:
        """Everything that would fail silently, as things are now."""
        found = await configuration_warnings(info.context.caller, info.context.planning)
        return [ConfigurationWarning.of(each) for each in found]
