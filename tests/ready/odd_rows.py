"""A business whose rows hold what is hard to write as JSON."""

import itertools
from collections.abc import Sequence
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from domain.appointment import AppointmentStatus
from domain.ids import split
from tests.databases import as_superuser
from tests.world import World

DAY = "2027-03-02"
# The second looks as the gaps do that PostgreSQL leaves for ids, and the last as what JSON makes of one.
TEXTS = (
    'a "quoted" \\ text/with </script> and \t\r\n\b\f\x1f\x7f',
    "\x01i01970000-0000-7001-8000-000000000001\x02",
    "Zoë 🛠 \u2028\u2029 é",
    "\\u0001i01970000\\u0002",
    "",
    ' {"id":1},[\'\x01',
)
TIMES = (
    "2027-03-02 15:00:00+00",
    "2027-03-02 15:00:00.5+00",
    "1970-01-01 00:00:00.000001+00",
    "2200-12-31 23:59:59+00",
)
NUMBERS = (30.0, -97.74306, 1e-07, 0.1 + 0.2, -0.0, 89.99999999999999)


async def odd_world(world: World, owner_url: str) -> Sequence[str]:
    """Make the odd rows, and tell the ids of the appointments."""
    ids: list[str] = []
    statuses = itertools.cycle(AppointmentStatus)
    for number in range(14):
        customer, address = await world.add_customer(f"Customer {number}")
        scheduled = number % 3 > 0
        times = (f"{DAY}T{9 + number}:00:00Z", f"{DAY}T{9 + number}:45:00.25Z") if scheduled else ()
        rest = {"technicianId": world.technician} if number % 3 == 1 else {}
        booked = await world.book(
            *times,
            customerId=customer,
            addressId=address,
            lines=[{"serviceId": world.offer, "quantity": 1 + line} for line in range(number % 4 + 1)],
            **rest,
        )
        ids.append(booked["id"])
        with psycopg.connect(as_superuser(owner_url)) as everything:
            _make_odd(everything, booked["id"], customer, address, number, next(statuses))
    with psycopg.connect(as_superuser(owner_url)) as everything:
        _make_odd_shared(everything, world)
    return ids


def _uuid(public_id: str) -> UUID:
    parsed = split(public_id)
    assert parsed is not None
    return parsed[1]


def _make_odd(
    everything: psycopg.Connection, appointment: str, customer: str, address: str, number: int, status: str
) -> None:
    text, other = TEXTS[number % len(TEXTS)], TEXTS[(number + 1) % len(TEXTS)]
    time, latitude = TIMES[number % len(TIMES)], NUMBERS[number % len(NUMBERS)]
    # A visit that is assigned stays where it is: whether it overlaps another follows from its status.
    everything.execute(
        "UPDATE appointments SET notes = %s, internal_notes = %s, eta = %s, completed_at = %s, on_the_way_at = %s, total = %s,"
        " status = CASE WHEN technician_id IS NULL THEN %s ELSE status END, updated_at = %s,"
        " arrival_starts_at = CASE WHEN %s THEN NULL ELSE arrival_starts_at END,"
        " arrival_ends_at = CASE WHEN %s THEN NULL ELSE arrival_ends_at END WHERE id = %s",
        (
            text, None if number % 2 else other, time, None if number % 3 else time, time, number * 1000 + 0.5,
            status, time, number % 2 == 0, number % 2 == 0, _uuid(appointment),
        ),
    )  # fmt: skip
    everything.execute(
        "UPDATE customers SET name = %s, phone = %s, email = %s, notes = %s, sms_opted_out_at = %s WHERE id = %s",
        (text, "" if number % 2 else None, other, None if number % 3 else text, time if number % 2 else None, _uuid(customer)),
    )  # fmt: skip
    everything.execute(
        "UPDATE customer_addresses SET label = %s, line1 = %s, line2 = %s, latitude = %s, longitude = %s, precision = %s"
        " WHERE id = %s",
        (
            text or None, text, other, latitude, None if number % 4 == 1 else -latitude,
            "BUILDING" if number % 2 else None, _uuid(address),
        ),
    )  # fmt: skip


def _make_odd_shared(everything: psycopg.Connection, world: World) -> None:
    everything.execute(
        "UPDATE technicians SET skills = %s, color = %s, lunch = %s WHERE id = %s",
        (list(TEXTS), TEXTS[0], Jsonb(None), _uuid(world.technician)),
    )
    everything.execute(
        "UPDATE services SET name = %s, description = %s, required_skills = %s, bookable_online = false WHERE id = %s",
        (TEXTS[0], TEXTS[2], [], _uuid(world.offer)),
    )
    everything.execute(
        "UPDATE locations SET name = %s, latitude = %s, longitude = %s, allowed_origins = %s WHERE id = %s",
        (TEXTS[1], NUMBERS[1], NUMBERS[2], ["https://a.example"], _uuid(world.location)),
    )
