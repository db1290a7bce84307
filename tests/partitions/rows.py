"""A business with appointments, and events and messages of any moment, written as a role that sees all."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from domain.ids import new_id

Connection = psycopg.Connection[Any]
BUSINESS = """
INSERT INTO tenants (id, name, email, status) VALUES (%(t)s, 'Kept', 'k@example.com', 'ACTIVE');
INSERT INTO locations (tenant_id, id, name, slug, time_zone, line1, city, region, postal_code, country,
                       arrival_window_minutes, minimum_notice_minutes, opening_hours)
  VALUES (%(t)s, %(l)s, 'Shop', %(slug)s, 'UTC', '1 Road', 'Austin', 'TX', '78701', 'US', 120, 120, '[]');
INSERT INTO customers (tenant_id, id, name, search) VALUES (%(t)s, %(c)s, 'Carla Cruz', 'carla cruz');
INSERT INTO customer_addresses (tenant_id, id, customer_id, line1, city, region, postal_code, country)
  VALUES (%(t)s, %(d)s, %(c)s, '12 Long Street', 'Austin', 'TX', '78701', 'US');
INSERT INTO appointments (tenant_id, id, number, version, status, location_id, customer_id, address_id, duration_minutes, total, source)
  VALUES (%(t)s, %(a)s, 1, 1, 'REQUESTED', %(l)s, %(c)s, %(d)s, 60, 99, 'DASHBOARD')
"""


def moment(year: int, month: int, day: int = 1) -> datetime:
    """Midnight of a day, UTC."""
    return datetime(year, month, day, tzinfo=UTC)


def id_of(at: datetime) -> UUID:
    """A UUIDv7 of that moment."""
    return UUID(int=int(at.timestamp() * 1_000) << 80 | new_id().int & (1 << 80) - 1)


class Business:
    """One business with one customer and one appointment."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.tenant, self.customer, self.appointment = new_id(), new_id(), new_id()
        self.seq = 0
        values = {"t": self.tenant, "l": new_id(), "c": self.customer, "d": new_id(), "a": self.appointment}
        for statement in BUSINESS.split(";\n"):
            connection.execute(statement, values | {"slug": f"shop-{self.tenant}"})

    def event(self, at: datetime) -> int:
        """An event of that moment."""
        self.seq += 1
        self.connection.execute(
            "INSERT INTO events (tenant_id, seq, type, appointment_id, actor, changes, occurred_at)"
            """ VALUES (%s, %s, 'UPDATED', %s, 'Carla Cruz', '[{"field": "notes", "before": null, "after": "bell"}]', %s)""",
            (self.tenant, self.seq, self.appointment, at),
        )
        self.connection.execute(
            "INSERT INTO tenant_counters VALUES (%s, 'event', %s)"
            " ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value",
            (self.tenant, self.seq),
        )
        return self.seq

    def message(self, at: datetime, state: str = "DELIVERED", sent_at: datetime | None = None) -> UUID:
        """A message that was planned then."""
        identity = id_of(at)
        self.connection.execute(
            "INSERT INTO messages (tenant_id, id, appointment_id, customer_id, event, channel, state, recipient, body,"
            " send_at, next_attempt_at, relay_at, created_at, sent_at)"
            " VALUES (%s, %s, %s, %s, 'REMINDER', 'SMS', %s, '+15125550100', 'words', %s, %s, %s, %s, %s)",
            (self.tenant, identity, self.appointment, self.customer, state, at, at, at, at, sent_at or at),
        )
        return identity


def places(connection: Connection, table: str) -> dict[str, int]:
    """How many rows lie in which partition."""
    rows = connection.execute(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1").fetchall()  # noqa: S608
    return dict(rows)


def partitions(connection: Connection, table: str) -> list[str]:
    """The names of a table's partitions."""
    rows = connection.execute("SELECT name FROM partitions_of(%s) ORDER BY ends_at, name", (table,)).fetchall()
    return [row[0] for row in rows]
