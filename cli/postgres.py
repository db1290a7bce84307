"""Connecting to a PostgreSQL that somebody else runs, with every way that its URL can be wrong told in one sentence."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from cli.trouble import Trouble

OLDEST = 15
CONNECT_SECONDS = 5
_LIBPQ = re.compile(r"connection to server .*? failed: (?P<reason>.*)")


@dataclass(frozen=True)
class RoleFacts:
    """What a role may do in its database."""

    role: str
    database: str
    superuser: bool
    bypasses_row_security: bool
    creates_roles: bool
    owns_tables: bool
    may_create_tables: bool
    may_change_tables: bool

    @property
    def unfit_for_app(self) -> str | None:
        """Why row-level security would not bind this role, or None when it does."""
        if self.superuser:
            return "is a superuser"
        if self.bypasses_row_security:
            return "has BYPASSRLS"
        if self.owns_tables:
            return "owns tables"
        return "may create roles" if self.creates_roles else None


_FACTS = """
select r.rolname::text, current_database()::text, r.rolsuper, r.rolbypassrls, r.rolcreaterole,
  exists (select from tables where mine), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
  not exists (select from tables where not mine and nspname = current_schema())
from pg_roles r where r.rolname = current_user
"""
_TABLES = """
with tables as (
  select n.nspname, pg_has_role(c.relowner, 'MEMBER') as mine from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_')
"""


def connect(url: str, setting: str) -> psycopg.Connection[Any]:
    """A connection, in autocommit.

    Args:
        url: as in the environment.
        setting: the variable that it comes from, for the sentence.

    Raises:
        Trouble: not a URL of PostgreSQL, not reachable, refused, or a version before 15.
    """
    parts = _parts(url, setting)
    where = f"{parts.get('host') or parts.get('hostaddr') or 'the local socket'}, port {parts.get('port') or 5432}"
    try:
        connection = psycopg.connect(
            plain(url), autocommit=True, connect_timeout=int(parts.get("connect_timeout") or CONNECT_SECONDS)
        )
    except psycopg.Error as error:
        raise Trouble(f"{setting}: there is no way into a PostgreSQL at {where}: {_reason(error)}.") from error
    version = connection.info.server_version // 10_000
    if version < OLDEST:
        connection.close()
        raise Trouble(f"{setting}: the server at {where} is PostgreSQL {version}; {OLDEST} or later is needed.")
    return connection


def facts(connection: psycopg.Connection[Any]) -> RoleFacts:
    """What the connected role may do."""
    row = connection.execute(_TABLES + _FACTS).fetchone()
    if row is None:
        raise AssertionError("pg_roles always lists the connected role")
    return RoleFacts(*row)


def plain(url: str) -> str:
    """The URL without SQLAlchemy's driver, as libpq takes it."""
    return re.sub(r"^postgresql\+psycopg://", "postgresql://", url)


def with_role(url: str, database: str, role: str, password: str) -> str:
    """The same server as another role; the database is named, since libpq's default is the role's name."""
    parts = urlsplit(plain(url))
    host = parts.netloc.rpartition("@")[2]
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in {"user", "password", "passfile"}
    ]
    netloc = f"{quote(role, safe='')}:{quote(password, safe='')}@{host}"
    return parts._replace(
        netloc=netloc, path=f"/{quote(database, safe='')}", query=urlencode(query, quote_via=quote)
    ).geturl()


def _parts(url: str, setting: str) -> dict[str, Any]:
    form = f"{setting} is not a URL of PostgreSQL; it looks like postgresql://user:password@host:5432/database."
    if not plain(url).startswith(("postgresql://", "postgres://")):
        raise Trouble(form)
    try:
        return conninfo_to_dict(plain(url))
    except psycopg.Error as error:
        raise Trouble(form) from error


def _reason(error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    found = next((match for match in map(_LIBPQ.search, lines) if match), None)
    reason = found["reason"] if found else (lines[0] if lines else "it says nothing")
    return re.sub(r"^(FATAL|ERROR|error): *", "", reason).rstrip(".")
