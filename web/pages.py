"""The pages: a board that is a client of the GraphQL API like any other, and the files that it is made of."""

from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = files("web") / "static"
# What may be fetched, by name: nothing else of the folder or beside it can be reached.
FILES = {
    "board.html": "text/html; charset=utf-8",
    "board.css": "text/css; charset=utf-8",
    "board.js": "text/javascript; charset=utf-8",
    "api.js": "text/javascript; charset=utf-8",
    "operations.js": "text/javascript; charset=utf-8",
}


def _answer(name: str) -> Response:
    return Response((STATIC / name).read_bytes(), headers={"content-type": FILES[name], "cache-control": "no-cache"})


async def board(_request: Request) -> Response:
    """The dispatch board."""
    return _answer("board.html")


async def static_file(request: Request) -> Response:
    """A file of the pages."""
    name = request.path_params["name"]
    if name not in FILES:
        raise HTTPException(404)
    return _answer(name)


routes = [
    Route("/board", board, methods=["GET"]),
    Route("/static/{name}", static_file, methods=["GET"]),
]
