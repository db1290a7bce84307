"""Partitions out of a restore's way: pg_restore --clean drops a partition's key by name, which PostgreSQL refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from cli.postgres import connect

PREFIX = "replaced_"


@contextmanager
def partitions_aside(url: str) -> Iterator[None]:
    """Under other names for the time of a restore, partitions go with their parents; after one that failed they get theirs back.

    Those of a restore that was killed between are found under the other name, and handled alike.
    """
    _rename(url, aside=True)
    try:
        yield
    except BaseException:
        _rename(url, aside=False)
        raise


def _rename(url: str, *, aside: bool) -> None:
    with connect(url, "DATABASE_MIGRATOR_URL") as connection, connection.transaction():
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        ).fetchall()
        for (name,) in rows:
            plain = name.removeprefix(PREFIX)
            new = PREFIX + plain if aside else plain
            if new != name:
                statement = sql.SQL("ALTER TABLE {} RENAME TO {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(new)))
