"""The doctor's look at the database: reachable, the right roles, migrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic.script import ScriptDirectory

from cli.doctor_settings import Finding, State
from cli.postgres import connect, facts
from cli.trouble import Trouble
from integrations.embedded_postgres import EmbeddedPostgresError, embedded_postgres
from integrations.embedded_postgres_cluster import APP, DATABASE, OWNER
from integrations.embedded_postgres_host import find_host
from settings import Settings

MIGRATE = "Run `sps migrate`, or `sps up`, which does it too."


def database_findings(settings: Settings) -> list[Finding]:
    """What can be told without changing anything; an embedded database that exists is started for the look."""
    try:
        if settings.database_url is None:
            return _embedded(settings)
        return _external(settings, settings.database_url)
    except (Trouble, EmbeddedPostgresError) as error:
        return [
            Finding(
                "database", State.FAIL, str(error), "Mend that; docs/configuration.md has the form of the variables."
            )
        ]


def _embedded(settings: Settings) -> list[Finding]:
    data_dir = settings.data_dir.expanduser().absolute()
    cluster = data_dir / "postgres" / "data"
    host = find_host(settings.pg_bindir, cluster)
    runs_as = f", run as {host.account.name}" if host.account else ""
    found = [Finding("binaries", State.OK, f"PostgreSQL {host.major} in {host.bindir}{runs_as}")]
    if not cluster.exists():
        return [*found, Finding("database", State.OK, "the embedded one is made on the first start")]
    with embedded_postgres(data_dir, settings.pg_bindir) as server:
        found.append(Finding("database", State.OK, f"embedded, in {cluster}"))
        with _connected(server.url(DATABASE, APP)) as app:
            found.append(_role(app))
        with _connected(server.url(DATABASE, OWNER)) as owner:
            found.append(_migrations(owner, server.url(DATABASE, OWNER)))
    return found


def _external(settings: Settings, url: str) -> list[Finding]:
    found = []
    with _connected(url) as connection:
        version = connection.info.server_version
        found.append(
            Finding(
                "database", State.OK, f"PostgreSQL {version // 10_000}.{version % 10_000} at {connection.info.host}"
            )
        )
        found += _pooler(connection, settings)
        if settings.database_migrator_url:
            found.append(_role(connection))
        else:
            role = facts(connection).role
            found.append(
                Finding(
                    "app role", State.OK, f"DATABASE_URL names {role}, with which `sps up` makes the app's own role"
                )
            )
    migrator = settings.database_migrator_url or url
    with _connected(
        migrator, "DATABASE_MIGRATOR_URL" if settings.database_migrator_url else "DATABASE_URL"
    ) as connection:
        owner = facts(connection)
        if not (owner.superuser or (owner.may_create_tables and owner.may_change_tables)):
            mend = f"Give it the database: ALTER DATABASE {owner.database} OWNER TO {owner.role}."
            found.append(
                Finding("migrator", State.FAIL, f"the role {owner.role} cannot migrate {owner.database}", mend)
            )
        found.append(_migrations(connection, migrator))
    return found


def _pooler(connection: psycopg.Connection[Any], settings: Settings) -> list[Finding]:
    """What does not pass a pooler, which is told by this: the process that greeted us is not the one that answers."""
    row = connection.execute("select pg_backend_pid()").fetchone()
    if row is None or row[0] == connection.info.backend_pid:
        return []
    needs = {"LISTEN": settings.broadcast_url, "the broker in PostgreSQL": settings.broker_url}
    through = [what for what, url in needs.items() if not (url or settings.database_direct_url)]
    if not through:
        kept = "; prepared statements are on, which needs PgBouncer 1.22" if settings.prepared_statements else ""
        what = f"DATABASE_URL leads through one, and nothing that needs a session does{kept}"
        return [Finding("pooler", State.OK, what)]
    mend = "Set DATABASE_DIRECT_URL to PostgreSQL itself, or BROADCAST_URL and BROKER_URL to other engines."
    what = f"DATABASE_URL leads through a pooler, which in transaction mode does not carry {' and '.join(through)}"
    return [Finding("pooler", State.WARN, what, mend)]


@contextmanager
def _connected(url: str, setting: str = "DATABASE_URL") -> Iterator[psycopg.Connection[Any]]:
    with connect(url, setting) as connection:
        yield connection


def _role(connection: psycopg.Connection[Any]) -> Finding:
    found = facts(connection)
    if found.unfit_for_app:
        mend = "Name a role that owns nothing in DATABASE_URL, and the owner in DATABASE_MIGRATOR_URL."
        return Finding(
            "app role", State.FAIL, f"{found.role} {found.unfit_for_app}: tenants would not be kept apart", mend
        )
    return Finding("app role", State.OK, f"{found.role} owns nothing, and row-level security binds it")


def _migrations(connection: psycopg.Connection[Any], url: str) -> Finding:
    from models.migrate import config

    newest = set(ScriptDirectory.from_config(config(url)).get_heads())
    try:
        present = {str(row[0]) for row in connection.execute("select version_num from alembic_version")}
    except psycopg.errors.UndefinedTable:
        return Finding("migrations", State.FAIL, "the database is empty", MIGRATE)
    except psycopg.errors.InsufficientPrivilege:
        return Finding(
            "migrations", State.WARN, "cannot be told as this role", "Set DATABASE_MIGRATOR_URL for the look."
        )
    if present != newest:
        named = ", ".join(sorted(present)) or "nothing"
        wanted = ", ".join(sorted(newest))
        return Finding("migrations", State.FAIL, f"the database is at {named}, this version's is {wanted}", MIGRATE)
    return Finding("migrations", State.OK, f"current ({', '.join(sorted(newest))})")
