"""How the product grows: a board's time with the number of tenants and of appointments, memory with requests, and the time of a start.

    python -m benchmarks.growth [--full] [--requests 20000] [--only board memory start]

The board is always one of 100 appointments, and the client asks one request at a time. Each size is a database of its own on one
PostgreSQL, and each has a server of its own; all of them are asked in turns, so that whatever else the machine does meets each. `--full`
adds 10^7 appointments and asks 1,000,000 requests for memory; it takes hours and some 15 GB of the temporary folder.

Memory is the resident set of the server's process, read every tenth of the requests: boards, lists and nodes of 16 tenants, in hundreds
of documents that differ by an alias. A start is from the process's beginning to the first 200 of /health/ready, on a migrated database.
"""

import argparse
import asyncio
import os
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import psycopg

from benchmarks.board_data import Business, fill
from benchmarks.board_load import load
from benchmarks.board_queries import BUSINESSES_ASKED, OURS, READS, requests_of
from benchmarks.board_servers import ours
from integrations.embedded_postgres import PostgresServer, temporary_postgres
from models.migrate import upgrade

SECRET = "benchmark " * 4
STARTS = 5
DOCUMENTS = 300
# (tenants, appointments): a row of sizes for each of the two, whose first is what the others are compared with.
TENANTS = ((10, 100_000), (100, 100_000), (1_000, 100_000))
APPOINTMENTS = ((10, 100_000), (10, 1_000_000))
MOST_APPOINTMENTS = (10, 10_000_000)


@dataclass(frozen=True, slots=True)
class Size:
    """A database of so many tenants and appointments, with a server on it."""

    tenants: int
    appointments: int
    businesses: Sequence[Business]
    port: int


def main(options: argparse.Namespace) -> None:
    """Fill, start, measure."""
    wanted = {*TENANTS, *APPOINTMENTS, *([MOST_APPOINTMENTS] if options.full else [])}
    if "board" not in options.only:
        wanted = {TENANTS[0]}
    with temporary_postgres(settings={"shared_buffers": "512MB", "max_connections": "200"}) as postgres:
        with ExitStack() as stack:
            sizes = {size: stack.enter_context(_size(postgres, *size)) for size in sorted(wanted)}
            if "board" in options.only:
                _print_boards(sizes, asyncio.run(boards(sizes, options.rounds, options.each)))
        if "memory" in options.only:
            asyncio.run(memory(postgres, next(iter(sizes.values())).businesses, options.requests))
        if "start" in options.only:
            print(f"\nstart, {STARTS} times: {starts(postgres)}")


