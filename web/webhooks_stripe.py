"""What Stripe tells us: proved by its signature, kept, then answered."""

import time
from functools import partial

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from domain.billing_event import Unreadable
from integrations.stripe_signature import BadSignature, verify
from models.database import Database
from models.errors import UNREACHABLE
from resolvers.billing_event import receive
from resolvers.billing_standing import bills
from settings import Settings

log = structlog.get_logger("stripe")
PATH = "/webhooks/stripe"
# Stripe's own events have at most some tens of KiB.
LONGEST_BODY = 512 * 1024


def routes(settings: Settings, database: Database) -> list[Route]:
    """The route that Stripe calls."""
    return [Route(PATH, partial(take, settings, database), methods=["POST"])]


async def take(settings: Settings, database: Database, request: Request) -> Response:
    """An event. 200 once it is kept, also if it was kept before or is of a type that nobody here knows; 400 when it is
    forged, stale or no event; 413 when it is too long; 503 when it cannot be kept now, so that Stripe sends it again."""
    try:
        body = await _body(request)
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return _refused(f"An event has at most {LONGEST_BODY} bytes.", 413)
    if settings.stripe_webhook_secret is None:
        return _refused("No webhook can be proved here: STRIPE_WEBHOOK_SECRET is not set.")
    secret = settings.stripe_webhook_secret.get_secret_value()
    try:
        verify(body, request.headers.get("stripe-signature"), secret, time.time())
        await receive(database, orjson.loads(body), billed=bills(settings))
    except BadSignature as refused:
        log.warning("webhook refused", reason=str(refused))
        return _refused(str(refused))
    except (orjson.JSONDecodeError, Unreadable) as refused:
        log.warning("webhook refused", reason=type(refused).__name__)
        return _refused("The body is no event of Stripe's.")
    except UNREACHABLE as error:
        log.warning("webhook not kept", error=type(error).__name__)
        return PlainTextResponse("the event could not be kept; send it again\n", status_code=503)
    return JSONResponse({"received": True})


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is longer than any event."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > LONGEST_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)


def _refused(reason: str, status: int = 400) -> Response:
    return PlainTextResponse(f"{reason}\n", status_code=status)
