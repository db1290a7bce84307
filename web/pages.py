"""The pages that people see: dispatch board, settings, booking, tracking, passwords, and the script that puts booking on other sites.

They are static files and talk GraphQL alone; nothing about a business is written into them here.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from integrations.file_store import store_url
from settings import Settings
from web.pages_files import read_assets

FrameOrigins = Callable[[str], Awaitable[tuple[str, ...]]]
"""The origins on which the booking page of a slug may be framed, our own left out."""

WIDGET_LIFE_S = 300


def routes(settings: Settings, *, frame_origins: FrameOrigins) -> list[Route]:
    """The routes of all pages.

    Args:
        settings: whose file store photos are sent to and shown from.
        frame_origins: asked at each booking page.
    """
    assets = read_assets()
    policy = content_policy(settings)

    def page(name: str, *, private: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'", "X-Frame-Options": "DENY"}
            if private:
                # The address is a secret: no site that a link leads to may learn it.
                headers |= {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
            return assets.page(name, headers)

        return answer

    async def book(request: Request) -> Response:
        allowed = " ".join(("'self'", *await frame_origins(request.path_params["slug"])))
        return assets.page("book", {"Content-Security-Policy": f"{policy}; frame-ancestors {allowed}"})

    async def static(request: Request) -> Response:
        return assets.file(request.path_params["path"], request.headers)

    async def widget(request: Request) -> Response:
        answer = assets.file("widget.js", request.headers)
        answer.headers["Cache-Control"] = f"public, max-age={WIDGET_LIFE_S}"
        # Other sites load it, which is what it is for.
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return answer

    async def home(_request: Request) -> Response:
        return RedirectResponse("/board", status_code=303)

    return [
        Route("/", home, methods=["GET"]),
        Route("/board", page("board"), methods=["GET"]),
        Route("/settings", page("settings"), methods=["GET"]),
        Route("/book/{slug}", book, methods=["GET"]),
        Route("/track/{token}", page("track", private=True), methods=["GET"]),
        Route("/invitation", page("invitation", private=True), methods=["GET"]),
        Route("/password-reset", page("password-reset", private=True), methods=["GET"]),
        Route("/widget.js", widget, methods=["GET"]),
        Route("/static/{path:path}", static, methods=["GET"]),
    ]


def content_policy(settings: Settings) -> str:
    """No inline script or style, nothing from elsewhere; photos go straight to the file store where that is another origin."""
    # With the bucket in it, where that is no name of its own: others keep files on the same host.
    store = f" {url}" if (url := store_url(settings)) else ""
    return (
        f"default-src 'self'; img-src 'self' data: blob:{store}; connect-src 'self'{store}; "
        "object-src 'none'; base-uri 'none'; form-action 'self'"
    )
