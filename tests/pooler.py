"""PgBouncer in transaction mode, of the test's own, in front of a PostgreSQL."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.messages.brokers import Child

# Fewer than the product's processes have connections of their own: transactions of several share each.
SERVER_CONNECTIONS = 4
# As docs/scaling.md tells to write it, but for what is the test's own.
CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = {address}
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
server_login_retry = 1
idle_transaction_timeout = 15
tcp_keepidle = 10
tcp_keepintvl = 5
tcp_keepcnt = 3
"""


@dataclass
class PgBouncer(Child):
    """One on loopback, or on another address.

    Args:
        database_url: of PostgreSQL, by a socket in a folder.
    """

    database_url: str = ""
    size: int = SERVER_CONNECTIONS

    @property
    def url(self) -> str:
        """The same database and role, through the pooler."""
        parts = urlsplit(self.database_url)
        return f"postgresql://{parts.username}@{self.address}:{self.port}{parts.path}"

    @property
    def version(self) -> tuple[int, int]:
        """Its version, as 1.18."""
        said = subprocess.run(["pgbouncer", "--version"], capture_output=True, text=True, check=True).stdout
        major, minor = said.split()[1].split(".")[:2]
        return int(major), int(minor)

    def command(self) -> tuple[list[str], dict[str, str]]:
        parts = urlsplit(self.database_url)
        sockets = Path(parse_qs(parts.query)["host"][0])
        (self.folder / "users.txt").write_text(f'"{parts.username}" ""\n')
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                host=sockets, port=5432, address=self.address, listen=self.port, folder=self.folder, size=self.size
            )
        )
        # It refuses to run as root, going by the real user; PostgreSQL lets our account alone in, going by the effective one.
        ours = ["setpriv", "--ruid=nobody"] if os.geteuid() == 0 else []
        return [*ours, "pgbouncer", "-q", str(configuration)], {}

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.Error:
            return False
        return True


@contextmanager
def pooler(database_url: str, address: str = "127.0.0.1", size: int = SERVER_CONNECTIONS) -> Iterator[PgBouncer]:
    """One that runs until the block ends."""
    made = PgBouncer(database_url=database_url, address=address, size=size)
    try:
        made.start()
        yield made
    finally:
        if made.process is not None:
            made.stop()
        shutil.rmtree(made.folder, ignore_errors=True)
