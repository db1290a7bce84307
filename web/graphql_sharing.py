"""Who may share the payload of an event: subscribers of the same selection, variables and rights.

A source marks what it yields with `shared_as`: items with one mark are the same thing to everybody with the same rights. Arguments
of the root field decide which items somebody gets and not what is told of them, so that boards which begin at different cursors
share all the same.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.language import Node

from permissions.principal import Principal


class _Variables(Visitor):
    """Collects the names of the variables that it meets."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """One more."""
        self.names.add(node.name.value)


def group_of(
    query: str,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    principal: Principal | None,
) -> Hashable | None:
    """What subscribers have in common who get the same payload for the same item; None: the caller shares with nobody."""
    if principal is None:
        return None
    used = _used_below(document, operation)
    given = {name: value for name, value in variables.items() if name in used}
    return (
        query,
        operation.name.value if operation.name else None,
        orjson.dumps(given, option=orjson.OPT_SORT_KEYS),
        principal.tenant_id,
        principal.scopes,
        principal.role,
        principal.technician_id,
        principal.user_id is None,
        principal.second_factor_missing,
    )


def _used_below(document: DocumentNode, operation: OperationDefinitionNode) -> set[str]:
    """The variables that decide what is told: all but those that stand in the root field's arguments alone."""
    found = _Variables()
    for selection in operation.selection_set.selections:
        if isinstance(selection, FieldNode):
            parts: list[Node] = [*(selection.directives or ())]
            if selection.selection_set:
                parts.append(selection.selection_set)
        else:
            parts = [selection]
        for part in parts:
            visit(part, found)
    for definition in document.definitions:
        # A fragment may hold the root field itself: then all its variables count.
        if isinstance(definition, FragmentDefinitionNode):
            visit(definition, found)
    return found.names
