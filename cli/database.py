"""The database that a command works on: the embedded one, or the one that DATABASE_URL names; with the right role for the job."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from cli.configuration import reload
from cli.keys import Keys
from cli.postgres import connect, facts, plain, with_role
from cli.trouble import Trouble
from integrations.embedded_postgres import EmbeddedPostgresError, PostgresServer, embedded_postgres
from integrations.embedded_postgres_cluster import APP, DATABASE, OWNER
from settings import Settings

NAME_BYTES = 63


@dataclass(frozen=True)
class Access:
    """Two ways into one database: as who owns its tables, and as who only works with them."""

    migrator_url: str
    app_url: str
    app_role: str
    #: What children are told: where the database is, unless they find the embedded one by the data folder.
    order: dict[str, str]
    #: Starts an embedded server again that has ended; tells whether it did.
    revive: Callable[[], bool]


@contextmanager
def administered(settings: Settings) -> Iterator[Access]:
    """The database for commands that migrate or fill it; an embedded one runs as long as the block.

    Raises:
        Trouble: it cannot be had, with the reason.
    """
    if settings.database_url is None:
        with _embedded(settings) as server:
            # Children that hold the embedded database themselves keep it running while they live.
            yield Access(server.url(DATABASE, OWNER), server.url(DATABASE, APP), APP, {}, server.revive)
        return
    migrator_url, setting = settings.database_url, "DATABASE_URL"
    if settings.database_migrator_url:
        migrator_url, setting = settings.database_migrator_url, "DATABASE_MIGRATOR_URL"
    with connect(migrator_url, setting) as connection:
        _require_migrator(connection, setting)
        if settings.database_migrator_url:
            app_url, direct_url = settings.database_url, settings.database_direct_url
            app_role = _require_app(app_url)
        else:
            app_url, app_role, direct_url = _provision(connection, migrator_url, settings)
        settings = settings.model_copy(update={"database_url": plain(app_url), "database_direct_url": direct_url})
    yield Access(plain(migrator_url), plain(app_url), app_role, order(settings), lambda: False)


@contextmanager
def served(settings: Settings) -> Iterator[Settings]:
    """The settings for a server or a worker: DATABASE_URL is that of the app's role, and no way to a stronger one is left.

    Raises:
        Trouble: the database cannot be had, or the role is one that row-level security does not bind.
    """
    if settings.database_url is None:
        with _embedded(settings) as server:
            yield _as_app(server.url(DATABASE, APP))
        return
    _require_app(settings.database_url)
    yield _as_app(settings.database_url)


def order(settings: Settings) -> dict[str, str]:
    """The variables by which a child finds the database of these settings, as the app's role."""
    found = {"DATABASE_URL": settings.database_url, "DATABASE_DIRECT_URL": settings.database_direct_url}
    return {name: value for name, value in found.items() if value}


@contextmanager
def _embedded(settings: Settings) -> Iterator[PostgresServer]:
    try:
        with embedded_postgres(settings.data_dir, settings.pg_bindir) as server:
            yield server
    except EmbeddedPostgresError as error:
        raise Trouble(str(error)) from error


def _as_app(url: str) -> Settings:
    os.environ["DATABASE_URL"] = plain(url)
    os.environ.pop("DATABASE_MIGRATOR_URL", None)
    return reload()


def _require_app(url: str) -> str:
    with connect(url, "DATABASE_URL") as connection:
        found = facts(connection)
    if found.unfit_for_app:
        raise Trouble(
            f"DATABASE_URL: the role {found.role} {found.unfit_for_app}, so row-level security would not keep tenants apart: "
            "use `sps up`, or name a role that owns nothing here and the owner in DATABASE_MIGRATOR_URL."
        )
    return found.role


def _require_migrator(connection: psycopg.Connection[Any], setting: str) -> None:
    found = facts(connection)
    if found.superuser or (found.may_create_tables and found.may_change_tables):
        return
    lacks = "owns not all tables of" if found.may_create_tables else "may not create tables in"
    raise Trouble(
        f"{setting}: the role {found.role} {lacks} the database {found.database}, so it cannot migrate it: "
        f"name its owner in {setting if setting != 'DATABASE_URL' else 'DATABASE_MIGRATOR_URL'}."
    )


def app_role_name(database: str) -> str:
    """The role that `up` makes for a database: a readable name where PostgreSQL's 63 bytes allow it."""
    name = f"sps_app_{database}"
    return name if len(name.encode()) <= NAME_BYTES else f"sps_app_{hashlib.sha256(database.encode()).hexdigest()[:32]}"


def _provision(
    connection: psycopg.Connection[Any], migrator_url: str, settings: Settings
) -> tuple[str, str, str | None]:
    found = facts(connection)
    role = app_role_name(found.database)
    parts = conninfo_to_dict(plain(migrator_url))
    password = Keys(settings.data_dir).app_password(
        f"{parts.get('host', '')}:{parts.get('port', 5432)}/{found.database}"
    )
    app_url = with_role(migrator_url, found.database, role, password)
    direct = settings.database_direct_url
    made = app_url, role, with_role(direct, found.database, role, password) if direct else None
    exists = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    if exists and _accepts(app_url):
        return made
    # Encrypted here: the statement may end up in the server's log.
    secret = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    try:
        connection.execute(
            sql.SQL("{verb} role {role} login password {secret}").format(
                verb=sql.SQL("alter" if exists else "create"), role=sql.Identifier(role), secret=sql.Literal(secret)
            )
        )
        connection.execute(
            sql.SQL("grant connect on database {} to {}").format(sql.Identifier(found.database), sql.Identifier(role))
        )
    except psycopg.errors.InsufficientPrivilege as error:
        raise Trouble(
            f"DATABASE_URL: the role {found.role} may not {'change' if exists else 'create'} the role {role}, as which the app would run: "
            "name a role for the app in DATABASE_URL, and this one in DATABASE_MIGRATOR_URL."
        ) from error
    return made


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
