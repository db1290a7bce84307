"""uvicorn's websocket protocol, mended where a reader that has stopped reading would hold a socket or the server's end up."""

from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

# The ASGI scope's extension with `write_frame`.
FRAMES = "sps.frames"


def text_frame(payload: bytes) -> bytes:
    """A whole message as a server's frame: unmasked, in one piece."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class PromptCloseProtocol(WebSocketsSansIOProtocol):
    """Puts the close frame behind what is buffered, and drops the connection when that is not taken in time.

    Stock uvicorn lets `websocket.close` wait until the buffer has drained, for as long as the peer likes, and then keeps the
    connection until the last byte is taken: whoever stops reading holds it open and never learns the code.
    """

    def handle_connect(self, event: Request) -> None:
        """Offer the application the way for frames that are made already."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            cast("dict[str, Any]", self.scope["extensions"])[FRAMES] = self.write_frame

    def write_frame(self, frame: bytes) -> bool:
        """Write a frame that many sockets get alike, and is therefore made once: see `text_frame`.

        Returns:
            Whether it was written: not while the reader is slow, and not before or after the socket is open.
        """
        if not self.writable.is_set() or self.disconnected or self.close_sent or not self.handshake_complete:
            return False
        if self.conn.state is not State.OPEN or self.conn.extensions:
            return False
        self.transport.write(frame)
        return True

    async def send(self, message: ASGISendEvent) -> None:
        """Send one ASGI event."""
        if message["type"] != "websocket.close" or self.writable.is_set() or self.disconnected:
            await super().send(message)
            return
        self.writable.set()
        try:
            await super().send(message)
        finally:
            self.writable.clear()
        self.loop.call_later(self.close_timeout, self.transport.abort)

    def shutdown(self) -> None:
        """End the connection when the server stops.

        Stock uvicorn raises here for a peer that has begun to close and is not done, and leaves all the others open.
        """
        if self.handshake_complete and not self.close_sent and self.conn.state is not State.OPEN:
            self.stop_keepalive()
            self.transport.abort()
            return
        super().shutdown()


def uvicorn_options(body_bytes: int) -> dict[str, Any]:
    """What the server must be started with for the edge to hold: `uvicorn.Config(app, **uvicorn_options(...))`.

    Args:
        body_bytes: the longest websocket message that is read.
    """
    return {
        # uvicorn would believe anybody on loopback; web.client believes SPS_TRUSTED_PROXIES alone.
        "proxy_headers": False,
        # web.middleware.request_log writes the access log, without query strings and tokens.
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "ws": PromptCloseProtocol,
        "ws_max_size": body_bytes,
        # Small messages gain nothing, and inflating a stranger's bytes costs memory.
        "ws_per_message_deflate": False,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "timeout_keep_alive": 15,
        "h11_max_incomplete_event_size": 32_768,
    }
