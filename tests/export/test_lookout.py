"""What is due is handed out a few at a time, and nothing that fails again and again holds up the rest."""

import re

import psycopg

from domain.ids import new_id
from models.database import Database
from models.purge import Due, due_upkeep
from workers.upkeep import AGAIN_S, QUEUED, ROOM, Lookout


def removals(owner_url: str, number: int) -> None:
    """So many businesses with a file to be removed, which nobody removes."""
    with psycopg.connect(re.sub("sps_owner", "postgres", owner_url)) as connection:
        for _ in range(number):
            tenant = new_id()
            connection.execute(
                "INSERT INTO tenants (id, name, email, status) VALUES (%s, 'Waiting', 'a@example.com', 'ACTIVE')",
                [tenant],
            )
            connection.execute(
                "INSERT INTO file_removals (tenant_id, id, key) VALUES (%s, %s, 'files/x/y')", [tenant, new_id()]
            )


async def test_each_has_its_turn(database: Database, owner_url: str) -> None:
    removals(owner_url, 3 * QUEUED)
    sent: list[Due] = []
    clock = [1_000.0]
    lookout = Lookout(database, sent.append, lambda: clock[0])
    async with database.anonymous() as session:
        due = set(await due_upkeep(session, None, ROOM))
    while not due <= set(sent):
        before = len(sent)
        assert 0 < await lookout.look() <= QUEUED
        # Other tests leave things due too, so the last round may be filled up with second turns.
        if set(sent[:before]) & set(sent[before:]):
            assert due <= set(sent), "again, before others had their first turn"
        assert await lookout.look() == 0, "what is queued and not done yet keeps the queue short"
        clock[0] += AGAIN_S
    assert await lookout.look() == QUEUED
    assert sent[-1] in sent[:-QUEUED]
    lookout.close()


async def test_a_broker_out_of_reach_loses_nothing(database: Database, owner_url: str) -> None:
    removals(owner_url, 1)

    def refuse(_due: Due) -> None:
        raise ConnectionError

    lookout = Lookout(database, refuse)
    assert await lookout.look() == 0
    sent: list[Due] = []
    lookout._send = sent.append
    assert await lookout.look() > 0
    assert sent
    lookout.close()
