"""The simulated day: every visit is driven to, begun and done, over the API."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cli.simulate import simulate
from cli.trouble import Trouble
from tests.world import PASSWORD, World


async def test_a_day_is_played_to_its_end(world: World) -> None:
    day = (datetime.now(UTC) + timedelta(days=1)).date()
    for hour in (15, 17):
        await world.book(f"{day}T{hour}:00:00Z", f"{day}T{hour + 1}:00:00Z", technicianId=world.technician)
    played = await simulate(world.service.origin, world.email, PASSWORD, speed=7_200, day=day, quiet=True)
    assert played == 2
    kept = await world.api.ask("{ appointments { nodes { status history { type } } } }")
    for visit in kept["appointments"]["nodes"]:
        assert visit["status"] == "COMPLETED"
        told = [each["type"] for each in visit["history"] if each["type"] != "ETA_CHANGED"]
        assert told[-3:] == ["ON_THE_WAY", "STARTED", "COMPLETED"]


async def test_an_empty_day_and_a_wrong_password_are_told_in_a_sentence(world: World) -> None:
    with pytest.raises(Trouble, match="no visits are left"):
        await simulate(world.service.origin, world.email, PASSWORD, speed=60, day=date(2031, 1, 1), quiet=True)
    with pytest.raises(Trouble, match="demo business is not on that server"):
        await simulate(world.service.origin, world.email, "wrong" * 4, speed=60, day=None, quiet=True)
    with pytest.raises(Trouble, match="there is no server"):
        await simulate("http://127.0.0.1:9", world.email, PASSWORD, speed=60, day=None, quiet=True)
