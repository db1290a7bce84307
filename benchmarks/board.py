"""The hot requests, side by side: the product, statements written by hand, stock Strawberry with SQLAlchemy's ORM, and PostGraphile 5.

    python -m benchmarks.board [--tenants 200] [--appointments 400000] [--rounds 5] [--seconds 4] [--connections 8]

Starts a PostgreSQL of its own, fills it (a few minutes at the full size), and one server process for each: the first three are uvicorn on
uvloop and httptools as `sps serve` runs it, the last is Node. All are first asked the same and have to answer the same (see
`board_check`); then each is loaded in turn, round after round, so that whatever else the machine does meets all of them. The loads are a
board of 100 appointments with technician, customer and service, a list's first page of 50, one appointment by its id, and two mutations,
each request of which changes another appointment; what they changed is put back outside the timed part. The product is asked with API
keys, and looks them up; the others are told the tenant.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle

import psycopg

from benchmarks import board_change, board_postgraphile
from benchmarks.board_check import check, servers_for
from benchmarks.board_data import Business, fill
from benchmarks.board_load import load
from benchmarks.board_postgraphile import NotInstalledError
from benchmarks.board_queries import CEILING, CHANGES, LOADS, POSTGRAPHILE, SERVERS, STOCK, requests_of
from benchmarks.board_servers import started
from integrations.embedded_postgres import temporary_postgres
from models.migrate import upgrade

# Medians of rounds: requests/s, milliseconds.
Found = dict[tuple[str, str], list[tuple[float, float]]]


async def measure(
    ports: Mapping[str, int], businesses: Sequence[Business], superuser_url: str, options: argparse.Namespace
) -> None:
    """Load each in turn, and print a table for each load."""
    sizes = await check(ports, businesses, superuser_url, options.loads)
    found: Found = {}
    for number in range(options.rounds + 1):
        for name in options.loads:
            # The order turns from round to round, so that nobody always follows the same one. The first round warms up.
            turn = number % len(ports)
            for server in servers_for(name, [*list(ports)[turn:], *list(ports)[:turn]]):
                seconds = options.seconds if number else 1.0
                rate, took = await _one(ports[server], server, name, businesses, superuser_url, options, seconds)
                if number:
                    found.setdefault((name, server), []).append((rate, statistics.median(took)))
    print(
        f"{options.tenants} businesses, {options.appointments:,} appointments; {options.rounds} rounds of"
        f" {options.seconds:g} s, {options.connections} connections, one server process each;"
        f" load average {os.getloadavg()[0]:.1f}"
    )
    for name in options.loads:
        _print(name, sizes[name], servers_for(name, list(ports)), found)


async def _one(
    port: int,
    server: str,
    name: str,
    businesses: Sequence[Business],
    superuser_url: str,
    options: argparse.Namespace,
    seconds: float,
) -> tuple[float, list[float]]:
    asked = requests_of(server, name, businesses)
    if name not in CHANGES:
        return await load(port, cycle(asked), options.connections, seconds)
    rate, took = await load(port, asked, options.connections, seconds)
    moved = await asyncio.to_thread(board_change.changed, superuser_url, businesses)
    if moved != len(took):
        raise ValueError(f"{name}: {server} answered {len(took)} requests and changed {moved} appointments")
    await asyncio.to_thread(board_change.restore, superuser_url, businesses)
    return rate, took


def _print(name: str, size: int, servers: Sequence[str], found: Found) -> None:
    compared = [each for each in (CEILING, STOCK, POSTGRAPHILE) if each in servers]
    print(f"\n{name}, {size:,} bytes of data")
    heads = "".join(f"{'× ' + each:>15}" for each in compared)
    print(f"  {'':12} {'requests/s':>10} {'lowest':>8} {'highest':>8} {'p50 ms':>8}{heads}")
    for server in servers:
        rates = [rate for rate, _ in found[name, server]]
        middle = statistics.median(took for _, took in found[name, server])
        ratios = [_ratio(rates, [rate for rate, _ in found[name, other]]) for other in compared]
        print(
            f"  {server:12} {statistics.median(rates):10.1f} {min(rates):8.1f} {max(rates):8.1f} {middle:8.1f}"
            + "".join(f"{ratio:>15}" for ratio in ratios)
        )


def _ratio(rates: Sequence[float], others: Sequence[float]) -> str:
    """The median of the rounds' own ratios: both sides of one were measured within seconds of each other."""
    return f"{statistics.median(a / b for a, b in zip(rates, others, strict=True)):.2f}"


def furnish(superuser_url: str) -> None:
    """Make the functions that the ceiling and PostGraphile call, in a database that is filled."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(board_change.FUNCTIONS)
        connection.execute(board_postgraphile.FUNCTIONS)


def main(options: argparse.Namespace) -> None:
    """Fill, start, measure."""
    secret = "benchmark " * 4
    if POSTGRAPHILE in options.servers:
        try:
            board_postgraphile.installed()
        except NotInstalledError as error:
            print(f"PostGraphile is left out: {error}")
            options.servers = [each for each in options.servers if each != POSTGRAPHILE]
    with temporary_postgres(settings={"shared_buffers": "512MB"}) as postgres, ExitStack() as stack:
        upgrade(postgres.url("sps", "sps_owner"), "sps_app")
        began = time.monotonic()
        superuser_url = postgres.url("sps", postgres.superuser)
        businesses = fill(superuser_url, options.tenants, options.appointments, secret)
        furnish(superuser_url)
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        app_url = postgres.url("sps", "sps_app")
        ports = {server: stack.enter_context(started(server, app_url, secret)) for server in options.servers}
        asyncio.run(measure(ports, businesses, superuser_url, options))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--appointments", type=int, default=400_000, help="of all tenants together")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load in a round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS))
    main(parser.parse_args())
