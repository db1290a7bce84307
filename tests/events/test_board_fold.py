"""The board that a client folds from events equals the database: whoever writes, however often the reader or the server goes."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import websockets

from domain.event_cursor import decode_cursor
from domain.ids import Prefix, decode
from tests.events.conftest import Setup
from tests.process import free_port, kill, process, wait_until_ready
from tests.service import TLS, Client
from tests.world import World

DAY = "2027-03-02"
APPOINTMENT = "id version status technician { id } scheduled { start end }"
BOARD = f"""query ($day: Date!) {{ dispatchBoard(day: $day) {{ cursor
  lanes {{ appointments {{ {APPOINTMENT} }} }} unassigned {{ {APPOINTMENT} }} }} }}"""
EVENTS = f"""subscription ($after: String) {{ appointmentEvents(after: $after) {{ cursor
  appointment {{ {APPOINTMENT} }} }} }}"""


def on_board(appointment: dict[str, Any]) -> bool:
    """What the board shows: the rule that a page applies to each event."""
    if appointment["scheduled"] is None:
        return bool(appointment["status"] == "REQUESTED")
    if not appointment["scheduled"]["start"].startswith(DAY):
        return False
    if appointment["technician"] is None:
        return appointment["status"] in ("REQUESTED", "SCHEDULED")
    return bool(appointment["status"] != "CANCELLED")


@dataclass
class Folded:
    """A page: the board as it was asked for once, and every event since."""

    cursor: str = ""
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    seqs: list[int] = field(default_factory=list)

    async def ask(self, api: Client) -> None:
        self.cursor, self.shown = await board(api)

    def fold(self, event: dict[str, Any]) -> None:
        appointment = event["appointment"]
        known = self.shown.get(appointment["id"])
        # Told as it is now: never older than what came before.
        assert known is None or known["version"] <= appointment["version"], (known, appointment)
        self.shown.pop(appointment["id"], None)
        if on_board(appointment):
            self.shown[appointment["id"]] = appointment
        self.cursor = event["cursor"]


async def board(api: Client) -> tuple[str, dict[str, dict[str, Any]]]:
    found = (await api.ask(BOARD, day=DAY))["dispatchBoard"]
    rows = [row for lane in found["lanes"] for row in lane["appointments"]] + found["unassigned"]
    return found["cursor"], {row["id"]: row for row in rows}


async def write(world: World, technicians: list[str], dice: random.Random, steps: int) -> None:
    """What dispatchers do, refusals and all."""
    mine: list[str] = []
    for _ in range(steps):
        start = 14 + dice.randrange(8)
        scheduled = {"start": f"{DAY}T{start}:00:00Z", "end": f"{DAY}T{start + 1}:00:00Z"}
        if dice.random() < 0.1:
            scheduled = {name: value.replace("03-02", "03-03") for name, value in scheduled.items()}
        technician = dice.choice([*technicians, None])
        if not mine or dice.random() < 0.3:
            mine.append((await world.book())["id"])
            continue
        one = dice.choice(mine)
        match dice.randrange(5):
            case 0 | 1:
                await world.api.do(
                    "appointmentSchedule", appointmentId=one, scheduled=scheduled, technicianId=technician
                )
            case 2:
                await world.api.do("appointmentAssign", appointmentId=one, technicianId=technician)
            case 3:
                await world.api.do("appointmentCancel", appointmentId=one)
            case 4:
                await world.api.do("appointmentReopen", appointmentId=one)


@pytest.mark.parametrize(
    ("seed", "steps"), [(1, 12), *(pytest.param(seed, 60, marks=pytest.mark.soak) for seed in range(2, 6))]
)
async def test_the_folded_board_is_the_database(world: World, setup: Setup, seed: int, steps: int) -> None:
    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    assert tenant is not None
    technicians = [world.technician, await world.add_technician("Otto Other")]
    for _ in range(2):
        await world.book()
    port = free_port()
    reader = Client(f"http://127.0.0.1:{port}/graphql", httpx.AsyncClient(verify=TLS, cookies=world.api.http.cookies))
    page, dice = Folded(), random.Random(seed)
    written, done, reconnects, killed = asyncio.Event(), asyncio.Event(), 0, 0

    async def read() -> None:
        nonlocal reconnects
        while not done.is_set():
            try:
                # Mostly it comes back with its cursor, now and then it begins anew.
                if not page.cursor or dice.random() < 0.2:
                    await page.ask(world.api)
                    page.seqs.clear()
                async with reader.subscribe(EVENTS, after=page.cursor) as stream:
                    for _ in range(dice.randint(1, 15)):
                        page.fold((await stream.next(1))["appointmentEvents"])
                        page.seqs.append(decode_cursor(tenant, page.cursor))
            except (OSError, websockets.WebSocketException, TimeoutError):
                await asyncio.sleep(0.05)
            reconnects += 1

    async def kill_servers() -> None:
        nonlocal killed
        while not done.is_set():
            with process("serve", "--port", str(port), **setup.environment) as server:
                await asyncio.to_thread(wait_until_ready, port)
                if killed < 2:
                    seen = reconnects
                    while reconnects < seen + 2 and not written.is_set():
                        await asyncio.sleep(0.01)
                    kill(server)
                    killed += 1
                else:
                    await done.wait()

    async def judge() -> None:
        rounds = 0
        # At least until a server was killed in the middle, whatever the machine's speed.
        while rounds == 0 or killed == 0:
            lots = [random.Random(f"{seed}:{rounds}:{n}") for n in range(4)]
            await asyncio.gather(*(write(world, technicians, lot, steps) for lot in lots))
            rounds += 1
        written.set()
        cursor, shown = await board(world.api)
        async with asyncio.timeout(60):
            while page.cursor != cursor:
                await asyncio.sleep(0.02)
        done.set()
        assert page.shown == shown
        # None missed and none twice since the page was last loaded.
        assert page.seqs == list(
            range(decode_cursor(tenant, cursor) - len(page.seqs) + 1, decode_cursor(tenant, cursor) + 1)
        )

    await asyncio.gather(judge(), read(), kill_servers())
    await reader.http.aclose()
