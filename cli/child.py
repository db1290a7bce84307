"""What a process does that `sps up` or `sps serve --workers` has started: waits for its orders, and ends with its parent."""

import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

# Longer than a server takes to finish what it has begun; a process that hangs must not outlive its parent for good.
GRACE_SECONDS = 20.0


def end_on_signals() -> None:
    """SIGTERM and SIGINT leave through `finally`, so that leases are given back; uvicorn raises SIGTERM again after its shutdown."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def follow_parent(descriptor: int | None) -> None:
    """Wait until the parent says go, and from then on end when it is gone, which the kernel tells us however it ends.

    The order is a line of JSON with variables for our environment: where the database is, once the parent knows.

    Args:
        descriptor: the reading end of the parent's pipe; None: started by hand, and nobody's child.
    """
    if descriptor is None:
        return
    # Ctrl-C reaches the whole group: the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = b""
    while not order.endswith(b"\n"):
        part = os.read(descriptor, 65_536)
        if not part:
            sys.exit(0)
        order += part
    os.environ.update(json.loads(order))
    threading.Thread(target=_await_end, args=(descriptor,), name="parent", daemon=True).start()


def _await_end(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)
