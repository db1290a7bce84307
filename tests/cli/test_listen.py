"""The socket that a server listens on."""

import asyncio
import socket

import pytest

from cli.listen import listen


@pytest.mark.parametrize("handed_on", [False, True])
async def test_what_it_accepts_sends_at_once(handed_on: bool) -> None:
    listener = listen("127.0.0.1", 0)
    if handed_on:
        # As `sps up` hands it to the process that serves.
        listener = socket.socket(fileno=listener.detach())
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(tell, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await accepted, "an answer's second write would wait for the acknowledgement of its first"
        writer.close()
        await writer.wait_closed()
