"""The ASGI application: its routes, its middleware and what lives as long as it does."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from integrations.payments import Payments, payments_for
from models.database import Database
from resolvers.planning import Planning, planning_for
from resolvers.security_log import SecurityLog
from schema.limits import Limits
from schema.root import schema
from settings import Settings
from subscriptions.backends import backend_for
from subscriptions.hub import Hub
from web import files, health, metrics, pages, pages_operations, unsubscribe, webhooks_stripe, webhooks_twilio
from web.allowed_origins import AllowedOrigins
from web.context import Contexts
from web.graphql_http import GraphQLEndpoint
from web.graphql_operations import Operations
from web.graphql_ws import GraphQLSocket
from web.logging import configure_logging
from web.middleware.cors import Cors
from web.middleware.request_log import RequestLog
from web.middleware.secure_transport import SecureTransport
from web.middleware.security_headers import SecurityHeaders
from web.rights import RightsWatch
from web.throttle import TokenBuckets, rates
from web.trusted_documents import TrustedDocuments, manifest

LIMITS = Limits()


def create_app(settings: Settings) -> Starlette:
    """The application.

    Raises:
        ValueError: there is no DATABASE_URL, or BROADCAST_URL is of no known kind.
    """
    configure_logging()
    database = Database.of(settings, pool_size=settings.database_pool_size)
    hub = Hub(database, backend_for(settings.broadcast_url or settings.database_direct_url or database.url))
    security_log = SecurityLog(database, settings)
    rights = RightsWatch(database, hub)
    sites = AllowedOrigins(database)
    payments = payments_for(settings)
    planning = planning_for(settings)
    contexts = Contexts(settings, database, hub, security_log, payments, planning)
    operations = Operations(
        schema,
        LIMITS,
        TokenBuckets(rates(settings.budget_factor)),
        trusted=TrustedDocuments(manifest(pages_operations.operations().values()), settings.ad_hoc_documents),
    )
    endpoint = GraphQLEndpoint(schema, contexts, LIMITS, settings=settings, operations=operations)
    socket = GraphQLSocket(
        schema,
        contexts,
        LIMITS,
        origin_allowed=sites.may_call,
        registry=rights,
        settings=settings,
        operations=operations,
    )
    app = Starlette(
        routes=[
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", socket),
            *files.routes(settings),
            *pages.routes(settings, frame_origins=sites.frame_origins),
            *metrics.routes(settings, database, lambda: hub.subscribers),
            *webhooks_twilio.routes(settings, database),
            *webhooks_stripe.routes(settings, database),
            *unsubscribe.routes(settings, database),
            Route("/health/live", health.live, methods=["GET"]),
            Route("/health/ready", health.ready, methods=["GET"]),
        ],
        middleware=[
            Middleware(SecurityHeaders, settings=settings),
            Middleware(RequestLog, settings=settings),
            Middleware(SecureTransport, settings=settings),
            Middleware(Cors, settings=settings, origin_allowed=sites.may_call),
        ],
        lifespan=_lifespan(settings, database, hub, security_log, rights, payments, planning),
    )
    app.state.database = database
    app.state.settings = settings
    app.state.operations = operations
    app.state.planning = planning
    return app


def _lifespan(
    settings: Settings,
    database: Database,
    hub: Hub,
    security_log: SecurityLog,
    rights: RightsWatch,
    payments: Payments,
    planning: Planning,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if settings.broadcast_url and not settings.broadcast_url.startswith("postgres"):
            database.after_events.append(hub.publish)
            database.after_signals.append(hub.publish_signal)
        await hub.start()
        rights.start()
        security_log.start()
        try:
            yield
        finally:
            await security_log.stop()
            await rights.stop()
            await hub.stop()
            await payments.close()
            await planning.close()
            await database.close()

    return lifespan
