"""Serves the stand-in for Stripe on loopback, and signs its events."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.standins.stripe import CUT, DOWN, KEY, SECRET, Json, Refusal, StripeStandIn


def signed(event: Json | bytes, secret: str = SECRET, at: float | None = None) -> tuple[bytes, dict[str, str]]:
    """An event as Stripe sends it: the body and the headers, signed at a time (seconds since 1970)."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    moment = int(time.time() if at is None else at)
    proof = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"stripe-signature": f"t={moment},v1={proof},v0=old", "content-type": "application/json"}


def _nested(text: str) -> Json:
    """The parameters of a form with names like a[b][0]."""
    found: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        place, key = found, head
        for part in rest:
            place, key = place.setdefault(key, {}), part
        place[key] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(each) for name, each in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() or name == "" for name in inner) else inner


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: the second would wait 40 ms for the other side's acknowledgement.
    disable_nagle_algorithm = True
    stand_in: StripeStandIn

    def _any(self) -> None:
        path = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        params = _nested(body or path.query)
        treatment = self.stand_in.behave(self.command, path.path)
        if self.headers.get("authorization") != f"Bearer {KEY}":
            status, answer = 401, Refusal(401, "invalid_request_error", "Invalid API Key provided").body
        elif treatment == DOWN:
            status, answer = 503, Refusal(503, "api_error", "down").body
        else:
            status, answer = self.stand_in.handle(self.command, path.path, params, self.headers.get("idempotency-key"))
        if treatment == CUT:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("request-id", "req_standin")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _any  # noqa: N815 (the names of the base class)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def stripe_stand_in() -> Iterator[StripeStandIn]:
    """Serve on a free port until the block ends."""
    stand_in = StripeStandIn()
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with _Server(("127.0.0.1", 0), handler) as server:
        stand_in.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield stand_in
        server.shutdown()
        thread.join()
