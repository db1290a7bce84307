"""Puts a row of a tenant into any table, by the catalog: values by type, foreign keys from the tenant's other rows."""

import re
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from domain.ids import new_id

Connection = psycopg.Connection[Any]


def fill(connection: Connection, table: str, tenant_id: UUID, word: str, making: frozenset[str] = frozenset()) -> None:
    """One row, unless the tenant has one; rows that it points at are made first, but for those that `making` names."""
    column = "id" if table == "tenants" else "tenant_id"
    if connection.execute(
        sql.SQL("SELECT 1 FROM {} WHERE {} = %s LIMIT 1").format(sql.Identifier(table), sql.Identifier(column)),
        (tenant_id,),
    ).fetchone():
        return
    values: dict[str, Any] = {"tenant_id": tenant_id}
    allowed = _allowed(connection, table)
    for name, type_, needed in _columns(connection, table):
        target = _targets(connection, table).get(name)
        if name == "tenant_id" or (not needed and (target is None or target in making)):
            continue
        if target is not None:
            fill(connection, target, tenant_id, word, making | {table})
            values[name] = connection.execute(
                sql.SQL("SELECT id FROM {} WHERE tenant_id = %s LIMIT 1").format(sql.Identifier(target)), (tenant_id,)
            ).fetchone()[0]  # type: ignore[index]
        else:
            values[name] = allowed.get(name) or _value(type_, name, word)
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )


def _columns(connection: Connection, table: str) -> list[tuple[str, str, bool]]:
    return connection.execute(
        """SELECT a.attname, format_type(a.atttypid, NULL), a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
           FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
           ORDER BY a.attnum""",
        (table,),
    ).fetchall()


def _targets(connection: Connection, table: str) -> dict[str, str]:
    """Which table each column of a composite foreign key points at."""
    rows = connection.execute(
        """SELECT a.attname, c.confrelid::regclass::text
           FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2]
           WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND cardinality(c.conkey) = 2""",
        (table,),
    ).fetchall()
    return {name: target for name, target in rows if target != table}


def _allowed(connection: Connection, table: str) -> dict[str, Any]:
    """A value that the CHECK of each column takes, where that is one of some, or a least one."""
    found: dict[str, Any] = {}
    for (definition,) in connection.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", (table,)
    ).fetchall():
        if match := re.match(r"CHECK \(\(*(\w+) >= (\d+)", definition):
            found[match[1]] = int(match[2])
        match = re.search(r"\(?\(?(\w+)\)?(?:::text)? = ANY .*?ARRAY\['(\w+)'", definition)
        if match:
            found[match[1]] = match[2]
    return found


def _value(type_: str, name: str, word: str) -> Any:
    if type_.endswith("[]"):
        return []
    if type_ in {"text", "character varying"}:
        return f"{word} {name} {uuid4().hex[:6]}"
    if type_ in {"integer", "bigint", "smallint", "numeric", "double precision", "real"}:
        return 1
    match type_:
        case "uuid":
            return new_id()
        case "timestamp with time zone":
            return f"2027-03-02 0{int(name.startswith(('end', 'until')) or '_end' in name)}:00Z"
        case "date":
            return "2027-03-02"
        case "boolean":
            return False
        case "bytea":
            return uuid4().bytes
        case "jsonb" | "json":
            return "{}"
        case "tstzrange":
            return "[2027-03-02 00:00Z, 2027-03-02 01:00Z)"
    raise AssertionError(f"tests/isolation/filling.py knows no value of the type {type_}")
