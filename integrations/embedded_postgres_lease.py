"""One process's use of an embedded PostgreSQL: starts it when it is the first, stops it when it is the last."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg.pq import Ping

from integrations.embedded_postgres_cluster import (
    SUPERUSER,
    create_cluster,
    prepare,
    remove_stale_pid_file,
    write_access,
)
from integrations.embedded_postgres_host import (
    EmbeddedPostgresError,
    cluster_folder,
    environment,
    find_host,
    socket_folder,
)

SILENT_SECONDS = 30.0
RECOVERY_SECONDS = 900.0
LOG_LIMIT_BYTES = 10_000_000
POLL_SECONDS = 0.02

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": "200",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached by a unix socket in a private folder."""

    socket_dir: Path
    data_dir: Path
    superuser: str = SUPERUSER
    #: Starts the server again if it has ended (killed, say); tells whether it did. For the one process in charge.
    revive: Callable[[], bool] = field(default=lambda: False, repr=False, compare=False)

    def url(self, database: str, role: str) -> str:
        """A libpq URL; it names the port too, so that PGPORT in the environment changes nothing."""
        where = urlencode({"host": str(self.socket_dir), "port": "5432"}, quote_via=quote, safe="")
        return f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?{where}"


class Lease:
    """Our use of a server. Three locks besides our own `users`: `start` (one starts or stops), `keeper` and `alive` (they live)."""

    def __init__(self, home: Path, bindir: Path | None, settings: Mapping[str, str], *, throwaway: bool) -> None:
        try:
            home.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            home.mkdir(mode=0o711, exist_ok=True)
        except FileExistsError as error:
            raise EmbeddedPostgresError(f"{error.filename} is not a folder.") from error
        except OSError as error:
            raise EmbeddedPostgresError(f"{error.filename} cannot be made: {error.strerror}.") from error
        self._home = home
        self._settings = settings
        self._throwaway = throwaway
        self._bindir = bindir
        self._locks: dict[str, int] = {}
        self._keeper: int | None = None

    def __enter__(self) -> "Lease":
        try:
            self._host = find_host(self._bindir, self._home / "data")
            for name in ("start", "users", "keeper", "alive"):
                self._locks[name] = os.open(self._home / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._locks["start"], fcntl.LOCK_EX)
            # Waits for a keeper that is stopping the server: it stops holding this lock.
            fcntl.flock(self._locks["users"], fcntl.LOCK_SH)
            self.server = self._open()
            fcntl.flock(self._locks["start"], fcntl.LOCK_UN)
        except OSError as error:
            self.close()
            raise EmbeddedPostgresError(
                f"The data folder {self._home} cannot be used: {error.strerror or error}."
            ) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave; the last one out waits until the server has stopped."""
        try:
            if len(self._locks) == 4:
                self._leave()
        finally:
            for descriptor in self._locks.values():
                os.close(descriptor)
            self._locks.clear()
        self._keeper_ended()

    def _leave(self) -> None:
        start, users, keeper = (self._locks[name] for name in ("start", "users", "keeper"))
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_UN)
        if not _try_lock(users, fcntl.LOCK_EX):
            # Others use it, and this returns at once; or the keeper has been quicker and is stopping it, and this waits for that.
            fcntl.flock(users, fcntl.LOCK_SH)
            return
        fcntl.flock(users, fcntl.LOCK_UN)
        fcntl.flock(keeper, fcntl.LOCK_SH)
        if not _try_lock(self._locks["alive"], fcntl.LOCK_SH):
            # Its keeper has been killed.
            self._host.run("pg_ctl", "stop", "-m", "fast", "-w", "-t", "30", "-D", str(self._data))

    def _open(self) -> PostgresServer:
        self._data = cluster_folder(self._host, self._home)
        self._sockets = socket_folder(self._host, self._data)
        server = PostgresServer(self._sockets, self._data, revive=self._revive)
        created = False
        if self._ping() is not Ping.OK:
            created = create_cluster(self._host, self._data)
            self._start(sync=created and not self._throwaway)
        try:
            with psycopg.connect(server.url("postgres", SUPERUSER), autocommit=True, connect_timeout=10) as connection:
                prepare(connection, may_create_databases=self._throwaway)
        except psycopg.Error as error:
            raise EmbeddedPostgresError(
                f"The embedded database in {self._home} does not work: {_last_line(str(error))}"
            ) from error
        return server

    def _revive(self) -> bool:
        start, alive = self._locks["start"], self._locks["alive"]
        # Without it, this look at `alive` could be what another process, starting the server, takes for a living one.
        if not _try_lock(start, fcntl.LOCK_EX):
            return False
        try:
            if not _try_lock(alive, fcntl.LOCK_SH):
                return False
            fcntl.flock(alive, fcntl.LOCK_UN)
            self._start(sync=False)
            return True
        finally:
            fcntl.flock(start, fcntl.LOCK_UN)

    def _ping(self) -> Ping:
        return Ping(psycopg.pq.PGconn.ping(f"host={self._sockets} port=5432 dbname=postgres user={SUPERUSER}".encode()))

    def _start(self, *, sync: bool) -> None:
        # Backends outlive a killed postmaster for a moment, and a server of which only the keeper was killed may still be stopping.
        deadline = time.monotonic() + SILENT_SECONDS
        while not _try_lock(self._locks["alive"], fcntl.LOCK_EX):
            if self._ping() is Ping.OK:
                return
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"An earlier PostgreSQL in {self._home} neither answers nor ends: end it, then start again."
                )
            time.sleep(POLL_SECONDS)
        fcntl.flock(self._locks["alive"], fcntl.LOCK_UN)
        fcntl.flock(self._locks["keeper"], fcntl.LOCK_EX)
        fcntl.flock(self._locks["keeper"], fcntl.LOCK_UN)
        for left in self._sockets.iterdir():
            # All processes of the server that made these are gone, but their numbers may have been given to others.
            left.unlink()
        remove_stale_pid_file(self._data)
        write_access(self._host, self._data)
        log = self._home / "log"
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.rename(self._home / "log.1")
        with open(log, "ab", opener=_private) as output:
            start_of_run = output.tell()
            script = str(Path(__file__).with_name("embedded_postgres_keeper.py"))
            self._keeper = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", script, json.dumps(self._order(sync=sync))],
                dict(os.environ),
                file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)],
            )
        self._await_ready(log, start_of_run)

    def _keeper_ended(self) -> bool:
        """Whether the keeper that we have started has ended; it may well outlive us, if others use the server."""
        if self._keeper is not None:
            try:
                if os.waitpid(self._keeper, os.WNOHANG) == (0, 0):
                    return False
            except ChildProcessError:
                # SIGCHLD is ignored here, so the kernel has cleared it away.
                pass
            self._keeper = None
        return True

    def _await_ready(self, log: Path, start_of_run: int) -> None:
        started = time.monotonic()
        while True:
            answer, ended = self._ping(), self._keeper_ended()
            if answer is Ping.OK:
                return
            # "Rejecting" is a server that recovers after a crash, which takes as long as it has to redo.
            limit = RECOVERY_SECONDS if answer is Ping.REJECT else SILENT_SECONDS
            if ended or time.monotonic() - started > limit:
                with log.open("rb") as written:
                    written.seek(start_of_run)
                    reason = _reason(written.read().decode(errors="replace"))
                raise EmbeddedPostgresError(f"The embedded database in {self._home} does not start: {reason}")
            time.sleep(POLL_SECONDS)

    def _order(self, *, sync: bool) -> dict[str, object]:
        settings = _SETTINGS | {"unix_socket_directories": str(self._sockets)} | dict(self._settings)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        account = self._host.account
        return {
            "locks": {name: str(self._home / f"{name}.lock") for name in ("users", "keeper", "alive")},
            "command": [str(self._host.bindir / "postgres"), "-D", str(self._data), *options],
            "log": str(self._home / "log"),
            "environment": environment(),
            "user": account.uid if account else None,
            "group": account.gid if account else None,
            "sync": [str(self._host.bindir / "initdb"), "-S", "-D", str(self._data)] if sync else None,
            "remove": str(self._home) if self._throwaway else None,
        }


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1].strip()


def _reason(log: str) -> str:
    for line in reversed(log.splitlines()):
        for level in ("FATAL:", "PANIC:"):
            if level in line:
                return line.split(level, 1)[1].strip()
    return _last_line(log)
