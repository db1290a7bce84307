"""A database as the version before the partitions left it, and a server of that version that goes on working."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import psycopg
from alembic import command
from sqlalchemy import create_engine

from domain.ids import new_id
from models.database import sqlalchemy_url
from models.migrate import config
from models.row_security import apply_grants
from tests.conftest import APP_ROLE
from tests.partitions.rows import Business, Connection

BEFORE = "0009"


def migrate_to_before(url: str) -> None:
    """The schema and the rights of the version before."""
    command.upgrade(config(url), BEFORE)
    engine = create_engine(sqlalchemy_url(url))
    with engine.begin() as connection:
        apply_grants(connection, APP_ROLE)
    engine.dispose()


def of_several_years(connection: Connection) -> list[Business]:
    """Two businesses with an event and a message of every half year since 2019."""
    made = [Business(connection) for _ in range(2)]
    for each in made:
        for half in range(16):
            at = datetime(2019 + half // 2, half % 2 * 6 + 1, 3, 4, 5, 6, 7_000, tzinfo=UTC)
            each.event(at)
            each.message(at)
        each.message(datetime.now(UTC), "QUEUED")
    return made


def contents(connection: Connection) -> dict[str, list[Any]]:
    """Every row of both tables, the key's columns first."""
    return {
        "events": connection.execute("SELECT tenant_id, seq, e.* FROM events e ORDER BY 1, 2").fetchall(),
        "messages": connection.execute("SELECT tenant_id, id, m.* FROM messages m ORDER BY 1, 2").fetchall(),
    }


class OldServer:
    """Writes and reads with its own statements, prepared before the upgrade, as long as the block lasts."""

    def __init__(self, url: str, business: Business) -> None:
        self.business = business
        self.events: dict[int, str] = {}
        self.messages: dict[UUID, str] = {}
        self.failures: list[BaseException] = []
        self.longest = timedelta()
        self._connection = psycopg.connect(url, prepare_threshold=0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def rounds(self) -> int:
        return len(self.events)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)
        self._connection.close()

    def _run(self) -> None:
        try:
            while not self._over.wait(0.005):
                began = datetime.now(UTC)
                self._write()
                self._look()
                self.longest = max(self.longest, datetime.now(UTC) - began)
        except BaseException as error:  # noqa: BLE001 (the test tells)
            self.failures.append(error)

    def _write(self) -> None:
        identity, tenant = new_id(), self.business.tenant
        with self._connection.transaction():
            self._own()
            self._connection.execute(
                "INSERT INTO messages (tenant_id, id, appointment_id, customer_id, event, channel, state, recipient, body,"
                " send_at, next_attempt_at, relay_at)"
                " VALUES (%s, %s, %s, %s, 'REMINDER', 'SMS', 'QUEUED', '+15125550100', 'words', now(), now(), now())",
                (tenant, identity, self.business.appointment, self.business.customer),
            )
            row = self._connection.execute(
                "UPDATE tenant_counters SET value = value + 1 WHERE tenant_id = %s AND name = 'event' RETURNING value",
                (tenant,),
            ).fetchone()
            assert row is not None
            changes = json.dumps([{"field": "notes", "before": None, "after": str(identity)}])
            self._connection.execute(
                "INSERT INTO events (tenant_id, seq, type, appointment_id, actor, changes)"
                " VALUES (%s, %s, 'UPDATED', %s, 'old', %s)",
                (tenant, row[0], self.business.appointment, changes),
            )
        self.events[row[0]], self.messages[identity] = str(identity), "QUEUED"

    def _look(self) -> None:
        identity = list(self.messages)[-1]
        with self._connection.transaction():
            self._own()
            done = self._connection.execute(
                "UPDATE messages SET state = 'SENDING', fence = fence + 1 WHERE tenant_id = %s AND id = %s",
                (self.business.tenant, identity),
            )
            assert done.rowcount == 1
            seen = self._connection.execute(
                "SELECT max(seq) FROM events WHERE tenant_id = %s", (self.business.tenant,)
            ).fetchone()
            assert seen == (max(self.events),)
        self.messages[identity] = "SENDING"

    def _own(self) -> None:
        self._connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(self.business.tenant),))
