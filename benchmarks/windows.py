"""The whole request for a booking page's windows over HTTP: 50 technicians, 400 appointments a day, 14 days.

    python -m benchmarks.windows [--runs 200]

Starts a PostgreSQL and a server of its own. "Warm" asks again and again, each time for another place and service; "cold" asks after a
change of an appointment, so that the schedule is read and prepared anew. Only answers that offer 10 to 90 % of the windows count.
"Ceiling" is an endpoint beside it that reads the calendar's rows in one statement and works nothing out (`board_windows`): what cannot
be saved of a cold request by working faster. It is asked in turns with the warm ones.
"""

import argparse
import asyncio
import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import orjson
import psycopg

from benchmarks.board_servers import beside
from benchmarks.slots import CENTER, SKILLS, business, place
from benchmarks.transitions import served
from domain.ids import Prefix, decode, new_id
from integrations.embedded_postgres import temporary_postgres
from models.migrate import upgrade
from tests.world import World

WINDOWS = """query ($slug: String!, $input: BookableWindowsInput!) { bookingPortal(slug: $slug) {
  windows(input: $input) { windows { window { start end } token } userErrors { code } } } }"""
HOURS = [{"weekday": day, "opens": "08:00", "closes": "17:00"} for day in range(7)]
DAYS = 14


async def furnish(owner_url: str, world: World, technicians: int, appointments: int) -> tuple[str, list[str]]:
    """Write the business's calendar; the page's slug, and the services."""
    rng = random.Random(1)
    found = await world.api.ask("{ tenant { id } locations { id slug } }")
    tenant, location = decode(Prefix.TENANT, found["tenant"]["id"]), decode(Prefix.LOCATION, world.location)
    first = datetime.now(UTC).replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=1)
    services = [
        await world.add_service(f"Service {n}", minutes=rng.choice((45, 60, 90, 120, 180)),
                                requiredSkills=rng.sample(SKILLS, rng.randint(1, 4)))
        for n in range(20)
    ]  # fmt: skip
    days = business(rng, technicians, appointments, DAYS)
    shift = first - days[0].shifts[0][0]
    async with await psycopg.AsyncConnection.connect(owner_url) as connection:
        await connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant),))
        await connection.execute(
            """UPDATE locations SET time_zone = 'America/Chicago', opening_hours = %s, minimum_notice_minutes = 0,
            latitude = %s, longitude = %s, service_radius_km = 40 WHERE id = %s""",
            (json.dumps(HOURS), CENTER.latitude, CENTER.longitude, location),
        )
        await connection.execute("DELETE FROM technicians")
        people = {day.technician.id: (new_id(), day.technician) for day in days}
        cursor = connection.cursor()
        await cursor.executemany(
            """INSERT INTO technicians (tenant_id, id, name, color, skills, active, location_id, home_latitude, home_longitude,
            working_hours, lunch) VALUES (%s, %s, 'Tech', '#2563eb', %s, true, %s, %s, %s, %s, %s)""",
            [
                (tenant, own, sorted(person.skills), location, person.home.latitude, person.home.longitude, json.dumps(HOURS),
                 json.dumps({"durationMinutes": 30, "earliest": "11:00", "latest": "14:00"}))
                for own, person in people.values()
                if person.home is not None
            ],
        )  # fmt: skip
        customer = decode(Prefix.CUSTOMER, world.customer)
        addresses, rows, number = [], [], 100_000
        for day in days:
            for stop in day.stops:
                if stop.point is None:
                    continue
                number += 1
                address = new_id()
                addresses.append((tenant, address, customer, stop.point.latitude, stop.point.longitude))
                promised = stop.promised or (stop.start, stop.start + timedelta(minutes=15))
                rows.append((tenant, new_id(), number, location, customer, address, people[day.technician.id][0],
                             stop.start + shift, stop.end + shift, promised[0] + shift, promised[1] + shift))  # fmt: skip
        await cursor.executemany(
            """INSERT INTO customer_addresses (tenant_id, id, customer_id, line1, city, region, postal_code, country, latitude,
            longitude) VALUES (%s, %s, %s, '1 Oak St', 'Austin', 'TX', '78701', 'US', %s, %s)""",
            addresses,
        )
        await cursor.executemany(
            """INSERT INTO appointments (tenant_id, id, number, version, status, location_id, customer_id, address_id, technician_id,
            starts_at, ends_at, arrival_starts_at, arrival_ends_at, duration_minutes, total, source)
            VALUES (%s, %s, %s, 1, 'SCHEDULED', %s, %s, %s, %s, %s, %s, %s, %s, 20, 0, 'DASHBOARD')""",
            rows,
        )
        await connection.execute("ANALYZE")
    print(f"{technicians} technicians, {len(rows) / DAYS:.0f} appointments a day, {DAYS} days")
    return str(found["locations"][0]["slug"]), services


