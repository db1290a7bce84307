"""One operation from its request to its answer, the same over HTTP and websocket: limits, budget, execution, masking.

It calls graphql-core's executor with Strawberry's execution context class instead of `Schema.execute`, which would parse
and validate again; docs/decisions/0002 tells the rest.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import orjson
import strawberry
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import Executor, create_source_event_stream
from strawberry.execution import optimized_is_awaitable

from models.ready_text import filled
from schema.compiled import CompiledExecutor
from schema.limits import Limits, TooComplexError
from schema.limits_cost import coerced_sizes, price
from schema.limits_document import OperationFacts
from schema.parsing import DocumentCache, Prepared, document_cache
from schema.scalars import JSON_OPTIONS
from subscriptions.crowd import Outlet
from subscriptions.once import Once
from web.edge_context import EdgeContext
from web.errors import INTERNAL, OperationRefused, masked, outcome, outcomes, plain_error, refusals
from web.graphql_request import GraphQLRequest
from web.graphql_sharing import group_of
from web.throttle import Account, TokenBuckets
from web.trusted_documents import TrustedDocuments

log = structlog.get_logger("graphql")

# A payload tells of the moment at which it was made: subscribers who come to an event later than this get one of their own.
SHARED_SECONDS = 2.0
SHARED_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that may run: within the limits, valid, and paid for. `text` is that of its document."""

    text: str
    prepared: Prepared
    facts: OperationFacts
    request: GraphQLRequest
    accounts: Sequence[Account]
    cost: int


