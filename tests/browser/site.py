"""A business's own site on another origin, with the widget's one line on it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.service import Service


@asynccontextmanager
async def other_site(service: Service, slug: str) -> AsyncIterator[str]:
    """The origin of the site, which nobody has allowed yet."""

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(
            '<!doctype html><link rel="icon" href="data:,"><title>A plumber</title><h1>Book us</h1>'
            f'<script src="{service.origin}/widget.js" data-slug="{slug}"></script>'
        )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Quiet(uvicorn.Config(Starlette(routes=[Route("/", page)]), lifespan="off", log_config=None))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await running


class _Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test's process handles its own."""
