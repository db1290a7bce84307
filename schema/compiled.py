"""Selections executed by one function made for them: graphql-core's answers, without its walk from field to field.

An object's selection compiles when each of its fields is an attribute or a relation that may answer at once, down to
the leaves. Whatever the function meets that is not plain (an error, a null where none may be, a value to be waited for)
makes it give up, and graphql-core does the object anew: reading attributes and loaded rows changes nothing.
docs/compiled-execution.md tells what compiles, and how it is shown to be the same.
"""

import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from keyword import iskeyword
from typing import Any, TypeVar, cast

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
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.field import StrawberryField

# In the metadata of a field whose resolver only reads: the rule on the caller that guards it.
AT_ONCE = "at once"
_BIGGEST = 2**31

T = TypeVar("T")
Rule = Callable[[Any], bool]
# Nodes of one response name, as the executor groups them.
Details = Sequence[Any]


class NotPlainError(Exception):
    """Graphql-core has to do this object."""


class NotReadyError(NotPlainError):
    """So it has to do all of this selection: one object's rows are not loaded, and no more are the others'."""


class _NotCompilableError(Exception):
    """The selection holds a field that only graphql-core can do."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All of the info that the resolver of a relation gets here. What asks it for more is done by graphql-core."""

    context: Any


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A selection as a function of the value; `rules` must all allow the caller."""

    run: Callable[[Any, AtOnce], Any]
    rules: tuple[Rule, ...]


@dataclass(slots=True, eq=False)
class Plans:
    """The plans of one document; None for what does not compile. They live as long as its nodes, by whose identity they are found."""

    made: dict[tuple[Any, ...], Plan | None] = field(default_factory=dict)


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with plans. Without `plans` it is Strawberry's.

    The value of `context_value` has to carry the `principal` that rules are asked about.
    """

    plans: Plans | None = None

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
        """Complete an object, by its plan if there is one."""
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
        except _NotCompilableError:
            return None