class Operations:
    """Runs the operations of one schema. HTTP and websocket endpoints share one, with its cache and its buckets.

    Args:
        schema: without Strawberry extensions on the schema itself: nothing here would call them.
        limits: what one operation may ask.
        buckets: what callers may spend.
        cache: documents made ready.
        trusted: what may be sent as `documentId`, and who may send other documents; nothing and everybody when left out.

    Raises:
        ValueError: a trusted document is not valid here.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits,
        buckets: TokenBuckets | None = None,
        cache: DocumentCache | None = None,
        trusted: TrustedDocuments | None = None,
    ) -> None:
        if schema.extensions or schema.directives:
            raise ValueError("The edge runs neither schema extensions nor operation directives: use field extensions.")
        self.schema = schema
        self.limits = limits
        # Both are falsy while they are empty.
        self.buckets = TokenBuckets() if buckets is None else buckets
        self.cache = document_cache(schema, limits) if cache is None else cache
        self.trusted = TrustedDocuments() if trusted is None else trusted
        self.cache.trust(self.trusted.texts.values())
        self.shared: Once[bytes] = Once(SHARED_SECONDS, len, SHARED_BYTES)

    async def prepare(
        self,
        request: GraphQLRequest,
        context: EdgeContext,
        accounts: Sequence[Account],
        kinds: frozenset[OperationType],
    ) -> Operation:
        """Everything that can be told before running, cheapest first.

        Raises:
            OperationRefused: with what to answer.
        """
        self._check_budget(accounts, None, context.request_id)
        cost: int | None = None
        try:
            text = self.trusted.text_of(request, context.principal)
            prepared = self.cache.read(text)
            facts = prepared.operation(request.operation_name)
            self._check_kind(facts, context, kinds)
            sizes = coerced_sizes(facts.node, facts.size_variables, request.variables)
            cost = price(facts.plan, prepared.facts.fragments, sizes, self.limits)
            if cost > self.limits.cost:
                raise TooComplexError(
                    f"The operation may cost {self.limits.cost:,} points and would cost up to {cost:,}: ask for less."
                )
        except GraphQLError as error:
            self.buckets.spend(accounts, self.limits.refused_cost)
            raise OperationRefused(
                refusals([error], context.request_id), cost=self._cost(accounts, cost, None)
            ) from error
        errors = await self.cache.validate(text, prepared)
        if errors:
            self.buckets.spend(accounts, self.limits.refused_cost)
            raise OperationRefused(refusals(errors, context.request_id), cost=self._cost(accounts, cost, None))
        self._check_budget(accounts, cost, context.request_id)
        self.buckets.spend(accounts, cost)
        return Operation(text, prepared, facts, request, accounts, cost)

    async def run(self, operation: Operation, context: EdgeContext, deadline: float) -> bytes:
        """The encoded answer of a query or mutation.

        Args:
            deadline: on the event loop's clock.

        Raises:
            OperationRefused: the variables do not fit, or the time is up.
        """
        executor = self._executor(operation, context)
        try:
            async with asyncio.timeout_at(deadline) as limit:
                result = await _settled(executor.execute_operation())
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("request_timeout", requestId=context.request_id, operation=operation.facts.name)
            message = f"The request took longer than {self.limits.seconds:g} s and was stopped."
            raise OperationRefused(
                [plain_error(INTERNAL, message, context.request_id)],
                503,
                cost=self._cost(operation.accounts, operation.cost, None),
            ) from None
        return self.encode(operation, result, context.request_id)

    async def events(
        self,
        operation: Operation,
        context: EdgeContext,
        deadline: float,
        write: Callable[[bytes], bool] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The encoded payload of each event of a subscription.

        Each event is executed with a context of its own, once for all subscribers who would get the same; see
        `web.graphql_sharing`.

        Args:
            deadline: for the source of events to open, on the event loop's clock.
            write: writes a payload at once or answers False; while the next payload is awaited, the source may have it written
                by this instead of yielding it.

        Raises:
            OperationRefused: the variables do not fit, or the source refused.
            Lagged: the subscriber fell too far behind.
        """
        executor = self._executor(operation, context)
        group = group_of(
            operation.text,
            operation.prepared.document,
            operation.facts.node,
            operation.request.variables,
            context.principal,
        )

        async def payload(item: Any) -> bytes:
            event = executor.build_per_event_executor(item)
            event.context_value = context.for_operation()
            # graphql-core's copy shares the memo of collected fields, whose keys are of one event: it would grow for as long
            # as the subscription lasts, by some kilobytes an event.
            event._relevant_sub_fields = {}
            async with asyncio.timeout(self.limits.seconds):
                result = cast("ExecutionResult", await _settled(event.execute_operation(False)))
            return self.encode(None, result, context.request_id)

        async def shared(item: Any) -> bytes:
            mark = getattr(item, "shared_as", None)
            if group is None or mark is None:
                return await payload(item)
            return await self.shared.get((group, mark), partial(payload, item))

        if group is not None and write is not None:
            context.outlet = Outlet(group, shared, write)
        async with asyncio.timeout_at(deadline):
            source = await _settled(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            raise OperationRefused(outcomes(source.errors or [], context.request_id))
        items = cast("AsyncGenerator[Any, None]", source)
        try:
            async for item in items:
                yield await shared(item)
        finally:
            await items.aclose()

    def encode(self, operation: Operation | None, result: ExecutionResult, request_id: str) -> bytes:
        """The answer as JSON; settles the operation's cost by the objects that it really holds."""
        errors = outcomes(result.errors, request_id) if result.errors else None
        try:
            data = filled(orjson.dumps(result.data, option=JSON_OPTIONS))
        except (TypeError, LookupError) as error:
            errors, data = [masked(error, request_id)], b"null"
        parts = [] if errors is None else [b'"errors":' + orjson.dumps(errors)]
        parts.append(b'"data":' + data)
        if operation is not None:
            # Each object begins so, and in a string the quotation mark would be escaped.
            actual = operation.cost if operation.facts.introspects else max(1, data.count(b'{"'))
            self.buckets.spend(operation.accounts, actual - operation.cost)
            parts.append(
                b'"extensions":' + orjson.dumps({"cost": self._cost(operation.accounts, operation.cost, actual)})
            )
        return b"{" + b",".join(parts) + b"}"

    def failure(self, error: BaseException, request_id: str) -> OperationRefused:
        """What to answer when running raised instead of answering."""
        return OperationRefused([outcome(error, request_id)], 500)

    def _executor(self, operation: Operation, context: EdgeContext) -> Executor[Any]:
        context.plans = operation.prepared.plans
        built = self.schema.execution_context_class.build(
            self.cache.schema,
            operation.prepared.document,
            context_value=context,
            raw_variable_values=operation.request.variables,
            operation_name=operation.facts.name,
            max_coercion_errors=self.limits.validation_errors,
            is_awaitable=cast("Any", optimized_is_awaitable),
            hide_suggestions=True,
            operation_extensions=None,
        )
        if isinstance(built, list):
            self.buckets.spend(operation.accounts, self.limits.refused_cost - operation.cost)
            raise OperationRefused(
                refusals(built, context.request_id), cost=self._cost(operation.accounts, operation.cost, None)
            )
        if isinstance(built, CompiledExecutor):
            built.plans = operation.prepared.plans
        return built

    def _check_kind(self, facts: OperationFacts, context: EdgeContext, kinds: frozenset[OperationType]) -> None:
        if facts.kind not in kinds:
            raise GraphQLError("Subscriptions run over the websocket.", extensions={"code": "BAD_USER_INPUT"})
        if facts.introspects and not context.allow_introspection:
            raise GraphQLError(
                "The schema describes itself to callers who are logged in.", extensions={"code": "FORBIDDEN"}
            )

    def _check_budget(self, accounts: Sequence[Account], cost: int | None, request_id: str) -> None:
        wait = self.buckets.wait(accounts, cost or 1)
        if wait > 0:
            seconds = int(wait) + 1
            error = plain_error(
                "THROTTLED", f"The budget for queries is used up: try again in {seconds} s.", request_id
            )
            error["extensions"]["retryAfter"] = seconds
            raise OperationRefused([error], 429, [("Retry-After", str(seconds))], self._cost(accounts, cost, None))

    def _cost(self, accounts: Sequence[Account], requested: int | None, actual: int | None) -> dict[str, Any]:
        status = self.buckets.status(accounts)
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": status.maximum,
                "currentlyAvailable": status.available,
                "restoreRate": status.per_second,
            },
        }


async def _settled(value: Any) -> Any:
    return await value if optimized_is_awaitable(value) else value
