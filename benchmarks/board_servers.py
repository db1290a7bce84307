"""The servers that the board's benchmark asks, each in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.board_load import wait_for
from benchmarks.board_postgraphile import postgraphile
from benchmarks.board_queries import OURS, POSTGRAPHILE
from tests.process import ROOT, environment, free_port, process, wait_until_ready


@contextmanager
def started(server: str, app_url: str, secret: str) -> Iterator[int]:
    """A server in a process of its own; its port."""
    if server == OURS:
        with ours(app_url, secret) as (pid, port):
            print(f"{server}: process {pid}")
            yield port
        return
    if server == POSTGRAPHILE:
        with postgraphile(app_url) as (pid, port):
            print(f"{server}: process {pid}")
            yield port
        return
    with beside(server, app_url) as (pid, port):
        print(f"{server}: process {pid}")
        yield port


@contextmanager
def beside(name: str, app_url: str) -> Iterator[tuple[int, int]]:
    """The application of `benchmarks.board_NAME`; its process id and its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.board_serve", name, str(port)]
    running = subprocess.Popen(command, cwd=ROOT, env=environment(DATABASE_URL=app_url))  # noqa: S603 (ourselves)
    try:
        wait_for(port, time.monotonic() + 60)
        yield running.pid, port
    finally:
        running.kill()
        running.wait()


@contextmanager
def ours(app_url: str, secret: str) -> Iterator[tuple[int, int]]:
    """The product, as `sps serve` runs it; its process id and its port. Budgets would throttle a loop: SPS_BUDGET_FACTOR lifts them."""
    port = free_port()
    settings = {"DATABASE_URL": app_url, "SPS_SECRET_KEY": secret, "SPS_BUDGET_FACTOR": "1000000"}
    with process("serve", "--port", str(port), **settings) as running:
        wait_until_ready(port)
        yield running.pid, port
