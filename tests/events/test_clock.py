"""The database's clock may be set back by days: times bound what is read of the stream, and numbers alone decide what is told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.appointment import AppointmentEventType
from domain.ids import Prefix, decode
from models.database import Database, record_event
from subscriptions import hub as hub_module
from subscriptions.hub import Hub
from tests.events.test_stream import deaf_hub, tenant_of
from tests.world import World

# Of events that follow each other, how many days before today the clock said that it was.
SET_BACK = [[2], [0, 2, 0, 2, 3, 0, 0]]


async def _write(database: Database, tenant: UUID, appointment: str, days: Sequence[int]) -> None:
    """All in one transaction, so that one read meets them together."""
    async with database.tenant(tenant) as session:
        for back in days:
            record_event(
                session,
                type=AppointmentEventType.UPDATED,
                appointment_id=decode(Prefix.APPOINTMENT, appointment),
                actor="test",
                changes=[],
                occurred_at=datetime.now(UTC) - timedelta(days=back),
            )


async def _numbers(hub: Hub, tenant: UUID, after: int, expected: int) -> list[int]:
    stream = hub.events(tenant, after)
    found = [(await asyncio.wait_for(anext(stream), 10)).seq for _ in range(expected)]
    await stream.aclose()
    return found


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is signalled to nobody is found early."""
    monkeypatch.setattr(hub_module, "SWEEP_S", 0.1)


@pytest.mark.parametrize("days", SET_BACK, ids=str)
async def test_subscribers_get_what_a_clock_that_was_set_back_wrote(
    world: World, database: Database, days: list[int]
) -> None:
    tenant, made = decode(Prefix.TENANT, await tenant_of(world)), await world.book()
    assert tenant is not None
    async with deaf_hub(database) as hub:
        stream = hub.events(tenant, 0)
        assert (await anext(stream)).seq == 1
        # Known by its time from here on.
        await _write(database, tenant, made["id"], [0])
        assert (await asyncio.wait_for(anext(stream), 10)).seq == 2
        await _write(database, tenant, made["id"], days)
        heard = [(await asyncio.wait_for(anext(stream), 10)).seq for _ in days]
        assert heard == list(range(3, 3 + len(days)))
        await stream.aclose()


@pytest.mark.parametrize("days", SET_BACK, ids=str)
async def test_who_comes_back_is_told_them_across_the_ends_of_batches(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch, days: list[int]
) -> None:
    tenant, made = decode(Prefix.TENANT, await tenant_of(world)), await world.book()
    assert tenant is not None
    await _write(database, tenant, made["id"], days)
    async with deaf_hub(database) as hub:
        for batch in (1, 2, 3):
            monkeypatch.setattr(hub_module, "BATCH", batch)
            assert await _numbers(hub, tenant, 0, 1 + len(days)) == list(range(1, 2 + len(days)))
