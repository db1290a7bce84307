"""The schema as the guards see it: each field that runs code of ours, and the guard that the SDL shows on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from graphql import DirectiveNode, InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode, StringValueNode, parse
from strawberry.types.base import StrawberryObjectDefinition

from schema.root import schema

ROOTS = ("Query", "Mutation", "Subscription")
SCOPELESS = {"authenticated", "person", "public"}


@dataclass(frozen=True)
class Guarded:
    """A field that has a resolver, and what its guard asks for: a scope, "authenticated", "person", "public", or nothing."""

    type: str
    field: str
    guard: str | None

    def __str__(self) -> str:
        return f"{self.type}.{self.field}"


@cache
def sdl_guards() -> dict[tuple[str, str], str]:
    """What the SDL shows."""
    found = {}
    for definition in parse(schema.as_str()).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            for field in definition.fields or ():
                for directive in field.directives or ():
                    if guard := _guard(directive):
                        found[definition.name.value, field.name.value] = guard
    return found


def _guard(directive: DirectiveNode) -> str | None:
    name = directive.name.value
    if name in SCOPELESS:
        return name
    if name != "requires":
        return None
    (argument,) = directive.arguments or ()
    assert isinstance(argument.value, StringValueNode)
    return argument.value.value


def resolved_fields() -> Iterator[Guarded]:
    """All fields with a resolver, in the order of the schema's types."""
    for name, concrete in sorted(schema.schema_converter.type_map.items()):
        if not isinstance(concrete.definition, StrawberryObjectDefinition):
            continue
        for field in concrete.definition.fields:
            if field.base_resolver is not None:
                shown = schema.config.name_converter.from_field(field)
                yield Guarded(name, shown, sdl_guards().get((name, shown)))
