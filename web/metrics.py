"""/metrics in Prometheus' text format: about this process and the queues, of nobody's business, and for our own machines alone."""

import resource
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from models.backlog import backlog
from models.database import Database
from models.partition import rows_astray
from models.usage import usage_of
from settings import Settings
from web.client import client_of, peer_is_trusted

CONTENT_TYPE = "text/plain; version=0.0.4"
FORWARDING = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via", "x-real-ip")


def routes(settings: Settings, database: Database, subscribers: Callable[[], int]) -> list[BaseRoute]:
    """/metrics.

    Args:
        subscribers: how many subscriptions this process serves.
    """

    async def metrics(request: Request) -> Response:
        if not may_read(request, settings):
            return PlainTextResponse("Not Found", status_code=404)
        return PlainTextResponse(await _text(database, subscribers()), media_type=CONTENT_TYPE)

    return [Route("/metrics", metrics, methods=["GET"])]


def may_read(request: Request, settings: Settings) -> bool:
    """Whether the caller is this machine, or a trusted proxy that asks for itself.

    A proxy on this machine that nobody has told us to trust looks like this machine: its requests show by their headers.
    """
    client = client_of(request, settings)
    if any(name in request.headers for name in FORWARDING) and not peer_is_trusted(request, settings):
        return False
    forwarded = "x-forwarded-for" in request.headers
    return client.loopback or (peer_is_trusted(request, settings) and not forwarded)


async def _text(database: Database, subscribers: int) -> str:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    async with database.anonymous() as session:
        waiting = await backlog(session)
        astray = await rows_astray(session)
        usage = await usage_of(session, yesterday)
    lines = [
        *_gauge("sps_process_resident_bytes", "Memory of this process.", [("", _resident_bytes())]),
        *_gauge("sps_database_connections", "Connections of this process that are in use.", [("", database.in_use)]),
        *_gauge("sps_subscriptions", "Subscriptions that this process serves.", [("", subscribers)]),
        *_gauge(
            "sps_waiting", "What is due and not done, of all businesses.", [(f'{{queue="{n}"}}', v) for n, v in waiting]
        ),
        *_gauge(
            "sps_rows_outside_partitions",
            "Rows, up to 1000, that lie in no quarter's partition: 0, or the worker is not running, or a clock was wrong.",
            [(f'{{table="{n}"}}', v) for n, v in astray],
        ),
        *_gauge(
            "sps_feature_uses_yesterday",
            "Uses of a feature over all businesses; none where fewer than five used it.",
            [(f'{{feature="{row.feature}"}}', row.uses) for row in usage],
        ),
    ]
    return "\n".join(lines) + "\n"


def _gauge(name: str, help: str, values: list[tuple[str, int]]) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} gauge"
    for labels, value in values:
        yield f"{name}{labels} {value}"


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    # Elsewhere the most that it ever was: in bytes on macOS, in kilobytes on other systems.
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
