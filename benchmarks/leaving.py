"""Exports and purges a business of 100,000 appointments: time, peak memory, and the longest that a lock of it was held.

usage: python -m benchmarks.leaving [APPOINTMENTS]

It runs on a PostgreSQL of its own in a temporary folder, beside a second business of the same size that must not notice.
"""

import asyncio
import io
import resource
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from uuid import UUID

import psycopg

from domain.export import export_key
from domain.ids import new_id
from integrations.embedded_postgres import temporary_postgres
from integrations.embedded_postgres_cluster import APP, OWNER
from integrations.file_store_local import LocalFiles
from models.database import Database
from models.export_tables import EXPORTED
from models.migrate import upgrade
from resolvers.export_run import run_export
from resolvers.purge import purge_tenant
from settings import Settings

# For each appointment: one line, three events and two messages, as a booked, reminded and finished visit has.
FILL = """
INSERT INTO tenants (id, name, email, status) VALUES (%(t)s, 'Measured', 'm@example.com', 'ACTIVE');
INSERT INTO locations (tenant_id, id, name, slug, time_zone, line1, city, region, postal_code, country,
                       arrival_window_minutes, minimum_notice_minutes, opening_hours)
  VALUES (%(t)s, %(l)s, 'Shop', %(slug)s, 'UTC', '1 Road', 'Austin', 'TX', '78701', 'US', 120, 120, '[]');
INSERT INTO services (tenant_id, id, name, duration_minutes, price, bookable_online)
  VALUES (%(t)s, %(s)s, 'Repair', 60, 99, true);
INSERT INTO technicians (tenant_id, id, name, color, location_id)
  SELECT %(t)s, gen_random_uuid(), 'Tech ' || n, '#000000', %(l)s FROM generate_series(1, 50) n;
INSERT INTO customers (tenant_id, id, name, phone, search)
  SELECT %(t)s, gen_random_uuid(), 'Customer ' || n, '+1512555' || lpad(n::text, 4, '0'), 'customer ' || n
  FROM generate_series(1, %(n)s / 10) n;
INSERT INTO customer_addresses (tenant_id, id, customer_id, line1, city, region, postal_code, country)
  SELECT %(t)s, gen_random_uuid(), id, '12 Long Street', 'Austin', 'TX', '78701', 'US' FROM customers WHERE tenant_id = %(t)s;
WITH a AS (SELECT customer_id, id, row_number() OVER () AS n FROM customer_addresses WHERE tenant_id = %(t)s),
     w AS (SELECT id, row_number() OVER () AS n FROM technicians WHERE tenant_id = %(t)s)
INSERT INTO appointments (tenant_id, id, number, version, status, location_id, customer_id, address_id, technician_id,
                          starts_at, ends_at, duration_minutes, total, notes, source)
  SELECT %(t)s, gen_random_uuid(), g, 3, 'COMPLETED', %(l)s, a.customer_id, a.id, w.id,
         '2020-01-01'::timestamptz + (g / 50) * interval '2 hours', '2020-01-01'::timestamptz + (g / 50) * interval '2 hours' + interval '1 hour',
         60, 99, 'The fridge makes a grinding noise and the light is off', 'DASHBOARD'
  FROM generate_series(1, %(n)s) g JOIN a ON a.n = g %% (%(n)s / 10) + 1 JOIN w ON w.n = g %% 50 + 1;
INSERT INTO appointment_lines (tenant_id, id, appointment_id, position, service_id, quantity, unit_price)
  SELECT %(t)s, gen_random_uuid(), id, 0, %(s)s, 1, 99 FROM appointments WHERE tenant_id = %(t)s;
INSERT INTO events (tenant_id, seq, type, appointment_id, actor, changes)
  SELECT %(t)s, row_number() OVER (), k.type, a.id, 'Dana Dispatcher', '[{"field": "status", "before": null, "after": "SCHEDULED"}]'
  FROM appointments a, (VALUES ('CREATED'), ('STARTED'), ('COMPLETED')) k (type) WHERE a.tenant_id = %(t)s;
INSERT INTO messages (tenant_id, id, appointment_id, customer_id, event, channel, state, recipient, body, send_at,
                      next_attempt_at, relay_at)
  SELECT %(t)s, overlay(gen_random_uuid()::text placing left(%(t)s::text, 8) from 1)::uuid, a.id, a.customer_id, k.event, 'SMS', 'DELIVERED', '+15125550100',
         'Measured: your visit is on Monday between 8 and 10. Reply STOP to opt out.', now(), now(), now()
  FROM appointments a, (VALUES ('CONFIRMATION'), ('REMINDER')) k (event) WHERE a.tenant_id = %(t)s;
"""


