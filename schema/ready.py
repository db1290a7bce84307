"""From what a document asks of a row to the JSON that PostgreSQL is to write; see docs/ready-rows.md."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from orjson import Fragment

from models.base import TenantRow
from models.ready import TYPE_NAME, Asked, HasReady, NotReadyMade, Ready, Shape
from schema.compiled import Rule, declared_field, is_static
from schema.compiled_values import NotCompilableError
from schema.context import Info
from schema.selection import Fragments

if TYPE_CHECKING:
    from collections.abc import Mapping


def ready_made(
    info: Info, type_name: str, model: type[TenantRow], shape: Shape, nodes: Sequence[FieldNode]
) -> Ready | None:
    """What makes the rows' answers, if PostgreSQL can write all that `nodes` ask of objects of a type; else None.

    What a field's guard refuses is left to the guard, and so is everything for callers who see a part of the fields alone.
    """
    plans = info.context.plans
    if plans is None or len(nodes) != 1 or info.context.caller.visited_by is not None:
        return None
    key = ("ready", type_name, id(nodes[0]))
    if key not in plans.ready:
        plans.ready[key] = _made(info._raw_info.schema, info._raw_info.fragments, type_name, model, shape, nodes)
    made: tuple[Ready, Sequence[Rule]] | None = plans.ready[key]
    if made is None or not all(allows(info.context.principal) for allows in made[1]):
        return None
    return made[0]


def shown(row: HasReady) -> Fragment:
    """The row's answer in the place of its object: the executor leaves it as it is."""
    return Fragment(row.ready)


def _made(
    schema: GraphQLSchema,
    fragments: Fragments,
    type_name: str,
    model: type[TenantRow],
    shape: Shape,
    nodes: Sequence[FieldNode],
) -> tuple[Ready, Sequence[Rule]] | None:
    rules: list[Rule] = []
    try:
        reader = _Reader(schema, fragments, rules)
        asked = Asked("", type_name, reader.fields(cast("GraphQLObjectType", schema.get_type(type_name)), nodes))
        return Ready(model, shape, asked), tuple(dict.fromkeys(rules))
    except (NotCompilableError, NotReadyMade):
        return None


class _Reader:
    """Reads what a document asks, and the rules that guard it."""

    def __init__(self, schema: GraphQLSchema, fragments: Fragments, rules: list[Rule]) -> None:
        self._schema, self._fragments, self._rules = schema, fragments, rules

    def fields(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> "Mapping[str, Asked]":
        """The fields of an object, by their names in the response.

        Raises:
            NotCompilableError: some are not always the same, or have arguments, or resolvers with more than a row.
        """
        grouped: dict[str, list[FieldNode]] = {}
        for node in nodes:
            selections = cast("SelectionSetNode", node.selection_set)
            if not is_static(selections.selections, self._fragments):
                raise NotCompilableError
            self._collect(type_, selections, grouped, set())
        return {name: self._field(type_, each) for name, each in grouped.items()}

    def _collect(
        self,
        type_: GraphQLObjectType,
        selections: SelectionSetNode,
        grouped: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                grouped.setdefault((selection.alias or selection.name).value, []).append(selection)
                continue
            if isinstance(selection, FragmentSpreadNode):
                if selection.name.value in seen:
                    continue
                seen.add(selection.name.value)
                fragment = self._fragments[selection.name.value]
            else:
                fragment = selection  # type: ignore[assignment]
            if self._is_of(type_, fragment.type_condition):
                self._collect(type_, fragment.selection_set, grouped, seen)

    def _is_of(self, type_: GraphQLObjectType, condition: object) -> bool:
        if condition is None:
            return True
        named = self._schema.get_type(condition.name.value)  # type: ignore[attr-defined]
        return named is type_ or (is_abstract_type(named) and self._schema.is_sub_type(named, type_))

    def _field(self, parent: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Asked:
        name = nodes[0].name.value
        if name == TYPE_NAME:
            return Asked(TYPE_NAME)
        definition = self._schema.get_field(parent, name)
        if definition is None or definition.args:
            raise NotCompilableError
        declared, rule = declared_field(definition)
        if rule is not None:
            self._rules.append(rule)
        type_ = get_named_type(definition.type)
        if is_leaf_type(type_):
            return Asked(declared.python_name)
        if not isinstance(type_, GraphQLObjectType):
            raise NotCompilableError
        return Asked(declared.python_name, type_.name, self.fields(type_, nodes))
