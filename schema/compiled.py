"""Selections executed by one function made for them: graphql-core's answers, without its walk from field to field.

An object's selection compiles when each of its fields is an attribute or a relation that may answer at once, down to
the leaves. Whatever the function meets that is not plain (an error, a null where none may be, a value to be waited for)
makes it give up, and graphql-core does the object anew: reading attributes and loaded rows changes nothing.
docs/compiled-execution.md tells what compiles, and how it is shown to be the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple, cast

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    is_leaf_type,
)
from orjson import Fragment
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from schema.compiled_values import (
    AtOnce,
    NotCompilableError,
    NotReadyError,
    admission,
    as_list,
    coercion,
    ready_at_once,
)

# In the metadata of a field whose resolver only reads: the rule on the caller that guards it.
AT_ONCE = "at once"
_BIGGEST = 2**31

Rule = Callable[[Any], bool]
# Nodes of one response name, as the executor groups them.
Details = Sequence[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A selection as a function of the value; `rules` must all allow the caller."""

    run: Callable[[Any, AtOnce], Any]
    rules: tuple[Rule, ...]


@dataclass(slots=True, eq=False)
class Plans:
    """The plans of one document; None for what does not compile. They live as long as its nodes, by whose identity they are found."""

    made: dict[tuple[Any, ...], Plan | None] = field(default_factory=dict)
    # What the database writes; see schema.ready.
    ready: dict[tuple[Any, ...], Any] = field(default_factory=dict)


class Exact(NamedTuple):
    """Values of a scalar that are answered as they are: of this very class, and what else has to be true of `$`."""

    type: type
    also: str = ""


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with plans. Without `plans` it is Strawberry's.

    The value of `context_value` has to carry the `principal` that rules are asked about.
    """

    plans: Plans | None = None
    # By the scalar's name; all other values go through the scalar's own coercion.
    exact: Mapping[str, Exact] = {
        "String": Exact(str),
        "ID": Exact(str),
        "Boolean": Exact(bool),
        "Int": Exact(int, f" and {-_BIGGEST} <= $ < {_BIGGEST}"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._given_up: set[Plan] = set()

    def build_per_event_executor(self, payload: Any) -> Any:
        """An executor for one event of a subscription, which has given nothing up yet."""
        executor: Any = super().build_per_event_executor(payload)
        executor._given_up = set()
        return executor

    def complete_object_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """Complete an object, by its plan if there is one. One that is JSON already is what was asked of it."""
        if type(result) is Fragment:
            return result
        done = self._planned(return_type, field_details_list, result)
        if done is not Undefined:
            return done
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """Complete a list of objects, by its plan if there is one."""
        if field_details_list[0].node.selection_set is not None:
            done = self._planned(return_type, field_details_list, result)
            if done is not Undefined:
                return done
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def complete_abstract_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """Complete an interface's object; see `complete_object_value`."""
        if type(result) is Fragment:
            return result
        return super().complete_abstract_value(return_type, field_details_list, info, path, result, position_context)

    def _planned(self, type_: Any, details: Details, value: Any) -> Any:
        if self.plans is None:
            return Undefined
        key = (type_, *(id(each.node) for each in details))
        made = self.plans.made
        plan = made[key] if key in made else made.setdefault(key, self._plan(type_, details))
        if plan is None or plan in self._given_up:
            return Undefined
        context = self.context_value
        try:
            if all(allows(context.principal) for allows in plan.rules):
                return plan.run(value, AtOnce(context))
            self._given_up.add(plan)
        except NotReadyError:
            self._given_up.add(plan)
        except Exception:  # noqa: BLE001, S110 - graphql-core does the same again, meets the same, and reports it
            pass
        return Undefined

    def _plan(self, type_: Any, details: Details) -> Plan | None:
        if self.middleware_manager or self.abort_signal:
            return None
        try:
            return _Compiler(self).plan(type_, details)
        except NotCompilableError:
            return None


