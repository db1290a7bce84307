"""The product with parts of it taken out, to tell what they cost: WITHOUT names them. For `benchmarks.guards` alone."""

import os
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from strawberry.permission import PermissionExtension

from settings import Settings
from web import app, graphql_operations
from web.logging import configure_logging
from web.throttle import TokenBuckets

GUARDS, LIMITS, ROW_SECURITY = PARTS = ("guards", "limits", "row security")


def create_app(database_url: str) -> Starlette:
    """The application; for what goes without row-level security `database_url` is of a role that it does not bind."""
    without = os.environ["WITHOUT"].split(",")
    if GUARDS in without:
        _without_guards()
    if LIMITS in without:
        _without_limits()
    configure_logging()
    return app.create_app(Settings(database_url=database_url))


def _without_guards() -> None:
    def resolve(_self: object, next_: Callable[..., Any], source: Any, info: Any, **given: Any) -> Any:
        return next_(source, info, **given)

    async def resolve_async(_self: object, next_: Callable[..., Any], source: Any, info: Any, **given: Any) -> Any:
        answer = next_(source, info, **given)
        return await answer if hasattr(answer, "__await__") else answer

    extension: Any = PermissionExtension
    extension.resolve, extension.resolve_async = resolve, resolve_async


def _without_limits() -> None:
    edge: Any = graphql_operations
    edge.price = lambda *_: 1
    edge.coerced_sizes = lambda *_: {}
    edge.Operations._check_budget = lambda *_: None
    buckets: Any = TokenBuckets
    buckets.spend = lambda *_: None
