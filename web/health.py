"""Whether this process lives, and whether it can serve."""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from models.errors import UNREACHABLE

READY_S = 2.0


async def live(_request: Request) -> Response:
    """200 as long as the process answers at all."""
    return PlainTextResponse("live\n")


async def ready(request: Request) -> Response:
    """200 when the database answers, else 503."""
    try:
        async with asyncio.timeout(READY_S):
            await request.app.state.database.ping()
    except (*UNREACHABLE, TimeoutError):
        return PlainTextResponse("the database does not answer\n", status_code=503)
    return PlainTextResponse("ready\n")
