"""Whether a page may have analytics: not unless it was switched on, and never for a visitor who asks not to be tracked."""

import re
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from settings import Settings

_ID = re.compile(r"G-[A-Z0-9]{4,20}")
_HOST = "https://www.googletagmanager.com"
_COLLECTORS = "https://*.google-analytics.com https://*.analytics.google.com https://www.googletagmanager.com"


@dataclass(frozen=True, slots=True)
class Analytics:
    """What a page needs for it: the script's address, and what its content security policy has to allow beside 'self'."""

    script: str
    script_source: str
    connect_source: str


def analytics_for(connection: HTTPConnection, settings: Settings) -> Analytics | None:
    """The analytics of one page view, or None: then the page asks nobody but us for anything.

    Do Not Track (DNT, https://www.w3.org/TR/tracking-dnt/) and Global Privacy Control (Sec-GPC, https://w3c.github.io/gpc/)
    are both a "1" in a header. Any value but "0" counts as the wish: a browser that says something unclear does not mean yes.
    """
    wished = settings.analytics_id
    if wished is None or not _ID.fullmatch(wished):
        return None
    if any(connection.headers.get(name, "0").strip() != "0" for name in ("dnt", "sec-gpc")):
        return None
    return Analytics(f"{_HOST}/gtag/js?id={wished}", _HOST, _COLLECTORS)
