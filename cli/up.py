"""`sps up`: the whole product from one command, and its end from one Ctrl-C."""

import http.client
import threading
import time
from functools import partial
from pathlib import Path

import click

from cli.child import end_on_signals
from cli.configuration import load
from cli.database import Access, administered
from cli.listen import listen
from cli.prepare import prepare
from cli.program import Program
from cli.seed import LogIn
from cli.supervisor import Supervisor
from cli.trouble import Trouble, say
from cli.welcome import welcome
from settings import Settings

READY_SECONDS = 120.0
POLL_SECONDS = 0.05


def up(*, host: str | None, port: int | None, data_dir: Path | None, demo: bool, began: float) -> None:
    """Run database, server and worker until Ctrl-C or SIGTERM.

    Args:
        host: address to listen on; None: as configured.
        port: likewise.
        data_dir: likewise.
        demo: whether the demo business is seeded.
        began: when the command was typed, in monotonic seconds.

    Raises:
        Trouble: something that the person who started it can mend.
    """
    end_on_signals()
    settings = load(SPS_HOST=host, SPS_PORT=port, SPS_DATA_DIR=data_dir)
    with listen(settings.host, settings.port) as listener:
        descriptor = listener.fileno()
        server = Program("server", ["serve", "--listen-fd", str(descriptor)], [descriptor])
        with Supervisor([server, Program("worker", ["worker"])]) as supervisor:
            # Its imports take longer than all that we have to do before it may go.
            supervisor.start(server)
            # Entered again, so that the programs end before the database.
            with administered(settings) as access, supervisor:
                log_in = prepare(settings, access, demo=demo)
                threading.Thread(
                    target=_await_ready, args=(settings, supervisor, began, log_in), name="ready", daemon=True
                ).start()
                supervisor.run(access.order, partial(_look, access))
    say("stopped; all data is kept")


def _look(access: Access) -> None:
    if access.revive():
        say("the database had ended; it runs again")


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
