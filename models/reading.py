"""Transactions for reads alone, in as few ways there and back as PostgreSQL allows.

A read that is asked again and again is kept by PostgreSQL under a name of ours, and executed in one message with what belongs before
it: whose rows are meant, and the beginning of a transaction where several reads have to fit together. psycopg's own way takes a
message for each, and as many again in its pipeline mode.
"""

import os
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Protocol, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql
from psycopg.errors import InvalidSqlStatementName

# How a session knows the driver's connection of its transaction; see `models.database`.
DRIVER = "driver"
# Statements that one connection keeps; psycopg keeps as many of its own.
MOST_KEPT = 100
_END = ";\n"
_OURS = secrets.token_hex(4)
_numbers = count(1)
_kept: WeakKeyDictionary[psycopg.AsyncConnection[Any], OrderedDict[str, None]] = WeakKeyDictionary()


class Kept:
    """A statement that PostgreSQL may keep: its SQL with numbered parameters, and their names in that order. It has one at
    least, the tenant's id."""

    def __init__(self, text: str, order: Sequence[str]) -> None:
        # Behind a pooler connections are shared with other processes, whose statements must not be taken for ours.
        self.name = f"sps_{_OURS}_{os.getpid()}_{next(_numbers)}"
        self.text, self.order = text, tuple(order)
        self.uses = 0


class Executes(Protocol):
    """Whether the database's connections keep statements by a name; some poolers do not."""

    executes: bool


class Reading:
    """A transaction of one tenant, for prepared reads alone. Made by `Database.reading`.

    Args:
        one_moment: all reads see the database of one moment. Otherwise each sees that of its own, as it would in a transaction
            that is READ COMMITTED, and is a transaction of its own.
    """

    def __init__(
        self,
        tenant_id: UUID,
        driver: psycopg.AsyncConnection[Any],
        database: Executes,
        timeout_ms: int,
        *,
        one_moment: bool,
    ) -> None:
        self.info: dict[Any, Any] = {"tenant_id": tenant_id, DRIVER: driver}
        self._driver, self._database = driver, database
        # PostgreSQL takes no parameters in several statements at once, and neither an id nor a number needs escaping.
        self._whose = f"SET LOCAL app.tenant_id = '{tenant_id}'{_END}SET LOCAL statement_timeout = {timeout_ms:d}{_END}"
        self._begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ{_END}" if one_moment else f"BEGIN{_END}"
        self._one_moment, self._begun = one_moment, False

    async def begin(self) -> None:
        """Begin the transaction if it has not begun."""
        if not self._begun:
            self._begun = True
            await self._driver.execute(cast("Any", self._begin + self._whose), prepare=False)

    async def end(self) -> None:
        """Commit what has begun."""
        if self._begun:
            await self._driver.execute("COMMIT", prepare=False)

    async def execute(self, kept: Kept, values: Mapping[str, Any], rows: Any) -> list[Any] | None:
        """The rows of a statement, or None: it has to go the other way, here or at all.

        Raises:
            psycopg.Error: it failed.
        """
        kept.uses += 1
        # In a transaction that has begun a statement that is gone would end all of it: psycopg's own are never gone.
        if self._begun or kept.uses == 1 or not self._database.executes:
            return None
        for _ in range(2):
            try:
                return await self._once(kept, values, rows)
            except InvalidSqlStatementName:
                # psycopg has all statements of a connection forgotten after a rollback, ours too.
                _kept.pop(self._driver, None)
        # A pooler hands over another connection for each transaction.
        self._database.executes = False
        return None

    async def _once(self, kept: Kept, values: Mapping[str, Any], rows: Any) -> list[Any]:
        await self._keep(kept)
        given = ", ".join(sql.Literal(values[name]).as_string(self._driver) for name in kept.order)
        before = (self._begin if self._one_moment else "") + self._whose
        cursor = self._driver.cursor(row_factory=rows)
        try:
            await cursor.execute(cast("Any", f"{before}EXECUTE {kept.name}({given})"), prepare=False)
        except InvalidSqlStatementName:
            await self._driver.rollback()
            raise
        self._begun = self._one_moment
        while cursor.nextset():
            pass
        return await cursor.fetchall()

    async def _keep(self, kept: Kept) -> None:
        names = _kept.setdefault(self._driver, OrderedDict())
        if kept.name in names:
            names.move_to_end(kept.name)
            return
        await self._driver.execute(cast("Any", f"PREPARE {kept.name} AS {kept.text}"), prepare=False)
        names[kept.name] = None
        if len(names) > MOST_KEPT:
            oldest, _ = names.popitem(last=False)
            await self._driver.execute(cast("Any", f"DEALLOCATE {oldest}"), prepare=False)