def fill(url: str, number: int) -> UUID:
    """A business with so many appointments, written as a role that sees all."""
    tenant = new_id()
    values = {"t": tenant, "l": new_id(), "s": new_id(), "n": number, "slug": f"shop-{tenant}"}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement, values)
        connection.execute("VACUUM ANALYZE")
    return tenant


class LockWatch(threading.Thread):
    """Looks a thousand times a second how old the oldest transaction of the app's role is that holds a row lock."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.longest, self.stopped = url, 0.0, threading.Event()

    def run(self) -> None:
        """Watch until stopped."""
        query = (
            "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity"
            " WHERE usename = %s AND backend_xid IS NOT NULL"
        )
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stopped.wait(0.001):
                row = connection.execute(query, [APP]).fetchone()
                self.longest = max(self.longest, float(row[0]) if row else 0.0)


async def measure(number: int) -> None:
    """Fill, export, purge, and print the figures."""
    with temporary_postgres() as server, tempfile.TemporaryDirectory() as folder:
        with psycopg.connect(server.url("postgres", OWNER), autocommit=True) as connection:
            connection.execute("CREATE DATABASE measured")
        upgrade(server.url("measured", OWNER), APP)
        superuser = server.url("measured", "postgres")
        tenant, neighbour = fill(superuser, number), fill(superuser, number)
        database = Database(server.url("measured", APP))
        store = LocalFiles(Settings(data_dir=Path(folder)))
        export = new_id()
        with psycopg.connect(superuser) as connection:
            connection.execute(
                "INSERT INTO exports (tenant_id, id, state, expires_at) VALUES (%s, %s, 'QUEUED', now() + interval '7 days')",
                [tenant, export],
            )
        before = _peak()
        started = time.perf_counter()
        if not await run_export(database, store, tenant, export):
            raise SystemExit("the export failed")
        seconds, after = time.perf_counter() - started, _peak()
        path = store.path(export_key(tenant, export))
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            rows = sum(archive.read(f"data/{name}.jsonl").count(b"\n") for name in EXPORTED)
            plain = sum(each.file_size for each in archive.infolist())
        print(
            f"export: {number:,} appointments, {rows:,} rows, {plain / 1e6:.0f} MB in {path.stat().st_size / 1e6:.0f} MB of ZIP"
        )
        print(f"  {seconds:.1f} s; peak memory of the process {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")
        await _purge(database, store, superuser, tenant, neighbour)
        await database.close()


async def _purge(database: Database, store: LocalFiles, superuser: str, tenant: UUID, neighbour: UUID) -> None:
    with psycopg.connect(superuser) as connection:
        connection.execute(
            "UPDATE tenants SET status = 'CANCELLED', cancelled_at = now() - interval '91 days',"
            " purge_after = now() - interval '1 day' WHERE id = %s",
            [tenant],
        )
    watch = LockWatch(superuser)
    watch.start()
    started = time.perf_counter()
    if not await purge_tenant(database, store, tenant):
        raise SystemExit("the purge failed")
    seconds = time.perf_counter() - started
    watch.stopped.set()
    watch.join()
    with psycopg.connect(superuser) as connection:
        left, others = (
            (connection.execute("SELECT count(*) FROM events WHERE tenant_id = %s", [each]).fetchone() or [0])[0]
            for each in (tenant, neighbour)
        )
    print(f"purge: {seconds:.1f} s; longest transaction, and so longest lock, {watch.longest * 1000:.0f} ms")
    print(f"  events left: {left}; of the other business: {others:,}")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