class _Compiler:
    """Writes the functions of one plan: one for each selection of an object, each a single dict display."""

    def __init__(self, executor: CompiledExecutor) -> None:
        self._executor = executor
        self._names = count()
        self._functions: list[str] = []
        self._constants: dict[str, Any] = {}
        self._rules: list[Rule] = []

    def plan(self, type_: GraphQLOutputType, details: Details) -> Plan:
        """Compile.

        Raises:
            _NotCompilableError: something of it does not.
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
            return f"[{done} for {item} in {self._constant(_as_list)}({source})]"
        if is_leaf_type(type_):
            return self._leaf(type_, source)
        if isinstance(type_, GraphQLObjectType):
            return f"{self._object(type_, details)}({source}, info)"
        raise _NotCompilableError

    def _leaf(self, type_: GraphQLLeafType, source: str) -> str:
        coerce = self._constant(_coercion(type_))
        exact = _EXACT.get(type_.name)
        if exact is None:
            return f"{coerce}({source})"
        name = f"v{next(self._names)}"
        test = f"type({name} := {source}) is {exact[0]}{exact[1].replace('$', name)}"
        return f"({name} if {test} else {coerce}({name}))"

    def _object(self, type_: GraphQLObjectType, details: Details) -> str:
        if not all(
            _is_static(each.node.selection_set.selections, self._executor.fragment_definitions) for each in details
        ):
            raise _NotCompilableError
        grouped = self._executor.collect_subfields(type_, cast("Any", details)).grouped_field_set
        parts = [f"{response_name!r}: {self._field(type_, each)}" for response_name, each in grouped.items()]
        admitted, admit = self._constant(set()), self._constant(_admission(type_))
        name = f"f{next(self._names)}"
        self._functions.append(
            f"def {name}(o, info):\n"
            f"    if type(o) not in {admitted}:\n"
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
            raise _NotCompilableError
        return self._value(definition.type, details, self._source(definition))

    def _source(self, definition: GraphQLField) -> str:
        declared = definition.extensions.get("strawberry-definition")
        if not isinstance(declared, StrawberryField):
            raise _NotCompilableError
        if declared.is_basic_field and getattr(definition.resolve, "_is_default", False):
            if declared.default_resolver is not getattr or not _is_written_plainly(declared.python_name):
                raise _NotCompilableError
            return f"o.{declared.python_name}"
        rule, resolver = declared.metadata.get(AT_ONCE), declared.base_resolver
        if rule is None or resolver is None or resolver.is_async:
            raise _NotCompilableError
        # Strawberry hands over by name what is handed over by place here.
        if [*resolver.signature.parameters.values()][1:] != [resolver.info_parameter]:
            raise _NotCompilableError
        self._rules.append(rule)
        return f"{self._constant(_ready(cast('Callable[..., Any]', resolver.wrapped_func)))}(o, info)"


# The built-in scalars' values that are answered as they are; all others go through the scalar's own coercion.
_EXACT = {
    "String": ("str", ""),
    "ID": ("str", ""),
    "Boolean": ("bool", ""),
    "Int": ("int", f" and {-_BIGGEST} <= $ < {_BIGGEST}"),
}


def _is_written_plainly(name: str) -> bool:
    """Whether an attribute can be written after a dot, and is then that attribute: Python normalizes other letters."""
    return name.isascii() and name.isidentifier() and not iskeyword(name)


def _is_static(selections: Iterable[Any], fragments: dict[str, FragmentDefinitionNode]) -> bool:
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
        if not _is_static(inner.selections, fragments):
            return False
    return True


def _as_list(value: Any) -> Any:
    if type(value) is list or type(value) is tuple:
        return value
    raise NotPlainError


def _checked(value: Any) -> None:
    """Refuse what graphql-core would raise, await or take for null, and what may be that by the value and not by its type."""
    if (
        value is None
        or value is Undefined
        or isinstance(value, Exception | types.GeneratorType)
        or optimized_is_awaitable(value)
    ):
        raise NotPlainError


def _coercion(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """The leaf type's coercion, with the checks that graphql-core makes around it."""
    coerce = type_.coerce_output_value
    admitted: set[type] = set()
    # By identity: a text that equals the member of a StrEnum is none. The type's own are never freed, so that no other value
    # gets the identity of one.
    members: dict[int, str] = {}
    own = getattr(type_, "wrapped_cls", ())

    def complete(value: Any) -> Any:
        if id(value) in members:
            return members[id(value)]
        if type(value) not in admitted:
            _checked(value)
            admitted.add(type(value))
        coerced = coerce(value)
        # graphql-core awaits what a scalar answers, too.
        if type(coerced) is not str and (coerced is None or coerced is Undefined or optimized_is_awaitable(coerced)):
            raise NotPlainError
        if isinstance(value, own):
            members[id(value)] = coerced
        return coerced

    return complete


def _admission(type_: GraphQLObjectType) -> Callable[[Any, set[type]], None]:
    """What an object passes before its fields are read; its class is kept when the answer is that of the class."""
    is_type_of = type_.is_type_of
    declared = type_.extensions.get("strawberry-definition")
    # Strawberry's own looks at the class, unless the object was cast to a type. One that a type brings along is code.
    if declared is None or declared.is_type_of is not None:
        raise _NotCompilableError

    def admit(value: Any, admitted: set[type]) -> None:
        _checked(value)
        if is_type_of is not None and not is_type_of(value, cast("Any", None)):
            raise NotPlainError
        if not hasattr(value, TYPE_CAST_ATTRIBUTE):
            admitted.add(type(value))

    return admit


def _ready(resolve: Callable[..., T]) -> Callable[[Any, AtOnce], T]:
    """A relation's resolver that answers at once, or not here."""

    def ready(source: Any, info: AtOnce) -> T:
        value = resolve(source, info)
        if optimized_is_awaitable(value):
            if isinstance(value, types.CoroutineType):
                value.close()
            raise NotReadyError
        return value

    return ready
