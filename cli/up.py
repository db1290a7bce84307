"""`sps up`: the whole product from one command, and its end from one Ctrl-C."""

import http.client
import os
import threading
import time
from functools import partial
from pathlib import Path

import click

from cli.configuration import load
from cli.database import administered
from cli.listen import listen
from cli.seed import LogIn, seed
from cli.supervisor import Program, Supervisor
from cli.trouble import Trouble, say
from cli.welcome import welcome
from settings import Settings

READY_SECONDS = 120.0
POLL_SECONDS = 0.05


def up(*, host: str | None, port: int | None, data_dir: Path | None, demo: bool) -> None:
    """Run database, server and worker until Ctrl-C or SIGTERM.

    Raises:
        Trouble: something that the person who started it can mend.
    """
    began = time.monotonic()
    settings = load(SPS_HOST=host, SPS_PORT=port, SPS_DATA_DIR=data_dir)
    with listen(settings.host, settings.port) as listener, administered(settings) as access:
        from models.migrate import upgrade

        upgrade(access.migrator_url, access.app_role)
        log_in = seed(access.app_url) if demo else None
        if settings.database_url is not None:
            # Children of an embedded database find it by the data folder, and so keep it running while they live.
            os.environ["DATABASE_URL"] = access.app_url
        os.environ.pop("DATABASE_MIGRATOR_URL", None)
        descriptor = listener.fileno()
        programs = [
            Program("server", ["serve", "--listen-fd", str(descriptor)], [descriptor]),
            Program("worker", ["worker"]),
        ]

        def look() -> None:
            if access.revive():
                say("the database had ended; it runs again")

        supervisor = Supervisor(programs, look)
        threading.Thread(
            target=_await_ready, args=(settings, supervisor, began, log_in), name="ready", daemon=True
        ).start()
        supervisor.run()
    say("stopped; all data is kept")


def _await_ready(settings: Settings, supervisor: Supervisor, began: float, log_in: LogIn | None) -> None:
    last = "no answer"
    while time.monotonic() - began < READY_SECONDS:
        try:
            connection = http.client.HTTPConnection(_reachable(settings.host), settings.port, timeout=5)
            connection.request("GET", "/health/ready")
            answer = connection.getresponse()
            last = f"{answer.status} {answer.read(500).decode(errors='replace')}"
            connection.close()
            if answer.status == 200:
                text = welcome(settings, log_in, time.monotonic() - began)
                supervisor.call(partial(click.echo, text))
                return
        except (OSError, http.client.HTTPException) as error:
            last = str(error) or type(error).__name__
        time.sleep(POLL_SECONDS)

    def give_up() -> None:
        raise Trouble(f"The server is not ready after {READY_SECONDS:.0f} s; /health/ready says: {last}")

    supervisor.call(give_up)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
