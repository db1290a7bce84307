"""Runs the server: one process, or several that share a listening socket."""

import asyncio
import importlib
import socket

import uvicorn

from cli.child import end_on_signals, follow_parent
from cli.configuration import load
from cli.database import order, served
from cli.listen import listen
from cli.program import Program
from cli.supervisor import Supervisor
from settings import Settings

# Time for requests that have begun; below the supervisor's patience.
SHUTDOWN_SECONDS = 8


def serve(*, workers: int, host: str | None, port: int | None, listen_fd: int | None, parent_fd: int | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        workers: processes.
        host: address to listen on; None: as configured.
        port: likewise.
        listen_fd: an inherited socket that listens already; None: opens one.
        parent_fd: see `cli.child.follow_parent`.

    Raises:
        Trouble: the port, the database or a setting is not usable.
    """
    end_on_signals()
    if parent_fd is not None:
        importlib.import_module("web.app")
    follow_parent(parent_fd)
    settings = load(SPS_HOST=host, SPS_PORT=port)
    listener = socket.socket(fileno=listen_fd) if listen_fd is not None else listen(settings.host, settings.port)
    with listener, served(settings) as ready:
        if workers == 1:
            _serve_here(ready, listener)
            return
        descriptor = listener.fileno()
        names = [f"server {number}" for number in range(1, workers + 1)]
        programs = [Program(name, ["serve", "--listen-fd", str(descriptor)], [descriptor]) for name in names]
        with Supervisor(programs) as supervisor:
            supervisor.run(order(ready))


def _serve_here(settings: Settings, listener: socket.socket) -> None:
    # Imported here: the framework takes a second or two, which a port in use should not.
    from web.app import LIMITS, create_app
    from web.websocket_protocol import uvicorn_options

    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        **uvicorn_options(LIMITS.body_bytes),
    )
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
