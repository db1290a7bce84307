"""The listening socket: opened before anything else, so that a port in use is told at once, and kept while servers come and go."""

import errno
import os
import socket

from cli.trouble import Trouble

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises Trouble when the address cannot be had.

    Its protocol is named, or asyncio would leave Nagle's algorithm on for what it accepts, and each answer 40 ms late.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Trouble(f"SPS_HOST: {host} is not an address of this machine ({error.strerror}).") from error
    try:
        # Connections of an earlier server that are still closing must not keep us from the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"Port {port} on {host} is in use: stop what uses it, or choose another with --port."
            ) from error
        raise Trouble(f"Port {port} on {host} cannot be listened on: {os.strerror(error.errno or 0)}.") from error
    return listener
