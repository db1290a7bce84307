"""What `sps up` prints when all is ready: where to look, how to log in, and a query to try."""

import json
import shlex
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from cli.seed import LogIn
from settings import Settings

_LOG_IN = (
    "mutation ($input: LogInInput!) { logIn(input: $input) { viewer { tenant { name } } userErrors { message } } }"
)
_BOARD = (
    "query ($day: Date!) { dispatchBoard(day: $day) {"
    " lanes { technician { name } appointments { number status customer { name } } } } }"
)
# The demo business is in Austin: late in its evening, UTC is a day ahead.
_DEMO_ZONE = ZoneInfo("America/Chicago")
QUERIES = (_LOG_IN, _BOARD)


def welcome(settings: Settings, log_in: LogIn | None, seconds: float) -> str:
    """The text; colours are dropped where it is not printed on a terminal.

    Args:
        settings: where the server is reached.
        log_in: the demo business's, if there is one.
        seconds: from the start to ready.
    """
    lines = [
        "",
        click.style("Service Pro Stream", bold=True) + f" is ready ({seconds:.1f} s)",
        "",
        f"  Dispatch board  {_address(settings, '/board')}",
        f"  GraphQL         {_address(settings, '/graphql')}",
    ]
    if log_in:
        lines += [
            f"  Log in          {click.style(log_in.email, bold=True)}  password {click.style(log_in.password, bold=True)}",
            "",
            "  A query to try, in another terminal (the first line logs in and keeps the cookie):",
            "",
            "    "
            + _curl(
                settings, "-c sps.cookies", _LOG_IN, {"input": {"email": log_in.email, "password": log_in.password}}
            ),
            "    " + _curl(settings, "-b sps.cookies", _BOARD, {"day": datetime.now(_DEMO_ZONE).date().isoformat()}),
        ]
    lines += ["", f"  Ctrl-C stops everything; the data stays in {settings.data_dir}", ""]
    return "\n".join(lines)


def _address(settings: Settings, path: str) -> str:
    return click.style(settings.origin + path, fg="cyan", underline=True)


def _curl(settings: Settings, cookies: str, query: str, variables: dict[str, object]) -> str:
    body = shlex.quote(json.dumps({"query": query, "variables": variables}))
    return f"curl -s {cookies} {settings.origin}/graphql -H 'content-type: application/json' -d {body}"
