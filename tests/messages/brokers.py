"""Brokers of the test's own: started on a free port, emptied and restarted in the middle of the work."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pika
import psycopg
import redis
from psycopg import sql

from tests.process import free_port
from workers.broker import QUEUE


class Broker(Protocol):
    """One that can lose what it was given."""

    @property
    def url(self) -> str | None:
        """Where it is; None: in the database."""

    def empty(self) -> None:
        """Lose all messages."""

    def restart(self) -> None:
        """End at once, and come back."""


@dataclass
class PostgresBroker:
    """The database itself, as the app's role: its connections are cut, and its queue is emptied."""

    database_url: str
    url: str | None = None

    def empty(self) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("DELETE FROM dramatiq.queue")

    def restart(self) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND usename = current_user AND application_name = 'dramatiq-postgres' AND pid <> pg_backend_pid()"
                )
            )


@dataclass
class Child:
    """A server in a folder of its own."""

    port: int = field(default_factory=free_port)
    address: str = "127.0.0.1"
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="broker")))
    process: "subprocess.Popen[bytes] | None" = None

    def command(self) -> tuple[list[str], dict[str, str]]:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        command, environment = self.command()
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "HOME": str(self.folder), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while not self.ready():
            assert self.process.poll() is None, "the broker has ended"
            assert time.monotonic() < deadline, "the broker does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()


class RedisServer(Child):
    """Redis; it forgets everything when it is restarted."""

    @property
    def url(self) -> str:
        return f"redis://{self.address}:{self.port}/0"

    def command(self) -> tuple[list[str], dict[str, str]]:
        return [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            self.address,
            "--protected-mode",
            "no",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ], {}

    def ready(self) -> bool:
        try:
            with redis.Redis(self.address, self.port) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def empty(self) -> None:
        with redis.Redis(self.address, self.port) as client:
            client.flushall()


class RabbitServer(Child):
    """RabbitMQ."""

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def command(self) -> tuple[list[str], dict[str, str]]:
        return ["/usr/lib/rabbitmq/bin/rabbitmq-server"], {
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "ERL_EPMD_PORT": str(free_port()),
        }

    def _connect(self) -> pika.BlockingConnection:
        return pika.BlockingConnection(pika.URLParameters(self.url))

    def ready(self) -> bool:
        try:
            self._connect().close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def empty(self) -> None:
        connection = self._connect()
        connection.channel().queue_purge(QUEUE)
        connection.close()


@contextmanager
def running(kind: str, database_url: str) -> Iterator[Broker]:
    """A broker of a kind, until the block ends."""
    if kind == "postgresql":
        yield PostgresBroker(database_url)
        return
    server = RedisServer() if kind == "redis" else RabbitServer()
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
