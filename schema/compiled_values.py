"""What a value passes before a plan answers it: the checks that graphql-core makes, in the places where it makes them."""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from graphql import GraphQLLeafType, GraphQLObjectType, Undefined
from strawberry.execution import optimized_is_awaitable
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

T = TypeVar("T")


class NotPlainError(Exception):
    """Graphql-core has to do this object."""


class NotReadyError(NotPlainError):
    """So it has to do all of this selection: one object's rows are not loaded, and no more are the others'."""


class NotCompilableError(Exception):
    """The selection holds a field that only graphql-core can do."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All of the info that the resolver of a relation gets here. What asks it for more is done by graphql-core."""

    context: Any


def as_list(value: Any) -> Any:
    """A list or tuple as it is: other iterables may do anything when they are read.

    Raises:
        NotPlainError: it is none.
    """
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


def coercion(type_: GraphQLLeafType) -> Callable[[Any], Any]:
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


def admission(type_: GraphQLObjectType) -> Callable[[Any, set[type]], None]:
    """What an object passes before its fields are read; its class is kept when the answer is that of the class."""
    is_type_of = type_.is_type_of
    declared = type_.extensions.get("strawberry-definition")
    # Strawberry's own looks at the class, unless the object was cast to a type. One that a type brings along is code.
    if declared is None or declared.is_type_of is not None:
        raise NotCompilableError

    def admit(value: Any, admitted: set[type]) -> None:
        _checked(value)
        if is_type_of is not None and not is_type_of(value, cast("Any", None)):
            raise NotPlainError
        if not hasattr(value, TYPE_CAST_ATTRIBUTE):
            admitted.add(type(value))

    return admit


def ready_at_once(resolve: Callable[..., T]) -> Callable[[Any, AtOnce], T]:
    """A relation's resolver that answers at once, or not here."""

    def ready(source: Any, info: AtOnce) -> T:
        value = resolve(source, info)
        if optimized_is_awaitable(value):
            if isinstance(value, types.CoroutineType):
                value.close()
            raise NotReadyError
        return value

    return ready
