"""The product's own processes, started as `sps` starts them, so that they can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
START_S = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """Ours, without a setting of the product but those given."""
    names = {str(each.validation_alias) for each in Settings.model_fields.values()}
    return (
        {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(ROOT)} | settings
    )


@contextmanager
def process(*arguments: str, enter: Sequence[str] = (), **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A command of `sps`, in a process group of its own; whatever is left of it is killed at the end.

    Args:
        enter: what the command begins with, to run somewhere else.
    """
    started = subprocess.Popen(
        [*enter, sys.executable, "-P", "-m", "cli", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        kill(started)


def kill(started: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to all of the group."""
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def wait_until_ready(port: int, seconds: float = START_S, host: str = "127.0.0.1") -> None:
    """Wait until the server on this port can serve.

    Raises:
        TimeoutError: it could not within the time.
    """
    deadline = time.monotonic() + seconds
    # One client: each makes a TLS context, which takes as long as the wait is meant to.
    # The header is a proxy's word, for a server that is not reached on loopback and trusts us.
    with httpx.Client(verify=False, headers={"x-forwarded-proto": "https"}) as http:  # noqa: S501 (plain HTTP)
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if http.get(f"http://{host}:{port}/health/ready").status_code == 200:
                    return
            time.sleep(0.05)
    raise TimeoutError(f"no server on port {port}")
