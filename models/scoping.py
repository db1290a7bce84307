"""Every statement of a tenant's session names its tenant: what row-level security would hide is not even asked for.

So each wall holds alone. The statements themselves need not, and mostly do not, say whose rows they mean; here it is added
to each, and `tests/isolation` tries the product on a role that row-level security does not bind.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Delete, Executable, FromClause, Join, Select, Subquery, Update
from sqlalchemy.sql import visitors

Statement = Select[Any] | Update | Delete


def scoped(statement: Executable, tenant_id: UUID) -> Executable:
    """The statement, narrowed to a tenant. INSERTs and plain text are left alone: they say whose rows they write."""
    if isinstance(statement, Select):
        found = list(_sources(statement))
        if any(isinstance(source, Subquery | CTE) for source in found):
            return visitors.cloned_traverse(statement, {}, {"select": lambda inner: _narrow(inner, tenant_id)})
        return statement.where(*_conditions(found, tenant_id))
    if isinstance(statement, Update | Delete):
        return statement.where(*_conditions([statement.table], tenant_id))
    return statement


def _narrow(statement: Any, tenant_id: UUID) -> None:
    # A copy of the traversal's own, which may be changed in place.
    statement._where_criteria += tuple(_conditions(_sources(statement), tenant_id))


def _sources(statement: Select[Any]) -> Iterator[FromClause]:
    """What a SELECT reads from, but for what it joins by an outer join: a condition on that would make it an inner one."""
    # By their names: where a statement has CTEs it is a copy, in which an alias may be met as several objects.
    seen: set[str] = set()
    elements: list[Any] = [*statement._raw_columns, *statement._from_obj]
    elements += [target for target, _, _, flags in statement._setup_joins if not (flags["isouter"] or flags["full"])]
    outer = {
        _name(source)
        for target, _, _, flags in statement._setup_joins
        if flags["isouter"] or flags["full"]
        for source in _plain(target)
    }
    for element in elements:
        for source in element._from_objects:
            for table in _plain(source):
                if _name(table) not in seen | outer:
                    seen.add(_name(table))
                    yield table


def _name(source: Any) -> str:
    return str(source.name)


def _plain(source: Any) -> Iterator[FromClause]:
    if isinstance(source, Join):
        yield from _plain(source.left)
        if not (source.isouter or source.full):
            yield from _plain(source.right)
    else:
        # Of an annotated table (an entity's) the table itself, so that each is met once.
        yield getattr(source, "_deannotate", lambda: source)()


def _conditions(sources: Any, tenant_id: UUID) -> Iterator[ColumnElement[bool]]:
    for source in sources:
        if isinstance(source, Subquery | CTE | Join):
            continue
        if source.name == "tenants":
            yield source.c.id == tenant_id
        elif "tenant_id" in source.c:
            yield source.c.tenant_id == tenant_id
