"""A business's own site on another origin, with the widget's one line on it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from tests.service import Service
from web.pages import routes


@asynccontextmanager
async def other_site(service: Service, slug: str, *, allowed: bool) -> AsyncIterator[tuple[str, str]]:
    """The address of the site, and the origin of the product that it frames.

    The product is served a second time, with pages that this site may frame where it is allowed.
    """
    with socket.create_server(("127.0.0.1", 0)) as site, socket.create_server(("127.0.0.1", 0)) as twin:
        address = f"http://127.0.0.1:{site.getsockname()[1]}"
        product = f"http://127.0.0.1:{twin.getsockname()[1]}"

        async def ancestors(_slug: str) -> tuple[str, ...]:
            return (address,) if allowed else ()

        async def page(_request: Request) -> HTMLResponse:
            return HTMLResponse(
                '<!doctype html><link rel="icon" href="data:,"><title>A plumber</title><h1>Book us</h1>'
                f'<script src="{product}/widget.js" data-slug="{slug}"></script>'
            )

        framed = routes(service.app.state.settings, frame_ancestors=ancestors)
        servers = [
            _Quiet(uvicorn.Config(Starlette(routes=[Route("/", page)]), lifespan="off", log_config=None)),
            # The lifespan is the product's own, which runs already.
            _Quiet(
                uvicorn.Config(Starlette(routes=[*framed, Mount("/", service.app)]), lifespan="off", log_config=None)
            ),
        ]
        running = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, (site, twin), strict=True)
        ]
        try:
            yield address, product
        finally:
            for server in servers:
                server.should_exit = server.force_exit = True
            await asyncio.gather(*running)


class _Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test's process handles its own."""
