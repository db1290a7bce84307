"""Files of the local store, up and down, by signed URLs alone; a bucket does the same in its own house."""

import asyncio
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from integrations.file_store import disposition, file_store
from integrations.file_store_local import LocalFiles
from settings import Settings

# Whatever a file holds, a browser that opens it runs nothing, and keeps no copy.
STRICT = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "cross-origin-resource-policy": "same-site",
}


def routes(settings: Settings) -> list[BaseRoute]:
    """/files/{signed} where files lie in a folder; nothing where they lie in a bucket."""
    store = file_store(settings)
    return [Route("/files/{signed}", _Files(store))] if isinstance(store, LocalFiles) else []


class _Files:
    """The ASGI endpoint."""

    def __init__(self, store: LocalFiles) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method == "PUT":
            response = await self._put(request)
        elif request.method in {"GET", "HEAD"}:
            response = await self._get(request)
        else:
            response = _plain(405, "only GET and PUT", {"allow": "GET, HEAD, PUT"})
        await response(scope, receive, send)

    async def _get(self, request: Request) -> Response:
        grant = self._store.download_grant(request.path_params["signed"])
        if grant is None:
            return _plain(403, "the link is not good, or not any more")
        path = self._store.path(grant.key)
        if not await asyncio.to_thread(path.is_file):
            return _plain(404, "the file is gone")
        headers = STRICT | {"content-disposition": disposition(grant.file_name, grant.content_type)}
        return FileResponse(path, media_type=grant.content_type, headers=headers)

    async def _put(self, request: Request) -> Response:
        grant = self._store.upload_grant(request.path_params["signed"])
        if grant is None:
            return _plain(403, "the link is not good, or not any more")
        if "content-length" not in request.headers:
            return _plain(411, "the request does not say its length")
        if request.headers["content-length"] != str(grant.byte_size):
            return _plain(403, f"the link is for {grant.byte_size} bytes")
        if request.headers.get("content-type") != grant.content_type:
            return _plain(403, f"the link is for {grant.content_type}")
        try:
            with self._store.receiving(grant.key) as path:
                await _receive(request, path, grant.byte_size)
        except _WrongSize:
            return _plain(400, "the body is not as long as it says")
        except ClientDisconnect:
            return _plain(400, "the body ended early")
        return Response(status_code=200)


class _WrongSize(Exception):
    """The body is longer or shorter than it was announced."""


async def _receive(request: Request, path: Path, size: int) -> None:
    received = 0
    with path.open("wb") as file:
        async for piece in request.stream():
            received += len(piece)
            if received > size:
                raise _WrongSize
            await asyncio.to_thread(file.write, piece)
    if received != size:
        raise _WrongSize


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status_code=status, headers=headers)
