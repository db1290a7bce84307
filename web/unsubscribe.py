"""The link at the end of every email: takes one customer off one business's emails, at once (RFC 8058)."""

from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from auth.message_token import read_unsubscribe_token
from models.database import Database
from resolvers.unsubscribe import unsubscribe
from settings import Settings

_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Emails about your appointments</title></head>\n<body>\n{body}\n</body></html>\n"
)
_ASK = '<form method="post"><p>No more emails about your appointments?</p><p><button>Unsubscribe</button></p></form>'
_DONE = "<p>You will get no more emails about your appointments from this business.</p>"
_WRONG = "<p>This link is not valid any more. Answer the email, and the business will take you off its list.</p>"


def routes(settings: Settings, database: Database) -> list[Route]:
    """The page. A GET changes nothing: mail scanners follow links."""
    return [
        Route("/unsubscribe/{token}", partial(ask, settings), methods=["GET"]),
        Route("/unsubscribe/{token}", partial(take_off, settings, database), methods=["POST"]),
    ]


async def ask(settings: Settings, request: Request) -> Response:
    """Ask once more."""
    found = read_unsubscribe_token(settings.secret_key.get_secret_value(), request.path_params["token"])
    return _page(_ASK if found else _WRONG, 200 if found else 404)


async def take_off(settings: Settings, database: Database, request: Request) -> Response:
    """Do it. The token is the permission: there is no session here for another site to ride on."""
    found = read_unsubscribe_token(settings.secret_key.get_secret_value(), request.path_params["token"])
    if found is None:
        return _page(_WRONG, 404)
    await unsubscribe(database, *found)
    return _page(_DONE, 200)


def _page(body: str, status: int) -> Response:
    return HTMLResponse(_PAGE.format(body=body), status_code=status, headers={"Referrer-Policy": "no-referrer"})
