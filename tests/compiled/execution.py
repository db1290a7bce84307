"""One operation through the executor, with plans or without, and its answer in a form that can be compared."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import strawberry
from graphql import DocumentNode, ExecutionResult
from strawberry.execution import optimized_is_awaitable

from permissions.principal import Principal
from schema.compiled import CompiledExecutor, Plans
from tests.web.sample_schema import principal


@dataclass
class CallerContext:
    """What resolvers and guards see. `coroutines` are all that were made for it."""

    principal: Principal | None
    denials: list[str] = field(default_factory=list)
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    coroutines: list[Any] = field(default_factory=list)

    def denied(self, scope: str) -> None:
        self.denials.append(scope)


@dataclass(frozen=True)
class Answer:
    """All that a caller gets, in its order, and the denials that were noted."""

    data: bytes
    errors: list[dict[str, Any]]
    denials: list[str]


class Counting(CompiledExecutor):
    """Counts the fields that graphql-core does, and lets a test pass options for each execution."""

    fields = 0
    options: Mapping[str, Any] = {}

    def execute_field(self, *args: Any, **kwargs: Any) -> Any:
        type(self).fields += 1
        return super().execute_field(*args, **kwargs)


def executor(
    schema: strawberry.Schema,
    document: DocumentNode,
    plans: Plans | None,
    context: CallerContext,
    root: Any = None,
    variables: dict[str, Any] | None = None,
    **options: Any,
) -> Counting:
    """An executor as `web.graphql_operations` builds it."""
    built: Any = Counting.build(
        schema._schema,
        document,
        root_value=root,
        context_value=context,
        raw_variable_values=variables,
        is_awaitable=cast("Any", optimized_is_awaitable),
        operation_extensions=None,
        **options,
    )
    assert not isinstance(built, list), built
    made: Counting = built
    made.plans = plans
    Counting.fields = 0
    return made


async def settled(value: Any) -> ExecutionResult:
    found = await value if optimized_is_awaitable(value) else value
    # What was left to settle in the background does so.
    for _ in range(5):
        await asyncio.sleep(0)
    assert isinstance(found, ExecutionResult)
    return found


def told(result: ExecutionResult, context: CallerContext) -> Answer:
    errors = [error.formatted for error in result.errors or []]
    return Answer(encoded(result.data), [dict(error) for error in errors], context.denials)


def encoded(data: Any) -> bytes:
    """The data's bytes; what orjson has no form for, by its repr: a scalar may answer anything."""
    return orjson.dumps(data, default=repr)


async def answer(
    schema: strawberry.Schema,
    document: DocumentNode,
    plans: Plans | None = None,
    *,
    make_root: Callable[[CallerContext], Any] = lambda context: None,
    scopes: frozenset[str] = frozenset(),
    variables: dict[str, Any] | None = None,
) -> tuple[Answer, int]:
    """The answer, and how many of the coroutines made for it were neither awaited nor closed.

    Those that lie in data which nobody asked for are among these; all are closed afterwards, so that none warns.
    """
    caller = principal("ada")
    context = CallerContext(
        Principal(tenant_id=caller.tenant_id, actor=caller.actor, scopes=scopes, user_id=caller.user_id)
    )
    root = make_root(context)
    result = await settled(
        executor(schema, document, plans, context, root=root, variables=variables).execute_operation()
    )
    left = 0
    for each in context.coroutines:
        left += inspect.getcoroutinestate(each) != inspect.CORO_CLOSED
        each.close()
    return told(result, context), left
