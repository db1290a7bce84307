"""What a process does that `sps up` or `sps serve --workers` has started: ends when told, and when its parent is gone."""

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


def end_with_parent(descriptor: int | None) -> None:
    """End when the other end of this pipe closes, which the kernel does however the parent ends.

    Args:
        descriptor: the pipe's reading end; None: started by hand, and nobody's child.
    """
    if descriptor is None:
        return
    # Ctrl-C reaches the whole group: the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_await_end, args=(descriptor,), name="parent", daemon=True).start()


def _await_end(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)
