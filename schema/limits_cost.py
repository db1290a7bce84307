"""What an operation may cost at most, in points: one for each object that its answer can hold.

A list counts as many times as it can be long: a connection's `edges` and `nodes` by `first`, `nodes(ids:)` by its ids, any
other list by an assumed length. Scalars cost nothing, introspection is not multiplied. A field selected twice counts twice,
and the fields under every type condition are added up: the figure bounds the work and is not a forecast.

A selection is first boiled down to a `Plan` (once a document), then priced with the coerced variables (once a request).
A fragment is priced once, however often it is spread: its price is `fixed + page * (size of the page it is spread in)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from schema.limits import Limits

Sizes = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Size:
    """How often something counts: a number, or that of a variable, or where that is null or absent the default."""

    default: int
    variable: str | None = None

    def value(self, sizes: Sizes) -> int:
        """The number, never below 0."""
        found = sizes.get(self.variable) if self.variable is not None else None
        return max(0, self.default if found is None else found)


ONE = Size(1)


@dataclass(slots=True)
class Plan:
    """The priced parts of a selection set, and the names of the fragments spread in it."""

    fields: list["FieldPlan"] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A field that answers objects.

    Attributes:
        times: how often it counts; None: as often as the page of the connection that it stands in.
        page: the page size that lists directly below it count by.
    """

    times: Size | None
    page: Size
    below: Plan


def field_plan(
    schema_field: GraphQLField, parent: GraphQLCompositeType, node: FieldNode, below: Plan, limits: Limits
) -> FieldPlan | None:
    """The plan of one field, or None when it costs nothing."""
    if not is_composite_type(get_named_type(schema_field.type)):
        return None
    page = Size(limits.page_size)
    if parent.name.startswith("__"):
        return FieldPlan(ONE, page, below)
    if "first" in schema_field.args:
        page = _size_of(node, "first", limits.page_size)
    if not _is_list(schema_field.type):
        return FieldPlan(ONE, page, below)
    if "first" in schema_field.args:
        return FieldPlan(page, Size(limits.page_size), below)
    if "ids" in schema_field.args:
        return FieldPlan(_size_of(node, "ids", 0), page, below)
    if parent.name.endswith("Connection"):
        return FieldPlan(None, page, below)
    length = limits.list_sizes.get(f"{parent.name}.{node.name.value}", limits.list_size)
    return FieldPlan(Size(length), page, below)


def price(plan: Plan, fragments: Mapping[str, Plan], sizes: Sizes, limits: Limits) -> int:
    """Points of an operation whose fragments form no cycle; at least 1, since the answer itself is an object."""
    known: dict[str, tuple[int, int]] = {}

    def of(selection: Plan) -> tuple[int, int]:
        fixed = paged = 0
        for part in selection.fields:
            inner_fixed, inner_paged = of(part.below)
            each = 1 + inner_fixed + inner_paged * part.page.value(sizes)
            if part.times is None:
                paged += each
            else:
                fixed += each * part.times.value(sizes)
        for name in selection.fragments:
            found = known.get(name)
            if found is None:
                fragment = fragments.get(name)
                found = known[name] = of(fragment) if fragment is not None else (0, 0)
            fixed += found[0]
            paged += found[1]
        return fixed, paged

    fixed, paged = of(plan)
    return 1 + fixed + paged * limits.page_size


def coerced_sizes(operation: OperationDefinitionNode, names: frozenset[str], variables: Mapping[str, Any]) -> Sizes:
    """The values of the variables that sizes hang on: an Int as it is, a list by its length.

    A value that its type refuses counts as absent: executing the operation reports it.
    """
    sizes: dict[str, int | None] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name not in names:
            continue
        if name in variables:
            sizes[name] = _raw_size(variables[name])
        elif definition.default_value is not None:
            sizes[name] = _literal_size(definition.default_value)
    return sizes


def root_type(schema: GraphQLSchema, operation: OperationDefinitionNode) -> GraphQLCompositeType | None:
    """The type that the operation starts from, or None when the schema has no such operations."""
    return schema.get_root_type(operation.operation)


def _is_list(type_: object) -> bool:
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)


def _size_of(node: FieldNode, argument: str, default: int) -> Size:
    for given in node.arguments or ():
        if given.name.value == argument:
            if isinstance(given.value, VariableNode):
                return Size(default, given.value.name.value)
            literal = _literal_size(given.value)
            return Size(default if literal is None else literal)
    return Size(default)


def _literal_size(value: ValueNode) -> int | None:
    if isinstance(value, IntValueNode):
        # A longer number is no Int, and turning thousands of digits into one takes quadratic time.
        return int(value.value) if len(value.value) <= 11 else None
    if isinstance(value, ListValueNode):
        return len(value.values)
    return None if isinstance(value, NullValueNode) else 1


def _raw_size(value: object) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, list):
        return len(value)
    if isinstance(value, int | float):
        try:
            return int(GraphQLInt.parse_value(value))
        except GraphQLError:
            return None
    return 1
