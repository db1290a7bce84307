"""What guards, limits of cost and row-level security cost: the product beside itself without them, in turns.

    python -m benchmarks.guards [--rounds 7] [--seconds 3] [--loads board list]

Each server is one process. Ratios are medians of the rounds' own.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle

from benchmarks.board_data import Business, fill
from benchmarks.board_load import load, wait_for
from benchmarks.board_queries import OURS, READS, requests_of
from benchmarks.board_without import PARTS, ROW_SECURITY
from integrations.embedded_postgres import temporary_postgres
from models.migrate import upgrade
from tests.process import ROOT, environment, free_port

SECRET = "benchmark " * 4
WHOLE, BARE = "with all", "without all"


@contextmanager
def serving(without: Sequence[str], app_url: str, superuser_url: str) -> Iterator[int]:
    """A server without some parts; its port."""
    port = free_port()
    url = superuser_url if ROW_SECURITY in without else app_url
    running = subprocess.Popen(  # noqa: S603 (ourselves)
        [sys.executable, "-m", "benchmarks.board_serve", "without", str(port)],
        cwd=ROOT,
        env=environment(
            DATABASE_URL=url, WITHOUT=",".join(without), SPS_SECRET_KEY=SECRET, SPS_BUDGET_FACTOR="1000000"
        ),
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, time.monotonic() + 60)
        yield port
    finally:
        running.kill()
        running.wait()


async def measure(ports: Mapping[str, int], businesses: Sequence[Business], options: argparse.Namespace) -> None:
    """Load each in turn, and print what each part costs."""
    for name in options.loads:
        asked = requests_of(OURS, name, businesses)
        rates: dict[str, list[float]] = {server: [] for server in ports}
        for number in range(options.rounds + 1):
            turn = number % len(ports)
            for server in [*list(ports)[turn:], *list(ports)[:turn]]:
                rate, _ = await load(ports[server], cycle(asked), 8, options.seconds if number else 1.0)
                if number:
                    rates[server].append(rate)
        print(f"\n{name}; load average {os.getloadavg()[0]:.1f}\n  {'':24} {'requests/s':>10} {'of the time':>12}")
        for server, found in rates.items():
            # What a request takes without the part, as a share of what it takes with all.
            saved = statistics.median(1 - whole / rate for whole, rate in zip(rates[WHOLE], found, strict=True))
            print(f"  {server:24} {statistics.median(found):10.1f} {100 * saved:11.1f}%")


def main(options: argparse.Namespace) -> None:
    """Fill, start, measure."""
    with temporary_postgres(settings={"shared_buffers": "512MB"}) as postgres, ExitStack() as stack:
        upgrade(postgres.url("sps", "sps_owner"), "sps_app")
        superuser_url, app_url = postgres.url("sps", postgres.superuser), postgres.url("sps", "sps_app")
        businesses = fill(superuser_url, 16, 16_000, SECRET)
        variants = {WHOLE: (), **{f"without {part}": (part,) for part in PARTS}, BARE: PARTS}
        ports = {
            name: stack.enter_context(serving(without, app_url, superuser_url)) for name, without in variants.items()
        }
        asyncio.run(measure(ports, businesses, options))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--loads", nargs="+", choices=READS, default=["board", "list"])
    main(parser.parse_args())
