"""A mail server on loopback, by aiosmtpd: keeps what it is given, and misbehaves on demand."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class MailStandIn:
    """`answer` is what a recipient is answered with, `end` what the words are: a line, or None to hang up."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    answer: str = "250 OK"
    end: str | None = "250 OK"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.end is None or self.end.startswith("250"):
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.received.append(parsed)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        if self.end is None:
            server.transport.abort()
            return "250 never heard"
        return self.end


@contextmanager
def mail_stand_in() -> Iterator[MailStandIn]:
    """A server that listens until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        stand_in = MailStandIn(port=free.getsockname()[1])
    controller = Controller(stand_in, hostname="127.0.0.1", port=stand_in.port)
    controller.start()
    try:
        yield stand_in
    finally:
        controller.stop()
