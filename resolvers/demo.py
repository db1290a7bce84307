"""The demo business: made once, in one transaction, so that it is there as a whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from auth.passwords import hashed
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.local_time import local_date
from domain.tenant import TenantStatus
from models.database import Database, Transaction, record_event
from models.demo import be_patient, insert_rows
from models.look_up import look_up_log_in
from models.tenant import Tenant, count_up
from models.user import User, email_taken
from resolvers.appointment_plan import FIRST_NUMBER, NUMBER_COUNTER
from resolvers.demo_calendar import DAYS_AHEAD, plan_visits
from resolvers.demo_customers import demo_customers
from resolvers.demo_data.team import BUSINESS, BUSINESS_PHONE, LOCATIONS, OPEN, OWNER, TIME_ZONE
from resolvers.demo_rows import FOUNDED, business_tables, fresh_ids, position_table
from resolvers.demo_visits import visit_rows
from resolvers.location import NewLocation, ServiceArea, add_location

DEMO_EMAIL = OWNER.email
# Printed by `sps up`, and the same for all of the demo's users: it guards made-up data.
DEMO_PASSWORD = "bluebonnet-and-brisket"  # noqa: S105
HOLIDAYS = ((1, 1, "New Year's Day"), (7, 4, "Independence Day"), (12, 25, "Christmas Day"))
CLOSURES = 2

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DemoSeeded:
    """How to log in to the demo business; `created`: whether this call made it."""

    email: str
    password: str
    created: bool


async def seed(database: Database, *, now: datetime | None = None, on_progress: Progress | None = None) -> DemoSeeded:
    """Make the demo business, unless its account exists: then nothing changes, also when two processes try at once.

    Args:
        now: the moment (aware) around which its two weeks lie; None: the present. The same moment gives the same business.
        on_progress: called with the rows written so far, and with all that will be.

    Raises:
        ValueError: `now` is naive.
    """
    async with database.anonymous() as session:
        if await look_up_log_in(session, DEMO_EMAIL):
            return DemoSeeded(DEMO_EMAIL, DEMO_PASSWORD, created=False)
    moment = datetime.now(UTC) if now is None else now
    password_hash = await hashed(DEMO_PASSWORD)
    tenant_id = new_id()

    async def work(session: Transaction) -> None:
        await be_patient(session)
        await _add_account(session, tenant_id, password_hash, moment)
        await _furnish(session, tenant_id, password_hash, moment, on_progress or _ignore)

    try:
        await database.transact(tenant_id, work)
    except Refusal as refusal:
        if refusal.code is not ErrorCode.EMAIL_TAKEN:
            raise
        # Another process was first: our transaction waited for its row, and left nothing behind.
        return DemoSeeded(DEMO_EMAIL, DEMO_PASSWORD, created=False)
    return DemoSeeded(DEMO_EMAIL, DEMO_PASSWORD, created=True)


async def _add_account(session: Transaction, tenant_id: UUID, password_hash: str, now: datetime) -> None:
    session.add(
        Tenant(
            id=tenant_id,
            name=BUSINESS,
            email=OWNER.email,
            phone=BUSINESS_PHONE,
            status=TenantStatus.ACTIVE,
            created_at=now - FOUNDED,
        )
    )
    await session.flush()
    session.add(
        User(
            tenant_id=tenant_id,
            id=new_id(),
            name=OWNER.name,
            email=OWNER.email,
            role=OWNER.role,
            password_hash=password_hash,
            created_at=now - FOUNDED,
        )
    )
    # First of all rows that others could have: who comes second waits here and has done nothing yet.
    with email_taken():
        await session.flush()


async def _furnish(
    session: Transaction, tenant_id: UUID, password_hash: str, now: datetime, on_progress: Progress
) -> None:
    customers = demo_customers()
    visits = plan_visits(now, customers)
    ids = fresh_ids(tenant_id, await _add_locations(session, tenant_id, now), customers)
    last = await count_up(session, tenant_id, NUMBER_COUNTER, by=len(visits))
    made = visit_rows(ids, customers, visits, FIRST_NUMBER + last, now)
    tables = [
        *business_tables(ids, customers, password_hash, now),
        *made.tables,
        position_table(ids, customers, visits, now),
    ]
    done, total = 0, sum(len(rows) for _, rows in tables)
    for model, rows in tables:
        on_progress(done, total)
        await insert_rows(session, model, rows)
        done += len(rows)
    on_progress(done, total)
    for event in made.events:
        record_event(session, **event)


async def _add_locations(session: Transaction, tenant_id: UUID, now: datetime) -> dict[bool, UUID]:
    added = {}
    for north, place in enumerate(LOCATIONS):
        location = await add_location(
            session,
            tenant_id,
            NewLocation(
                name=place.name,
                slug=place.slug,
                time_zone=TIME_ZONE,
                address=place.address,
                opening_hours=OPEN,
                service_area=ServiceArea(radius_km=place.radius_km),
                arrival_window_minutes=place.arrival_window_minutes,
                minimum_notice_minutes=place.minimum_notice_minutes,
            ),
        )
        location.closures = _closures(local_date(now, TIME_ZONE))
        added[bool(north)] = location.id
    await session.flush()
    return added


def _closures(today: date) -> list[dict[str, Any]]:
    """The next holidays behind the weeks that are planned."""
    planned = today + timedelta(days=DAYS_AHEAD)
    days = [
        (date(year, month, day), reason) for year in (today.year, today.year + 1) for month, day, reason in HOLIDAYS
    ]
    coming = sorted(each for each in days if each[0] > planned)[:CLOSURES]
    return [{"date": day.isoformat(), "reason": reason} for day, reason in coming]


def _ignore(_done: int, _total: int) -> None:
    """Nobody wants to know."""
