"""The board's query, side by side: the product, a statement written by hand, and stock Strawberry with SQLAlchemy's ORM.

    python -m benchmarks.board [--tenants 200] [--appointments 400000] [--rounds 5] [--seconds 4] [--connections 8]

Starts a PostgreSQL of its own, fills it (a few minutes at the full size), and one server process for each of the three, all uvicorn on
uvloop and httptools as `sps serve` runs it. All are first asked the same and have to answer the same bytes in `data`; then each is loaded
in turn, round after round, so that whatever else the machine does meets all of them. The two loads are a board of 100 appointments with
technician, customer and service, and a list's first page of 50. The product is asked with API keys, and looks them up; the others are told
the tenant. Budgets would throttle such a loop: SPS_BUDGET_FACTOR lifts them.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

import orjson

from benchmarks.board_data import Business, fill
from benchmarks.board_load import load, one, request
from integrations.embedded_postgres import temporary_postgres
from models.migrate import upgrade
from tests.process import ROOT, environment, free_port, process, wait_until_ready

OURS, CEILING, STOCK = SERVERS = ("ours", "ceiling", "stock")
# Reads differ by business: caches of one alone would flatter all of them.
BUSINESSES_ASKED = 16
VISIT = """id number version status arrivalWindow { start end } scheduled { start end } total { amount currency }
  technician { id name } customer { id name phone } lines { quantity service { id name } }"""
QUERIES = {
    "board": f"""query Board($day: Date!) {{ dispatchBoard(day: $day) {{ day cursor
      lanes {{ technician {{ id name color }} appointments {{ {VISIT} }} }} }} }}""",
    "list": f"query List {{ appointments(first: 50) {{ nodes {{ {VISIT} }} pageInfo {{ hasNextPage endCursor }} }} }}",
}


def requests_of(server: str, name: str, businesses: Sequence[Business]) -> list[bytes]:
    """One request for each business, each for another day."""
    return [_request(server, name, each, each.day(at)) for at, each in enumerate(businesses[:BUSINESSES_ASKED])]


def _request(server: str, name: str, business: Business, day: object) -> bytes:
    if server == CEILING:
        return request(f"/{name}", orjson.dumps({"tenant": business.tenant_id, "day": day}), {})
    variables = {"day": day} if name == "board" else {}
    body = orjson.dumps({"query": QUERIES[name], "variables": variables})
    if server == STOCK:
        return request("/graphql", body, {"X-Tenant": str(business.tenant_id)})
    return request("/graphql", body, {"Authorization": f"Bearer {business.key}"})


def data_of(body: bytes) -> bytes:
    """The answer's `data`, its fields in their order; only spaces and escapes may differ before."""
    return orjson.dumps(orjson.loads(body)["data"])


async def check(ports: Mapping[str, int], businesses: Sequence[Business]) -> dict[str, int]:
    """Make sure that all answer the same; the bytes of an answer, by load.

    Raises:
        ValueError: they do not.
    """
    sizes = {}
    for name in QUERIES:
        for at in range(min(BUSINESSES_ASKED, len(businesses))):
            answers = {
                server: data_of(await one(port, requests_of(server, name, businesses)[at]))
                for server, port in ports.items()
            }
            if len(set(answers.values())) != 1:
                raise ValueError(f"{name}: the answers differ: {answers}")
            sizes[name] = len(next(iter(answers.values())))
    return sizes


async def measure(ports: Mapping[str, int], businesses: Sequence[Business], options: argparse.Namespace) -> None:
    """Load each in turn, and print a table for each load."""
    sizes = await check(ports, businesses)
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(options.rounds + 1):
        for name in options.loads:
            # The order turns from round to round, so that nobody always follows the same one. The first round warms up.
            turn = number % len(ports)
            for server in [*list(ports)[turn:], *list(ports)[:turn]]:
                asked = requests_of(server, name, businesses)
                rate, took = await load(ports[server], asked, options.connections, options.seconds if number else 1.0)
                if number:
                    found.setdefault((name, server), []).append((rate, statistics.median(took)))
    print(
        f"{options.tenants} businesses, {options.appointments:,} appointments; {options.rounds} rounds of"
        f" {options.seconds:g} s, {options.connections} connections, one server process each"
    )
    for name in options.loads:
        print(f"\n{name}, {sizes[name]:,} bytes of data")
        print(f"  {'':8} {'requests/s':>10} {'lowest':>8} {'highest':>8} {'p50 ms':>8}   of the ceiling   times stock")
        for server in ports:
            rates = [rate for rate, _ in found[name, server]]
            middle = statistics.median(took for _, took in found[name, server])
            ratios = [_ratio(rates, [rate for rate, _ in found.get((name, other), [])]) for other in (CEILING, STOCK)]
            print(
                f"  {server:8} {statistics.median(rates):10.1f} {min(rates):8.1f} {max(rates):8.1f} {middle:8.1f}"
                f"   {ratios[0]:>14}   {ratios[1]:>11}"
            )


def _ratio(rates: Sequence[float], others: Sequence[float]) -> str:
    """The median of the rounds' own ratios: both sides of one were measured within seconds of each other."""
    return f"{statistics.median(a / b for a, b in zip(rates, others, strict=True)):.2f}" if others else ""


@contextmanager
def started(server: str, app_url: str, secret: str) -> Iterator[int]:
    """A server in a process of its own; its port."""
    port = free_port()
    if server == OURS:
        settings = {"DATABASE_URL": app_url, "SPS_SECRET_KEY": secret, "SPS_BUDGET_FACTOR": "1000000"}
        with process("serve", "--port", str(port), **settings) as running:
            print(f"{server}: process {running.pid}")
            wait_until_ready(port)
            yield port
        return
    command = [sys.executable, "-m", "benchmarks.board_serve", server, str(port)]
    beside = subprocess.Popen(command, cwd=ROOT, env=environment(DATABASE_URL=app_url))  # noqa: S603 (ourselves)
    try:
        print(f"{server}: process {beside.pid}")
        _wait_for(port)
        yield port
    finally:
        beside.kill()
        beside.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no server on port {port}")


def main(options: argparse.Namespace) -> None:
    """Fill, start, measure."""
    secret = "benchmark " * 4
    with temporary_postgres(settings={"shared_buffers": "512MB"}) as postgres, ExitStack() as stack:
        upgrade(postgres.url("sps", "sps_owner"), "sps_app")
        began = time.monotonic()
        businesses = fill(postgres.url("sps", postgres.superuser), options.tenants, options.appointments, secret)
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        app_url = postgres.url("sps", "sps_app")
        ports = {server: stack.enter_context(started(server, app_url, secret)) for server in options.servers}
        asyncio.run(measure(ports, businesses, options))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--appointments", type=int, default=400_000, help="of all tenants together")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load in a round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--loads", nargs="+", choices=sorted(QUERIES), default=list(QUERIES))
    main(parser.parse_args())
