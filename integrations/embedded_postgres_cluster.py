"""What an embedded PostgreSQL holds: a whole cluster or none, who may connect, two roles and one database."""

import os
import shutil
import time
from pathlib import Path

import psycopg
from psycopg import sql

from integrations.embedded_postgres_host import EmbeddedPostgresError, Host, account_name

SUPERUSER, OWNER, APP, DATABASE = "postgres", "sps_owner", "sps_app", "sps"
ROLES = (SUPERUSER, OWNER, APP)
ENDING_SECONDS = 5.0


def create_cluster(host: Host, data: Path) -> bool:
    """Make the cluster if there is none; True when it did. It is built beside its place: what is in place is whole.

    Raises:
        EmbeddedPostgresError: the folder is not a cluster of this PostgreSQL, or initdb fails.
    """
    if data.exists():
        _check(host, data)
        return False
    partial = data.with_name(f"{data.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700)
    host.give(partial)
    # initdb --no-locale would make lower('Ä') wrong; the builtin provider came with 17.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    answer = host.run(
        "initdb",
        "--no-sync",
        "--no-instructions",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--auth=reject",
        *(builtin if host.major >= 17 else ["--locale=C.UTF-8"]),
        "-D",
        str(partial),
    )
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["initdb failed"])[0]
        raise EmbeddedPostgresError(f"The embedded database in {data.parent} cannot be created: {reason}")
    partial.rename(data)
    return True


def _check(host: Host, data: Path) -> None:
    try:
        found = data.stat()
        if found.st_uid == 0 and host.account:
            _hand_over(host, data)
        elif found.st_uid != host.uid:
            raise EmbeddedPostgresError(
                f"{data} belongs to {account_name(found.st_uid)}: start as the user who made it, or choose another --data-dir."
            )
        version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise EmbeddedPostgresError(
            f"The data folder {data} is damaged (PG_VERSION is missing): put a backup in its place, or remove it to start empty."
        ) from error
    if version != str(host.major):
        raise EmbeddedPostgresError(
            f"{data} was made by PostgreSQL {version}, and {host.bindir} holds {host.major}: set SPS_PG_BINDIR to binaries of {version}."
        )


def _hand_over(host: Host, data: Path) -> None:
    """A folder that root has restored from a copy belongs to root, as whom PostgreSQL does not run."""
    for folder, folders, files in os.walk(data):
        host.give(Path(folder))
        for name in (*folders, *files):
            host.give(Path(folder, name))


def remove_stale_pid_file(data: Path) -> None:
    """Remove the note of a server that is gone, though its process number is not: PostgreSQL would take it for living.

    The number may have been given to another program, as after a container's restart, or be kept by a zombie, which
    stays for good where the first process of a container does not clear away what it inherits.
    """
    note = data / "postmaster.pid"
    deadline = time.monotonic() + ENDING_SECONDS
    # A server works in its data folder. Systems without /proc leave the judgement to PostgreSQL.
    while note.exists() and Path("/proc/self/cwd").exists():
        try:
            number = int(note.read_text(encoding="utf-8").split(maxsplit=1)[0])
            works_here = Path(f"/proc/{number}/cwd").readlink() == data.resolve()
        except (OSError, ValueError, IndexError):
            works_here = False
        if not works_here:
            note.unlink()
        elif time.monotonic() > deadline:
            return
        else:
            # A killed process drops its locks a moment before it is gone.
            time.sleep(0.01)


def write_access(host: Host, data: Path) -> None:
    """Let our own account, by the unix socket alone, connect as any role; decision 0001 says why neither trust nor passwords."""
    us = account_name(os.geteuid())
    lines = [f'sps "{us}" {role}\n' for role in (["all"] if host.major >= 16 else ROLES)]
    for name, text in (("pg_hba.conf", "local all all peer map=sps\n"), ("pg_ident.conf", "".join(lines))):
        fresh = data / f"{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        host.give(fresh)
        fresh.replace(data / name)


def prepare(connection: psycopg.Connection[tuple[object, ...]], *, may_create_databases: bool) -> None:
    """Make the roles and the database that are missing; a start that was killed half-way has left any part of them.

    `sps_owner` owns the database and migrates it; `sps_app` owns nothing, so that row-level security binds it.
    """
    roles = {
        row[0] for row in connection.execute("select rolname from pg_roles where rolname = any(%s)", [list(ROLES)])
    }
    if OWNER not in roles:
        options = sql.SQL("CREATEDB" if may_create_databases else "")
        connection.execute(sql.SQL("create role {} login {}").format(sql.Identifier(OWNER), options))
    if APP not in roles:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(APP)))
    if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
        connection.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
        )
    if not may_create_databases:
        connection.execute(
            sql.SQL("revoke all on database {db} from public; grant connect on database {db} to {app}").format(
                db=sql.Identifier(DATABASE), app=sql.Identifier(APP)
            )
        )