@contextmanager
def _size(postgres: PostgresServer, tenants: int, appointments: int) -> Iterator[Size]:
    name = _name(tenants, appointments)
    with psycopg.connect(postgres.url("postgres", postgres.superuser), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER sps_owner")
    upgrade(postgres.url(name, "sps_owner"), "sps_app")
    began = time.monotonic()
    businesses = fill(postgres.url(name, postgres.superuser), tenants, appointments, SECRET)
    print(f"{tenants} tenants, {appointments:,} appointments: filled in {time.monotonic() - began:.0f} s", flush=True)
    with ours(postgres.url(name, "sps_app"), SECRET) as (_, port):
        yield Size(tenants, appointments, businesses, port)


def _name(tenants: int, appointments: int) -> str:
    return f"growth_{tenants}_{appointments}"


async def boards(sizes: dict[tuple[int, int], Size], rounds: int, each: int) -> dict[tuple[int, int], list[float]]:
    """The median milliseconds of a board in each round, by size; the first round warms up."""
    found: dict[tuple[int, int], list[float]] = {size: [] for size in sizes}
    for number in range(rounds + 1):
        turn = number % len(sizes)
        for size in [*list(sizes)[turn:], *list(sizes)[:turn]]:
            here = sizes[size]
            asked = [request for day in range(each) for request in _boards(here, day)][:each]
            _, took = await load(here.port, asked, connections=1, seconds=3_600)
            if number:
                found[size].append(statistics.median(took))
    return found


def _boards(size: Size, day: int) -> list[bytes]:
    # Tenants from all over the table, the same in each round.
    step = max(1, len(size.businesses) // BUSINESSES_ASKED)
    return requests_of(OURS, "board", size.businesses[day % step :: step])


def _print_boards(sizes: dict[tuple[int, int], Size], found: dict[tuple[int, int], list[float]]) -> None:
    print(f"\nboard of 100 appointments, one request at a time; load average {os.getloadavg()[0]:.1f}")
    print(f"  {'tenants':>8} {'appointments':>13} {'p50 ms':>8} {'lowest':>8} {'highest':>8}   times the smallest")
    smallest = found[TENANTS[0]]
    for size in sizes:
        rounds = found[size]
        ratio = statistics.median(a / b for a, b in zip(rounds, smallest, strict=True))
        print(
            f"  {size[0]:>8,} {size[1]:>13,} {statistics.median(rounds):8.1f} {min(rounds):8.1f} {max(rounds):8.1f}"
            f"   {ratio:>18.2f}"
        )


async def memory(postgres: PostgresServer, businesses: Sequence[Business], requests: int) -> None:
    """Print the server's resident set as requests go by."""
    print(f"\nmemory over {requests:,} requests of {', '.join(READS)}, {DOCUMENTS * len(READS)} documents")
    with ours(postgres.url(_name(*TENANTS[0]), "sps_app"), SECRET) as (pid, port):
        endless = mixed(businesses)
        print(f"  {'requests':>10} {'MB':>8}\n  {0:>10,} {resident_mb(pid):8.1f}", flush=True)
        for tenth in range(1, 11):
            await load(port, islice(endless, requests // 10), connections=8, seconds=86_400)
            print(f"  {requests // 10 * tenth:>10,} {resident_mb(pid):8.1f}", flush=True)


def mixed(businesses: Sequence[Business]) -> Iterator[bytes]:
    """Boards, lists and nodes of several tenants without end, in documents that differ by the name of their operation."""
    asked = {name: requests_of(OURS, name, businesses) for name in READS}
    for number in count():
        name, each = READS[number % len(READS)], number // len(READS)
        request = asked[name][each % len(asked[name])]
        # As long as the operation's name before, so that the request's Content-Length stays true.
        other = f"o{each % DOCUMENTS:0{len(name) - 1}}"
        yield request.replace(f" {name.capitalize()}".encode(), f" {other}".encode(), 1)


def resident_mb(pid: int) -> float:
    """The resident set of a process and of those that it started, in MB (Linux)."""
    family = [pid]
    for each in family:
        children = Path(f"/proc/{each}/task/{each}/children")
        family += [int(child) for child in children.read_text().split()] if children.exists() else []
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def starts(postgres: PostgresServer) -> str:
    """The seconds of several starts of the server, as text: on the clock, and of CPU time, which other work does not lengthen as much."""
    took, worked = [], []
    for _ in range(STARTS):
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with ours(postgres.url(_name(*TENANTS[0]), "sps_app"), SECRET):
            took.append(time.monotonic() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (
        f"median {statistics.median(took):.2f} s, {min(took):.2f} to {max(took):.2f} s, {statistics.median(worked):.2f} s of CPU;"
        f" load average {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="with 10^7 appointments and 1,000,000 requests")
    parser.add_argument("--requests", type=int, help="for memory; 20,000 when left out, 1,000,000 with --full")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--each", type=int, default=20, help="boards of each size in a round")
    parser.add_argument("--only", nargs="+", choices=("board", "memory", "start"), default=["board", "memory", "start"])
    given = parser.parse_args()
    given.requests = given.requests or (1_000_000 if given.full else 20_000)
    main(given)