async def run(owner_url: str, database_url: str, runs: int, technicians: int, appointments: int) -> None:
    """Measure and print."""
    with beside("windows", database_url) as (_, port):
        async with served(database_url) as world, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as bare:
            await _measure(owner_url, world, bare, runs, technicians, appointments)


async def _measure(
    owner_url: str, world: World, bare: httpx.AsyncClient, runs: int, technicians: int, appointments: int
) -> None:
    rng = random.Random(2)
    slug, services = await furnish(owner_url, world, technicians, appointments)
    visitor = world.service.client()
    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])

    async def ask() -> tuple[float, float]:
        """Milliseconds, and the share of the windows that was offered."""
        here = place(rng)
        address = {"line1": "1 Elm St", "city": "Austin", "region": "TX", "postalCode": "78701",
                   "location": {"latitude": here.latitude, "longitude": here.longitude}}  # fmt: skip
        given: dict[str, Any] = {"serviceIds": rng.sample(services, 1), "address": address, "days": DAYS}
        began = time.perf_counter()
        body = await visitor.ask(WINDOWS, slug=slug, input=given)
        took = (time.perf_counter() - began) * 1000
        return took, len(body["bookingPortal"]["windows"]["windows"]) / (DAYS * 4)

    async def read() -> float:
        """Milliseconds of the ceiling."""
        given = {"tenant": tenant, "slug": slug, "service": decode(Prefix.SERVICE, rng.choice(services)), "days": DAYS}
        began = time.perf_counter()
        (await bare.post("/windows", content=orjson.dumps(given))).raise_for_status()
        return (time.perf_counter() - began) * 1000

    print(f"first: {(await ask())[0]:.0f} ms; load average {os.getloadavg()[0]:.1f}")
    await read()
    warm, ceiling = [], []
    for _ in range(runs):
        warm.append(await ask())
        ceiling.append(await read())
    cold = []
    for _ in range(max(runs // 10, 5)):
        await world.book()
        cold.append(await ask())
    for name, found in (("warm", warm), ("cold", cold)):
        counted = [took for took, share in found if 0.1 <= share <= 0.9]
        low, high = np.percentile(counted, (50, 95))
        shares = [share for _, share in found]
        print(
            f"{name}: {len(counted)} requests, p50 {low:.1f} ms, p95 {high:.1f} ms; offered {min(shares):.0%} to {max(shares):.0%}"
        )
    print(
        f"ceiling: {len(ceiling)} requests, p50 {np.percentile(ceiling, 50):.1f} ms, p95 {np.percentile(ceiling, 95):.1f} ms"
    )
    await visitor.http.aclose()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--technicians", type=int, default=50)
    parser.add_argument("--appointments", type=int, default=400)
    asked = parser.parse_args()
    with temporary_postgres() as server:
        owner_url = server.url("sps", "sps_owner")
        upgrade(owner_url, "sps_app")
        asyncio.run(run(owner_url, server.url("sps", "sps_app"), asked.runs, asked.technicians, asked.appointments))


if __name__ == "__main__":
    main()
