"""The process between us and an embedded PostgreSQL: starts it, and stops it once nobody holds the users' lock any more.

The kernel drops a process's locks however it ends, so not even `kill -9` of all users at once leaves the database running.
It runs as a script on the standard library alone, so that it is small and starts at once; it is told what to do in JSON.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


class Ended(Exception):
    """PostgreSQL has ended by itself."""


def main(order: dict[str, Any]) -> int:
    """Run PostgreSQL until it ends or is not used; the answer is an exit code.

    Args:
        order: `locks` (paths: keeper, alive, users), `command`, `log`, `environment`, `user`, `group` (null: our own),
            `sync` (a command, or null), `remove` (a folder to delete afterwards, or null).
    """
    # Out of reach of Ctrl-C, and of whoever kills the group of the process that started us; and in nobody's folder.
    os.setsid()
    os.chdir("/")
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    keeper, alive, users = (
        os.open(order["locks"][name], os.O_RDWR | os.O_CREAT, 0o600) for name in ("keeper", "alive", "users")
    )
    fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    account: dict[str, Any] = {"cwd": "/", "env": order["environment"], "user": order["user"], "group": order["group"]}
    if order["user"] is not None:
        account["extra_groups"] = []
    with Path(order["log"]).open("ab") as log:
        # The server and all its backends inherit the lock `alive`: it is free when the last of them has gone, and no earlier.
        server = subprocess.Popen(  # noqa: S603
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[alive],
            start_new_session=True,
            **account,
        )
    os.close(alive)
    try:
        signal.signal(signal.SIGCHLD, lambda *_: _raise_if_ended(server))
        _raise_if_ended(server)
        if order["sync"]:
            subprocess.Popen(  # noqa: S603
                order["sync"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account
            )
        fcntl.flock(users, fcntl.LOCK_EX)
    except Ended:
        return 1
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _stop(server)
    if order["remove"]:
        shutil.rmtree(order["remove"], ignore_errors=True)
    return 0


def _raise_if_ended(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is not None:
        raise Ended


def _stop(server: subprocess.Popen[bytes]) -> None:
    for how, seconds in ((FAST, 30.0), (IMMEDIATE, 10.0), (signal.SIGKILL, None)):
        server.send_signal(how)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
