"""The tracking page: what the link in a text opens, while it does, and nothing else."""

import asyncio
from typing import Any

import psycopg

from domain.ids import Prefix, decode
from tests.forging import forged
from tests.messages.steps import Bench

FIELDS = """businessName businessPhone status arrivalWindow { start } eta technicianName position { latitude } serviceNames
  timeZone"""
QUERY = f"query ($token: String!) {{ trackedVisit(token: $token) {{ {FIELDS} }} }}"
STREAM = f"subscription ($token: String!) {{ trackedVisit(token: $token) {{ {FIELDS} }} }}"


async def link(bench: Bench, appointment: str) -> str:
    """The token in the text that says that the technician is on the way."""
    row = await bench.deliver(bench.one(appointment, "ON_THE_WAY"))
    assert row["state"] == "SENT"
    return str(row["body"]).rpartition("/track/")[2]


async def look(bench: Bench, token: str) -> Any:
    """What somebody without any session sees."""
    return (await bench.world.service.client().ask(QUERY, token=token))["trackedVisit"]


async def test_the_link_shows_the_visit_while_the_technician_is_on_the_way(bench: Bench) -> None:
    appointment = await bench.book()
    confirmation = bench.one(appointment, "CONFIRMATION")
    bench.set(confirmation, state="'SENT'")
    await bench.do("appointmentMarkOnTheWay", appointment, etaMinutes=20)
    token = await link(bench, appointment)
    bench.position(bench.world.technician, latitude=30.25)
    seen = await look(bench, token)
    assert seen["businessName"] == bench.world.name
    assert (seen["status"], seen["technicianName"], seen["position"]) == ("ON_THE_WAY", "Tess", {"latitude": 30.25})
    assert seen["eta"] is not None
    assert (seen["serviceNames"], seen["timeZone"]) == (["Dishwasher repair"], "America/Chicago")
    await bench.do("appointmentStart", appointment)
    seen = await look(bench, token)
    assert (seen["status"], seen["technicianName"], seen["position"], seen["eta"]) == ("IN_PROGRESS", None, None, None)


async def test_a_position_from_before_the_drive_is_nobodys_business(bench: Bench) -> None:
    appointment = await bench.book()
    bench.set(bench.one(appointment, "CONFIRMATION"), state="'SENT'")
    bench.position(bench.world.technician, latitude=30.25, age="1 hour")
    await bench.do("appointmentMarkOnTheWay", appointment)
    assert (await look(bench, await link(bench, appointment)))["position"] is None


async def test_the_stream_follows_and_ends_on_arrival(bench: Bench) -> None:
    appointment, other = await bench.book(), await bench.book(days=4)
    bench.set(bench.one(appointment, "CONFIRMATION"), state="'SENT'")
    await bench.do("appointmentMarkOnTheWay", appointment, etaMinutes=20)
    token = await link(bench, appointment)
    async with bench.world.service.client().subscribe(STREAM, token=token) as stream:
        assert (await stream.next())["trackedVisit"]["technicianName"] == "Tess"
        await bench.do("appointmentCancel", other)
        bench.position(bench.world.technician, latitude=30.5)
        assert (await stream.next())["trackedVisit"]["position"] == {"latitude": 30.5}
        await bench.do("appointmentStart", appointment)
        seen = (await stream.next())["trackedVisit"]
        assert (seen["status"], seen["technicianName"]) == ("IN_PROGRESS", None)
        assert '"type":"complete"' in str(await stream.socket.recv()).replace(" ", "")


async def test_no_other_token_opens_anything(bench: Bench) -> None:
    appointment = await bench.book()
    bench.set(bench.one(appointment, "CONFIRMATION"), state="'SENT'")
    await bench.do("appointmentMarkOnTheWay", appointment)
    token = await link(bench, appointment)
    for wrong in ("", "x", forged(token), token[::-1]):
        assert await look(bench, wrong) is None
    async with bench.world.service.client().subscribe(STREAM, token=forged(token)) as stream:
        assert "BAD_USER_INPUT" in str(await stream.socket.recv())


async def test_a_change_between_the_first_look_and_listening_is_not_missed(bench: Bench, owner_url: str) -> None:
    """The number from which on to listen is held back here, until the change behind the first look is committed."""
    appointment = await bench.book()
    bench.set(bench.one(appointment, "CONFIRMATION"), state="'SENT'")
    await bench.do("appointmentMarkOnTheWay", appointment, etaMinutes=20)
    token, id_ = await link(bench, appointment), decode(Prefix.APPOINTMENT, appointment)
    with psycopg.connect(owner_url.replace("sps_owner", "postgres")) as connection:
        connection.execute("LOCK TABLE tenant_counters IN ACCESS EXCLUSIVE MODE")
        async with bench.world.service.client().subscribe(STREAM, token=token) as stream:
            first = asyncio.ensure_future(stream.next())
            await asyncio.sleep(0.3)
            connection.execute("UPDATE appointments SET status = 'IN_PROGRESS' WHERE id = %s", [id_])
            connection.execute(
                "WITH next AS (UPDATE tenant_counters c SET value = value + 1 FROM appointments a"
                "  WHERE a.id = %s AND c.tenant_id = a.tenant_id AND c.name = 'event' RETURNING c.tenant_id, c.value)"
                " INSERT INTO events (tenant_id, seq, type, appointment_id, actor, changes)"
                " SELECT tenant_id, value, 'STARTED', %s, 'test', '[]' FROM next",
                [id_, id_],
            )
            connection.commit()
            seen = (await first)["trackedVisit"]
            if seen["status"] == "ON_THE_WAY":
                seen = (await stream.next())["trackedVisit"]
            assert seen["status"] == "IN_PROGRESS"
