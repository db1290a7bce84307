"""Runs the server: one process, or several that share a listening socket."""

import asyncio
import gc
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
# New objects, less those freed, after which Python looks for unreachable cycles among the young; Python's own number is 700, less than a
# request for a board makes. Costs some 12 MB.
YOUNG_OBJECTS = 50_000


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
    spare_collector()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))


def spare_collector() -> None:
    """Keep Python's garbage collector from walking what never goes: modules, the schema, the models, the trusted documents.

    They are several hundred thousand objects, and each full collection walks them all: two thirds of a server's CPU time
    under load, before this (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    _, middle, old = gc.get_threshold()
    gc.set_threshold(YOUNG_OBJECTS, middle, old)