class _Compiler:
    """Writes the functions of one plan: one for each selection of an object, each a single dict display."""

    def __init__(self, executor: CompiledExecutor) -> None:
        self._executor = executor
        self._names = count()
        self._functions: list[str] = []
        self._constants: dict[str, Any] = {"UTC": UTC, "Fragment": Fragment}
        self._rules: list[Rule] = []

    def plan(self, type_: GraphQLOutputType, details: Details) -> Plan:
        """Compile.

        Raises:
            NotCompilableError: something of it does not.
        """
        body = self._needed(type_, details, "value")
        source = "\n".join([*self._functions, f"def run(value, info):\n    return {body}"])
        # Made of the schema's own names and of response names, which GraphQL holds to letters, digits and underscores.
        exec(compile(source, "<compiled selection>", "exec"), self._constants)  # noqa: S102
        return Plan(self._constants["run"], tuple(dict.fromkeys(self._rules)))

    def _constant(self, value: object) -> str:
        name = f"c{next(self._names)}"
        self._constants[name] = value
        return name

    def _value(self, type_: GraphQLOutputType, details: Details, source: str) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._needed(type_.of_type, details, source)
        name = f"v{next(self._names)}"
        return f"(None if ({name} := {source}) is None else {self._needed(type_, details, name)})"

    def _needed(self, type_: GraphQLOutputType, details: Details, source: str) -> str:
        """The expression of a value that is not null; `source` is evaluated once."""
        if isinstance(type_, GraphQLList):
            item = f"v{next(self._names)}"
            done = self._value(type_.of_type, details, item)
            return f"[{done} for {item} in {self._constant(as_list)}({source})]"
        if is_leaf_type(type_):
            return self._leaf(type_, source)
        if isinstance(type_, GraphQLObjectType):
            return f"{self._object(type_, details)}({source}, info)"
        raise NotCompilableError

    def _leaf(self, type_: GraphQLLeafType, source: str) -> str:
        coerce = self._constant(coercion(type_))
        exact = self._executor.exact.get(type_.name)
        if exact is None:
            return f"{coerce}({source})"
        name = f"v{next(self._names)}"
        test = f"type({name} := {source}) is {self._constant(exact.type)}{exact.also.replace('$', name)}"
        return f"({name} if {test} else {coerce}({name}))"

    def _object(self, type_: GraphQLObjectType, details: Details) -> str:
        if not all(
            is_static(each.node.selection_set.selections, self._executor.fragment_definitions) for each in details
        ):
            raise NotCompilableError
        grouped = self._executor.collect_subfields(type_, cast("Any", details)).grouped_field_set
        parts = [f"{response_name!r}: {self._field(type_, each)}" for response_name, each in grouped.items()]
        admitted, admit = self._constant(set()), self._constant(admission(type_))
        name = f"f{next(self._names)}"
        self._functions.append(
            f"def {name}(o, info):\n"
            f"    if type(o) not in {admitted}:\n"
            f"        if type(o) is Fragment:\n"
            f"            return o\n"
            f"        {admit}(o, {admitted})\n"
            f"    return {{{', '.join(parts)}}}"
        )
        return name

    def _field(self, parent: GraphQLObjectType, details: Details) -> str:
        node: FieldNode = details[0].node
        name = node.name.value
        if name == "__typename":
            return repr(parent.name)
        definition = self._executor.schema.get_field(parent, name)
        if definition is None or definition.args:
            raise NotCompilableError
        return self._value(definition.type, details, self._source(definition))

    def _source(self, definition: GraphQLField) -> str:
        declared, rule = declared_field(definition)
        if rule is None:
            return f"o.{declared.python_name}"
        self._rules.append(rule)
        resolve = cast("Callable[..., Any]", cast("Any", declared.base_resolver).wrapped_func)
        return f"{self._constant(ready_at_once(resolve))}(o, info)"


def declared_field(definition: GraphQLField) -> tuple[StrawberryField, Rule | None]:
    """How a field is declared that is an attribute (no rule), or a relation that may answer at once (the rule that guards it).

    Raises:
        NotCompilableError: it is neither.
    """
    declared = definition.extensions.get("strawberry-definition")
    if not isinstance(declared, StrawberryField):
        raise NotCompilableError
    if declared.is_basic_field and getattr(definition.resolve, "_is_default", False):
        if declared.default_resolver is not getattr or not _is_written_plainly(declared.python_name):
            raise NotCompilableError
        return declared, None
    rule, resolver = declared.metadata.get(AT_ONCE), declared.base_resolver
    if rule is None or resolver is None or resolver.is_async:
        raise NotCompilableError
    # Strawberry hands over by name what is handed over by place here.
    if [*resolver.signature.parameters.values()][1:] != [resolver.info_parameter]:
        raise NotCompilableError
    return declared, rule


def _is_written_plainly(name: str) -> bool:
    """Whether an attribute can be written after a dot, and is then that attribute: Python normalizes other letters."""
    return name.isascii() and name.isidentifier() and not iskeyword(name)


def is_static(selections: Iterable[Any], fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether it is the same fields at each request: no directives, whose variables may leave some out, and no variables of fragments."""
    for selection in selections:
        directives: Sequence[DirectiveNode] = selection.directives
        if directives:
            return False
        if isinstance(selection, FieldNode):
            continue
        if isinstance(selection, FragmentSpreadNode):
            fragment = fragments[selection.name.value]
            if fragment.variable_definitions:
                return False
            inner = fragment.selection_set
        else:
            inner = selection.selection_set
        if not is_static(inner.selections, fragments):
            return False
    return True
