"""Steps of the tests about messages: booking, looking into the ledger, driving one delivery."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from domain.ids import Prefix, decode
from integrations.sms import SmsSender
from models.database import Database
from settings import Settings
from tests.standins.twilio import TwilioStandIn
from tests.world import World
from workers.deliver import Deliverer

LEDGER = """
  id, tenant_id, appointment_id, event, channel, state, reason, recipient, subject, body, segments, send_at,
  next_attempt_at, relay_at, claimed_at, unknown_since, attempts, fence, sent_at, delivered_at, provider_id, failure
"""


def in_days(days: float, hour: int = 15) -> str:
    """A time of a day to come, in UTC: 15:00 is the morning in Chicago."""
    day = (datetime.now(UTC) + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return day.isoformat()


@dataclass
class Bench:
    """A business with a deliverer beside it."""

    world: World
    settings: Settings
    database: Database
    owner_url: str
    twilio: TwilioStandIn
    sms: SmsSender
    deliverer: Deliverer
    phone: str

    async def book(self, days: float = 3, **rest: Any) -> str:
        """An appointment of one hour in some days; its id."""
        rest.setdefault("technicianId", self.world.technician)
        made = await self.world.book(in_days(days), in_days(days, 16), **rest)
        return str(made["id"])

    async def move(self, appointment: str, days: float) -> None:
        """Give it another time."""
        made = await self.world.api.do(
            "appointmentSchedule", "userErrors { code message }",
            appointmentId=appointment, scheduled={"start": in_days(days), "end": in_days(days, 16)},
        )  # fmt: skip
        assert made["userErrors"] == [], made

    async def do(self, mutation: str, appointment: str, **rest: Any) -> None:
        """A transition: on the way, start, complete, cancel, …"""
        made = await self.world.api.do(mutation, "userErrors { code message }", appointmentId=appointment, **rest)
        assert made["userErrors"] == [], made

    async def settings_update(self, **changes: Any) -> Any:
        """Change the location's notification settings; they are returned."""
        return await self.world.api.do(
            "notificationSettingsUpdate",
            "location { notificationSettings { smsEnabled emailEnabled remindersEnabled quietHoursStart quietHoursEnd"
            " rules { event sms email offsetMinutes smsTemplate emailSubject emailTemplate } } }"
            " userErrors { code message path }",
            locationId=self.world.location, **changes,
        )  # fmt: skip

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """A statement as the owner of the tables, who sees every tenant's messages."""
        with psycopg.connect(self.owner_url, autocommit=True, row_factory=dict_row) as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []

    def ledger(self, appointment: str, **wanted: str) -> list[dict[str, Any]]:
        """The appointment's messages in order, narrowed by event, channel or state."""
        rows = self.sql(
            f"SELECT {LEDGER} FROM messages WHERE appointment_id = %s ORDER BY send_at, id",  # noqa: S608
            decode(Prefix.APPOINTMENT, appointment),
        )
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def told(self, appointment: str, channel: str = "SMS") -> list[tuple[str, str, str | None]]:
        """Event, state and reason of each message of a channel."""
        return [(row["event"], row["state"], row["reason"]) for row in self.ledger(appointment, channel=channel)]

    def one(self, appointment: str, event: str, channel: str = "SMS") -> dict[str, Any]:
        """The appointment's only message of an event."""
        (row,) = self.ledger(appointment, event=event, channel=channel)
        return row

    async def deliver(self, row: dict[str, Any]) -> dict[str, Any]:
        """One step of a worker on a message; the row afterwards."""
        await self.deliverer.deliver(row["tenant_id"], row["id"])
        return self.again(row)

    def again(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row as it is now."""
        (found,) = self.sql(f"SELECT {LEDGER} FROM messages WHERE id = %s", row["id"])  # noqa: S608
        return found

    def set(self, row: dict[str, Any], **columns: str) -> dict[str, Any]:
        """Set columns to SQL expressions, as time would."""
        values = ", ".join(f"{name} = {value}" for name, value in columns.items())
        self.sql(f"UPDATE messages SET {values} WHERE id = %s", row["id"])  # noqa: S608
        return self.again(row)

    def due_now(self, row: dict[str, Any]) -> dict[str, Any]:
        """Let its time come."""
        return self.set(row, next_attempt_at="now()", relay_at="now()")

    def position(self, technician: str, latitude: float, age: str = "0 s") -> None:
        """Where a technician was, so long ago, and the signal that says so."""
        identity = decode(Prefix.TECHNICIAN, technician)
        with psycopg.connect(self.owner_url) as connection:
            tenant = connection.execute(
                "SELECT tenant_id FROM messages WHERE recipient = %s LIMIT 1", (self.phone,)
            ).fetchall()[0][0]
            connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant),))
            connection.execute(
                "INSERT INTO technician_positions (tenant_id, technician_id, latitude, longitude, recorded_at)"
                " VALUES (%s, %s, %s, -97.7, now() - %s::interval)",
                (tenant, identity, latitude, age),
            )
            connection.execute("SELECT pg_notify('sps_positions', %s)", (f"{tenant}:{identity}",))

    def clone(self, row: dict[str, Any], number: int) -> None:
        """More rows like this one, each of an appointment of its own."""
        clone_messages(self.owner_url, row, number)

    async def until(self, appointment: str, wanted: list[str], event: str, channel: str = "SMS") -> dict[str, Any]:
        """The message, once it is in one of the wanted states."""
        for _ in range(600):
            rows = self.ledger(appointment, event=event, channel=channel)
            if rows and rows[0]["state"] in wanted:
                return rows[0]
            await asyncio.sleep(0.05)
        raise AssertionError(f"still {self.told(appointment, channel)}")


def clone_messages(owner_url: str, row: dict[str, Any], number: int) -> None:
    """More rows like this message, each of an appointment of its own, numbered from 100000."""
    columns = (
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER' AND column_name <> ALL(%s)"
    )
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(row["tenant_id"]),))
        (names,) = connection.execute(columns, ("appointments", ["id", "number", "technician_id"])).fetchall()[0]
        connection.execute(
            f"INSERT INTO appointments (id, number, {names}) SELECT gen_random_uuid(), n, {names}"  # noqa: S608
            " FROM appointments, generate_series(100000, 100000 + %s - 1) n WHERE id = %s",
            (number, row["appointment_id"]),
        )
        (names,) = connection.execute(columns, ("messages", ["id", "appointment_id"])).fetchall()[0]
        copied = ", ".join(f"m.{name}" for name in names.split(", "))
        connection.execute(
            f"INSERT INTO messages (id, appointment_id, {names}) SELECT overlay(gen_random_uuid()::text placing left(m.id::text, 8) from 1)::uuid, a.id, {copied}"  # noqa: S608
            " FROM messages m JOIN appointments a ON a.number >= 100000 WHERE m.id = %s"
            " AND NOT EXISTS (SELECT FROM messages x WHERE x.appointment_id = a.id)",
            (row["id"],),
        )
