"""One walk over a parsed document: what it holds, what its operations may cost, and whether it stays within the limits.

It runs before validation, so it expects nothing of the document but that it parses. Each node is visited once: what a
fragment amounts to is remembered and not worked out again at each spread, so that neither a cycle nor fragments that
double each other take longer than their text. (Strawberry's own limiters expand them: 643 bytes took 13 s.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from schema.limits import Limits, TooComplexError
from schema.limits_cost import Plan, field_plan, root_type

INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """What the edge has to know of an operation before it runs."""

    node: OperationDefinitionNode
    kind: OperationType
    name: str | None
    introspects: bool
    plan: Plan
    size_variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """The operations of a document by name, its fragments' plans, and how many nodes were visited to tell."""

    operations: Mapping[str | None, OperationFacts]
    fragments: Mapping[str, Plan]
    visited: int


def examine(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> DocumentFacts:
    """Walk the document once.

    Raises:
        TooComplexError: a limit is passed.
        GraphQLError: two operations have one name, or a fragment spreads itself.
    """
    return _Walk(schema, document, limits).facts()


@dataclass(slots=True)
class _Found:
    """What a selection set amounts to: its own levels, its plan, and two of its response names (more are never asked)."""

    depth: int = 0
    introspects: bool = False
    names: set[str] = field(default_factory=set)
    plan: Plan = field(default_factory=Plan)

    def add_name(self, name: str) -> None:
        if name != "__typename" and len(self.names) < 2:
            self.names.add(name)

    def merge(self, inner: "_Found") -> None:
        self.depth = max(self.depth, inner.depth)
        self.introspects = self.introspects or inner.introspects
        for name in inner.names:
            self.add_name(name)


class _Walk:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self.schema = schema
        self.document = document
        self.limits = limits
        self.visited = self.aliases = self.directives = 0
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        for node in document.definitions:
            if isinstance(node, FragmentDefinitionNode):
                if node.name.value in self.fragments:
                    raise _refusal("There can be only one fragment of each name.")
                self.fragments[node.name.value] = node
        # None marks a fragment that is being looked at: meeting it again is a cycle.
        self.known: dict[str, _Found | None] = {}
        self.variables: set[str] = set()

    def facts(self) -> DocumentFacts:
        operations: dict[str | None, OperationFacts] = {}
        for definition in self.document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                operation = self.operation(definition)
                if operation.name in operations:
                    raise _refusal("There can be only one operation of each name, and an unnamed one only alone.")
                operations[operation.name] = operation
            elif isinstance(definition, FragmentDefinitionNode):
                # Also those that nothing spreads: validation would walk them, so they count.
                self.fragment(definition.name.value, 0)
        size_variables = frozenset(self.variables)
        plans = {name: found.plan for name, found in self.known.items() if found is not None}
        return DocumentFacts(
            {
                name: OperationFacts(each.node, each.kind, name, each.introspects, each.plan, size_variables)
                for name, each in operations.items()
            },
            plans,
            self.visited,
        )

    def operation(self, node: OperationDefinitionNode) -> OperationFacts:
        self.count_directives(node.directives)
        for variable in node.variable_definitions or ():
            self.visited += 1
            self.count_directives(variable.directives)
        found = self.selection_set(node.selection_set, root_type(self.schema, node), 1)
        if found.depth > self.limits.depth:
            raise TooComplexError(
                f"A document may be {self.limits.depth} fields deep; this one has {found.depth} levels."
            )
        if node.operation is OperationType.MUTATION and len(found.names) > 1:
            raise TooComplexError("A request may hold one mutation: send the others in requests of their own.")
        name = node.name.value if node.name else None
        return OperationFacts(node, node.operation, name, found.introspects, found.plan, frozenset())

    def selection_set(
        self, selection_set: SelectionSetNode, parent: GraphQLCompositeType | None, nesting: int
    ) -> _Found:
        if nesting > self.limits.nesting:
            raise TooComplexError(f"Selection sets may stand {self.limits.nesting} deep within each other.")
        result = _Found()
        for selection in selection_set.selections:
            self.visited += 1
            self.count_directives(selection.directives)
            if isinstance(selection, FieldNode):
                self.add_field(result, selection, parent, nesting)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                type_ = self.composite(condition.name.value) if condition else parent
                inner = self.selection_set(selection.selection_set, type_, nesting + 1)
                result.merge(inner)
                result.plan.fields += inner.plan.fields
                result.plan.fragments += inner.plan.fragments
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                result.merge(self.fragment(name, nesting + 1))
                result.plan.fragments.append(name)
        return result

    def add_field(self, result: _Found, node: FieldNode, parent: GraphQLCompositeType | None, nesting: int) -> None:
        name = node.name.value
        if node.alias:
            self.aliases += 1
            if self.aliases > self.limits.aliases:
                raise TooComplexError(f"A document may hold {self.limits.aliases} aliases.")
        definition = self.schema.get_field(parent, name) if parent is not None else None
        type_ = get_named_type(definition.type) if definition is not None else None
        below = _Found()
        if node.selection_set is not None:
            below = self.selection_set(node.selection_set, type_ if is_composite_type(type_) else None, nesting + 1)
        depth = 1 + below.depth
        if name in INTROSPECTION:
            result.introspects = True
            if depth > self.limits.introspection_depth:
                raise TooComplexError(f"Introspection may be {self.limits.introspection_depth} fields deep.")
            depth = 1
        result.introspects = result.introspects or below.introspects
        result.depth = max(result.depth, depth)
        result.add_name(node.alias.value if node.alias else name)
        if definition is not None and parent is not None:
            plan = field_plan(definition, parent, node, below.plan, self.limits)
            if plan is not None:
                result.plan.fields.append(plan)
                self.variables.update(
                    size.variable for size in (plan.times, plan.page) if size is not None and size.variable is not None
                )

    def fragment(self, name: str, nesting: int) -> _Found:
        if name in self.known:
            found = self.known[name]
            if found is None:
                raise _refusal(f"The fragment {name!r} spreads itself.")
            return found
        definition = self.fragments.get(name)
        if definition is None:
            return _Found()
        self.known[name] = None
        self.visited += 1
        self.count_directives(definition.directives)
        type_ = self.composite(definition.type_condition.name.value)
        found = self.known[name] = self.selection_set(definition.selection_set, type_, nesting)
        return found

    def composite(self, name: str) -> GraphQLCompositeType | None:
        type_ = self.schema.get_type(name)
        return type_ if is_composite_type(type_) else None

    def count_directives(self, directives: Sequence[DirectiveNode] | None) -> None:
        if not directives:
            return
        self.directives += len(directives)
        if self.directives > self.limits.directives:
            raise TooComplexError(f"A document may hold {self.limits.directives} directives.")


def _refusal(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
