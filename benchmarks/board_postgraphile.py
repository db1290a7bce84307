"""PostGraphile 5 over the same tables: installed by npm into the user's cache at the versions of `postgraphile/`, served by one process.

The npm package `node` brings a Node that is new enough, whatever the machine's own is. The role, the row-level security and the size of
the pool are the others'; `pgSettings` sets the tenant of the request in each transaction.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.board_load import wait_for
from tests.process import environment, free_port

_HERE = Path(__file__).resolve().parent / "postgraphile"
_FILES = ("package.json", "package-lock.json", "server.mjs")
_PATIENCE_S = 600

# A board in the way of PostGraphile's documentation: a custom query and a computed column, both inlined into its statement. (It offers no
# order or condition of its own by columns without an index.)
_ZONE = "SELECT l.time_zone FROM locations l WHERE l.tenant_id = technician.tenant_id AND l.id = technician.location_id"
# The zone is a subquery and not a join: from a join PostgreSQL read all of a technician's appointments, and then their location for each.
FUNCTIONS = f"""
CREATE FUNCTION active_technicians() RETURNS SETOF technicians STABLE LANGUAGE sql AS $$
  SELECT * FROM technicians WHERE active ORDER BY name, id
$$;
CREATE FUNCTION technicians_visits(technician technicians, day date) RETURNS SETOF appointments STABLE LANGUAGE sql AS $$
  SELECT a.* FROM appointments a
  WHERE a.tenant_id = technician.tenant_id AND a.technician_id = technician.id AND a.location_id = technician.location_id
    AND a.starts_at < (day + 1)::timestamp AT TIME ZONE ({_ZONE}) AND a.ends_at > day::timestamp AT TIME ZONE ({_ZONE})
    AND a.starts_at > day::timestamp AT TIME ZONE ({_ZONE}) - interval '1 day' AND a.status <> 'CANCELLED'
  ORDER BY a.starts_at, a.id
$$;
"""


class NotInstalledError(Exception):
    """PostGraphile cannot be had here; the message says why, in a sentence."""


def installed() -> Path:
    """The folder that PostGraphile is installed in, installed now if need be.

    Raises:
        NotInstalledError: there is no npm, or it reaches no registry.
    """
    pinned = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "service-pro-stream-benchmark" / pinned
    if _node(folder).exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalledError("there is no npm on this machine, which PostGraphile is installed with.")
    # Beside its place and then moved there: what was broken off is never taken for installed.
    making = folder.with_name(f"{pinned}.{os.getpid()}")
    making.mkdir(parents=True)
    try:
        for name in _FILES:
            shutil.copy(_HERE / name, making)
        command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            ran = subprocess.run(command, cwd=making, capture_output=True, text=True, timeout=_PATIENCE_S)  # noqa: S603 (pinned)
        except subprocess.TimeoutExpired:
            raise NotInstalledError(f"npm did not finish within {_PATIENCE_S} s.") from None
        if ran.returncode or not _node(making).exists():
            said = (ran.stderr or ran.stdout).strip().splitlines()
            raise NotInstalledError(f"npm could not install it: {said[0] if said else 'it brought no Node'}.")
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


@contextmanager
def postgraphile(app_url: str) -> Iterator[tuple[int, int]]:
    """A server in a process of its own; its process id and its port.

    Raises:
        NotInstalledError: see `installed`.
        TimeoutError: it does not listen.
    """
    folder, port = installed(), free_port()
    settings = {"DATABASE_URL": app_url, "PORT": str(port), "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    beside = subprocess.Popen(  # noqa: S603 (pinned)
        [_node(folder), "server.mjs"], cwd=folder, env=environment() | settings, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port, time.monotonic() + 60)
        yield beside.pid, port
    finally:
        beside.kill()
        beside.wait()


def _node(folder: Path) -> Path:
    return folder / "node_modules" / "node" / "bin" / "node"
