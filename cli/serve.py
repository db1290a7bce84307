"""Runs the server: one process, or several that share a listening socket."""

import asyncio
import socket

import uvicorn

from cli.child import end_on_signals, end_with_parent
from cli.configuration import load
from cli.database import served
from cli.listen import listen
from cli.supervisor import Program, Supervisor
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
        parent_fd: see `cli.child.end_with_parent`.

    Raises:
        Trouble: the port, the database or a setting is not usable.
    """
    end_on_signals()
    end_with_parent(parent_fd)
    settings = load(SPS_HOST=host, SPS_PORT=port)
    listener = socket.socket(fileno=listen_fd) if listen_fd is not None else listen(settings.host, settings.port)
    with listener, served(settings) as ready:
        if workers == 1:
            _serve_here(ready, listener)
            return
        arguments = ["serve", "--listen-fd", str(listener.fileno())]
        Supervisor(
            [Program(f"server {number}", arguments, [listener.fileno()]) for number in range(1, workers + 1)]
        ).run()


def _serve_here(settings: Settings, listener: socket.socket) -> None:
    # Imported here: the framework takes a second, which a port in use should not.
    from web.app import create_app

    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
