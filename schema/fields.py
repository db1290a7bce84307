"""Root fields and relations, each with its guard: a field declared by these cannot be open by omission."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from permissions.guards import Anyone, guarded, rule_of
from permissions.scopes import Scope
from schema.checks import Answers, Refusals
from schema.compiled import AT_ONCE

F = TypeVar("F", bound=Callable[..., Any])
Guard = Scope | Anyone
PUBLIC = Anyone.PUBLIC
AUTHENTICATED = Anyone.AUTHENTICATED
PERSON = Anyone.PERSON


def query(guard: Guard, description: str | None = None) -> Callable[[F], Any]:
    """A root query. Strawberry runs the last extension first, so the guard stands before the arguments' check."""
    made: Callable[[F], Any] = strawberry.field(description=description, extensions=[Answers(), guarded(guard)])
    return made


def mutation(guard: Guard, description: str | None = None) -> Callable[[F], Any]:
    """A root mutation, whose refusals become user errors."""
    made: Callable[[F], Any] = strawberry.mutation(description=description, extensions=[Refusals(), guarded(guard)])
    return made


def relation(guard: Guard, description: str | None = None) -> Callable[[F], Any]:
    """A field that leads to other rows: it reads, and does nothing else, so that a plan may try it."""
    made: Callable[[F], Any] = strawberry.field(
        description=description,
        extensions=[Answers(), guarded(guard)],
        metadata={AT_ONCE: rule_of(guard).allows},
    )
    return made


def subscription(guard: Guard, description: str | None = None) -> Callable[[F], Any]:
    """A root subscription; its own code checks the arguments, since it answers with a stream."""
    made: Callable[[F], Any] = strawberry.subscription(description=description, extensions=[guarded(guard)])
    return made


def answer(guard: Guard, description: str | None = None) -> Callable[[F], Any]:
    """A field that only reads and answers with a payload: what cannot be answered comes as its user errors."""
    made: Callable[[F], Any] = strawberry.field(description=description, extensions=[Refusals(), guarded(guard)])
    return made
