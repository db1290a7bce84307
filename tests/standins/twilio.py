"""A stand-in for Twilio's Messages API on loopback: takes texts, lists them, misbehaves on demand, signs its callbacks."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from twilio.request_validator import RequestValidator

ACCOUNT, TOKEN, NUMBER = "AC00000000000000000000000000000001", "the-auth-token", "+15005550006"
# How a request can be treated. "…-taken": the text exists, although the client never hears so.
TAKE, BUSY, BROKEN, BROKEN_TAKEN, RESET, RESET_TAKEN, SILENT_TAKEN = (
    "take", "429", "500", "500-taken", "reset", "reset-taken", "silent-taken",
)  # fmt: skip


@dataclass
class Text:
    """A text that was taken."""

    sid: str
    to: str
    body: str
    callback: str | None
    created: datetime
    arrived: float
    status: str = "queued"


@dataclass
class TwilioStandIn:
    """What the server has been asked, and how it is to behave.

    `behave` is called with the form of each POST and says how to treat it; a number is a status with that error code.
    `on_request` is called before a POST is answered, `on_taken` after the text exists and before the answer.
    """

    texts: list[Text] = field(default_factory=list)
    arrived: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    listings: int = 0
    behave: Callable[[dict[str, str]], str | int] = lambda _form: TAKE
    can_list: bool = True
    retry_after: str = "1"
    silence_s: float = 5.0
    on_request: Callable[[dict[str, str]], None] = lambda _form: None
    on_taken: Callable[[Text], None] = lambda _text: None
    base_url: str = ""
    silent: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settings(self) -> dict[str, Any]:
        """Settings that point the real client here."""
        return {
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_from": NUMBER,
            "twilio_base_url": self.base_url,
        }

    def environment(self) -> dict[str, str]:
        """The same for a process."""
        return {f"{name.upper()}": str(value) for name, value in self.settings().items()}

    def take(self, form: dict[str, str]) -> Text:
        with self._lock:
            sid = f"SM{len(self.texts):032x}"
            callback, now = form.get("StatusCallback"), time.time()
            text = Text(sid, form["To"], form["Body"], callback, datetime.fromtimestamp(now, UTC), now)
            self.texts.append(text)
        self.on_taken(text)
        return text

    def bodies(self, to: str | None = None) -> list[str]:
        return [text.body for text in self.texts if to in (None, text.to)]

    async def report(self, text: Text, status: str, *, token: str = TOKEN, **more: str) -> httpx.Response:
        """Tell the product by its status callback, signed."""
        assert text.callback is not None
        form = {"MessageSid": text.sid, "MessageStatus": status, "To": text.to, "From": NUMBER, **more}
        return await post_signed(text.callback, form, token=token)


async def post_signed(url: str, form: dict[str, str], *, token: str = TOKEN) -> httpx.Response:
    """A request as Twilio makes them."""
    signature = RequestValidator(token).compute_signature(url, form)
    async with httpx.AsyncClient(verify=False) as client:  # noqa: S501 (loopback)
        return await client.post(url, data=form, headers={"X-Twilio-Signature": signature})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: the second would wait 40 ms for the other side's acknowledgement.
    disable_nagle_algorithm = True
    stand_in: TwilioStandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        stand_in = self.stand_in
        with stand_in._lock:
            stand_in.arrived.append((time.time(), form))
        stand_in.on_request(form)
        treated = stand_in.behave(form)
        if isinstance(treated, int):
            self._answer(400, {"code": treated, "message": f"{form['To']} is wrong", "status": 400})
        elif treated == TAKE:
            self._answer(201, _json(stand_in.take(form)))
        elif treated == BUSY:
            self._answer(429, {"code": 20429, "message": "busy", "status": 429}, {"Retry-After": stand_in.retry_after})
        else:
            if treated.endswith("-taken"):
                stand_in.take(form)
            if treated.startswith("500"):
                self._answer(500, {"code": 20500, "message": "broken", "status": 500})
                return
            if treated == SILENT_TAKEN:
                stand_in.silent += 1
                stand_in.over.wait(stand_in.silence_s)
                stand_in.silent -= 1
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        stand_in = self.stand_in
        stand_in.listings += 1
        if not stand_in.can_list:
            self._answer(503, {"code": 20503, "message": "no list today", "status": 503})
            return
        size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        with stand_in._lock:
            listed = [text for text in reversed(stand_in.texts) if query.get("To") in (None, text.to)]
        part = listed[page * size : (page + 1) * size]
        more = f"{url.path}?{url.query}&Page={page + 1}" if (page + 1) * size < len(listed) else None
        if more and "Page=" in url.query:
            more = f"{url.path}?To={query['To'].replace('+', '%2B')}&PageSize={size}&Page={page + 1}"
        self._answer(
            200, {"messages": [_json(text) for text in part], "next_page_uri": more, "page": page, "page_size": size}
        )

    def _answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(value).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _json(text: Text) -> dict[str, Any]:
    return {
        "sid": text.sid,
        "account_sid": ACCOUNT,
        "to": text.to,
        "from": NUMBER,
        "body": text.body,
        "status": text.status,
        "direction": "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "error_code": None,
        "error_message": None,
        "date_created": format_datetime(text.created),
        "date_updated": format_datetime(text.created),
        "date_sent": None,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{text.sid}.json",
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of ours."""


@contextmanager
def twilio_stand_in() -> Iterator[TwilioStandIn]:
    """A stand-in that listens until the block ends."""
    stand_in = TwilioStandIn()
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with _Server(("127.0.0.1", 0), handler) as server:
        stand_in.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield stand_in
        stand_in.over.set()
        server.shutdown()
        thread.join()
